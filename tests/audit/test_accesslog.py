"""Reading the log: by every filter, page by page, queued or sequenced, and about one client without the others."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from caseload.audit.accesslog import UNREADABLE, LogReader, narrowed, page_of, read_as_reader
from caseload.audit.journal import RequestJournal
from caseload.audit.keystore import KeyName
from caseload.audit.leaf import made_at
from caseload.audit.trail import AuditTrail, Circumstances, Entry, Outcome
from caseload.domain.accesslog import ClientNotInLog, LogFilter, LogOutcome, LogScope
from caseload.domain.ids import ClientId, EntryId, ProgrammeId, new_id
from tests.factories.audit import (
    UNWATCHED,
    KeysInMemory,
    Someone,
    SomethingHappened,
    a_client,
    a_pending,
    a_trail,
    seen,
)

pytestmark = pytest.mark.anyio

EVERYTHING = LogScope(programmes=None)
HERE, THERE = ProgrammeId(new_id()), ProgrammeId(new_id())


@pytest.fixture
def store() -> KeysInMemory:
    return KeysInMemory()


@pytest.fixture
def trail(store: KeysInMemory) -> AuditTrail:
    return a_trail(store)


async def ids(
    connection: AsyncConnection, trail: AuditTrail, asked: LogFilter | None = None, scope: LogScope = EVERYTHING
) -> list[EntryId]:
    """Everything that fulfils the filter, of what this test has written."""
    found = await LogReader(connection, trail).entries(asked or LogFilter(), scope, after=None, limit=200)
    return [entry.id for entry in found]


async def test_each_filter_chooses_what_it_says_newest_first(connection: AsyncConnection, trail: AuditTrail) -> None:
    nurse, client = Someone(), a_client()
    written = [
        await trail.append(connection, pending)
        for pending in (
            a_pending(event="dose.recorded", programme=HERE, actor=nurse),
            a_pending(event="dose.recorded", programme=THERE),
            a_pending(event="dose.read", programme=HERE),
            a_pending(seen([client]), event="doses.listed", outcome=Outcome.REFUSED, status=404),
            a_pending(event="dose_x.recorded", outcome=Outcome.FAILED, status=500),
        )
    ]
    one, two, three, four, five = [entry.id for entry in written]
    for asked, found in (
        (LogFilter(), [five, four, three, two, one]),
        (LogFilter(event="dose.recorded"), [two, one]),
        (LogFilter(event="dose"), [three, two, one]),
        (LogFilter(event="dose_"), []),
        (LogFilter(programme=HERE), [three, one]),
        (LogFilter(actor=nurse.id), [one]),
        (LogFilter(actor=Someone().id), []),
        (LogFilter(outcome=LogOutcome.DONE), [three, two, one]),
        (LogFilter(outcome=LogOutcome.REFUSED), [four]),
        (LogFilter(outcome=LogOutcome.FAILED), [five]),
        (LogFilter(outcome=LogOutcome.UNAVAILABLE), []),
        (LogFilter(client=client), [four]),
        (LogFilter(event="dose", programme=HERE, outcome=LogOutcome.DONE, actor=nurse.id), [one]),
    ):
        assert [each for each in await ids(connection, trail, asked) if each in {one, two, three, four, five}] == found
    assert await ids(connection, trail, LogFilter(event="dose"), LogScope(programmes=frozenset({THERE}))) == [two]
    nowhere = LogScope(programmes=frozenset({ProgrammeId(new_id())}))
    assert await ids(connection, trail, scope=nowhere) == []


async def test_a_span_of_time_takes_its_first_instant_and_not_its_last(
    connection: AsyncConnection, trail: AuditTrail
) -> None:
    entry = (await trail.append(connection, a_pending())).id
    at, millisecond, microsecond = made_at(entry), timedelta(milliseconds=1), timedelta(microseconds=1)
    for since, until, within in (
        (at, at + millisecond, True),
        (at - millisecond, at, False),
        (at + microsecond, at + millisecond, False),
        (at - microsecond, at + microsecond, True),
        (at, None, True),
        (None, at, False),
        (datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC), True),
    ):
        asked = LogFilter(since=since, until=until, event="check_in.listed")
        assert (entry in await ids(connection, trail, asked)) is within, (since, until)


async def test_pages_follow_one_another_without_a_gap_or_a_twin(connection: AsyncConnection, trail: AuditTrail) -> None:
    actor, client = Someone(), a_client()
    written = [(await trail.append(connection, a_pending(seen([client]), actor=actor))).id for _ in range(11)]
    reader = LogReader(connection, trail)
    for asked in (LogFilter(actor=actor.id), LogFilter(client=client)):
        pages: list[EntryId] = []
        after = None
        while page := await reader.entries(asked, EVERYTHING, after=after, limit=4):
            assert len(page) == min(4, 11 - len(pages))
            pages += [entry.id for entry in page]
            after = pages[-1]
        assert pages == written[::-1]


async def test_an_entry_says_what_its_leaf_says(connection: AsyncConnection, trail: AuditTrail) -> None:
    someone, journal = Someone(), RequestJournal()
    journal.tell(SomethingHappened(records=(record := new_id(),), facts={"rule": "lockout"}))
    circumstances = Circumstances(
        source="192.0.2.7",
        route="POST /api/v1/lockouts/{staff}",
        filter={"days": 3},
        asked={"staff": "a"},
        programme=HERE,
    )
    pending = a_pending(journal, actor=someone, status=201, circumstances=circumstances)
    entry = await trail.append(connection, pending)
    [found] = await LogReader(connection, trail).entries(LogFilter(actor=someone.id), EVERYTHING, after=None, limit=5)
    assert (found.id, found.index, found.at) == (entry.id, None, made_at(entry.id))
    assert (found.actor, found.roles, found.authenticated_by) == (str(someone.id), ("counsellor",), "password")
    assert (found.event, found.operation, found.outcome, found.status) == ("thing.happened", "R", LogOutcome.DONE, 201)
    assert (found.route, found.purpose, found.programme) == ("POST /api/v1/lockouts/{staff}", "TREAT", HERE)
    assert (found.request, found.clients) == (str(circumstances.request), 0)
    assert found.about == (
        {"source": "192.0.2.7"},
        {"filter": {"days": 3}},
        {"did": [{"ev": "thing.happened", "rec": [str(record)], "facts": {"rule": "lockout"}}]},
        {"asked": {"staff": "a"}},
    )


async def test_who_saw_a_client_shows_what_was_seen_of_that_client_alone(
    connection: AsyncConnection, trail: AuditTrail
) -> None:
    client, others = a_client(), [a_client() for _ in range(49)]
    opened = seen([client], "identity")
    opened.saw(client, "dose")
    opened.tell(SomethingHappened(client=client, records=(record := new_id(),), facts={"part": "morning"}))
    refused = Circumstances(route="GET /api/v1/clients/{client_id}", event="client.read", client=client)
    written = [
        await trail.append(connection, pending)
        for pending in (
            a_pending(opened, event="dose.recorded"),
            a_pending(seen([*others[:20], client, *others[20:]]), event="check_in.listed"),
            a_pending(seen(others)),
            a_pending(circumstances=refused, outcome=Outcome.REFUSED, status=404),
        )
    ]
    found = await LogReader(connection, trail).accesses(client, LogFilter(), EVERYTHING, after=None, limit=200)
    assert [access.entry.id for access in found] == [written[3].id, written[1].id, written[0].id]
    asked, listed, recorded = found
    assert (asked.saw, asked.did, asked.asked, asked.proved) == ((), (), {}, True)
    assert (listed.saw, listed.did, listed.entry.clients, listed.proved) == (("check_in",), (), 50, True)
    assert (recorded.saw, recorded.proved) == (("dose", "identity"), True)
    assert recorded.did == ({"ev": "thing.happened", "rec": [str(record)], "facts": {"part": "morning"}},)
    for other in others:
        assert str(other) not in repr(found)


async def test_somebody_the_log_does_not_know_is_not_found(connection: AsyncConnection, trail: AuditTrail) -> None:
    reader = LogReader(connection, trail)
    with pytest.raises(ClientNotInLog):
        await reader.accesses(a_client(), LogFilter(), EVERYTHING, after=None, limit=5)
    with pytest.raises(ClientNotInLog):
        await reader.entries(LogFilter(client=a_client()), EVERYTHING, after=None, limit=5)


async def test_destroying_a_clients_key_unlinks_the_client_and_nobody_else(
    own_engine: AsyncEngine, owner: asyncpg.Connection, store: KeysInMemory
) -> None:
    trail, clients = a_trail(store), [a_client() for _ in range(3)]
    async with own_engine.begin() as connection:
        entry = await trail.append(connection, a_pending(seen(clients)))
    leaves = await owner.fetch("select leaf from audit.queue")
    await owner.execute("delete from keys.client_key where client_id = $1", clients[1])
    async with own_engine.begin() as connection:
        reader = LogReader(connection, a_trail(store))
        with pytest.raises(ClientNotInLog):
            await reader.accesses(clients[1], LogFilter(), EVERYTHING, after=None, limit=5)
        for client in (clients[0], clients[2]):
            [access] = await reader.accesses(client, LogFilter(), EVERYTHING, after=None, limit=5)
            assert (access.entry.id, access.entry.clients, access.proved) == (entry.id, 3, True)
    assert await owner.fetch("select leaf from audit.queue") == leaves
    dump = await owner.fetchval(
        "select string_agg(t::text, '') from (select q::text from audit.queue q union all"
        " select d::text from audit.disclosure d union all select k::text from keys.client_key k) t"
    )
    assert str(clients[0]) in dump
    assert str(clients[1]) not in dump
    assert clients[1].hex not in dump


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        ("sealed = set_byte(sealed, octet_length(sealed) - 1, get_byte(sealed, octet_length(sealed) - 1) # 1)", False),
        ("refs = array[refs[2], refs[1]]", False),
        ("sealed = substring(sealed for 40)", False),
        # The commitment of the other client, which is the sibling in the proof.
        (
            "sealed = set_byte(sealed, 12 + 4 + {request} + 4 + 40, 255 - get_byte(sealed, 12 + 4 + {request} + 4 + 40))",
            True,
        ),
    ],
)
async def test_what_lies_beside_a_leaf_cannot_be_changed_unseen(
    own_engine: AsyncEngine, owner: asyncpg.Connection, store: KeysInMemory, change: str, *, shown: bool
) -> None:
    trail, clients = a_trail(store), [a_client(), a_client()]
    async with own_engine.begin() as connection:
        await trail.append(connection, a_pending(seen(clients, "dose")))
    request = int.from_bytes((await owner.fetchval("select sealed from audit.disclosure"))[12:16], "big")
    await owner.execute(UNWATCHED + "alter table audit.disclosure disable trigger all")
    await owner.execute(f"update audit.disclosure set {change.format(request=request)}")  # noqa: S608  changes of our own, from the list above
    async with own_engine.begin() as connection:
        reader = LogReader(connection, trail)
        accesses = [
            access
            for client in clients
            for access in await reader.accesses(client, LogFilter(), EVERYTHING, after=None, limit=5)
        ]
    assert not all(access.proved for access in accesses)
    for access in accesses:
        assert access.saw in ({("dose",)} if shown or access.proved else {()})


async def test_facts_of_the_request_that_cannot_be_shown_or_proved_are_not_shown(
    own_engine: AsyncEngine, owner: asyncpg.Connection, store: KeysInMemory
) -> None:
    trail = a_trail(store)
    async with own_engine.begin() as connection:
        await trail.append(connection, a_pending())
        store.kept[KeyName.LOG, 1] = bytes(32)
        [entry] = await LogReader(connection, a_trail(store)).entries(LogFilter(), EVERYTHING, after=None, limit=5)
        assert entry.about == (UNREADABLE,)
    await owner.execute(UNWATCHED)
    await owner.execute("alter table audit.disclosure disable trigger all; delete from audit.disclosure")
    async with own_engine.begin() as connection:
        [entry] = await LogReader(connection, trail).entries(LogFilter(), EVERYTHING, after=None, limit=5)
        assert entry.about == (UNREADABLE,)


async def test_queued_and_sequenced_entries_are_one_log(
    own_engine: AsyncEngine, owner: asyncpg.Connection, trail: AuditTrail
) -> None:
    client = a_client()
    async with own_engine.begin() as connection:
        written = [await trail.append(connection, a_pending(seen([client]))) for _ in range(6)]
    await owner.execute("set role audit_sequencer")
    async with owner.transaction():
        await sequence(owner, written[:3])
    async with own_engine.begin() as connection:
        reader = LogReader(connection, trail)
        entries = await reader.entries(LogFilter(), EVERYTHING, after=None, limit=50)
        accesses = await reader.accesses(client, LogFilter(), EVERYTHING, after=None, limit=50)
    assert [entry.id for entry in entries] == [entry.id for entry in written[::-1]]
    assert [entry.index for entry in entries] == [None, None, None, 2, 1, 0]
    assert [access.entry for access in accesses] == list(entries)
    assert all(access.proved for access in accesses)


async def sequence(owner: asyncpg.Connection, entries: Sequence[Entry]) -> None:
    """What the sequencer will do: a place, then out of the queue."""
    for place, entry in enumerate(entries):
        await owner.execute(
            "insert into audit.entry (idx, entry_id, at, actor, event, outcome, programme, leaf)"
            " select $1, entry_id, at, actor, event, outcome, programme, leaf from audit.queue where entry_id = $2",
            place,
            entry.id,
        )
    await owner.execute("delete from audit.queue where entry_id = any($1)", [entry.id for entry in entries])


@pytest.mark.parametrize("writes", [True, False])
async def test_the_role_is_given_back_also_after_an_error(own_engine: AsyncEngine, *, writes: bool) -> None:
    trail, who = a_trail(), text("select current_user::text")
    async with own_engine.connect() as connection:
        if writes:
            await connection.begin()
        else:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
        reader = LogReader(connection, trail)
        await reader.entries(LogFilter(), EVERYTHING, after=None, limit=5)
        assert (await connection.execute(who)).scalar_one() == "caseload"
        with pytest.raises(Exception, match="division by zero"):
            await read_as_reader(connection, text("select 1/0"))
        assert (await connection.execute(who)).scalar_one() == "caseload"
        await trail.append(connection, a_pending())


SEARCHES = [
    LogFilter(),
    LogFilter(event="dose", outcome=LogOutcome.REFUSED, programme=HERE),
    LogFilter(event="staff.granted"),
    LogFilter(outcome=LogOutcome.REFUSED),
    LogFilter(actor=Someone().id),
    LogFilter(since=datetime(2026, 1, 1, tzinfo=UTC), until=datetime(2026, 2, 1, tzinfo=UTC)),
    LogFilter(client=ClientId(UUID(int=7))),
    LogFilter(client=ClientId(UUID(int=7)), event="dose", since=datetime(2026, 1, 1, tzinfo=UTC)),
]
MANY = """
    alter table audit.queue disable trigger all;
    insert into audit.queue (entry_id, at, actor, event, outcome, programme, leaf)
    select gen_random_uuid(), now(), 'actor ' || n % 500, 'dose.read', 0, null, '{}' from generate_series(1, 10000) n;
    insert into audit.entry (idx, entry_id, at, actor, event, outcome, programme, leaf)
    select n, gen_random_uuid(), now(), 'actor ' || n % 500, 'dose.read', 0, null, '{}'
    from generate_series(1, 10000) n;
    insert into audit.disclosure (entry_id, refs, sealed)
    select entry_id, array[substring(sha256(actor::bytea) for 16)], '' from audit.log;
    analyze audit.queue, audit.entry, audit.disclosure
"""


async def test_no_list_reads_the_whole_log(
    own_engine: AsyncEngine, owner: asyncpg.Connection, trail: AuditTrail
) -> None:
    await owner.execute(UNWATCHED + MANY)
    async with own_engine.begin() as connection:
        keys = (await trail.keys.of(connection, [UUID(int=7)])).keys
        await connection.execute(text("set local role audit_reader"))
        for asked in SEARCHES:
            statement = page_of(narrowed(asked, EVERYTHING, keys[asked.client] if asked.client else None), 50)
            compiled = statement.compile(dialect=own_engine.dialect)
            given = tuple(compiled.params[name] for name in compiled.positiontup or ())
            plan = (await connection.exec_driver_sql(f"explain (format json) {compiled}", given)).scalar_one()
            tables = list(scanned(plan))
            assert {table for _, table in tables} == {"queue", "entry_0", "entry_1", "disclosure"}
            # The second partition is empty: to look whether it is takes no index.
            assert not [table for kind, table in tables if kind == "Seq Scan" and table != "entry_1"], (asked, plan)


def scanned(plan: object) -> list[tuple[str, str]]:
    """Every scan of a table in a plan: how, and which."""
    if isinstance(plan, list):
        return [scan for part in cast("list[object]", plan) for scan in scanned(part)]
    if not isinstance(plan, dict):
        return []
    node = cast("dict[str, Any]", plan)
    here = [(node["Node Type"], node["Relation Name"])] if "Relation Name" in node else []
    return here + [scan for part in node.values() for scan in scanned(part)]
