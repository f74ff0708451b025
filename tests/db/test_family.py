"""The people around clients as they are kept."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Table, insert, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.family import Families
from caseload.db.tables.family import (
    family_information,
    family_information_confided,
    family_information_taken_back,
    related_person,
    related_person_involvement,
    related_person_version,
    related_person_warning,
)
from caseload.domain.family import (
    AlreadyInvolved,
    AlreadyWarned,
    Information,
    InformationUnknown,
    InvolvementKind,
    InvolvementOver,
    PersonChanged,
    PersonUnknown,
    SafetyWarning,
    Told,
    WarningKind,
    WarningLifted,
)
from caseload.domain.ids import InformationId, WarningId, new_id
from tests.factories import families
from tests.factories.families import MOTHER, Place, Seen, refused
from tests.factories.people import NOW

pytestmark = pytest.mark.anyio


@pytest.fixture
async def place(connection: AsyncConnection) -> Place:
    return await families.place(connection)


async def test_a_person_comes_back_in_the_newest_version(place: Place) -> None:
    seen = Seen()
    kept = Families(place.connection, seen)
    sam = await place.client()
    mother = await place.person(sam)
    married = replace(
        mother,
        version=2,
        details=replace(MOTHER, name="Rosa Married"),
        reason="married",
        former_names=(MOTHER.name,),
    )
    await kept.add(married)
    moved = replace(
        married,
        version=3,
        details=replace(married.details, phone=None),
        reason="moved",
        former_names=(married.details.name, MOTHER.name),
    )
    await kept.add(moved)
    assert await kept.get(mother.id, client=sam) == moved
    assert seen.clients == [(sam, "family")]


async def test_the_ways_in_which_somebody_takes_part_come_back_with_their_days(place: Place) -> None:
    kept = Families(place.connection, Seen())
    sam = await place.client()
    mother, father = await place.person(sam), await place.person(sam)
    order = await place.involved(
        mother, InvolvementKind.LEGAL_REPRESENTATIVE, last_day=NOW.date(), until_at=NOW + timedelta(hours=3)
    )
    partner = await place.involved(mother, InvolvementKind.CARE_PARTNER, starts_at=NOW)
    assert (await kept.get(mother.id, client=sam)).involvements == (order, partner)
    over = replace(partner, ended_at=NOW + timedelta(hours=1), ended_by=place.recorder, ended_because="moved")
    await kept.end(over)
    assert [each.involvements for each in await kept.around(sam)] == [(order, over), ()]
    with pytest.raises(InvolvementOver):
        await kept.end(over)
    assert await kept.no_longer_involved(sam, at=NOW) == {father.id}
    assert await kept.no_longer_involved(sam, at=NOW + timedelta(hours=3)) == {mother.id, father.id}


async def test_nobody_takes_part_in_one_way_twice_at_once(place: Place) -> None:
    kept = Families(place.connection, Seen())
    mother = await place.person(await place.client())
    first = await place.involved(mother, InvolvementKind.CARE_PARTNER)
    savepoint = await place.connection.begin_nested()
    with pytest.raises(AlreadyInvolved):
        await place.involved(mother, InvolvementKind.CARE_PARTNER)
    await savepoint.rollback()
    await kept.end(replace(first, ended_at=NOW, ended_by=place.recorder, ended_because="moved"))
    await place.involved(mother, InvolvementKind.CARE_PARTNER, starts_at=NOW)


async def test_a_warning_comes_back_and_stands_once(place: Place) -> None:
    kept = Families(place.connection, Seen())
    sam = await place.client()
    mother = await place.person(sam)
    warning = SafetyWarning(
        id=WarningId(new_id()),
        client=sam,
        person=mother.id,
        kind=WarningKind.DOMESTIC_RISK,
        note="Has hurt him.",
        recorded_by=place.recorder,
        recorded_at=NOW,
    )
    await kept.warn(warning)
    savepoint = await place.connection.begin_nested()
    with pytest.raises(AlreadyWarned):
        await kept.warn(replace(warning, id=WarningId(new_id())))
    await savepoint.rollback()
    assert (await kept.get(mother.id, client=sam)).warnings == (warning,)
    lifted = replace(warning, lifted_at=NOW, lifted_by=place.recorder, lifted_because="moved")
    await kept.lift(lifted)
    with pytest.raises(WarningLifted):
        await kept.lift(lifted)
    assert [each.warnings for each in await kept.around(sam)] == [(lifted,)]


async def test_the_list_holds_everybody_around_one_client_and_nobody_elses(place: Place) -> None:
    kept = Families(place.connection, Seen())
    sam, alex = await place.client(), await place.client()
    mother, partner = await place.person(sam), await place.person(sam)
    await place.person(alex)
    assert await kept.around(sam) == [mother, partner]
    with pytest.raises(PersonUnknown):
        await kept.get(mother.id, client=alex)


async def test_looking_at_an_empty_list_is_looking_at_the_client(place: Place) -> None:
    seen = Seen()
    sam = await place.client()
    assert await Families(place.connection, seen).around(sam) == []
    assert seen.clients == [(sam, "family")]


async def test_of_two_changes_to_one_version_the_second_is_refused(place: Place) -> None:
    kept = Families(place.connection, Seen())
    mother = await place.person(await place.client())
    changed = replace(mother, version=2, reason="new number")
    await kept.add(changed)
    savepoint = await place.connection.begin_nested()
    with pytest.raises(PersonChanged):
        await kept.add(changed)
    await savepoint.rollback()


async def test_what_was_heard_comes_back_the_newest_first(place: Place) -> None:
    seen = Seen()
    kept = Families(place.connection, seen)
    sam = await place.client()
    mother = await place.person(sam)
    heard = [
        Information(id=InformationId(new_id()), client=sam, told=told, recorded_at=NOW, recorded_by=place.recorder)
        for told in (
            Told(text="He sleeps badly.", received_at=NOW - timedelta(days=2), person=mother.id, confidential=True),
            Told(text="Saw him in the park.", received_at=NOW, source="a neighbour"),
        )
    ]
    for information in heard:
        await kept.add_information(information)
    assert await kept.information(sam) == heard[::-1]
    assert await kept.get_information(heard[0].id, client=sam) == heard[0]
    assert seen.clients == [(sam, "family_information")] * 2
    with pytest.raises(InformationUnknown):
        await kept.get_information(heard[0].id, client=await place.client())


async def test_a_wrong_state_cannot_be_stored(place: Place) -> None:
    sam, alex = await place.client(), await place.client()
    mother = await place.person(sam)
    version: dict[str, Any] = {
        "person_id": mother.id,
        "version": 2,
        "name": "Rosa",
        "relationship": "mother",
        "contact_by": [],
        "reason": "moved",
        "recorded_by": place.recorder,
        "recorded_at": NOW,
    }
    heard: dict[str, Any] = {
        "id": new_id(),
        "client_id": sam,
        "person_id": mother.id,
        "text": "news",
        "confidential": False,
        "received_at": NOW,
        "recorded_by": place.recorder,
        "recorded_at": NOW,
    }
    involved: dict[str, Any] = {
        "id": new_id(),
        "client_id": sam,
        "person_id": mother.id,
        "kind": "care_partner",
        "starts_at": NOW,
        "recorded_by": place.recorder,
        "recorded_at": NOW,
    }
    for table, row, wrong, constraint in (
        (related_person_version, version, {"contact_by": ["pigeon"]}, "version_contact_by_check"),
        (related_person_version, version, {"language": " "}, "language_not_blank"),
        (related_person_involvement, involved, {"kind": "landlord"}, "involvement_kind_check"),
        (related_person_involvement, involved, {"evidence": "order"}, "representative_has_evidence"),
        (related_person_involvement, involved, {"kind": "legal_representative"}, "representative_has_evidence"),
        (related_person_involvement, involved, {"until_at": NOW + timedelta(days=1)}, "last_day_has_instant"),
        (related_person_involvement, involved, {"until_at": NOW, "last_day": NOW.date()}, "until_after_start"),
        (related_person_involvement, involved, {"ended_at": NOW}, "whole_end"),
        (related_person_involvement, involved, {"client_id": alex}, "involvement_person_fkey"),
        (related_person_version, version, {"reason": None}, "change_has_reason"),
        (related_person_version, version, {"name": " "}, "name_not_blank"),
        (related_person_version, version, {"version": 0}, "version_version_check"),
        (family_information, heard, {"source": "a neighbour"}, "one_source"),
        (family_information, heard, {"person_id": None}, "one_source"),
        (family_information, heard, {"client_id": alex}, "family_information_person_fkey"),
        (family_information, heard, {"received_at": NOW + timedelta(seconds=1)}, "not_in_the_future"),
    ):
        statement = insert(table).values(row | wrong)
        await refused(place.connection, lambda s=statement: place.connection.execute(s), constraint)


@pytest.mark.parametrize(
    "table",
    [
        related_person,
        related_person_version,
        related_person_involvement,
        related_person_warning,
        family_information,
        family_information_confided,
        family_information_taken_back,
    ],
)
@pytest.mark.parametrize("verb", ["update clinic.{table} set {column} = null", "delete from clinic.{table}"])
async def test_nothing_kept_about_families_can_be_changed_or_deleted(
    connection: AsyncConnection, table: Table, verb: str
) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"):
        await connection.execute(text(verb.format(table=table.name, column=table.columns[0].name)))
