"""A bundle between two entries of the log: the one of whoever asked for it, and the one that says what they took."""

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from uuid import UUID

from caseload.audit.batcher import Batcher, LogUnavailable
from caseload.audit.journal import RequestJournal
from caseload.audit.packing import Packed
from caseload.audit.taking import Progress, Taking
from caseload.audit.trail import Actor, Circumstances, Op, Outcome, Pending
from caseload.domain.accesslog import LogExported
from caseload.domain.ids import ClientId


@dataclass(slots=True, kw_only=True)
class Enclosed:
    """A bundle with its closing entry: rows, length and digest of the manifest, and everybody who was laid open.

    The entry of whoever asked is durable before; the bundle gets its name only after the closing one is durable too.
    """

    taking: Taking
    batcher: Batcher
    actor: Actor
    circumstances: Circumstances

    async def write(self, out: Path, *, now: datetime, progress: Progress) -> Packed:
        """Write the bundle. Raises what `Taking.write` raises, and `LogUnavailable`."""
        try:
            return await self.taking.write(out, now=now, told=self._done, progress=progress)
        except LogUnavailable:
            raise
        except BaseException:
            await asyncio.shield(self._close(Packed(0, 0, ""), Outcome.ABORTED))
            raise

    async def _done(self, packed: Packed) -> None:
        await self._close(packed, Outcome.DONE)

    async def _close(self, packed: Packed, outcome: Outcome) -> None:
        wanted = self.taking.wanted
        journal = RequestJournal()
        for client in sorted(self.taking.clients):
            journal.saw(ClientId(UUID(client)), "access_log")
        facts: dict[str, str | int] = {"format": "bundle", "rows": packed.entries, "octets": packed.octets}
        facts |= {"laid_open": wanted.laid_open.value, "sha256": packed.sha256}
        journal.tell(LogExported(client=wanted.filter.client, facts=facts))
        said = replace(self.circumstances, event=LogExported.name, op=Op.EXECUTE)
        await self.batcher.add(Pending(actor=self.actor, circumstances=said, outcome=outcome, journal=journal))
