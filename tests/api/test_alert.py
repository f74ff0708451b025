"""Alerts: what would wait on a list becomes a task of whoever answers, once for each step, however often the job runs."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from caseload.db.programme import Programmes
from caseload.domain.access import Role
from caseload.domain.people import the_service
from caseload.jobs.alerts import RAISE_ALERTS, raise_alerts_in, tell_expired_in
from tests.api.conftest import Clinic
from tests.api.dispensary import fresh
from tests.api.house import ZONE, House, open_house
from tests.factories.clients import InCare

pytestmark = pytest.mark.anyio


@pytest.fixture
async def house(clinic: Clinic) -> House:
    return await open_house(clinic)


async def run(house: House) -> int:
    """One turn of the job in this programme, as the worker takes it."""
    service, done = house.clinic.service, 0
    for part in (tell_expired_in, raise_alerts_in):
        async with service.work(by=the_service(), event=RAISE_ALERTS.name) as work:
            work.circumstances.programme = house.programme
            done += await part(work, await Programmes(work.connection).get(house.programme))
    return done


async def as_if_days_later(house: House, days: int) -> int:
    service = house.clinic.service
    before = service.clock
    object.__setattr__(service, "clock", lambda: before() + timedelta(days=days))
    try:
        return await run(house)
    finally:
        object.__setattr__(service, "clock", before)


async def consented(house: House, client: InCare, *, days: int) -> dict[str, Any]:
    """A consent whose last day is so many days from today, by the clinic's calendar."""
    last_day = house.clinic.service.clock().astimezone(ZONE).date() + timedelta(days=days)
    body = {
        "kind": "named",
        "form": "us-named-2026-02",
        "discloser_id": str(house.programme),
        "recipients": [{"name": "General Hospital"}],
        "categories": ["attendance"],
        "purposes": ["family_involvement"],
        "expiry": {"last_day": str(last_day)},
        "signature": {"signatory": "client", "name": "Ada Lindqvist", "signed_at": "2026-03-01T12:00:00Z"},
    }
    made = await house.robin.post(f"/clients/{client.id}/consents", body)
    assert made.status_code == 201, made.text
    return made.json()


async def tasks(house: House, client: InCare) -> list[dict[str, Any]]:
    found = (await house.robin.get(f"/clients/{client.id}/care-tasks")).json()["items"]
    return list(reversed(found))


async def test_whoever_answers_for_the_client_is_told_at_each_step_before_a_consent_ends_and_once(house: House) -> None:
    client = await house.client()
    made = await consented(house, client, days=31)
    assert await run(house) == 0
    assert await tasks(house, client) == []
    for days, steps in ((1, 1), (2, 1), (17, 2), (24, 3), (31, 3)):
        await as_if_days_later(house, days)
        await as_if_days_later(house, days)
        assert len(await tasks(house, client)) == steps, days
    first, second, third = await tasks(house, client)
    assert {task["for_staff"] for task in (first, second, third)} == {str(house.robin.staff.id)}
    assert [task["says"].split(",")[0] for task in (first, second, third)] == [
        "A consent of this client ends in 30 days",
        "A consent of this client ends in 14 days",
        "A consent of this client ends in 7 days",
    ]
    last_day = datetime.fromisoformat(f"{made['expiry']['last_day']}T00:00:00").replace(tzinfo=ZONE)
    assert datetime.fromisoformat(first["due_at"]) == last_day + timedelta(days=1)
    assert "attendance" not in str(first)
    assert "Hospital" not in str(first)


async def test_two_jobs_at_once_raise_one_task(house: House) -> None:
    client = await house.client()
    await consented(house, client, days=10)
    await asyncio.gather(*(run(house) for _ in range(4)))
    assert len(await tasks(house, client)) == 1


async def test_of_what_was_revoked_nobody_is_told_that_it_ends_or_has_ended(house: House) -> None:
    client = await house.client()
    made = await consented(house, client, days=10)
    revoked = await house.robin.post(f"/clients/{client.id}/consents/{made['id']}/revocation", {"how": "spoken"})
    assert revoked.status_code == 201, revoked.text
    await run(house)
    await as_if_days_later(house, 11)
    assert await tasks(house, client) == []
    assert await lines(house, client, "consent.expired") == []


async def test_that_a_consent_has_expired_stands_in_the_log_once(house: House) -> None:
    client = await house.client()
    made = await consented(house, client, days=10)
    await as_if_days_later(house, 10)
    assert await lines(house, client, "consent.expired") == [], "its last day is not over"
    for days in (11, 11, 12):
        await as_if_days_later(house, days)
    [line] = await lines(house, client, "consent.expired")
    assert (line["matter"], line["result"], line["records"]) == ("consents", "done", [made["id"]])
    assert (line["programme_id"], line["facts"]["last_day"]) == (str(house.programme), made["expiry"]["last_day"])


async def lines(house: House, client: InCare, event: str) -> list[dict[str, Any]]:
    officer = await house.clinic.person((Role.PRIVACY_OFFICER, None))
    found = await officer.get(f"/clients/{client.id}/confidentiality", params={"matter": "consents"})
    return [line for line in found.json()["items"] if line["event"] == event]


async def test_whoever_recorded_an_emergency_is_told_once_that_its_record_is_open(house: House) -> None:
    client = await house.client()
    release = {"name": "The nurse at County ED", "emergency": "Overdose, unconscious.", "manner": "spoken"}
    officer = await house.clinic.person((Role.PRIVACY_OFFICER, house.programme))
    assert (await officer.get("/me")).json()["to_complete"] == {"waiting": 0, "overdue": 0}
    told = await house.robin.post(f"/clients/{client.id}/emergency-releases", release, key=fresh())
    assert told.status_code == 201, told.text
    assert [await run(house), await run(house)] == [1, 0]
    assert (await officer.get("/me")).json()["to_complete"] == {"waiting": 1, "overdue": 1}
    assert (await house.robin.get("/me")).json()["to_complete"] is None
    [task] = await tasks(house, client)
    assert task["for_staff"] == str(house.robin.staff.id)
    assert "Fill in: facility, disclosed by, disclosed at." in task["says"]
    assert "Overdose" not in task["says"]


async def test_an_emergency_whose_record_is_complete_gives_nobody_a_task(house: House) -> None:
    client = await house.client()
    now = house.clinic.service.clock()
    release = {
        "name": "The nurse at County ED",
        "emergency": "Overdose.",
        "manner": "spoken",
        "facility": "County",
        "disclosed_by": str(house.robin.staff.id),
        "disclosed_at": (now - timedelta(minutes=1)).isoformat(),
    }
    told = await house.robin.post(f"/clients/{client.id}/emergency-releases", release, key=fresh())
    assert told.status_code == 201, told.text
    assert await run(house) == 0
