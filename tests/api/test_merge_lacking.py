"""What the survivor would lack of what protects the client: warnings, links, agreements, and what they have asked for."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import Insert, insert, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.failures import Failure, failure_of
from caseload.db.tables.caseload import client
from caseload.db.tables.family import related_person_warning
from caseload.db.tables.family_link import related_person_link
from caseload.db.tables.merge import client_merge_answer
from caseload.db.tables.rights import rights_answer, rights_request
from caseload.db.tables.rights_agreed import rights_contact, rights_restriction
from caseload.domain.access import Role
from caseload.domain.ids import ClientId, new_id
from tests.api.conftest import Clinic, Person
from tests.api.test_merge import Twice, problem, registered_twice
from tests.factories.waits import until_others_wait

pytestmark = pytest.mark.anyio

SAM: Mapping[str, Any] = {
    "name": "Sam Okafor",
    "relationship": "partner",
    "phone": "+1 (602) 555-0142",
    "address": "12 Oak St.",
    "in_household": True,
}
RISK = {"kind": "domestic_risk", "note": "Has hurt them."}
NOT_TO_BE_RUNG = {"kind": "do_not_call", "note": "Not by telephone.", "said_by": "The client."}


@dataclass(frozen=True)
class Lacking:
    """One person registered twice, with a proposal that waits, and the privacy officer."""

    twice: Twice
    officer: Person
    merge: Mapping[str, Any]

    @property
    def duplicate(self) -> ClientId:
        return self.twice.double

    @property
    def survivor(self) -> ClientId:
        return self.twice.here.client

    @property
    def clinic(self) -> Clinic:
        return self.twice.here.clinic

    async def left(self) -> Sequence[tuple[str, str]]:
        """Each kind of what must be settled, with its record."""
        refused = await self.twice.answer(dict(self.merge), "confirmation")
        assert problem(refused) == (409, "merge-unsettled"), refused.text
        return [(each["kind"], each["record"]) for each in refused.json()["facts"]["open"]]

    async def kinds(self) -> set[str]:
        return {kind for kind, _ in await self.left()}

    async def confirm(self) -> httpx.Response:
        return await self.twice.answer(dict(self.merge), "confirmation")

    async def listed(self, of: ClientId, **changes: Any) -> str:
        made = await self.twice.here.nurse.post(f"/clients/{of}/related-people", {**SAM, **changes})
        assert made.status_code == 201, made.text
        return made.json()["id"]

    async def warned(self, of: ClientId, person: str, **changes: Any) -> str:
        path = f"/clients/{of}/related-people/{person}/warnings"
        made = await self.twice.here.nurse.post(path, {**RISK, **changes})
        assert made.status_code == 201, made.text
        return made.json()["warnings"][-1]["id"]

    async def linked(self, of: ClientId, person: str, own: ClientId) -> None:
        body = {"own_client_id": str(own), "reason": "Both said so."}
        made = await self.officer.post(f"/clients/{of}/relative-links/{person}", body)
        assert made.status_code == 204, made.text

    async def asked(self, of: ClientId, kind: str, **more: Any) -> str:
        body = {
            "kind": kind,
            "says": "Nobody at home may know.",
            "received_at": self.clinic.service.clock().isoformat(),
            "check": {"method": "in_person"},
            **more,
        }
        made = await self.officer.post(f"/clients/{of}/rights-requests", body)
        assert made.status_code == 201, made.text
        return made.json()["id"]

    async def answered(self, request: str, **answer: Any) -> httpx.Response:
        body = {"outcome": "granted", "says": "Told at the desk.", **answer}
        return await self.officer.post(f"/rights-requests/{request}/answer", body)

    async def restricted(self, of: ClientId, *, told: bool = False, **more: Any) -> str:
        """A restriction that was agreed; `told`: and which the programme has ended."""
        request = await self.asked(of, "restriction", **more)
        made = await self.answered(request, restricts={"categories": ["attendance"]})
        assert made.status_code == 201, made.text
        if told:
            ending = {"told_at": self.clinic.service.clock().isoformat(), "says": "Told in person."}
            ended = await self.officer.post(f"/rights-requests/{request}/restriction-termination", ending)
            assert ended.status_code == 201, ended.text
        return request


@pytest.fixture
async def lacking(clinic: Clinic) -> Lacking:
    twice = await registered_twice(clinic, profile="US")
    officer = await clinic.person((Role.PRIVACY_OFFICER, twice.here.programme))
    return Lacking(twice, officer, await twice.proposed())


# Warnings.


async def test_whom_staff_are_warned_of_under_the_duplicate_they_are_warned_of_under_the_survivor_first(
    lacking: Lacking,
) -> None:
    person = await lacking.listed(lacking.duplicate)
    warning = await lacking.warned(lacking.duplicate, person)
    assert await lacking.left() == [("warning", warning)]

    same = await lacking.listed(lacking.survivor, name="sam  OKAFOR", phone="555 0142", address="12 Oak St")
    assert await lacking.kinds() == {"warning"}, "being listed warns nobody"
    await lacking.warned(lacking.survivor, same, **NOT_TO_BE_RUNG)
    assert await lacking.kinds() == {"warning"}, "who may harm them opens the door as well"
    await lacking.warned(lacking.survivor, same)
    assert (await lacking.confirm()).status_code == 201


@pytest.mark.parametrize(
    "other", [{"name": "Sam"}, {"phone": None}, {"phone": "555 0199"}, {"address": None}, {"in_household": False}]
)
async def test_a_warning_that_closes_fewer_ways_is_not_the_same(lacking: Lacking, other: Mapping[str, Any]) -> None:
    await lacking.warned(lacking.duplicate, await lacking.listed(lacking.duplicate))
    same = await lacking.listed(lacking.survivor, **other)
    await lacking.warned(lacking.survivor, same)
    assert await lacking.kinds() == {"warning"}

    nurse = lacking.twice.here.nurse
    path = f"/clients/{lacking.survivor}/related-people/{same}"
    change = {"person": dict(SAM), "reason": "As it is on the other registration."}
    changed = await nurse.put(path, change, headers={"If-Match": '"1"'})
    assert changed.status_code == 200, changed.text
    assert (await lacking.confirm()).status_code == 201


async def test_a_warning_that_was_lifted_warns_of_nobody_and_the_graver_one_covers_the_other(lacking: Lacking) -> None:
    person = await lacking.listed(lacking.duplicate, phone=None, address=None, in_household=False)
    warning = await lacking.warned(lacking.duplicate, person, **NOT_TO_BE_RUNG)
    same = await lacking.listed(lacking.survivor)
    theirs = await lacking.warned(lacking.survivor, same)
    nurse, why = lacking.twice.here.nurse, {"reason": "Is no risk any more."}
    lifting = f"/clients/{lacking.survivor}/related-people/{same}/warnings/{theirs}/lifting"
    assert (await nurse.post(lifting, why)).status_code == 201
    assert await lacking.left() == [("warning", warning)]
    await lacking.warned(lacking.survivor, same)
    assert (await lacking.confirm()).status_code == 201


# Who is a client too, and what was asked for.


async def test_what_waits_for_the_privacy_officer_says_nothing_of_anybody_else(lacking: Lacking) -> None:
    own = await lacking.twice.here.another_client(family_name="Third")
    asked = await lacking.asked(lacking.duplicate, "access_report")
    because_of_a_request = await lacking.left()
    person = await lacking.listed(lacking.duplicate)
    await lacking.linked(lacking.duplicate, person, own)
    assert await lacking.left() == because_of_a_request == [("privacy_officer", str(lacking.duplicate))]

    assert (await lacking.answered(asked, outcome="withdrawn")).status_code == 201
    assert await lacking.left() == because_of_a_request, "the link alone says the same"
    read = await lacking.twice.director.get(f"/client-merges/{lacking.merge['id']}")
    [line] = read.json()["still_open"]
    assert line["record_id"] == str(lacking.duplicate)
    assert "relative" not in read.text
    assert str(own) not in read.text

    same = await lacking.listed(lacking.survivor, name="Sammy")
    await lacking.linked(lacking.survivor, same, own)
    assert (await lacking.confirm()).status_code == 201


async def test_whoever_is_linked_to_the_survivor_is_settled_by_undoing_it(lacking: Lacking) -> None:
    person = await lacking.listed(lacking.duplicate)
    await lacking.linked(lacking.duplicate, person, lacking.survivor)
    assert await lacking.kinds() == {"privacy_officer"}
    path = f"/clients/{lacking.duplicate}/relative-links/{person}/undoing"
    assert (await lacking.officer.post(path, {"reason": "They are one person."})).status_code == 204
    assert (await lacking.confirm()).status_code == 201


# What was agreed.


async def test_what_the_programme_ended_for_the_survivor_is_not_as_much(lacking: Lacking) -> None:
    stands = await lacking.restricted(lacking.duplicate)
    await lacking.restricted(lacking.survivor, told=True)
    assert await lacking.left() == [("agreed_restriction", stands)]
    await lacking.restricted(lacking.survivor)
    assert (await lacking.confirm()).status_code == 201


async def test_what_the_programme_ended_for_both_is_as_much_when_the_survivor_was_told_later(lacking: Lacking) -> None:
    await lacking.restricted(lacking.survivor, told=True)
    await lacking.restricted(lacking.duplicate, told=True)
    assert await lacking.kinds() == {"agreed_restriction"}
    await lacking.restricted(lacking.survivor, told=True)
    assert (await lacking.confirm()).status_code == 201


async def test_what_was_paid_for_in_full_is_not_covered_by_what_can_be_ended(lacking: Lacking) -> None:
    await lacking.restricted(lacking.duplicate, is_self_paid=True)
    await lacking.restricted(lacking.survivor)
    assert await lacking.kinds() == {"agreed_restriction"}
    await lacking.restricted(lacking.survivor, is_self_paid=True)
    assert (await lacking.confirm()).status_code == 201


# Of two at once.


def _answered(at: Any, by: Any, request: str, to: ClientId) -> Sequence[Insert]:
    who = {"recorded_by": by, "recorded_at": at}
    of = {"request_id": request, "outcome": "granted"}
    contact: dict[str, Any] = {**of, **who, "kind": "confidential_contact", "client_id": to, "allowed": []}
    return [insert(rights_answer).values(**of, **who, says="Told."), insert(rights_contact).values(**contact)]


async def _close(connection: AsyncConnection, lacking: Lacking) -> None:
    """As a confirmation does, whatever is still open."""
    both = [lacking.duplicate, lacking.survivor]
    await connection.execute(select(client.c.id).where(client.c.id.in_(both)).with_for_update())
    await connection.execute(
        insert(client_merge_answer).values(
            merge_id=lacking.merge["id"],
            outcome="confirmed",
            reason="Seen.",
            proposed_by=lacking.merge["proposed_by"],
            answered_by=lacking.twice.director.staff.id,
            answered_at=lacking.clinic.service.clock(),
        )
    )


async def test_whoever_agrees_while_a_merge_is_confirmed_is_waited_for(lacking: Lacking) -> None:
    asked = await lacking.asked(lacking.duplicate, "confidential_contact")
    async with lacking.clinic.service.engine.begin() as connection:
        now = lacking.clinic.service.clock()
        for row in _answered(now, lacking.officer.staff.id, asked, lacking.duplicate):
            await connection.execute(row)
        confirming = asyncio.create_task(lacking.confirm())
        await until_others_wait(connection)
    refused = await confirming
    assert problem(refused) == (409, "merge-unsettled")
    assert [each["kind"] for each in refused.json()["facts"]["open"]] == ["agreed_contact"]


async def test_whoever_agrees_after_a_merge_is_told_that_the_registration_is_closed(lacking: Lacking) -> None:
    contact = await lacking.asked(lacking.duplicate, "confidential_contact")
    restriction = await lacking.asked(lacking.duplicate, "restriction")
    async with lacking.clinic.service.engine.begin() as connection:
        await _close(connection, lacking)
        answering = asyncio.create_task(lacking.answered(contact, contact={"allowed": []}))
        await until_others_wait(connection)
    refused = await answering
    assert problem(refused) == (409, "registration-closed"), refused.text

    refused = await lacking.answered(restriction, restricts={"categories": ["attendance"]})
    assert problem(refused) == (409, "registration-closed")
    assert refused.json()["facts"]["survivor_id"] == str(lacking.survivor)
    assert (await lacking.answered(restriction, outcome="withdrawn")).status_code == 201, "so that it waits for nobody"


async def test_whoever_warns_while_a_merge_is_confirmed_is_waited_for(lacking: Lacking) -> None:
    person = await lacking.listed(lacking.duplicate)
    async with lacking.clinic.service.engine.begin() as connection:
        await connection.execute(_warning(lacking, person))
        confirming = asyncio.create_task(lacking.confirm())
        await until_others_wait(connection)
    refused = await confirming
    assert [each["kind"] for each in refused.json()["facts"]["open"]] == ["warning"]


async def test_the_database_refuses_what_would_be_lacking_under_a_closed_registration(lacking: Lacking) -> None:
    person = await lacking.listed(lacking.duplicate)
    asked = await lacking.asked(lacking.duplicate, "confidential_contact")
    told = await lacking.asked(lacking.duplicate, "restriction")
    now, by = lacking.clinic.service.clock(), lacking.officer.staff.id
    who = {"recorded_by": by, "recorded_at": now}
    async with lacking.clinic.service.engine.begin() as connection:
        await _close(connection, lacking)
    restricts = {"request_id": told, "outcome": "granted", "kind": "restriction", "client_id": lacking.duplicate}
    own = await lacking.twice.here.another_client(family_name="Third")
    request = {
        "id": new_id(),
        "client_id": lacking.duplicate,
        "programme_id": lacking.twice.here.programme,
        "kind": "restriction",
        "says": "Once more.",
        "received_at": now,
        "received_on": now.date(),
        "check_method": "in_person",
        "is_self_paid": False,
        "rule": "US/1",
        "due_on": now.date() + timedelta(days=30),
    }
    link = {"id": new_id(), "client_id": lacking.duplicate, "person_id": person, "own_client_id": own, "reason": "x"}
    for rows in (
        [_warning(lacking, person)],
        [insert(related_person_link).values(**link, **who)],
        [insert(rights_request).values(**request, **who)],
        _answered(now, by, asked, lacking.duplicate),
        [
            insert(rights_answer).values(request_id=told, outcome="granted", says="Told.", **who),
            insert(rights_restriction).values(**restricts, **who, categories=["attendance"], purposes=[]),
        ],
    ):
        *before, last = rows
        async with lacking.clinic.service.engine.connect() as connection:
            for row in before:
                await connection.execute(row)
            with pytest.raises(DBAPIError) as refused:
                await connection.execute(last)
        assert failure_of(refused.value) is Failure.BUSY, rows


def _warning(lacking: Lacking, person: str) -> Insert:
    return insert(related_person_warning).values(
        id=new_id(),
        client_id=lacking.duplicate,
        person_id=person,
        **RISK,
        recorded_by=lacking.officer.staff.id,
        recorded_at=lacking.clinic.service.clock(),
    )
