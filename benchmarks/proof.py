"""What taking the log away with its proofs costs, and verifying it: time, memory, and the same as a bare COPY.

python -m benchmarks.proof [--entries 200000]

Entries are real: each with a leaf, one client and one fact of its own. Memory is the most that was held while it
worked, beyond what was held before.
"""

import argparse
import io
import os
import resource
import sys
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import uvloop

from benchmarks.audit import EVERYTHING, Log, resident, taking
from benchmarks.stage import stage
from caseload.audit import tree as trees
from caseload.audit.batcher import Batcher
from caseload.audit.enclosed import Enclosed
from caseload.audit.taking import Taking
from caseload.audit.tlog.note import LocalSigner, sign_text
from caseload.audit.trail import Circumstances, append
from caseload.audit.verify.cli import main as verify
from caseload.domain.accesslog import LaidOpen, LogFilter, LogFormat, Proof

PER_APPEND = 500
ORIGIN = "bench.example/log/1"


async def fill(log: Log, entries: int) -> LocalSigner:
    """Put entries into the log, give them their places, and sign."""
    for _ in range(entries // PER_APPEND):
        async with log.engine.begin() as connection:
            pendings = [log.pending(1) for _ in range(PER_APPEND)]
            await append(connection, await log.trail.prepare(connection, pendings))
    signer, now = LocalSigner(os.urandom(32), name=ORIGIN), datetime.now(UTC)
    owner = await asyncpg.connect(log.stage.owner)
    await trees.begin(owner, origin=ORIGIN, key=signer.key, now=now)
    tree = await trees.load(owner)
    assert tree is not None
    while await tree.add(owner, limit=4_096, now=now):
        pass
    await trees.keep_signatures(owner, tree.size, [sign_text(tree.checkpoint().text(), signer)], at=now)
    for table in ("entry", "disclosure", "tile"):
        await owner.execute(f"vacuum analyze audit.{table}")  # a name of our own
    await owner.close()
    return signer


async def export(log: Log, out: Path, laid_open: LaidOpen) -> str:
    """The whole log as a bundle."""
    wanted = Proof(filter=LogFilter(), scope=EVERYTHING, laid_open=laid_open)
    batcher = Batcher(log.engine, log.trail)
    trail, said = log.trail, Circumstances(route="caseload audit export", event="audit_log.export")
    taken = Taking(engine=log.engine, keys=trail.keys, box=trail.box, wanted=wanted, key=None)
    enclosed = Enclosed(taking=taken, batcher=batcher, actor=log.staff, circumstances=said)

    before, peak, began = resident(), 0.0, time.perf_counter()

    async def progress(_: int, __: int) -> None:
        nonlocal peak
        peak = max(peak, resident())

    packed = await enclosed.write(out, now=datetime.now(UTC), progress=progress)
    wall = time.perf_counter() - began
    await batcher.close()
    return _said(wall, packed.entries, peak - before) + f", {packed.octets / 1e6:,.0f} MB written"


def verifying(bundle: Path, policy: Path, entries: int, jobs: int) -> str:
    """The verifier in a process of its own, as an auditor runs it."""

    def run() -> str:
        before, out, began = _most_held(), io.StringIO(), time.perf_counter()
        code = verify([str(bundle), "--policy", str(policy), "--jobs", str(jobs)], out=out)
        wall = time.perf_counter() - began
        return f"{_said(wall, entries, _most_held() - before)}, exit {code}"

    return _apart(run)


def _apart(run: Callable[[], str]) -> str:
    """Do it in a child, whose memory is its own."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        with os.fdopen(writing, "w") as back:
            back.write(run())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as back:
        said = back.read()
    os.waitpid(child, 0)
    return said


def _said(wall: float, entries: int, megabytes: float) -> str:
    million = wall / entries * 1e6
    return f"{wall:6.1f} s, {million:6.1f} s per million, {megabytes:4.0f} MB more than before"


def _most_held() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


async def prepare(at: Any, entries: int) -> tuple[Log, LocalSigner]:
    """The log of the run."""
    log = Log(at)
    await log.warm()
    began = time.perf_counter()
    signer = await fill(log, entries)
    print(f"{entries:,} entries made, appended and sequenced in {time.perf_counter() - began:.0f} s")
    return log, signer


async def measure(at: Any, entries: int) -> None:
    """Print everything."""
    log, signer = await prepare(at, entries)
    policy = at.scratch / "policy"
    policy.write_text(f"log {signer.key}\nquorum none\n")
    print(f"ndjson beside a bare COPY       {await taking(log, LogFormat.NDJSON)}")
    bundles = {each: at.scratch / each.value for each in (LaidOpen.NOTHING, LaidOpen.CLIENTS)}
    for each, out in bundles.items():
        print(f"export, laid open: {each.value:<12} {await export(log, out, each)}")
    await log.engine.dispose()
    for each, out in bundles.items():
        for jobs in (1, 2):
            print(f"verify, laid open: {each.value:<8} x{jobs}  {verifying(out, policy, entries, jobs)}")


def main(arguments: Iterable[str]) -> None:
    """Measure on a scratch stage."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.proof")
    parser.add_argument("--entries", type=int, default=200_000)
    given = parser.parse_args(list(arguments))
    with stage() as ready:
        uvloop.run(measure(ready, given.entries))


if __name__ == "__main__":
    main(sys.argv[1:])
