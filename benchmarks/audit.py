"""What an entry costs: making it, appending it, finding it again and taking the log away. No HTTP in it.

python -m benchmarks.audit [--entries 4000] [--export 200000]
"""

import argparse
import asyncio
import resource
import secrets
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import asyncpg
import uvloop
from sqlalchemy.ext.asyncio import AsyncEngine

from benchmarks.stage import Stage, stage
from caseload.audit.accesslog import LogReader
from caseload.audit.batcher import Batcher
from caseload.audit.export import LogExport
from caseload.audit.journal import RequestJournal
from caseload.audit.keystore import FolderOfKeys
from caseload.audit.trail import AuditTrail, Circumstances, Outcome, Pending, append
from caseload.db.engine import make_engine
from caseload.domain.access import Holding, Role
from caseload.domain.accesslog import Export, LogFilter, LogFormat, LogScope
from caseload.domain.ids import ClientId, ProgrammeId, SessionId, StaffId, new_id
from caseload.domain.people import Staff
from caseload.settings import Secret, Settings

CLIENTS = 5_000
LIST_ROWS = 50
EVERYTHING = LogScope(programmes=None)


class Log:
    """The log of a clinic with a counsellor and their clients."""

    def __init__(self, at: Stage) -> None:
        self.stage = at
        self.engine: AsyncEngine = make_engine(Settings(database_url=Secret(at.service)))
        self.trail = AuditTrail(FolderOfKeys(at.scratch / "keys", may_make=True), organisation="clinic-01")
        self.clients = [ClientId(new_id()) for _ in range(CLIENTS)]
        self.staff = Staff(
            id=StaffId(new_id()),
            user_name="anna",
            printed_name="Anna",
            session=SessionId(new_id()),
            holdings=(Holding(role=Role.COUNSELLOR, programme=ProgrammeId(new_id())),),
        )

    def pending(self, shown: int) -> Pending:
        """An entry of a read that showed so many clients."""
        journal = RequestJournal()
        first = secrets.randbelow(CLIENTS - shown)
        for client in self.clients[first : first + shown]:
            journal.saw(client, "check_in")
        said = Circumstances(source="192.0.2.7", route="GET /api/v1/check-ins/overdue", event="check_in.listed")
        return Pending(actor=self.staff, circumstances=said, outcome=Outcome.DONE, journal=journal, status=200)

    async def warm(self) -> None:
        """Every client gets a key, and the process remembers them."""
        async with self.engine.begin() as connection:
            opened = await self.trail.keys.of(connection, self.clients)
        self.trail.keys.remember(opened.new_here)
        # As a list has them: identifiers read from the database are the driver's own, which are quicker to look up.
        self.clients = [ClientId(client) for client in opened.new_here]


async def making(log: Log, shown: int, entries: int) -> float:
    """Microseconds of processor per entry made, with every key in memory."""
    pendings = [log.pending(shown) for _ in range(entries)]
    async with log.engine.connect() as connection:
        began = time.process_time()
        for pending in pendings:
            await log.trail.prepare(connection, [pending])
        return (time.process_time() - began) / entries * 1e6


async def appending(log: Log, shown: int, batch: int, entries: int) -> tuple[float, float, float]:
    """Microseconds per entry appended in batches: of our processor, of PostgreSQL's, and until durable."""
    async with log.engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        batches = [
            await log.trail.prepare(connection, [log.pending(shown) for _ in range(batch)])
            for _ in range(max(1, entries // batch))
        ]
        used, began, wall = log.stage.postgres().cpu, time.process_time(), time.perf_counter()
        for each in batches:
            await append(connection, each)
        done = len(batches) * batch / 1e6
        ours, until = (time.process_time() - began) / done, (time.perf_counter() - wall) / done
        return ours, (log.stage.postgres().cpu - used) / done, until


async def batching(log: Log, shown: int, callers: int, entries: int) -> str:
    """Entries per second through the batcher, with the wait of each."""
    batcher = Batcher(log.engine, log.trail)
    waits: list[float] = []

    async def call(number: int) -> None:
        for _ in range(number):
            began = time.perf_counter()
            await batcher.add(log.pending(shown))
            waits.append((time.perf_counter() - began) * 1e3)

    used, began, wall = log.stage.postgres().cpu, time.process_time(), time.perf_counter()
    await asyncio.gather(*(call(entries // callers) for _ in range(callers)))
    wall, ours = time.perf_counter() - wall, time.process_time() - began
    theirs = log.stage.postgres().cpu - used
    await batcher.close()
    waits.sort()
    p50, p99 = waits[len(waits) // 2], waits[len(waits) * 99 // 100]
    return (
        f"{len(waits) / wall:9,.0f}/s  wait p50 {p50:5.1f} p99 {p99:6.1f} max {waits[-1]:6.1f} ms"
        f"  cpu {ours / len(waits) * 1e6:5.0f} + {theirs / len(waits) * 1e6:5.0f} us"
    )


async def finding(log: Log, ask: Callable[[LogReader], Awaitable[Sequence[Any]]]) -> str:
    """Milliseconds of a question to the log, the best of five."""
    best, found = 1e9, 0
    for _ in range(5):
        async with log.engine.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            began = time.perf_counter()
            found = len(await ask(LogReader(connection, log.trail)))
            best = min(best, time.perf_counter() - began)
    return f"{best * 1e3:8.1f} ms for {found} lines"


async def fill(log: Log, entries: int) -> int:
    """Bring the log to so many entries, straight into the table; returns how many there are."""
    owner = await asyncpg.connect(log.stage.owner)
    there = int(await owner.fetchval("select count(*) from audit.queue"))
    async with log.engine.connect() as connection:
        leaf = (await log.trail.prepare(connection, [log.pending(1)]))[0].leaf
    await owner.execute(
        "insert into audit.queue (entry_id, at, actor, event, outcome, leaf)"
        " select (lpad(to_hex(n), 12, '0') || substring(gen_random_uuid()::text from 14))::uuid,"
        " now(), 'a', 'dose.read', 0, $2 from generate_series(1, $1) n",
        max(0, entries - there),
        leaf,
    )
    await owner.execute("vacuum analyze audit.queue")
    await owner.execute("vacuum analyze audit.disclosure")
    await owner.close()
    return max(entries, there)


async def taking(log: Log, format_: LogFormat, *, rounds: int = 3) -> str:
    """The log as a file into nothing and a bare COPY of the leaves to the same process, turn about; their medians."""
    batcher, before, rows = Batcher(log.engine, log.trail), resident(), 0
    said = Circumstances(route="caseload audit export")
    what = Export(filter=LogFilter(), scope=EVERYTHING, format=format_)
    bare, ours, peak = list[float](), list[float](), before
    for _ in range(rounds):
        bare.append(await bare_copy(log))
        export = LogExport(
            log.engine, batcher, what, key=None, actor=log.staff, circumstances=said, allowed=still_there
        )
        began = time.perf_counter()
        async for _ in export.stream():
            peak = max(peak, resident())
        ours.append(time.perf_counter() - began)
        rows = export.taken.rows
    await batcher.close()
    took, copied = statistics.median(ours), statistics.median(bare)
    return (
        f"{took:6.1f} s, {rows / took:9,.0f} entries/s; a bare COPY {copied:.1f} s, so {took / copied:.1f} times that;"
        f" {peak - before:.0f} MB more than before"
    )


async def still_there() -> bool:
    """In place of looking up whether whoever asked may still have it: a millisecond for each half megabyte."""
    return True


async def bare_copy(log: Log) -> float:
    """Seconds in which PostgreSQL hands over every leaf, when nobody does anything with them."""
    owner = await asyncpg.connect(log.stage.owner)

    async def sink(chunk: bytes) -> None:
        pass

    began = time.perf_counter()
    await owner.copy_from_query("select leaf from audit.log", output=sink, format="binary")
    took = time.perf_counter() - began
    await owner.close()
    return took


def resident() -> float:
    """What this process holds at the moment, in MB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 1e6


async def measure(at: Stage, entries: int, exported: int) -> None:
    """Print everything."""
    log = Log(at)
    await log.warm()
    for shown in (1, LIST_ROWS):
        print(f"making an entry of {shown:>2} clients     {await making(log, shown, entries):7.1f} us of processor")
    for shown in (1, LIST_ROWS):
        for batch in (1, 32):
            ours, theirs, until = await appending(log, shown, batch, entries)
            print(f"appending {shown:>2} clients, {batch:>2} a time  {ours:7.1f} us ours {theirs:7.1f} us PostgreSQL's"
                  f" {until:8.1f} us until durable")  # fmt: skip
    for shown in (1, LIST_ROWS):
        for callers in (1, 32, 128):
            print(f"batcher, {shown:>2} clients, {callers:>3} callers  {await batching(log, shown, callers, entries)}")
    there = await fill(log, exported)
    newest = LogFilter(event="check_in")
    client = log.clients[CLIENTS // 2]
    print(f"of {there:,} entries, the newest 50      "
          f"{await finding(log, lambda read: read.entries(newest, EVERYTHING, after=None, limit=50))}")  # fmt: skip
    print(
        "accesses to one client            "
        f"{await finding(log, lambda read: read.accesses(client, LogFilter(), EVERYTHING, after=None, limit=200))}"
    )
    for format_ in LogFormat:
        print(f"export as {format_.value:<8}                {await taking(log, format_)}")
    await log.engine.dispose()


def main(arguments: Iterable[str]) -> None:
    """Measure on a scratch stage."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.audit")
    parser.add_argument("--entries", type=int, default=4_000, help="of each kind")
    parser.add_argument("--export", type=int, default=200_000, help="entries in the log that is taken away")
    given = parser.parse_args(list(arguments))
    with stage() as ready:
        uvloop.run(measure(ready, given.entries, given.export))


if __name__ == "__main__":
    main(sys.argv[1:])
