"""Nothing leaves of which the log does not know, whatever is wrong with the log; and who else leaves an entry."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from sqlalchemy import text

from caseload.app import Application
from caseload.audit.accesslog import LogReader
from caseload.audit.leaf import Leaf, decode
from caseload.domain.access import Role
from caseload.domain.accesslog import LogFilter, LogScope
from caseload.domain.ids import new_id
from caseload.request.presence import configured, tell_of_strangers
from caseload.request.strangers import MOST_SOURCES, OTHERS, Strangers
from caseload.settings import Secret, Settings
from tests.api.conftest import Clinic
from tests.api.test_sign_in import PASSWORD, colleague
from tests.factories.audit import UNWATCHED
from tests.shared_server import Addresses

pytestmark = pytest.mark.anyio


@pytest.fixture
async def own(throwaway_database: Addresses, tmp_path: Path) -> AsyncIterator[Clinic]:
    """A clinic whose log may be broken."""
    application = Application(Settings(database_url=Secret(throwaway_database.service), data_dir=tmp_path))
    async with application.litestar.lifespan():
        assert application.service is not None
        yield Clinic(application, application.service, throwaway_database)


@pytest.fixture
async def owner(throwaway_database: Addresses) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(throwaway_database.owner)
    yield connection
    await connection.close()


async def told(clinic: Clinic, event: str) -> list[tuple[Leaf, tuple[dict[str, Any], ...]]]:
    """The entries of this name, oldest first, with what they say of the request."""
    async with clinic.service.engine.connect() as connection:
        reader = LogReader(connection, clinic.service.trail)
        found = await reader.entries(LogFilter(event=event), LogScope(programmes=None), after=None, limit=200)
        await connection.execute(text("set role audit_reader"))
        rows = await connection.execute(
            text("select entry_id, leaf from audit.log where event = :event order by entry_id"), {"event": event}
        )
        leaves = {row.entry_id: decode(row.leaf) for row in rows}
        await connection.rollback()
    return [(leaves[each.id], tuple(dict(about) for about in each.about)) for each in reversed(found)]


BREAKS = [
    "revoke execute on function audit.append(bytea[], bytea[], bytea[]) from caseload_app",
    UNWATCHED + "alter table audit.queue add constraint full_up check (event is null) not valid",
    UNWATCHED + "alter function audit.append(bytea[], bytea[], bytea[]) rename to append_no_more",
]


@pytest.mark.parametrize("broken", BREAKS)
async def test_while_the_log_takes_no_entry_nothing_leaves_and_nothing_is_kept(
    own: Clinic, owner: asyncpg.Connection, broken: str
) -> None:
    programme = await own.programme()
    nurse = await own.person((Role.NURSE, programme))
    auditor = await own.person((Role.AUDITOR, programme))
    administrator = await own.person((Role.ADMINISTRATOR, None))
    await owner.execute(broken)
    before = await owner.fetchval("select count(*) from clinic.programme")
    answers: list[httpx.Response] = [
        await nurse.get(f"/programmes/{programme}/dispensing"),
        await nurse.get(f"/clients/{new_id()}"),
        await nurse.get("/audit/entries"),
        await auditor.get("/audit/entries"),
        await auditor.post("/audit/exports", {"format": "ndjson"}),
        await administrator.post(
            "/programmes", {"code": "NEW", "name": "New", "time_zone": "Europe/London", "profile": "UK"}
        ),
    ]
    assert [answer.status_code for answer in answers] == [503] * len(answers)
    for answer in answers:
        assert answer.json()["type"] in {"urn:caseload:problem:unavailable", "urn:caseload:problem:log-unavailable"}
        assert answer.headers["retry-after"]
        assert set(answer.json()) <= {"type", "title", "status", "detail", "request"}
    assert await owner.fetchval("select count(*) from clinic.programme") == before


# Who else leaves an entry.


async def test_whoever_is_turned_away_unknown_is_counted_and_told_of_once_a_minute(clinic: Clinic) -> None:
    begun = datetime.now(UTC)
    await tell_of_strangers(clinic.service, before=begun)  # whom other tests have turned away
    stranger = clinic.client(None, address="192.0.2.77")
    async with stranger, clinic.client("not a token", address="192.0.2.77") as other:
        for _ in range(3):
            assert (await stranger.get(f"/api/v1/clients/{new_id()}")).status_code == 401
        assert (await other.get("/api/v1/me")).status_code == 401
    source = clinic.service.door.source("192.0.2.77")[:8].hex()
    later = datetime.now(UTC) + timedelta(minutes=2)

    assert await tell_of_strangers(clinic.service, before=begun) == 0, "the minute was not over"
    assert await tell_of_strangers(clinic.service, before=later) >= 1
    assert await tell_of_strangers(clinic.service, before=later) == 0, "told once"

    said = [about["tried"][0]["facts"] for leaf, (about,) in await told(clinic, "request.turned_away") if leaf.out == 4]
    assert sum(each["requests"] for each in said if each["source"] == source) == 4


def test_a_crowd_of_strangers_takes_no_more_room_than_some() -> None:
    strangers, at = Strangers(), datetime(2026, 11, 22, 12, 0, 30, tzinfo=UTC)
    for number in range(MOST_SOURCES * 3):
        strangers.turn_away(f"source {number}", at=at)
    found = strangers.take(before=at + timedelta(minutes=1))
    assert len(found) == MOST_SOURCES + 1
    assert {event.facts["source"]: event.facts["requests"] for event in found}[OTHERS] == MOST_SOURCES * 2
    strangers.put_back(found[0])
    assert strangers.take(before=at + timedelta(minutes=1)) == found[:1]


async def test_whoever_has_the_right_password_and_is_not_let_in_leaves_an_entry(clinic: Clinic) -> None:
    name = await colleague(clinic, one_time_for=timedelta(hours=1))
    async with clinic.client() as http:
        refused = await http.post("/api/v1/sign-in", json={"user_name": name, "password": PASSWORD})
    assert 400 <= refused.status_code < 500
    assert "audit-entry" in refused.headers
    found = [
        (leaf, about)
        for leaf, (*_, about) in await told(clinic, "sign_in.refused")
        if leaf.id == refused.headers["audit-entry"]
    ]
    ((leaf, about),) = found
    assert (leaf.out, leaf.st, leaf.act.id) == (4, refused.status_code, "anonymous")
    assert about["tried"][0]["facts"]["why"] == "PasswordMustBeChosen"


def test_a_process_says_which_witnesses_it_was_told_to_ask(tmp_path: Path) -> None:
    file = tmp_path / "clinic.policy"
    told: set[str] = set()
    for policy in (b"quorum none\n", b"quorum office\n"):
        file.write_bytes(policy)
        said = configured(Settings(audit_policy=file, data_dir=tmp_path))
        assert said["audit_policy"] == str(file)
        told.add(said["audit_policy_sha256"])
    assert told == {sha256(b"quorum none\n").hexdigest(), sha256(b"quorum office\n").hexdigest()}
    assert "audit_policy_sha256" not in configured(Settings(data_dir=tmp_path))


async def test_a_process_says_when_it_begins_with_what_and_when_it_ends(
    throwaway_database: Addresses, tmp_path: Path, owner: asyncpg.Connection
) -> None:
    settings = Settings(database_url=Secret(throwaway_database.service), data_dir=tmp_path)
    application = Application(settings)
    async with application.litestar.lifespan():
        assert application.service is not None
        clinic = Clinic(application, application.service, throwaway_database)
        [(started, (about,))] = await told(clinic, "service.started")
        assert started.ctr == 1
        assert about["did"][0]["facts"] == configured(settings)
        assert throwaway_database.service not in str(about)
    rows = await owner.fetch("select leaf from audit.queue order by entry_id")
    ended = decode(rows[-1]["leaf"])
    assert (ended.ev, ended.boot, ended.ctr) == ("service.stopped", started.boot, len(rows))
