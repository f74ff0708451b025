"""Restricted clients over HTTP: who alone sees them, what stays in sight for safe dosing, and that nobody is lost."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import insert

from caseload.db.tables.caseload import client_identifier
from caseload.domain.access import Role
from caseload.domain.ids import ClientId
from caseload.domain.oversight import Question
from tests.api.conftest import Clinic, Person
from tests.api.house import House, open_house
from tests.factories import people
from tests.factories.people import LONG_AGO

pytestmark = pytest.mark.anyio


@dataclass(frozen=True)
class Ward:
    """A house with a client who is restricted to Robin, who answers for them; and with those who are not named."""

    house: House
    client: ClientId
    officer: Person
    nurse: Person
    supervisor: Person
    restriction: Mapping[str, Any]

    @property
    def path(self) -> str:
        return f"/clients/{self.client}"

    async def person(self, role: Role) -> Person:
        return await self.house.clinic.person((role, self.house.programme))


def body(*staff: Person, **changes: Any) -> dict[str, Any]:
    return {
        "kind": "colleague",
        "reason": "Works at another site.",
        "staff": [str(each.staff.id) for each in staff],
        **changes,
    }


@pytest.fixture
async def ward(clinic: Clinic) -> Ward:
    house = await open_house(clinic)
    client = await house.client()
    await house.planned(client, days_ago=9)
    officer = await clinic.person((Role.PRIVACY_OFFICER, None))
    made = await officer.post(f"/clients/{client.id}/restrictions", body(house.robin))
    assert made.status_code == 201, made.text
    nurse = await clinic.person((Role.NURSE, house.programme))
    supervisor = await clinic.person((Role.SUPERVISOR, house.programme))
    return Ward(house, client.id, officer, nurse, supervisor, made.json())


async def seen(ward: Ward, by: Person) -> dict[str, bool]:
    """By which ways somebody sees the client."""
    found = await by.post("/clients/search", {"name": "Ada Lindqvist"})
    overdue = await by.get("/overdue-check-ins", params={"programme": str(ward.house.programme)})
    return {
        "identity": (await by.get(ward.path)).status_code == 200,
        "summary": (await by.get(f"{ward.path}/summary")).status_code == 200,
        "medication": (await by.get(f"{ward.path}/medication")).status_code == 200,
        "flags": (await by.get(f"{ward.path}/flags")).status_code == 200,
        "contact": (await by.get(f"{ward.path}/contact")).status_code == 200,
        "notes": (await by.get(f"{ward.path}/notes")).status_code == 200,
        "overdue": str(ward.client) in overdue.text,
        "found": str(ward.client) in found.text,
    }


DOSING = {
    "identity": True,
    "summary": False,
    "medication": True,
    "flags": True,
    "contact": False,
    "notes": False,
    "found": True,
    "overdue": False,
}
NOTHING = dict.fromkeys(DOSING, False)


async def test_only_named_staff_see_a_restricted_client_and_the_window_what_safe_dosing_needs(ward: Ward) -> None:
    robin = await seen(ward, ward.house.robin)
    assert all(robin.values()), robin
    for role in (Role.NURSE, Role.PRESCRIBER, Role.PHARMACIST, Role.MEDICAL_DIRECTOR):
        by = await seen(ward, await ward.person(role))
        assert by == DOSING, role
    for role in (Role.SUPERVISOR, Role.FRONT_DESK, Role.COUNSELLOR, Role.AUDITOR, Role.ADMINISTRATOR, Role.INSPECTOR):
        by = await seen(ward, await ward.person(role))
        assert by == NOTHING, role
    assert await seen(ward, ward.officer) == {**NOTHING, "identity": True}


async def test_a_colleague_on_duty_or_standing_in_does_not_see_them_before_they_are_named(ward: Ward) -> None:
    stranger, now = await ward.person(Role.COUNSELLOR), ward.house.clinic.service.clock()
    async with ward.house.clinic.service.engine.begin() as connection:
        await people.on_duty(
            connection,
            who=stranger.staff.id,
            programme=ward.house.programme,
            starts_at=now - timedelta(hours=1),
            ends_at=now + timedelta(hours=1),
        )
    assert (await stranger.get(f"{ward.path}/summary")).status_code == 404
    named = await ward.officer.post(
        f"/restrictions/{ward.restriction['id']}/staff", {"staff_id": str(stranger.staff.id)}
    )
    assert named.status_code == 201, named.text
    assert (await stranger.get(f"{ward.path}/summary")).status_code == 200


async def test_whoever_is_named_sees_them_whoever_answers_for_them(ward: Ward) -> None:
    colleague = await ward.person(Role.COUNSELLOR)
    path, who = f"/restrictions/{ward.restriction['id']}/staff", {"staff_id": str(colleague.staff.id)}
    key = str(uuid4())
    named = await ward.officer.post(path, who, key=key)
    assert (await ward.officer.post(path, who, key=key)).json() == named.json()
    assert (await ward.officer.post(path, who)).status_code == 409
    assert (await seen(ward, colleague))["summary"]

    naming = next(each for each in named.json()["named"] if each["staff_id"] == str(colleague.staff.id))
    ended = await ward.officer.post(f"{path}/{naming['id']}/end")
    assert [each["is_now"] for each in ended.json()["named"]] == [True, False]
    assert not (await seen(ward, colleague))["identity"]
    assert (await ward.officer.post(f"{path}/{naming['id']}/end")).status_code == 409


async def test_whoever_answers_for_the_client_stays_named(ward: Ward) -> None:
    [robin] = ward.restriction["named"]
    path = f"/restrictions/{ward.restriction['id']}/staff"
    refused = await ward.officer.post(f"{path}/{robin['id']}/end")
    assert refused.status_code == 409
    assert refused.json()["type"].endswith("still-needed")
    assert (await seen(ward, ward.house.robin))["overdue"]


async def test_a_restriction_names_people_of_the_house_and_whoever_answers(clinic: Clinic) -> None:
    house = await open_house(clinic)
    client, officer = await house.client(), await clinic.person((Role.PRIVACY_OFFICER, None))
    other, elsewhere = await clinic.person((Role.NURSE, house.programme)), await clinic.person()
    path = f"/clients/{client.id}/restrictions"
    for wrong in (
        body(),
        body(other),
        body(house.robin, elsewhere),
        body(house.robin, house.robin),
        body(house.robin, reason=" "),
        body(house.robin, reason="x" * 501),
        body(house.robin, until_at=(clinic.service.clock() - timedelta(seconds=1)).isoformat()),
        body(house.robin, until_at=(clinic.service.clock() + timedelta(days=3661)).isoformat()),
    ):
        assert (await officer.post(path, wrong)).status_code == 422, wrong
    assert (await house.robin.post(path, body(house.robin))).status_code == 403
    both = await asyncio.gather(*(officer.post(path, body(house.robin, other)) for _ in range(2)))
    assert sorted(each.status_code for each in both) == [201, 409]
    [kept] = (await officer.get(path)).json()["items"]
    assert len(kept["named"]) == 2


async def test_a_medical_director_keeps_those_of_their_own_programme(ward: Ward, clinic: Clinic) -> None:
    director = await ward.person(Role.MEDICAL_DIRECTOR)
    stranger = await clinic.person((Role.MEDICAL_DIRECTOR, await clinic.programme()))
    end, why = f"/restrictions/{ward.restriction['id']}/end", {"because": "Has left the site."}
    assert (await stranger.post(end, why)).status_code == 404
    assert (await stranger.get(f"{ward.path}/restrictions")).status_code == 404
    assert (await director.post(end, {"because": " "})).status_code == 422
    ended = await director.post(end, why, key=(key := str(uuid4())))
    assert (ended.status_code, ended.json()["is_now"]) == (201, False), ended.text
    assert (await director.post(end, why, key=key)).json() == ended.json()
    assert (await director.post(end, why)).status_code == 409
    assert (await ward.officer.post(f"/restrictions/{ward.restriction['id']}/staff", {
        "staff_id": str(ward.nurse.staff.id)
    })).status_code == 409  # fmt: skip
    assert (await seen(ward, ward.supervisor))["summary"]
    again = await ward.officer.post(f"{ward.path}/restrictions", body(ward.house.robin))
    assert again.status_code == 201


COUNTED = f"/audit/findings/count?question={Question.RESTRICTED_USE.value}"


async def to_look_at(officer: Person) -> int:
    answer = await officer.get(COUNTED)
    assert answer.status_code == 200, answer.text
    return answer.json()["unreviewed"]


async def test_use_at_the_window_is_shown_to_the_privacy_officer_and_use_by_the_named_is_not(ward: Ward) -> None:
    before = await to_look_at(ward.officer)
    await ward.nurse.get(f"{ward.path}/medication")
    await ward.nurse.get(f"{ward.path}/flags")
    await ward.house.robin.get(f"{ward.path}/summary")
    assert await to_look_at(ward.officer) == before + 1
    asked = {"question": Question.RESTRICTED_USE.value, "limit": 200}
    answer = await ward.officer.get("/audit/findings", params=asked)
    assert answer.status_code == 200, answer.text
    mine = [each for each in answer.json()["items"] if each["client_id"] == str(ward.client)]
    assert [(each["staff_id"], each["entries"]) for each in mine] == [(str(ward.nurse.staff.id), 2)]
    looked = await ward.officer.post(
        f"/audit/findings/{mine[0]['id']}/reviews",
        {
            "question": Question.RESTRICTED_USE.value,
            "covers_until": mine[0]["last_at"],
            "conclusion": "explained",
            "note": "On the window that morning.",
        },
    )
    assert looked.status_code == 201, looked.text
    assert await to_look_at(ward.officer) == before
    assert (await ward.nurse.get(COUNTED)).status_code == 403
    elsewhere = await ward.house.clinic.person((Role.PRIVACY_OFFICER, await ward.house.clinic.programme()))
    assert await to_look_at(elsewhere) == 0


async def owed(ward: Ward, by: Person | None = None) -> list[tuple[str, list[str]]]:
    answer = await (by or ward.supervisor).get(f"/programmes/{ward.house.programme}/obligations")
    assert answer.status_code == 200, answer.text
    assert str(ward.client) not in answer.text
    return [(each["kind"], each["named"]) for each in answer.json()["items"]]


async def test_what_waits_goes_to_the_supervisor_without_a_name_once_nobody_named_is_there(ward: Ward) -> None:
    robin = str(ward.house.robin.staff.id)
    assert await owed(ward) == []
    raised = await ward.house.robin.post(
        f"{ward.path}/escalations", {"ground": "safeguarding", "said": "Spoke of the children."}
    )
    assert raised.status_code == 201, raised.text
    # An escalation does not wait until Robin looks: only somebody on a shift or on call would hear of it.
    assert await owed(ward) == [("escalation", [robin])]
    open_ones = await ward.supervisor.get("/open-escalations", params={"programme": str(ward.house.programme)})
    assert (open_ones.status_code, open_ones.json()["items"]) == (200, [])

    now, deputy = ward.house.clinic.service.clock(), await ward.person(Role.COUNSELLOR)
    async with ward.house.clinic.service.engine.begin() as connection:
        await people.on_duty(
            connection,
            who=ward.house.robin.staff.id,
            programme=ward.house.programme,
            starts_at=now,
            ends_at=now + timedelta(hours=1),
        )
    assert await owed(ward) == []
    away = await ward.supervisor.post(
        "/caseload/absences",
        {
            "programme_id": str(ward.house.programme),
            "counsellor_id": robin,
            "covered_by": str(deputy.staff.id),
            "starts_at": (now + timedelta(milliseconds=100)).isoformat(),
            "ends_at": (now + timedelta(days=2)).isoformat(),
            "reason": "Leave.",
        },
    )
    assert away.status_code == 201, away.text
    await asyncio.sleep(0.1)
    assert await owed(ward) == [("check_in", [robin])]
    assert not (await seen(ward, deputy))["identity"]
    director = await ward.person(Role.MEDICAL_DIRECTOR)
    assert await owed(ward, director) == [("check_in", [robin])]
    named = await director.post(f"/restrictions/{ward.restriction['id']}/staff", {"staff_id": str(deputy.staff.id)})
    assert named.status_code == 201, named.text
    assert await owed(ward) == []
    assert (await seen(ward, deputy))["overdue"]


async def test_a_handover_to_somebody_who_is_not_named_is_owed_too(ward: Ward) -> None:
    other = await ward.person(Role.COUNSELLOR)
    lead = await ward.person(Role.SUPERVISOR)
    path = f"/restrictions/{ward.restriction['id']}/staff"
    assert (await ward.officer.post(path, {"staff_id": str(lead.staff.id)})).status_code == 201
    handed = await lead.post(f"{ward.path}/handovers", {"to": str(other.staff.id), "note": "Asked for them."})
    assert handed.status_code == 201, handed.text
    assert not (await seen(ward, other))["identity"]
    assert [kind for kind, _ in await owed(ward)] == ["not_named"]


async def test_whoever_is_no_supervisor_hears_of_no_obligation(ward: Ward, clinic: Clinic) -> None:
    path = f"/programmes/{ward.house.programme}/obligations"
    assert (await ward.nurse.get(path)).status_code == 403
    elsewhere = await clinic.person((Role.SUPERVISOR, await clinic.programme()))
    assert (await elsewhere.get(path)).status_code == 403


async def test_whoever_looks_for_somebody_registered_twice_is_told_to_ask_and_not_who_it_is(ward: Ward) -> None:
    number = uuid4().hex
    async with ward.house.clinic.service.engine.begin() as connection:
        await connection.execute(
            insert(client_identifier).values(
                client_id=ward.client,
                kind="chart",
                value=number,
                recorded_by=ward.house.robin.staff.id,
                recorded_at=LONG_AGO,
            )
        )
    asked = {
        "given_name": "Adah",
        "family_name": "Lindqvist",
        "birth_date": "1990-01-01",
        "birth_date_estimated": False,
        "sex": "unknown",
        "identifiers": [{"kind": "chart", "value": number}],
    }
    supervisor = await ward.supervisor.post("/clients/matches/search", asked)
    assert supervisor.status_code == 200, supervisor.text
    assert (supervisor.json()["items"], supervisor.json()["closed_out"]) == ([], 1)
    [shown] = (await ward.officer.post("/clients/matches/search", asked)).json()["items"]
    assert shown["client_id"] == str(ward.client)
