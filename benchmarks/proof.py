"""What taking the log away with its proofs costs, and verifying it: time, processor, memory, beside a bare COPY.

python -m benchmarks.proof [--entries 100000]

Entries are real: each with a leaf, one client and one fact of its own. Exports and verifications are the commands as
somebody types them, each in a process of its own, from its start to its end.
"""

import argparse
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import asyncpg
import uvloop

from benchmarks.audit import Log, taking
from benchmarks.commands import Commands
from benchmarks.stage import Stage, stage
from caseload.audit import tree as trees
from caseload.audit.bundle import MANIFEST, Manifest, View
from caseload.audit.tlog.note import LocalSigner, VerifierKey, sign_text
from caseload.audit.trail import append
from caseload.domain.accesslog import LaidOpen, LogFormat

PER_APPEND = 500
ORIGIN = "bench.example/log/1"

Say = Callable[[str], None]


async def fill(log: Log, entries: int) -> VerifierKey:
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
    return signer.key


async def prepare(at: Stage, entries: int, say: Say) -> VerifierKey:
    """Make the log, and take it away as the leaves alone."""
    log = Log(at)
    await log.warm()
    began = time.perf_counter()
    key = await fill(log, entries)
    say(f"{entries:,} entries made, appended and sequenced in {time.perf_counter() - began:.0f} s")
    say(f"as NDJSON                     {await taking(log, LogFormat.NDJSON)}")
    await log.engine.dispose()
    return key


def measure(at: Stage, entries: int, say: Say) -> None:
    """Everything about one log."""
    policy = at.scratch / "policy"
    policy.write_text(f"log {uvloop.run(prepare(at, entries, say))}\nquorum none\n")
    commands = Commands(at)
    for laid_open in (LaidOpen.NOTHING, LaidOpen.CLIENTS):
        out = at.scratch / laid_open.value
        say(f"bundle, laid open: {laid_open.value:<10} {commands.export(out, laid_open)}")
        verify = partial(commands.verify, out, policy)
        for jobs in (1, 2):
            say(f"  verified, {jobs} process{'es' if jobs > 1 else '  '}       {verify(jobs=jobs)}")
        if laid_open is LaidOpen.NOTHING:
            take_views_out(out)
            say(f"  verified, without views     {verify(jobs=1)}")
        shutil.rmtree(out)


def take_views_out(bundle: Path) -> None:
    """What is left is the tree, its signatures and the entries."""
    manifest = Manifest.decode((bundle / MANIFEST).read_bytes())
    for view in View:
        (bundle / view.value).unlink()
    left = [each for each in manifest.files if each.name not in {view.value for view in View}]
    (bundle / MANIFEST).write_bytes(manifest._replace(files=left).encode())


def main(arguments: Iterable[str]) -> None:
    """Measure on a scratch stage."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.proof")
    parser.add_argument("--entries", type=int, default=100_000)
    given = parser.parse_args(list(arguments))
    with stage() as ready:
        measure(ready, given.entries, lambda said: print(said, flush=True))


if __name__ == "__main__":
    main(sys.argv[1:])
