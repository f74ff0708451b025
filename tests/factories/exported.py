"""A log in a database of the test's own, sequenced and signed, and exports of it as an auditor gets them."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine

from caseload.audit import tree as trees
from caseload.audit.batcher import Batcher
from caseload.audit.enclosed import Enclosed
from caseload.audit.packing import Packed
from caseload.audit.pending import Circumstances, Pending
from caseload.audit.taking import PAGE, Taking
from caseload.audit.tlog.note import LocalSigner, cosign_text, sign_text
from caseload.audit.trail import AuditTrail, append
from caseload.domain.accesslog import LaidOpen, LogFilter, LogScope, Proof
from caseload.domain.ids import ClientId
from tests.factories.audit import KeysInMemory, Someone, a_client, a_pending, a_trail, seen
from tests.factories.bundles import ORIGIN, a_policy, a_signer, a_witness

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@dataclass
class Sequenced:
    """The log of a clinic, with the rights of its superuser over it, its signing key, and its witness."""

    engine: AsyncEngine
    owner: asyncpg.Connection
    signer: LocalSigner = field(default_factory=a_signer)
    witness: LocalSigner = field(default_factory=a_witness)
    trail: AuditTrail = field(default_factory=lambda: a_trail(KeysInMemory()))
    clients: list[ClientId] = field(default_factory=lambda: [a_client() for _ in range(5)])
    actor: Someone = field(default_factory=Someone)

    async def write(self, number: int, pendings: Sequence[Pending] = ()) -> None:
        """Append entries: reads of one to five clients unless others are given."""
        made = list(pendings) or [a_pending(seen(self.clients[: 1 + at % 5]), actor=self.actor) for at in range(number)]
        async with self.engine.begin() as connection:
            entries = await self.trail.prepare(connection, made)
            await append(connection, entries)
        self.trail.settle(entries, kept=True)

    @classmethod
    async def of(cls, entries: int, engine: AsyncEngine, owner: asyncpg.Connection) -> "Sequenced":
        """A log in which so many entries have their places."""
        made = cls(engine, owner)
        await made.write(entries)
        await made.sequence()
        return made

    async def sequence(self, *, witnessed: bool = True) -> bytes:
        """Give every waiting entry its place, and sign; return the head."""
        tree = await trees.load(self.owner)
        if tree is None:
            await trees.begin(self.owner, origin=ORIGIN, key=self.signer.key, now=NOW)
            tree = await trees.load(self.owner)
        assert tree is not None
        while await tree.add(self.owner, limit=1000, now=NOW):
            pass
        text = tree.checkpoint().text()
        signatures = [sign_text(text, self.signer)]
        if witnessed:
            signatures.append(cosign_text(text, self.witness, at=int(NOW.timestamp()) + 10**8))
        await trees.keep_signatures(self.owner, tree.size, signatures, at=NOW)
        return await trees.signed_note(self.owner, tree.checkpoint())

    async def export(
        self,
        out: Path,
        asked: LogFilter | None = None,
        *,
        laid_open: LaidOpen = LaidOpen.CLIENTS,
        scope: LogScope | None = None,
        towards: Sequence[int] = (),
        afresh: bool = True,
        page: int = PAGE,
    ) -> Packed:
        """As `caseload audit export` does it, with its two entries."""
        if afresh:
            shutil.rmtree(out, ignore_errors=True)
        wanted = Proof(
            filter=asked or LogFilter(),
            scope=scope or LogScope(programmes=None),
            laid_open=laid_open,
            towards=tuple(towards),
        )
        key = None
        if wanted.filter.client is not None:
            async with self.engine.connect() as connection:
                key = await self.trail.keys.existing(connection, wanted.filter.client)
        batcher = Batcher(self.engine, self.trail)
        taking = Taking(engine=self.engine, keys=self.trail.keys, box=self.trail.box, wanted=wanted, key=key, page=page)
        said = Circumstances(route="caseload audit export", event="audit_log.export")
        try:
            enclosed = Enclosed(taking=taking, batcher=batcher, actor=self.actor, circumstances=said)
            return await enclosed.write(out, now=NOW, progress=_ignored)
        finally:
            await batcher.close()

    async def as_superuser(self, *statements: str, given: Sequence[object] = ()) -> None:
        """Do what only a superuser can, with the guards of the log taken off meanwhile."""
        watches = await self.owner.fetch("select evtname from pg_event_trigger where evtname like 'audit%'")
        for watch in watches:
            await self.owner.execute(f"alter event trigger {watch['evtname']} disable")
        tables = ("entry", "queue", "disclosure", "tile", "checkpoint", "checkpoint_signature")
        for table in tables:
            await self.owner.execute(f"alter table audit.{table} disable trigger user")
        for statement in statements:
            await self.owner.execute(statement, *given)
        for table in tables:
            await self.owner.execute(f"alter table audit.{table} enable trigger user")
        for watch in watches:
            await self.owner.execute(f"alter event trigger {watch['evtname']} enable always")

    def policy(self) -> bytes:
        """What the auditor keeps."""
        return a_policy(self.signer, self.witness)


async def _ignored(written: int, of: int) -> None:
    assert written <= of
