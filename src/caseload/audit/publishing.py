"""Signs what has its place, and lets witnesses see it.

The signature comes after the commit and never before: a tree that was signed and then lost would be a fork of our own
making. Ed25519 is deterministic, so signing again after a crash gives the same bytes.

A witness, where there is one, is asked for its cosignature after each signature, beside the rounds of the sequencer.
Where the policy wants so many cosignatures, not even our own signature is kept before they are there: nobody is shown a
checkpoint that a copy of this installation could have signed as well.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from datetime import datetime, timedelta
from typing import Protocol

import asyncpg
import structlog

from caseload.audit import tree as trees
from caseload.audit.keystore import KeyStoreUnusable, SigningKeys
from caseload.audit.pace import TROUBLE, Pace
from caseload.audit.tlog import prove
from caseload.audit.tlog.checkpoint import Checkpoint
from caseload.audit.tlog.note import Note, Signature, Signer, sign_text, write_note
from caseload.audit.tree import Tree
from caseload.settings import OperatorError

_log = structlog.get_logger()


class HeldBack(Exception):
    """Too few witnesses have cosigned, and the policy wants nothing shown before."""


class Witness(Protocol):
    """Somebody elsewhere who remembers how far the log had come."""

    async def check(self, newest: Checkpoint, root_at: Callable[[int], Awaitable[bytes]]) -> None:
        """Called before anything is sequenced. Raises `OperatorError` when it has seen a larger tree or another one.

        `root_at` gives the root that our tree had at a smaller size. A witness that cannot be asked returns, loudly.
        """
        ...

    async def cosign(
        self, note: bytes, newest: Checkpoint, prove: Callable[[int], Awaitable[Sequence[bytes]]]
    ) -> Sequence[Signature]:
        """Ask for cosignatures of a signed checkpoint. `prove` makes the consistency proof from a smaller size.

        Raises `OperatorError` when the witness holds proof of another history, which stops the sequencer; anything else
        is a witness that is missed.
        """
        ...

    @property
    def holds(self) -> bool:
        """Whether a checkpoint is shown to nobody before enough have cosigned it."""
        ...

    def suffices(self, cosignatures: Sequence[Signature]) -> bool:
        """Whether these are enough."""
        ...


class Publisher:
    """What one sequencer has signed, and who has seen it."""

    def __init__(
        self,
        connected: Callable[[], AbstractAsyncContextManager[asyncpg.Connection]],
        keys: SigningKeys,
        *,
        overlap: timedelta,
        witness: Witness | None,
        pace: Pace,
        clock: Callable[[], datetime],
    ) -> None:
        self._connected = connected
        self._keys = keys
        self._overlap = overlap
        self._witness = witness
        self._pace = pace
        self._clock = clock
        self._signed: Checkpoint | None = None
        self._note = b""
        self._asked: Checkpoint | None = None
        """The newest checkpoint that witnesses have answered about."""
        self._news = asyncio.Event()

    async def begin(self, connection: asyncpg.Connection, tree: Tree) -> None:
        """Sign a tree that was just loaded, unless a witness has seen a larger one, or another.

        Raises `OperatorError` when it has, and `KeyStoreUnusable` without the key.
        """
        self._signers(tree)
        self._signed = None
        if self._witness is not None:
            await self._witness.check(tree.checkpoint(), lambda size: trees.root_at(connection, tree, size))
        await self.sign(connection, tree)

    async def sign(self, connection: asyncpg.Connection, tree: Tree) -> None:
        """Sign what is committed, unless that has been done."""
        checkpoint = tree.checkpoint()
        if checkpoint.size == 0 or checkpoint == self._signed:
            return
        text = checkpoint.text()
        signatures = [sign_text(text, signer) for signer in self._signers(tree)]
        if self._witness is None or not self._witness.holds:
            await trees.keep_signatures(connection, checkpoint.size, signatures, at=self._clock())
        self._signed, self._note = checkpoint, write_note(text, signatures)
        self._news.set()

    def _signers(self, tree: Tree) -> list[Signer]:
        """The keys that sign at this moment. Raises `KeyStoreUnusable` when the newest of them is not here."""
        held = {signer.key: signer for signer in self._keys.signers(tree.epoch.origin)}
        wanted = trees.in_force(tree.keys, now=self._clock(), overlap=self._overlap)
        if wanted[-1] not in held:
            raise KeyStoreUnusable(
                f"The log is signed by {wanted[-1]}, and the key store does not hold that key: bring it back from its "
                "copy. A log that goes on under a key it has not handed over to would be another log."
            )
        return [held[key] for key in wanted if key in held]

    @asynccontextmanager
    async def beside(self) -> AsyncGenerator[asyncio.Task[None] | None]:
        """Ask the witness beside the rounds: while it is slow or away, entries get their places all the same."""
        if self._witness is None:
            yield None
            return
        task = asyncio.create_task(self._publish(self._witness), name="ask the witness")
        try:
            yield task
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError, *TROUBLE):
                await task

    async def end(self) -> None:
        """Let the witness see what was signed last, so that nobody can take it away unseen while nothing runs."""
        if self._witness is None or self._asked == self._signed:
            return
        try:
            async with asyncio.timeout(self._pace.last_ask_seconds), self._connected() as connection:
                await self._ask(connection, self._witness)
        except OperatorError:
            raise
        except Exception as trouble:  # noqa: BLE001  it is asked again at the next start
            _log.error("no cosignature of what was signed last", error=type(trouble).__name__)

    async def _publish(self, witness: Witness) -> None:
        while True:
            # `wait_for` would lose a cancellation that comes together with the news, and wait for ever.
            with suppress(TimeoutError):
                async with asyncio.timeout(self._pace.cosign_again_seconds):
                    await self._news.wait()
            self._news.clear()
            try:
                async with self._connected() as connection:
                    await self._ask(connection, witness)
            except OperatorError:
                raise
            except Exception as trouble:  # noqa: BLE001  whatever a witness answers, entries get their places
                _log.error("no cosignature: the tree goes on without a witness", error=type(trouble).__name__)
                await asyncio.sleep(self._pace.ask_again_seconds)
                self._news.set()

    async def _ask(self, connection: asyncpg.Connection, witness: Witness) -> None:
        newest, note = self._signed, self._note
        if newest is None:
            return

        async def proof(old: int) -> Sequence[bytes]:
            fetch = await trees.fetched(connection, prove.consistency_tiles(old, newest.size))
            return prove.consistency(old, newest.size, fetch)

        cosignatures = await witness.cosign(note, newest, proof)
        if witness.holds and not witness.suffices(cosignatures):
            raise HeldBack
        kept = [*Note.parse(note).signatures, *cosignatures]
        await trees.keep_signatures(connection, newest.size, kept, at=self._clock())
        self._asked = newest
