"""What "who saw my record" costs: the first page with its proofs, and everything as a file. No HTTP in it.

python -m benchmarks.accessreport [--lines 10000] [--entries 200000]
"""

import argparse
import asyncio
import statistics
import sys
import time
from collections.abc import AsyncIterable, Iterable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import msgspec
import uvloop

from benchmarks.audit import CLIENTS, LIST_ROWS, Log, fill
from benchmarks.stage import Stage, stage
from caseload.api.accessreport import files
from caseload.api.accessreport.wire import AccessLineOut
from caseload.audit import tree as trees
from caseload.audit.accessreport import ProvedAccesses, every_line
from caseload.audit.journal import RequestJournal
from caseload.audit.tlog.note import LocalSigner, sign_text
from caseload.audit.trail import Circumstances, Outcome, Pending, append
from caseload.domain.accessreport import Counted, Line, Report
from caseload.domain.ids import ClientId, ProgrammeId, ReportId, StaffId, new_id

PAGE = 200
PAGES = 60
ZONE = ZoneInfo("Europe/London")
LISTS = 5
"""One access in so many is a list of other clients too."""
SIGNER = LocalSigner(bytes(32), name="log.example/benchmark")


async def accessed(log: Log, client: ClientId, lines: int) -> None:
    """So many accesses to one client, some of them as one of a list."""
    others = [each for each in log.clients if each != client]
    pendings: list[Pending] = []
    for number in range(lines):
        journal = RequestJournal()
        in_list = number % LISTS == 0
        first = number * LIST_ROWS % (CLIENTS - LIST_ROWS - 1)
        for each in (*others[first : first + (LIST_ROWS - 1) * in_list], client):
            journal.saw(each, "check_in" if in_list else "identity")
        route = "GET /api/v1/check-ins/overdue" if in_list else "GET /api/v1/clients/{client_id}"
        said = Circumstances(source="192.0.2.7", route=route, event="check_in.list" if in_list else "client.read")
        pendings.append(Pending(actor=log.staff, circumstances=said, outcome=Outcome.DONE, journal=journal, status=200))
    for start in range(0, lines, LIST_ROWS * LISTS):
        async with log.engine.begin() as connection:
            await append(connection, await log.trail.prepare(connection, pendings[start : start + LIST_ROWS * LISTS]))


async def signed(log: Log) -> int:
    """Give everything its place, and sign; return the size."""
    owner = await asyncpg.connect(log.stage.owner)
    now = datetime.now(UTC)
    await trees.begin(owner, origin=SIGNER.key.name, key=SIGNER.key, now=now)
    tree = await trees.load(owner)
    assert tree is not None
    while await tree.add(owner, limit=4096, now=now):
        pass
    signature = sign_text(tree.checkpoint().text(), SIGNER)
    await trees.keep_signatures(owner, tree.size, [signature], at=now)
    await owner.execute("vacuum analyze audit.disclosure")
    await owner.execute("vacuum analyze audit.entry")
    await owner.close()
    return tree.size


async def first_page(log: Log, report: Report) -> list[float]:
    """Milliseconds of the first page, asked for again and again, until its bytes stand ready."""
    took: list[float] = []
    for _ in range(PAGES):
        began = time.perf_counter()
        async with log.engine.connect() as connection:
            lines = await ProvedAccesses(connection, log.trail).page(report, after=None, limit=PAGE)
        msgspec.json.encode([AccessLineOut.of(line, who="Anna", zone=ZONE) for line in lines])
        took.append((time.perf_counter() - began) * 1e3)
        if len(lines) != PAGE or not all(line.evidence for line in lines):
            raise SystemExit("a line is not proved")
    return sorted(took)


async def whole(log: Log, report: Report, cover: files.Cover, make: Any) -> tuple[float, float, int]:
    """Seconds for the whole file, the longest that another task had to wait meanwhile, and its length."""
    waits, done = list[float](), asyncio.Event()

    async def other() -> None:
        while not done.is_set():
            began = time.perf_counter()
            await asyncio.sleep(0.001)
            waits.append(time.perf_counter() - began)

    async def counting() -> AsyncIterable[list[Line]]:
        async for lines in every_line(log.engine, log.trail, report):
            counted.lines += len(lines)
            yield lines

    counted, octets, task = Counted(), 0, asyncio.create_task(other())
    began = time.perf_counter()
    async for piece in make(cover, files.by_group(counting(), ZONE), {}, counted):
        octets += len(piece)
    took = time.perf_counter() - began
    done.set()
    await task
    return took, max(waits), octets


async def measure(at: Stage, lines: int, entries: int) -> None:
    """Print everything."""
    log = Log(at)
    await log.warm()
    client = log.clients[0]
    await accessed(log, client, lines // 2)
    await fill(log, entries)
    await accessed(log, client, lines - lines // 2)
    size = await signed(log)
    report = Report(
        id=ReportId(new_id()),
        client=client,
        programme=ProgrammeId(new_id()),
        since=None,
        size=size,
        prepared_by=StaffId(new_id()),
        prepared_at=datetime.now(UTC),
    )
    async with log.engine.connect() as connection:
        cover = files.Cover(report, await ProvedAccesses(connection, log.trail).newest_tree(), ZONE)
    pages = await first_page(log, report)
    print(
        f"of {size:,} entries, the newest {PAGE} of {lines:,} lines with proofs   p50 {statistics.median(pages):.0f} ms"
        f"  p95 {pages[len(pages) * 95 // 100]:.0f} ms"
    )
    for name, make in (("json", files.as_json), ("csv", files.as_csv)):
        took, longest, octets = await whole(log, report, cover, make)
        print(
            f"all {lines:,} lines with proofs as {name:<5} {took:.2f} s, {octets / 1e6:.0f} MB,"
            f" others waited {longest * 1e3:.0f} ms at most"
        )
    await log.engine.dispose()


def main(arguments: Iterable[str]) -> None:
    """Measure on a scratch stage."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accessreport")
    parser.add_argument("--lines", type=int, default=10_000, help="accesses to the one client")
    parser.add_argument("--entries", type=int, default=200_000, help="entries in the log")
    given = parser.parse_args(list(arguments))
    with stage() as ready:
        uvloop.run(measure(ready, given.lines, given.entries))


if __name__ == "__main__":
    main(sys.argv[1:])
