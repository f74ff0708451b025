"""Calendars that their owners read elsewhere: a secret address, nothing about whom, and an end whenever they say so."""

import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from icalendar import Calendar
from sqlalchemy import select, text

from caseload.api.calendar_feed import calendar_of
from caseload.db.tables.calendar_feed import calendar_feed
from caseload.domain.access import Role
from caseload.domain.calendar_feed import MOST_FEEDS, Engagement, Entry
from caseload.domain.people.sessions import token_digest
from tests.api.conftest import Clinic, Person
from tests.api.house import DAY, House, open_house

pytestmark = pytest.mark.anyio

READER: Any = Calendar
"""Whatever stands in a calendar is of one of thirty types."""


@pytest.fixture
async def house(clinic: Clinic) -> House:
    return await open_house(clinic)


async def made(person: Person, key: str | None = None) -> dict[str, Any]:
    answer = await person.post("/calendar-feeds", key=key or str(uuid4()))
    assert answer.status_code == 201, answer.text
    return answer.json()


async def read(house: House, path: str, **headers: str) -> Any:
    """As a telephone does, that is signed in nowhere."""
    return await house.clinic.client().get(path, headers=headers)


def events(answer: Any) -> dict[str, Any]:
    """What a reader of calendars finds, by its identifier."""
    assert answer.status_code == 200, answer.text
    return {str(event["UID"]): event for event in READER.from_ical(answer.content).walk("VEVENT")}


async def session(house: House, *, days: int) -> dict[str, Any]:
    at = house.clinic.service.clock().replace(microsecond=0) + days * DAY
    wanted = {
        "kind": "group",
        "title": "Relapse prevention for people on methadone",
        "starts_at": at.isoformat(),
        "ends_at": (at + timedelta(hours=1)).isoformat(),
        "facilitators": [str(house.robin.staff.id)],
    }
    answer = await house.robin.post(f"/programmes/{house.programme}/sessions", wanted, key=str(uuid4()))
    assert answer.status_code == 201, answer.text
    return answer.json()["session"]


async def test_a_calendar_shows_when_and_nothing_about_whom(house: House) -> None:
    client = await house.client(given_name="Wilhelmina", family_name="Unmistakable")
    await house.planned(client, days_ago=2)
    group = await session(house, days=3)
    waits = {each["id"]: each["due_at"] for each in await house.check_ins(client.id) if each["waiting"]}

    answer = await read(house, (await made(house.robin))["path"])

    found = events(answer)
    assert set(found) == {*waits, group["id"]}
    assert {str(event["SUMMARY"]) for event in found.values()} == {"Check-in", "Session"}
    starts = {name: event["DTSTART"].dt for name, event in found.items()}
    assert starts == {
        name: datetime.fromisoformat(at) for name, at in {**waits, group["id"]: group["starts_at"]}.items()
    }
    assert all(at.tzinfo is UTC or at.utcoffset() == timedelta() for at in starts.values())
    for said in ("Wilhelmina", "Unmistakable", "methadone", str(client.id), "telephone"):
        assert said not in answer.text
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert answer.headers["audit-entry"]


async def test_only_its_owners_clients_stand_in_it_also_those_whom_they_cover(house: House) -> None:
    client = await house.client()
    await house.planned(client, days_ago=2)
    other = await house.clinic.person((Role.COUNSELLOR, house.programme))
    path = (await made(other))["path"]
    assert events(await read(house, path)) == {}

    now = house.clinic.service.clock()
    supervisor = await house.clinic.person((Role.SUPERVISOR, house.programme))
    cover = {
        "counsellor_id": str(other.staff.id),
        "starts_at": (now - timedelta(seconds=1)).isoformat(),
        "ends_at": (now + DAY).isoformat(),
        "reason": "Leave",
    }
    covered = await supervisor.post(f"/clients/{client.id}/covers", cover, key=str(uuid4()))
    assert covered.status_code == 201, covered.text
    assert len(events(await read(house, path))) > 0


async def test_the_entry_of_a_read_is_its_owners(house: House) -> None:
    client = await house.client()
    await house.planned(client, days_ago=2)
    answer = await read(house, (await made(house.robin))["path"])
    auditor = await house.clinic.person((Role.AUDITOR, None))
    shown = await auditor.get("/audit/entries", params={"event": "calendar.read", "limit": 200})
    assert shown.status_code == 200, shown.text
    [entry] = [each for each in shown.json()["items"] if each["id"] == answer.headers["audit-entry"]]
    assert (entry["actor"], entry["route"]) == (str(house.robin.staff.id), "GET /api/v1/calendar/{token}")
    assert (entry["authenticated_by"], entry["operation"]) == ("address", "R")


async def test_the_same_calendar_is_not_sent_twice(house: House) -> None:
    client = await house.client()
    await house.planned(client, days_ago=2)
    path = (await made(house.robin))["path"]
    first = await read(house, path)
    tag = first.headers["etag"]

    again = await read(house, path, **{"If-None-Match": f'"other", W/{tag}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert again.headers["audit-entry"] != first.headers["audit-entry"]

    await session(house, days=1)
    assert (await read(house, path, **{"If-None-Match": tag})).status_code == 200


async def test_a_revoked_address_is_as_one_that_never_was_and_a_retry_shows_no_secret(house: House) -> None:
    key = str(uuid4())
    first = await made(house.robin, key)
    assert (await made(house.robin, key)) == {**first, "path": None}
    path, feed = first["path"], first["feed"]["id"]
    never = await read(house, f"/api/v1/calendar/{'A' * 43}.ics")
    assert (never.status_code, "audit-entry" in never.headers) == (404, False)
    stranger = await house.clinic.person((Role.COUNSELLOR, house.programme))
    assert (await stranger.post(f"/calendar-feeds/{feed}/revocation", key=str(uuid4()))).status_code == 404
    assert (await read(house, path)).status_code == 200

    revoked, again = [await house.robin.post(f"/calendar-feeds/{feed}/revocation", key=str(uuid4())) for _ in range(2)]
    assert (revoked.status_code, again.status_code, again.json()) == (201, 201, revoked.json())
    [line] = [each for each in (await house.robin.get("/calendar-feeds")).json()["items"] if each["id"] == feed]
    assert line == revoked.json()
    gone = await read(house, path)
    assert (gone.status_code, gone.json()["type"], gone.json()["detail"]) == (
        never.status_code, never.json()["type"], never.json()["detail"],
    )  # fmt: skip


async def test_whoever_has_left_or_counsels_nobody_any_more_has_no_calendar(house: House) -> None:
    ends = await house.clinic.person((Role.COUNSELLOR, house.programme))
    path = (await made(ends))["path"]
    assert (await read(house, path)).status_code == 200
    now = house.clinic.service.clock()
    async with house.clinic.service.engine.begin() as connection:
        await connection.execute(
            text(
                "insert into clinic.staff_deactivation (staff_id, reason, deactivated_at, deactivated_by)"
                " values (:staff, 'Left.', :at, :by)"
            ),
            {"staff": ends.staff.id, "at": now, "by": house.robin.staff.id},
        )
    assert (await read(house, path)).status_code == 404


async def test_nobody_has_more_than_a_few_and_a_revoked_one_makes_room(house: House) -> None:
    feeds = [await made(house.robin) for _ in range(MOST_FEEDS)]
    refused = await house.robin.post("/calendar-feeds", key=str(uuid4()))
    assert refused.status_code == 409
    await house.robin.post(f"/calendar-feeds/{feeds[0]['feed']['id']}/revocation", key=str(uuid4()))
    await made(house.robin)


async def test_the_secret_stands_in_no_table_no_log_and_no_metric(
    house: House, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    feed = await made(house.robin)
    token = feed["path"].rpartition("/")[2].removesuffix(".ics")
    await read(house, feed["path"])
    await read(house, feed["path"] + "?secret=1")

    async with house.clinic.service.engine.connect() as connection:
        kept = await connection.execute(select(calendar_feed).where(calendar_feed.c.id == UUID(feed["feed"]["id"])))
        [row] = kept.mappings()
    assert row["token_digest"] == token_digest(token)
    assert token not in str(dict(row))
    metrics = await house.clinic.client().get("/metrics")
    written = capsys.readouterr()
    assert "/api/v1/calendar/{token}" in metrics.text
    ours = " ".join(record.getMessage() for record in caplog.records if record.name != "httpx")
    for where in (metrics.text, written.out, written.err, ours):
        assert token not in where


def entry(**said: Any) -> Entry:
    at = datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
    made = Entry(id=uuid4(), what=Engagement.CHECK_IN, starts_at=at, ends_at=None, said_at=at - DAY)
    return replace(made, **said)


def test_both_hours_of_the_night_on_which_the_clocks_go_back_stay_apart() -> None:
    """01:30 in New York, first with summer time and an hour later without it."""
    first, second = entry(), entry(starts_at=datetime(2026, 11, 1, 6, 30, tzinfo=UTC))
    found = READER.from_ical(calendar_of([first, second])).walk("VEVENT")
    assert [event["DTSTART"].dt for event in found] == [first.starts_at, second.starts_at]


def test_a_calendar_is_written_as_its_standard_asks() -> None:
    written = calendar_of([entry(), entry(what=Engagement.SESSION, ends_at=datetime(2026, 11, 1, 7, tzinfo=UTC))])
    lines = written.split(b"\r\n")
    assert lines[-1] == b""
    assert all(len(line) <= 75 and b"\n" not in line for line in lines), "RFC 5545, section 3.1"
    calendar = READER.from_ical(written)
    assert (calendar["VERSION"], bool(calendar["PRODID"])) == ("2.0", True)
    assert [set(event) >= {"UID", "DTSTAMP", "DTSTART", "SUMMARY"} for event in calendar.walk("VEVENT")] == [True, True]
    assert calendar_of([]) == calendar_of([])
    assert READER.from_ical(calendar_of([])).walk("VEVENT") == []
