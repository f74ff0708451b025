"""`kill -9` of the database, of a worker and of the sequencer: one tree, and every acknowledged entry in it once."""

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import asyncpg

from caseload.audit.keystore import FolderOfKeys
from caseload.audit.tlog.checkpoint import Checkpoint
from caseload.audit.tlog.merkle import root_of
from caseload.audit.tlog.note import Signature, open_note, write_note
from caseload.db.embedded import Databases, EmbeddedServer
from caseload.request.database import migrate_to_head
from tests import processes, scratch
from tests.shared_server import chosen_programs

LULL_SECONDS = 0.7


class Clinic:
    """A database, a worker and a sequencer, each of which may be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.acknowledged = folder / "acknowledged"
        self._server = EmbeddedServer(folder / "data", pg_bin=chosen_programs())
        self.databases: Databases = self._server.start().databases
        migrate_to_head(self.databases.owner, organisation="clinic-01")
        self._running = ExitStack()
        self._worker = self._start_worker()
        self._sequencer = self._start_sequencer()

    def kill_worker(self) -> None:
        self._kill(self._worker)
        self._worker = self._start_worker()

    def kill_sequencer(self) -> None:
        self._kill(self._sequencer)
        self._sequencer = self._start_sequencer()

    def kill_database(self) -> None:
        os.kill(self._server.pid, signal.SIGKILL)
        processes.until(lambda: self._server.exited() is not None, "the database is dead")
        self._server.stop()
        self._server = EmbeddedServer(self.folder / "data", pg_bin=chosen_programs())
        assert self._server.start().databases.owner == self.databases.owner

    def finish(self) -> None:
        """No more entries; the sequencer gives a place to every one there is."""
        self._kill(self._worker)
        processes.until(lambda: asyncio.run(nothing_is_left(self.databases.owner)), "every entry has its place")
        self._sequencer.send_signal(signal.SIGTERM)
        assert self._sequencer.wait(processes.PATIENCE_SECONDS) == 0

    def close(self) -> None:
        self._running.close()
        self._server.stop()

    def _start_worker(self) -> subprocess.Popen[str]:
        program = ("-m", "tests.audit.kill_worker", self.databases.service, str(self.folder / "keys"))
        return self._running.enter_context(processes.running(*program, str(self.acknowledged), said=self._said()))

    def _start_sequencer(self) -> subprocess.Popen[str]:
        variables = {
            "CASELOAD_SEQUENCER_DATABASE_URL": str(self.databases.sequencer),
            "CASELOAD_DATA_DIR": str(self.folder),
        }
        program = ("-m", "caseload", "sequencer")
        return self._running.enter_context(processes.running(*program, variables=variables, said=self._said()))

    def _said(self) -> Path:
        return self.folder / f"said-{time.monotonic_ns()}"

    @staticmethod
    def _kill(process: subprocess.Popen[str]) -> None:
        process.send_signal(signal.SIGKILL)
        process.wait()


@contextmanager
def clinic() -> Generator[Clinic]:
    with scratch.folder() as folder:
        made = Clinic(folder)
        try:
            yield made
        finally:
            made.close()


def test_whatever_is_killed_every_acknowledged_entry_has_one_place_in_one_tree(counts: Callable[..., int]) -> None:
    with clinic() as running:
        processes.until(running.acknowledged.exists, "the first entry is acknowledged")
        for _ in range(counts(1, full=10)):
            for kill in (running.kill_sequencer, running.kill_worker, running.kill_database):
                time.sleep(LULL_SECONDS)
                kill()
        time.sleep(LULL_SECONDS)
        running.finish()
        # The last line of a worker that was killed while it wrote may be cut short.
        told = [line for line in running.acknowledged.read_text().split("\n")[:-1] if len(line) == 36]
        assert len(told) > 100
        asyncio.run(assert_one_tree(running, told))


async def nothing_is_left(url: str) -> bool:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(
            "select not exists (select from audit.queue) and exists (select from audit.checkpoint_signature"
            " where size = (select max(idx) + 1 from audit.entry))"
        )
    finally:
        await connection.close()


async def assert_one_tree(running: Clinic, told: list[str]) -> None:
    connection = await asyncpg.connect(running.databases.owner)
    rows = await connection.fetch("select idx, entry_id::text as id, leaf_hash from audit.entry order by idx")
    checkpoints = await connection.fetch("select size, root, origin from audit.checkpoint order by size")
    signatures = await connection.fetch("select size, key_name, key_id, signature from audit.checkpoint_signature")
    await connection.close()
    assert [row["idx"] for row in rows] == list(range(len(rows))), "places are dense"
    placed = [row["id"] for row in rows]
    assert len(set(placed)) == len(placed), "no entry has two places"
    assert len(set(told)) == len(told)
    assert set(told) <= set(placed), "an acknowledged entry is gone"
    hashes = [row["leaf_hash"] for row in rows]
    known = [
        signer.key for signer in FolderOfKeys(running.folder / "keys", may_make=True).signers(checkpoints[0]["origin"])
    ]
    texts = {row["size"]: Checkpoint(**dict(row)).text() for row in checkpoints}
    for row in checkpoints:
        assert row["root"] == root_of(hashes[: row["size"]]), "every checkpoint is a prefix of the tree"
    assert checkpoints[-1]["size"] == len(rows)
    assert signatures
    for row in signatures:
        note = write_note(texts[row["size"]], [Signature(row["key_name"], row["key_id"], row["signature"])])
        assert open_note(note, known).verified
