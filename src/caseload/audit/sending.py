"""A file about one client on its way out: a second entry says how far it came and what exactly left."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable
from dataclasses import replace
from hashlib import sha256
from typing import Final
from uuid import UUID

from caseload.audit.batcher import Batcher
from caseload.audit.export import Allowed, RightLost
from caseload.audit.journal import RequestJournal
from caseload.audit.trail import Actor, Circumstances, Op, Outcome, Pending
from caseload.domain.ids import ClientId
from caseload.domain.journal import Event

AT_ONCE: Final = 64 * 1024
"""Octets that leave together, after one look at whether whoever takes them may still have them."""


class Sending:
    """Whoever takes the file, the log says of which record it was, how long, and its SHA-256."""

    def __init__(
        self,
        batcher: Batcher,
        event: type[Event],
        *,
        client: ClientId,
        record: UUID,
        written_as: str,
        actor: Actor,
        circumstances: Circumstances,
        allowed: Allowed,
    ) -> None:
        """`allowed` is asked before each `AT_ONCE` octets leave; from the first no on nothing more does."""
        self._batcher = batcher
        self._event = event
        self._client = client
        self._record = record
        self._written_as = written_as
        self._actor = actor
        self._allowed = allowed
        self._circumstances = replace(circumstances, event=event.name, op=Op.EXECUTE)

    async def stream(self, pieces: AsyncIterable[bytes]) -> AsyncGenerator[bytes, None]:
        """The pieces, and the closing entry before the stream ends.

        Raises `LogUnavailable`, or `RightLost`, and the stream breaks off.
        """
        digest, octets, outcome = sha256(), 0, Outcome.ABORTED
        try:
            async for piece in _gathered(pieces):
                if not await self._allowed():
                    raise RightLost
                digest.update(piece)
                octets += len(piece)
                yield piece
            outcome = Outcome.DONE
        finally:
            await asyncio.shield(self._close(outcome, octets, digest.hexdigest()))

    async def _close(self, outcome: Outcome, octets: int, digest: str) -> None:
        journal = RequestJournal()
        facts: dict[str, str | int] = {"format": self._written_as, "octets": octets, "sha256": digest}
        journal.tell(self._event(client=self._client, records=(self._record,), facts=facts))
        await self._batcher.add(
            Pending(actor=self._actor, circumstances=self._circumstances, outcome=outcome, journal=journal)
        )


async def _gathered(pieces: AsyncIterable[bytes]) -> AsyncGenerator[bytes, None]:
    """The pieces, as many together as make `AT_ONCE` octets; the last as they come."""
    waiting = bytearray()
    async for piece in pieces:
        waiting += piece
        if len(waiting) >= AT_ONCE:
            yield bytes(waiting)
            waiting.clear()
    if waiting:
        yield bytes(waiting)
