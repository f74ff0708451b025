"""How fast entries get their places, and how long one waits to be in a signed tree.

python -m benchmarks.sequencer [--entries 200000] [--rate 1000] [--seconds 10]
"""

import argparse
import asyncio
import sys
import time
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager

import asyncpg
import uvloop

from benchmarks.audit import Log
from benchmarks.stage import Stage, stage
from caseload.audit.standing import sequencer_of
from caseload.audit.tlog.merkle import root_of
from caseload.audit.trail import append
from caseload.settings import Secret, Settings

PER_APPEND = 500


async def fill(log: Log, entries: int) -> None:
    """Put real entries into the queue, each with a leaf and disclosures of its own."""
    for _ in range(entries // PER_APPEND):
        async with log.engine.begin() as connection:
            pendings = [log.pending(1) for _ in range(PER_APPEND)]
            await append(connection, await log.trail.prepare(connection, pendings))


@asynccontextmanager
async def sequencing(at: Stage) -> AsyncGenerator[None]:
    """A sequencer at work in a process of its own, as `caseload serve` runs it."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "caseload", "sequencer",
        env={
            "PATH": "/usr/bin:/bin",
            "PYTHONPATH": ":".join(sys.path),
            "CASELOAD_SEQUENCER_DATABASE_URL": at.sequencer,
            "CASELOAD_DATA_DIR": str(at.scratch),
            "CASELOAD_LOG_LEVEL": "error",
        },
    )  # fmt: skip
    try:
        yield
    finally:
        process.terminate()
        await process.wait()


async def throughput(log: Log, owner: asyncpg.Connection, entries: int) -> None:
    """Empty a full queue, in this process, so that our share of the processor can be told from PostgreSQL's."""
    await fill(log, entries)
    await owner.execute("vacuum analyze audit.queue")
    # With the entries of the migrations.
    entries = await owner.fetchval("select count(*) from audit.queue")
    sequencer = sequencer_of(Settings(data_dir=log.stage.scratch), Secret(log.stage.sequencer))
    stop = asyncio.Event()
    used, ours, began = log.stage.postgres().cpu, time.process_time(), time.perf_counter()
    running = asyncio.create_task(sequencer.run(stop))
    while not await owner.fetchval("select exists (select from audit.checkpoint_signature where size = $1)", entries):  # noqa: ASYNC110  it happens in the database
        await asyncio.sleep(0.05)
    wall, ours = time.perf_counter() - began, time.process_time() - ours
    theirs = log.stage.postgres().cpu - used
    stop.set()
    await running
    print(
        f"sequencing {entries:,} entries     {entries / wall:9,.0f}/s"
        f"  cpu {ours / entries * 1e6:5.1f} us ours {theirs / entries * 1e6:5.1f} us PostgreSQL's per entry"
    )
    rows = await owner.fetch("select leaf_hash from audit.entry order by idx")
    head = await owner.fetchval("select root from audit.checkpoint order by size desc limit 1")
    assert root_of([row["leaf_hash"] for row in rows]) == head


async def delay(log: Log, owner: asyncpg.Connection, rate: int, seconds: int) -> None:
    """Append at a steady rate beside a sequencer, and see when each entry is in a signed tree."""
    batch = max(1, rate // 50)
    durable: list[float] = []
    before = await owner.fetchval("select count(*) from audit.entry")
    async with sequencing(log.stage):
        await asyncio.sleep(2)
        signed: list[tuple[float, int]] = []
        watching = asyncio.create_task(watch(log.stage.owner, signed))
        began = time.perf_counter()
        for turn in range(rate * seconds // batch):
            await asyncio.sleep(max(0.0, began + turn * batch / rate - time.perf_counter()))
            async with log.engine.begin() as connection:
                pendings = [log.pending(1) for _ in range(batch)]
                await append(connection, await log.trail.prepare(connection, pendings))
            durable += [time.perf_counter()] * batch
        wanted = before + len(durable)
        while not signed or signed[-1][1] < wanted:  # noqa: ASYNC110  it happens in the database
            await asyncio.sleep(0.02)
        watching.cancel()
    # Entries are appended by one caller, so their places are in the order of their commits.
    waits = sorted(waits_of(durable, signed, before))
    print(
        f"merge delay at {len(durable) / (durable[-1] - durable[0]):6,.0f}/s         "
        f"p50 {waits[len(waits) // 2] * 1e3:5.0f} ms  p99 {waits[len(waits) * 99 // 100] * 1e3:5.0f} ms"
        f"  max {waits[-1] * 1e3:5.0f} ms, {len({size for _, size in signed})} checkpoints in {seconds} s"
    )


def waits_of(durable: list[float], signed: list[tuple[float, int]], before: int) -> list[float]:
    """From the commit of each entry until a signed checkpoint that contains it was seen."""
    found: list[float] = []
    at = 0
    for place, committed in enumerate(durable, start=before):
        while signed[at][1] <= place:
            at += 1
        found.append(max(0.0, signed[at][0] - committed))
    return found


async def watch(url: str, signed: list[tuple[float, int]]) -> None:
    """Note when which size was signed."""
    connection = await asyncpg.connect(url)
    try:
        while True:
            size = await connection.fetchval("select coalesce(max(size), 0) from audit.checkpoint_signature")
            if not signed or size > signed[-1][1]:
                signed.append((time.perf_counter(), size))
            await asyncio.sleep(0.005)
    finally:
        connection.terminate()


async def measure(at: Stage, entries: int, rate: int, seconds: int) -> None:
    """Print everything."""
    log = Log(at)
    await log.warm()
    owner = await asyncpg.connect(at.owner)
    await throughput(log, owner, entries)
    await delay(log, owner, rate, seconds)
    await owner.close()
    await log.engine.dispose()


def main(arguments: Iterable[str]) -> None:
    """Measure on a scratch stage."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sequencer")
    parser.add_argument("--entries", type=int, default=200_000, help="in the queue before the first round")
    parser.add_argument("--rate", type=int, default=1_000, help="entries a second while the delay is measured")
    parser.add_argument("--seconds", type=int, default=10, help="how long it is")
    given = parser.parse_args(list(arguments))
    with stage() as ready:
        uvloop.run(measure(ready, given.entries // PER_APPEND * PER_APPEND, given.rate, given.seconds))


if __name__ == "__main__":
    main(sys.argv[1:])
