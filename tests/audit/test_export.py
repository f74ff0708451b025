"""Taking the log away: every byte as it is stored, an entry at the start and one at the end, and no reader holds it."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from hashlib import sha256
from typing import Any, cast

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from caseload.audit import export as exporting
from caseload.audit.accesslog import LogReader
from caseload.audit.batcher import Batcher, LogUnavailable
from caseload.audit.export import LogExport, ReaderStalled
from caseload.audit.trail import AuditTrail, Circumstances, Outcome
from caseload.audit.views import COLUMNS
from caseload.domain.accesslog import Export, LogEntry, LogFilter, LogFormat, LogOutcome, LogScope
from caseload.domain.ids import EntryId, ProgrammeId, new_id
from tests.factories.audit import KeysInMemory, Someone, a_client, a_pending, a_trail, seen

pytestmark = pytest.mark.anyio

EVERYTHING = LogScope(programmes=None)
SOMEONE = Someone()


@pytest.fixture
def trail() -> AuditTrail:
    return a_trail(KeysInMemory())


@pytest.fixture
async def batcher(own_engine: AsyncEngine, trail: AuditTrail) -> AsyncIterator[Batcher]:
    made = Batcher(own_engine, trail)
    yield made
    await made.close()


def an_export(
    engine: AsyncEngine,
    batcher: Batcher,
    /,
    *,
    format_: LogFormat = LogFormat.NDJSON,
    asked: LogFilter | None = None,
    scope: LogScope = EVERYTHING,
    **options: Any,
) -> LogExport:
    what = Export(filter=asked or LogFilter(), scope=scope, format=format_)
    circumstances = Circumstances(route="POST /api/v1/audit/exports", event="audit_log.export")
    given: dict[str, Any] = {
        "key": None,
        "actor": SOMEONE,
        "circumstances": circumstances,
        "allowed": still_allowed,
        **options,
    }
    return LogExport(engine, batcher, what, **given)


async def still_allowed() -> bool:
    return True


async def whole(export: LogExport) -> bytes:
    return b"".join([chunk async for chunk in export.stream()])


async def closing(engine: AsyncEngine, trail: AuditTrail) -> LogEntry:
    """The entry that closed the last export."""
    async with engine.begin() as connection:
        entries = await LogReader(connection, trail).entries(
            LogFilter(event="audit_log.exported"), EVERYTHING, after=None, limit=1
        )
    return entries[0]


def facts_of(entry: LogEntry) -> dict[str, object]:
    verb = "did" if entry.outcome is LogOutcome.DONE else "tried"
    [told] = [cast("list[dict[str, Any]]", about[verb]) for about in entry.about if verb in about]
    return told[0]["facts"]


async def write(batcher: Batcher, number: int) -> None:
    await asyncio.gather(*(batcher.add(a_pending(seen([a_client()]))) for _ in range(number)))


async def test_every_line_is_a_leaf_as_it_is_stored_oldest_first(
    own_engine: AsyncEngine, batcher: Batcher, owner: asyncpg.Connection
) -> None:
    await write(batcher, 600)
    stored = [row["leaf"] for row in await owner.fetch("select leaf from audit.queue order by entry_id")]
    export = an_export(own_engine, batcher)
    data = await whole(export)
    assert data == b"".join(leaf + b"\n" for leaf in stored)
    assert (export.taken.rows, export.taken.octets) == (600, len(data))


@pytest.mark.parametrize("format_", list(LogFormat))
async def test_the_closing_entry_describes_the_file_that_left(
    own_engine: AsyncEngine, batcher: Batcher, trail: AuditTrail, format_: LogFormat
) -> None:
    await write(batcher, 40)
    data = await whole(an_export(own_engine, batcher, format_=format_))
    entry = await closing(own_engine, trail)
    assert (entry.actor, entry.outcome, entry.operation) == (str(SOMEONE.id), LogOutcome.DONE, "E")
    assert facts_of(entry) == {
        "format": format_.value,
        "rows": 40,
        "octets": len(data),
        "sha256": sha256(data).hexdigest(),
    }


async def test_the_csv_has_a_line_for_every_leaf(own_engine: AsyncEngine, batcher: Batcher) -> None:
    await write(batcher, 700)
    data = await whole(an_export(own_engine, batcher, format_=LogFormat.CSV))
    rows = list(csv.DictReader(io.StringIO(data.decode(), newline="")))
    assert len(rows) == 700
    assert list(rows[0]) == list(COLUMNS)
    assert [row["entry"] for row in rows] == sorted(row["entry"] for row in rows)
    assert data.count(b"\n") == data.count(b"\r\n") == 701


async def test_an_export_holds_to_its_filter_and_its_scope(
    own_engine: AsyncEngine, batcher: Batcher, trail: AuditTrail
) -> None:
    here, client = ProgrammeId(new_id()), a_client()
    await write(batcher, 5)
    about = await batcher.add(a_pending(seen([client, a_client()]), event="dose.read"))
    ours = await batcher.add(a_pending(event="dose.read", programme=here))
    async with own_engine.connect() as connection:
        key = await trail.keys.existing(connection, client)
    chosen: list[tuple[dict[str, Any], list[EntryId]]] = [
        ({"asked": LogFilter(event="dose")}, [about, ours]),
        ({"scope": LogScope(programmes=frozenset({here}))}, [ours]),
        ({"asked": LogFilter(client=client), "key": key}, [about]),
        ({"asked": LogFilter(event="nothing")}, []),
    ]
    for options, expected in chosen:
        lines = (await whole(an_export(own_engine, batcher, **options))).splitlines()
        assert [line[line.index(b'"id":"', line.index(b'"ev"')) + 6 :][:36].decode() for line in lines] == [
            str(entry) for entry in expected
        ]


async def test_an_export_shows_one_moment(own_engine: AsyncEngine, batcher: Batcher) -> None:
    await write(batcher, 20)
    first = await whole(an_export(own_engine, batcher))
    second = await whole(an_export(own_engine, batcher))
    assert second.startswith(first)
    assert second.count(b"\n") == 21, "the first export's closing entry is in the second, the second's is not"


async def test_whoever_stops_reading_ends_the_export_and_the_log_knows_how_far_it_came(
    own_engine: AsyncEngine, batcher: Batcher, trail: AuditTrail, owner: asyncpg.Connection
) -> None:
    await make_many(owner)
    stream = an_export(own_engine, batcher).stream()
    first = await anext(stream)
    await stream.aclose()
    entry = await closing(own_engine, trail)
    assert (entry.outcome, entry.status) == (LogOutcome.FAILED, None)
    rows = facts_of(entry)["rows"]
    assert isinstance(rows, int)
    assert first.count(b"\n") <= rows < 40_000
    assert await nobody_holds_a_snapshot(owner)


async def test_whoever_reads_too_slowly_is_given_up(
    own_engine: AsyncEngine, batcher: Batcher, trail: AuditTrail, owner: asyncpg.Connection
) -> None:
    await make_many(owner)
    stream = an_export(own_engine, batcher, stalled_seconds=0.2).stream()
    await anext(stream)
    await asyncio.sleep(1)
    with pytest.raises(ReaderStalled):
        async for _ in stream:
            pass
    assert (await closing(own_engine, trail)).outcome is LogOutcome.FAILED
    assert await nobody_holds_a_snapshot(owner)


async def test_a_slow_reader_is_not_read_ahead_of(
    own_engine: AsyncEngine, batcher: Batcher, owner: asyncpg.Connection
) -> None:
    await make_many(owner)
    export = an_export(own_engine, batcher)
    stream = export.stream()
    first = await anext(stream)
    await asyncio.sleep(0.5)
    assert export.taken.octets <= len(first) + exporting.CHUNKS_AHEAD * 1_000_000
    assert export.taken.rows < 40_000
    assert (await whole_rest(stream)) + first.count(b"\n") == 40_000


async def whole_rest(stream: AsyncIterator[bytes]) -> int:
    return sum([chunk.count(b"\n") async for chunk in stream])


async def test_when_the_closing_entry_cannot_be_written_the_stream_breaks_off(
    own_engine: AsyncEngine, batcher: Batcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    await write(batcher, 3)

    async def refuse(_: object) -> None:
        raise LogUnavailable

    monkeypatch.setattr(batcher, "add", refuse)
    with pytest.raises(LogUnavailable):
        await whole(an_export(own_engine, batcher))


async def test_a_database_that_refuses_is_told_to_the_reader_and_the_log(
    own_engine: AsyncEngine, batcher: Batcher, trail: AuditTrail, owner: asyncpg.Connection
) -> None:
    await owner.execute("revoke select on audit.log from audit_reader")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await whole(an_export(own_engine, batcher))
    await owner.execute("grant select on audit.log to audit_reader")
    entry = await closing(own_engine, trail)
    assert (entry.outcome, facts_of(entry)["rows"]) == (LogOutcome.FAILED, 0)


async def test_the_opening_is_the_requests_own(own_engine: AsyncEngine, batcher: Batcher, trail: AuditTrail) -> None:
    """Both entries name the request, so that they can be put together."""
    circumstances = Circumstances(route="POST /api/v1/audit/exports", event="audit_log.export")
    opened = await batcher.add(a_pending(actor=SOMEONE, circumstances=circumstances, outcome=Outcome.DONE))
    data = await whole(an_export(own_engine, batcher, circumstances=circumstances))
    assert str(opened).encode() in data
    assert (await closing(own_engine, trail)).request == str(circumstances.request)
    assert circumstances.event == "audit_log.export"


async def make_many(owner: asyncpg.Connection) -> None:
    """A log that is larger than any buffer on the way: 40,000 entries, 32 MB."""
    await owner.execute(
        """
        insert into audit.entry (idx, entry_id, at, actor, event, outcome, leaf)
        select n, gen_random_uuid(), now(), 'a', 'a.b', 0, convert_to('{"x":"' || repeat('x', 800) || '"}', 'UTF8')
        from generate_series(1, 40000) n
        """
    )


async def nobody_holds_a_snapshot(owner: asyncpg.Connection) -> bool:
    for _ in range(100):
        held = await owner.fetchval(
            "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
            " and (backend_xmin is not null or state like 'idle in transaction%')"
        )
        if held == 0:
            return True
        await asyncio.sleep(0.05)
    return False
