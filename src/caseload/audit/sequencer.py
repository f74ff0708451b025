"""Gives every committed entry its place, builds the tree, and signs it: one process at a time, whoever holds the lock.

A round moves what is in the queue behind the tree, in transactions of at most so many entries, and then signs. The
signature comes after the commit and never before: a tree that was signed and then lost would be a fork of our own
making. Ed25519 is deterministic, so signing again after a crash gives the same bytes. Whenever the end of a
transaction is unknown, everything in memory is dropped and read again from what is durable.

A witness, where there is one, is asked for its cosignature after each signature, beside the rounds; and before
anything is sequenced it may refuse, because it has seen more of this log than the database now holds. Where the policy
wants so many cosignatures, not even our own signature is kept before they are there: nobody is shown a checkpoint that
a copy of this installation could have signed as well.
"""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

import asyncpg
import structlog

from caseload.audit import tree as trees
from caseload.audit.keystore import KeyStoreUnusable, SigningKeys
from caseload.audit.tlog import prove
from caseload.audit.tlog.checkpoint import Checkpoint
from caseload.audit.tlog.note import Note, Signature, Signer, is_key_name, sign_text, write_note
from caseload.audit.tree import NotTheSameQueue, Tree
from caseload.settings import OperatorError

LOCK: Final = 4_711_202_613
"""Key of the advisory lock that one sequencer holds for as long as its connection lives."""
TROUBLE: Final = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
    NotTheSameQueue,
)
"""What ends a connection or a transaction: the next one begins from what is durable."""

_MAKE_ROOM: Final = "select audit.extend()"
"""The workers make partitions ahead of time; where none has run for long, this does."""
_log = structlog.get_logger()


class HeldBack(Exception):
    """Too few witnesses have cosigned, and the policy wants nothing shown before."""


class NameChanged(OperatorError):
    """The log has another name than the settings say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often and how much."""

    round_seconds: float = 0.3
    """From the beginning of one round to that of the next. An entry is in a signed tree after one of them."""
    batch: int = 4096
    """Entries that go behind the tree in one transaction."""
    sign_seconds: float = 1.0
    """A round that takes longer than this signs in between."""
    standby_seconds: float = 1.0
    """How often one that waits looks whether it is its turn."""
    retry_seconds: float = 0.5
    """The pause after trouble, before everything is read again."""
    cosign_again_seconds: float = 3600.0
    """A witness is asked again about the same tree, so that its word is never much older than this."""
    ask_again_seconds: float = 15.0
    """The pause before a witness that could not be asked is asked again."""
    last_ask_seconds: float = 5.0
    """How long the end of an orderly stop waits for a witness."""


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


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Sequencer:
    """One candidate. `run` waits for its turn, sequences until it is stopped, and starts over after trouble."""

    def __init__(
        self,
        connect: Callable[[], Awaitable[asyncpg.Connection]],
        keys: SigningKeys,
        *,
        name: str | None,
        organisation: str,
        overlap: timedelta = timedelta(days=30),
        witness: Witness | None = None,
        pace: Pace | None = None,
        clock: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._connect = connect
        self._keys = keys
        self._name = name
        self._organisation = organisation
        self._overlap = overlap
        self._witness = witness
        self._pace = pace or Pace()
        self._clock = clock
        self._signed: Checkpoint | None = None
        self._note = b""
        self._asked: Checkpoint | None = None
        """The newest checkpoint that witnesses have answered about."""
        self._news = asyncio.Event()

    async def run(self, stop: asyncio.Event) -> None:
        """Sequence until told to stop; what is in the queue then still gets its place.

        Raises `OperatorError` for what nobody but an operator can mend: a damaged log, a lost key, a rollback.
        """
        while not stop.is_set():
            try:
                async with self._connected() as connection:
                    if await self._is_our_turn(connection, stop):
                        await self._serve(connection, stop)
            except TROUBLE as trouble:
                _log.error("sequencer starts over", error=type(trouble).__name__)
                await _pause(stop, self._pace.retry_seconds)

    @asynccontextmanager
    async def _connected(self) -> AsyncGenerator[asyncpg.Connection]:
        """A connection that is given up whatever happens: the lock and an open transaction go with it."""
        connection = await self._connect()
        try:
            yield connection
        except BaseException:
            connection.terminate()
            raise
        await connection.close()

    async def _is_our_turn(self, connection: asyncpg.Connection, stop: asyncio.Event) -> bool:
        """Wait for the lock. It is free once the one before has ended, and whatever it was committing with it."""
        waits = False
        while not stop.is_set():
            if await connection.fetchval("select pg_try_advisory_lock($1)", LOCK):
                return True
            if not waits:
                _log.info("another sequencer is at work: this one stands by")
                waits = True
            await _pause(stop, self._pace.standby_seconds)
        return False

    async def _serve(self, connection: asyncpg.Connection, stop: asyncio.Event) -> None:
        await connection.execute(_MAKE_ROOM)
        tree = await self._loaded(connection)
        _log.info("sequencer at work", origin=tree.epoch.origin, size=tree.size)
        if self._witness is not None:
            await self._witness.check(tree.checkpoint(), lambda size: root_at(connection, tree, size))
        await self._sign(connection, tree)
        async with self._publishing() as publisher:
            while not stop.is_set():
                began = asyncio.get_running_loop().time()
                await self._round(connection, tree)
                if publisher is not None and publisher.done():
                    publisher.result()
                await _pause(stop, began + self._pace.round_seconds - asyncio.get_running_loop().time())
            await self._round(connection, tree)
        if self._witness is not None and self._asked != self._signed:
            await self._ask_last(self._witness)

    async def _round(self, connection: asyncpg.Connection, tree: Tree) -> None:
        """Empty the queue and sign."""
        loop = asyncio.get_running_loop()
        signed = loop.time()
        while await tree.add(connection, limit=self._pace.batch, now=self._clock()) == self._pace.batch:
            if loop.time() - signed >= self._pace.sign_seconds:
                await self._sign(connection, tree)
                signed = loop.time()
        await self._sign(connection, tree)

    async def _loaded(self, connection: asyncpg.Connection) -> Tree:
        """The tree as it is durable; begun, where there is none yet."""
        tree = await trees.load(connection)
        if tree is None:
            origin = self._origin()
            signer = self._keys.signers(origin)[-1]
            await trees.begin(connection, origin=origin, key=signer.key, now=self._clock())
            tree = await trees.load(connection)
            if tree is None:
                raise NotTheSameQueue
        if self._name is not None and tree.epoch.origin.rpartition("/")[0] != self._name:
            raise NameChanged(
                f"The log is called {tree.epoch.origin} and CASELOAD_AUDIT_ORIGIN says {self._name}: a log keeps its "
                "name, so unset the variable."
            )
        self._signers(tree)
        self._signed = None
        return tree

    def _origin(self) -> str:
        """The log's name, with the number of its epoch at the end. Once per installation, kept in the database."""
        base = self._name or f"{self._organisation}.caseload.internal/{secrets.token_hex(4)}"
        if not is_key_name(base):
            raise NameChanged(f"CASELOAD_AUDIT_ORIGIN is {base!r}: a log's name has no spaces and no plus.")
        return f"{base}/1"

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

    async def _sign(self, connection: asyncpg.Connection, tree: Tree) -> None:
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

    @asynccontextmanager
    async def _publishing(self) -> AsyncGenerator[asyncio.Task[None] | None]:
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

    async def _ask_last(self, witness: Witness) -> None:
        """Let the witness see what was signed last, so that nobody can take it away unseen while nothing runs."""
        try:
            async with asyncio.timeout(self._pace.last_ask_seconds), self._connected() as connection:
                await self._ask(connection, witness)
        except OperatorError:
            raise
        except Exception as trouble:  # noqa: BLE001  it is asked again at the next start
            _log.error("no cosignature of what was signed last", error=type(trouble).__name__)

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


async def root_at(connection: asyncpg.Connection, tree: Tree, size: int) -> bytes:
    """The root that the tree had at a smaller size, or has now."""
    if size == tree.size:
        return tree.root
    tiles = prove.tiles_for([(0, size)], tree.size)
    return prove.tree_root(size, await trees.fetched(connection, tiles))


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    """Wait, or end at once when told to stop."""
    if seconds > 0:
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), seconds)
