"""A bundle between two entries of the log: the one of whoever asked for it, and the one that says what they took."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Final
from uuid import UUID

from caseload.audit.batcher import Batcher, LogUnavailable
from caseload.audit.journal import RequestJournal
from caseload.audit.packing import Packed
from caseload.audit.taking import Progress, Taking
from caseload.audit.trail import Actor, Circumstances, Op, Outcome, Pending
from caseload.domain.accesslog import LogExported, LogLaidOpen
from caseload.domain.ids import ClientId
from caseload.domain.journal import Event

MOST_NAMED: Final = 500
"""Clients in one entry: with more of them its making would take the longer, and the memory, the larger the clinic is."""


@dataclass(slots=True, kw_only=True)
class Enclosed:
    """A bundle with what closes it: entries that name everybody who was laid open, and one with its rows and digest.

    The entry of whoever asked is durable before; the bundle gets its name only after the closing ones are durable too.
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
        clients = await self._name_clients(packed, outcome)
        wanted = self.taking.wanted
        facts: dict[str, str | int] = {"format": "bundle", "rows": packed.entries, "octets": packed.octets}
        facts |= {"clients": clients, "laid_open": wanted.laid_open.value, "sha256": packed.sha256}
        await self._tell(LogExported(client=wanted.filter.client, facts=facts), RequestJournal(), outcome)

    async def _name_clients(self, packed: Packed, outcome: Outcome) -> int:
        """Leave entries that name everybody who was laid open, and return how many they are."""
        ring = self.taking.ring
        marked: Iterator[UUID] = iter(()) if ring is None else ring.marked()
        named = 0
        while some := list(islice(marked, MOST_NAMED)):
            journal = RequestJournal()
            for client in some:
                journal.saw(ClientId(client), "access_log")
            await self._tell(LogLaidOpen(facts={"sha256": packed.sha256}), journal, outcome)
            named += len(some)
        return named

    async def _tell(self, event: Event, journal: RequestJournal, outcome: Outcome) -> None:
        journal.tell(event)
        said = replace(self.circumstances, event=event.name, op=Op.EXECUTE)
        await self.batcher.add(Pending(actor=self.actor, circumstances=said, outcome=outcome, journal=journal))
