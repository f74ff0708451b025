"""Disclosures as they are kept: held to their consent, complete by their ground, and never changed."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.consent import Consents
from caseload.db.disclosure import KeptDisclosures
from caseload.db.tables.disclosure import disclosure_completed, disclosure_made, redisclosure
from caseload.domain.access import Act, Role
from caseload.domain.consent import (
    Category,
    CheckMethod,
    Consent,
    How,
    IdentityCheck,
    Purpose,
    Recipient,
    RecipientClass,
    Revocation,
)
from caseload.domain.disclosure import Disclosure, Ground, Manner, NoticeHow, Telling
from caseload.domain.ids import ClientId, ConsentId, DisclosureId, new_id
from tests.db.test_consent import consent
from tests.factories import families, people
from tests.factories.families import Place, Seen, refused
from tests.factories.people import NOW
from tests.factories.staff import somebody

pytestmark = pytest.mark.anyio

DOCTOR = Recipient(name="Dr Example")
SECOND = timedelta(seconds=1)
SIGNED = {"director": "A name", "signed_on": "2026-03-01"}
IN_PLACE: dict[str, Any] = {"scope": "a scope", "notice": "a notice", "notice_how": NoticeHow.SENT}
BEYOND = "goes beyond the consent that it names"
"""What the trigger says."""


@pytest.fixture
async def place(connection: AsyncConnection) -> Place:
    return await families.place(connection)


async def consented(place: Place, client: ClientId, **changes: Any) -> Consent:
    made = consent(place, client, DOCTOR, **changes)
    await Consents(place.connection, Seen()).add(made)
    return made


def told(place: Place, client: ClientId, by: Consent | None, **changes: Any) -> Disclosure:
    made = Disclosure(
        id=DisclosureId(new_id()),
        client=client,
        programme=place.programme,
        telling=Telling(
            recipient=DOCTOR,
            name="Dr Example",
            purpose=Purpose.FAMILY_INVOLVEMENT,
            check=IdentityCheck(method=CheckMethod.IN_PERSON),
        ),
        ground=Ground.CONSENT,
        consent=None if by is None else by.id,
        categories=(Category.ATTENDANCE,),
        rule="a rule",
        rules_version="a version",
        manner=Manner.SPOKEN,
        notice="a notice",
        notice_how=NoticeHow.READ_OUT,
        scope=None if by is None else "a scope",
        content={},
        disputes=(),
        disclosed_by=place.recorder,
        disclosed_at=NOW,
        recorded_by=place.recorder,
        recorded_at=NOW,
    )
    return replace(made, **changes)


def emergency(place: Place, client: ClientId, **changes: Any) -> Disclosure:
    telling = Telling(recipient=DOCTOR, name="Dr Example", purpose=Purpose.TREATMENT, emergency="Overdose.")
    nothing: dict[str, Any] = {"notice": None, "notice_how": None, "disclosed_by": None, "disclosed_at": None}
    return told(place, client, None, ground=Ground.EMERGENCY, **{"telling": telling, **nothing, **changes})


async def refuses(place: Place, made: Disclosure, constraint: str) -> None:
    kept = KeptDisclosures(place.connection, Seen(), now=NOW)
    await refused(place.connection, lambda: kept.add_disclosure(made), constraint)


async def test_a_disclosure_points_at_no_consent_and_no_relative_of_another_client(place: Place) -> None:
    sam, alex = await place.client(), await place.client()
    theirs = await consented(place, alex)
    await refuses(place, told(place, sam, theirs), BEYOND)
    mother = await place.person(alex)
    to_her = replace(emergency(place, sam).telling, recipient=Recipient(person=mother.id))
    await refuses(place, emergency(place, sam, telling=to_her), "disclosure_made_person_fkey")


async def test_a_disclosure_goes_no_further_than_its_consent(place: Place) -> None:
    sam = await place.client()
    made = await consented(place, sam)
    good = told(place, sam, made)
    beyond: list[dict[str, Any]] = [
        {"categories": (Category.ATTENDANCE, Category.MEDICATION)},
        {"telling": replace(good.telling, purpose=Purpose.PAYMENT)},
        {"telling": replace(good.telling, recipient=Recipient(person=(await place.person(sam)).id))},
        {"disclosed_at": made.signature.signed_at - SECOND},
    ]
    for wrong in beyond:
        await refuses(place, replace(good, **wrong), BEYOND)
    await KeptDisclosures(place.connection, Seen(), now=NOW).add_disclosure(good)
    revocation = Revocation(
        consent=made.id, how=How.SPOKEN, received_at=NOW, recorded_at=NOW, recorded_by=place.recorder
    )
    await Consents(place.connection, Seen()).add_revocation(revocation, of=made)
    await refuses(place, replace(good, id=DisclosureId(new_id())), BEYOND)
    before = replace(good, id=DisclosureId(new_id()), disclosed_at=NOW - SECOND)
    await KeptDisclosures(place.connection, Seen(), now=NOW).add_disclosure(before)


async def test_a_consent_that_expired_that_second_holds_no_disclosure(place: Place) -> None:
    sam = await place.client()
    made = await consented(place, sam)
    dated = replace(made, id=ConsentId(new_id()), expires_at=NOW)
    dated = replace(dated, expiry=replace(dated.expiry, event=None, last_day=NOW.date() - timedelta(days=1)))
    await Consents(place.connection, Seen()).add(dated)
    await refuses(place, told(place, sam, dated), BEYOND)
    await KeptDisclosures(place.connection, Seen(), now=NOW).add_disclosure(
        told(place, sam, dated, disclosed_at=NOW - SECOND)
    )


@pytest.mark.parametrize(
    ("wrong", "constraint"),
    [
        ({"ground": Ground.RESEARCH, "stated": {"a": "b"}}, "no_research"),
        ({"ground": Ground.COURT_ORDER}, "stated_by_exceptions"),
        ({"ground": Ground.CENTRAL_REGISTRY, "stated": {"a": "b"}}, "by_its_ground"),
        ({"ground": Ground.CORONER, "stated": {"a": "b"}}, "asker_checked"),
        ({"scope": "a scope"}, "scope_of_consent"),
        ({"ground": Ground.DIRECTORS_CONSENT, "stated": SIGNED, **IN_PLACE}, "director_for_payment"),
        ({"ground": Ground.BEST_INTERESTS, "stated": SIGNED}, "assessed_for_interests"),
        ({"content": {"about": "x"}}, "only_documents_say_it"),
        ({"manner": Manner.WRITTEN}, "only_documents_say_it"),
        ({"notice": "a notice"}, "notice_went_with_it"),
        ({"disclosed_at": NOW + SECOND}, "not_in_the_future"),
        ({"categories": ()}, "categories"),
    ],
)
async def test_what_goes_with_no_ground_is_not_kept(place: Place, wrong: dict[str, Any], constraint: str) -> None:
    sam = await place.client()
    made = emergency(place, sam)
    if "ground" in wrong:
        wrong = {**wrong, "disclosed_by": place.recorder, "disclosed_at": NOW}
        wrong["telling"] = replace(made.telling, emergency=None)
        if wrong["ground"] is not Ground.CORONER:
            wrong["telling"] = replace(wrong["telling"], check=IdentityCheck(method=CheckMethod.IN_PERSON))
    await refuses(place, replace(made, **wrong), f"disclosure_made_{constraint}_check")


async def test_a_director_is_kept_as_having_consented_to_payment_by_a_payer_and_to_nothing_else(place: Place) -> None:
    sam, check = await place.client(), IdentityCheck(method=CheckMethod.IN_PERSON)
    payer = Telling(
        recipient=Recipient(group=RecipientClass.HEALTH_PLANS), name="A clerk", purpose=Purpose.PAYMENT, check=check
    )
    how: dict[str, Any] = {"ground": Ground.DIRECTORS_CONSENT, "stated": SIGNED, "telling": payer, **IN_PLACE}
    good = told(place, sam, None, **how)
    provider = Recipient(group=RecipientClass.TREATING_PROVIDERS)
    beyond: list[dict[str, Any]] = [
        {"telling": replace(payer, purpose=Purpose.TREATMENT)},
        {"telling": replace(payer, recipient=provider)},
        {"telling": replace(payer, recipient=DOCTOR)},
        {"stated": {"director": "A name"}},
    ]
    for wrong in beyond:
        await refuses(place, replace(good, **wrong), "disclosure_made_director_for_payment_check")
    await KeptDisclosures(place.connection, Seen(), now=NOW).add_disclosure(good)


async def test_only_an_emergency_may_lack_who_told_and_when(place: Place) -> None:
    sam = await place.client()
    made = await consented(place, sam)
    await refuses(place, told(place, sam, made, disclosed_by=None), "who_told_and_when")


async def test_only_an_emergency_is_completed_and_with_all_of_it(place: Place) -> None:
    sam = await place.client()
    kept = KeptDisclosures(place.connection, Seen(), now=NOW)
    ordinary, open_one = told(place, sam, await consented(place, sam)), emergency(place, sam)
    for made in (ordinary, open_one):
        await kept.add_disclosure(made)
    whole = {
        "disclosure_id": open_one.id,
        "ground": "emergency",
        "facility": "County ED",
        "disclosed_by": place.recorder,
        "disclosed_at": NOW,
        "recorded_by": place.recorder,
        "recorded_at": NOW,
    }

    async def adds(row: dict[str, Any]) -> None:
        await place.connection.execute(insert(disclosure_completed).values(**row))

    for wrong, constraint in (
        ({"facility": None}, "facility"),
        ({"disclosed_at": None}, "disclosed_at"),
        ({"disclosure_id": ordinary.id}, "disclosure_fkey"),
        ({"disclosure_id": ordinary.id, "ground": "consent"}, "only_emergencies"),
    ):
        await refused(place.connection, lambda row={**whole, **wrong}: adds(row), constraint)
    await adds(whole)


async def test_nothing_that_was_told_is_changed_or_taken_away(place: Place) -> None:
    for table in (disclosure_made, disclosure_completed, redisclosure):
        for change in (update(table).values(recorded_at=NOW), delete(table)):
            await refused(place.connection, lambda act=change: place.connection.execute(act), "permission denied")


async def test_an_open_release_has_the_day_on_the_clock_of_its_programme(place: Place) -> None:
    """Half an hour before midnight in Chicago it is the next day already in UTC."""
    there = replace(place, programme=await people.programme(place.connection, time_zone="America/Chicago"))
    late = datetime(2026, 3, 2, 5, 30, tzinfo=UTC)
    made = replace(emergency(there, await there.client()), disclosed_at=None, disclosed_by=None, recorded_at=late)
    kept = KeptDisclosures(place.connection, Seen(), now=late)
    await kept.add_disclosure(made)
    officer = somebody((Role.PRIVACY_OFFICER, there.programme))
    found = await kept.open_releases(by=officer, act=Act.SEE_CONSENT, limit=10)
    assert [(each.id, day) for each, day, _ in found] == [(made.id, date(2026, 3, 1))]
