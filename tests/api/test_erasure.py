"""Erasure over HTTP: refused by rule and day, proposed by one, carried out by another, and gone for good."""

import secrets
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from caseload.domain.access import Role
from caseload.domain.erasure import Duty, Kept, Longer, erasing, longest_duty
from caseload.domain.ids import ProgrammeId
from tests.api.conftest import Clinic, Person

pytestmark = pytest.mark.anyio

WHY = {"ground": "retention_over"}


@dataclass(frozen=True)
class Office:
    """A client of long ago, and who may erase them."""

    clinic: Clinic
    client: str
    nurse: Person
    officer: Person
    director: Person

    async def wait(self) -> None:
        """Let ten minutes pass since the proposals."""
        owner = await asyncpg.connect(self.clinic.addresses.owner)
        await owner.execute("update keys.erasure set proposed_at = proposed_at - interval '11 minutes'")
        await owner.close()


async def registered(by: Person, programme: ProgrammeId, name: str) -> str:
    # On a day of their own: names that differ in a few letters make a probable match of two who share it.
    born = date(1930, 1, 1) + timedelta(days=secrets.randbelow(25_000))
    identity = {"given_name": "Ada", "family_name": name, "birth_date": str(born)}
    made = await by.post("/clients", {"programme_id": str(programme), "identity": identity})
    assert made.status_code == 201, made.text
    return made.json()["id"]


@pytest.fixture
async def office(clinic: Clinic) -> Office:
    programme = await clinic.programme()
    nurse = await clinic.person((Role.NURSE, programme))
    officer = await clinic.person((Role.PRIVACY_OFFICER, programme))
    director = await clinic.person((Role.MEDICAL_DIRECTOR, programme))
    client = await registered(nurse, programme, f"Lindqvist-{nurse.staff.user_name}")
    return Office(clinic, client, nurse, officer, director)


async def accesses(office: Office) -> Any:
    return await office.officer.get(f"/clients/{office.client}/accesses")


async def test_what_must_be_kept_is_kept_by_rule_and_day(office: Office) -> None:
    refused = await office.officer.post(f"/clients/{office.client}/log-erasure", WHY)
    assert refused.status_code == 409
    problem = refused.json()
    assert problem["type"] == "urn:caseload:problem:must-be-kept"
    assert problem["facts"]["rule"] == "access_entries"
    tenth = datetime.now(UTC).year + 10
    assert problem["facts"]["until"].startswith(str(tenth))


async def test_two_people_erase_a_client_and_what_comes_later_is_in_the_log_again(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nobody can wait ten years: the rules look at the same client from far enough in the future.
    def in_forty_years(kept: Kept, longer: Longer, *, now: datetime) -> Duty | None:
        return longest_duty(kept, longer, now=now + timedelta(days=366 * 40))

    monkeypatch.setattr(erasing, "longest_duty", in_forty_years)

    proposed = await office.officer.post(f"/clients/{office.client}/log-erasure", WHY, key="1")
    assert proposed.status_code == 201, proposed.text
    assert (await office.officer.post(f"/clients/{office.client}/log-erasure", WHY, key="1")).json() == proposed.json()
    assert (await office.officer.post(f"/clients/{office.client}/log-erasure", WHY)).status_code == 409
    where = f"/log-erasures/{proposed.json()['id']}/confirmation"
    early = await office.director.post(where)
    assert (early.status_code, early.json()["type"]) == (409, "urn:caseload:problem:too-soon")
    listed = (await office.director.get("/log-erasures")).json()["items"]
    assert [each["client_id"] for each in listed] == [office.client]
    await office.wait()
    assert (await office.officer.post(where)).status_code == 403
    assert len((await accesses(office)).json()["items"]) > 1

    erased = await office.director.post(where)

    assert erased.status_code == 200, erased.text
    assert office.client not in erased.text
    gone = await accesses(office)
    assert gone.status_code == 404
    assert "erased" in gone.json()["detail"]
    entries = (await office.officer.get("/audit/entries", params={"event": "client.erased"})).json()["items"]
    [entry] = [each for each in entries if each["id"] == erased.headers["audit-entry"]]
    assert entry["clients"] == 0
    [did] = [about["did"] for about in entry["about"] if "did" in about]
    assert did[0]["rec"][0] == erased.json()["key_id"]
    assert (await office.director.post(where)).status_code == 404

    assert (await office.nurse.get(f"/clients/{office.client}")).status_code == 200
    again = (await accesses(office)).json()["items"]
    assert [each["entry"]["event"] for each in again] == ["client.read"]


async def test_a_proposal_is_withdrawn(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(kept: Kept, longer: Longer, *, now: datetime) -> None:
        """No duty to keep."""

    monkeypatch.setattr(erasing, "longest_duty", never)
    proposed = (await office.officer.post(f"/clients/{office.client}/log-erasure", WHY)).json()
    assert (await office.officer.post(f"/log-erasures/{proposed['id']}/withdrawal")).status_code == 204
    assert (await office.director.get("/log-erasures")).json()["items"] == []
    await office.wait()
    assert (await office.director.post(f"/log-erasures/{proposed['id']}/confirmation")).status_code == 404
