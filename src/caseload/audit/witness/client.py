"""The sequencer's side: asks the witnesses of a policy for their cosignatures, and believes none of them blindly.

A witness that cannot be asked is missed, loudly, and not waited for. One that has seen more of this log than we hold,
or another history of it, stops the sequencer; but its mere word does not. What it has seen it must show as a
checkpoint that carries its cosignature and the signature of our own log, which nobody on the way can make up.
"""

import asyncio
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final, NamedTuple, TypeVar
from urllib.parse import urlsplit

import structlog

from caseload.audit.tlog.checkpoint import Checkpoint, open_checkpoint
from caseload.audit.tlog.consistency import is_consistent
from caseload.audit.tlog.note import Note, NotSigned, Signature, VerifierKey, open_note
from caseload.audit.tlog.policy import NOBODY, KnownWitness, Policy
from caseload.audit.tlog.spelling import Malformed, decimal
from caseload.audit.witness.judging import Request
from caseload.settings import OperatorError

PATIENCE_SECONDS: Final = 10.0
LARGEST_ANSWER: Final = 65_536
SIZE_TYPE: Final = "text/x.tlog.size"

Prove = Callable[[int], Awaitable[Sequence[bytes]]]
RootAt = Callable[[int], Awaitable[bytes]]
T = TypeVar("T")

_log = structlog.get_logger()


class RolledBack(OperatorError):
    """A witness has seen more of this log than the database holds, or another history of it."""


class NotCosigned(Exception):
    """No cosignature from this witness, and no proof against us either."""


_NO_ANSWER: Final = (OSError, TimeoutError, ValueError, http.client.HTTPException, NotCosigned, Malformed, NotSigned)
"""Nobody there, nothing that can be read, or no address to ask at: the witness is missed."""


class Answer(NamedTuple):
    """What came back over HTTP."""

    status: int
    kind: str
    body: bytes


@dataclass(slots=True)
class Standing:
    """How one witness stands, for whoever looks after the log."""

    size: int | None = None
    """The size of the tree that it cosigned last, as far as we know."""
    at: float | None = None
    """When it last answered as it should, in seconds since 1970."""
    trouble: str | None = None
    """Why it did not, the last time it was asked."""


@dataclass(slots=True)
class Witnesses:
    """All witnesses of a policy that have an address. Satisfies `sequencer.Witness`."""

    policy: Policy
    log_keys: Callable[[str], Iterable[VerifierKey]] | None = None
    """The keys that have ever signed for the log under a name; those of the policy when left out."""
    patience_seconds: float = PATIENCE_SECONDS
    standing: dict[str, Standing] = field(default_factory=dict[str, Standing])

    async def check(self, newest: Checkpoint, root_at: RootAt) -> None:
        """Called before anything is sequenced. Raises `RolledBack` when a witness has seen a larger tree or another.

        A witness that cannot be asked is loudly missed.
        """
        await _all(self._check(each, newest, root_at) for each in self._known())

    async def cosign(self, note: bytes, newest: Checkpoint, prove: Prove) -> Sequence[Signature]:
        """The cosignatures there are to be had. Raises `RolledBack`; `OSError` when a witness could not be asked."""
        found = await _all(self._cosign(each, note, newest, prove) for each in self._known())
        got = [signature for signature in found if signature is not None]
        if not got and found:
            raise ConnectionError("No witness has answered.")
        return got

    @property
    def holds(self) -> bool:
        """Whether the policy asks for cosignatures."""
        return self.policy.quorum != NOBODY

    def suffices(self, cosignatures: Sequence[Signature]) -> bool:
        """Whether they meet the policy."""
        by = {(each.name, each.key_id) for each in cosignatures}
        found = {each.name for each in self.policy.witnesses if (each.key.name, each.key.key_id) in by}
        return self.policy.is_met_by(found)

    def _known(self) -> list[KnownWitness]:
        return [each for each in self.policy.witnesses if each.url is not None]

    async def _check(self, witness: KnownWitness, newest: Checkpoint, root_at: RootAt) -> None:
        try:
            seen = await self._seen(witness, newest.origin)
        except _NO_ANSWER as trouble:
            self._missed(witness, trouble)
            return
        if seen is None:
            _log.warning("the witness knows nothing of this log yet", witness=witness.name, origin=newest.origin)
            return
        self._answered(witness, seen.size)
        if seen.size > newest.size:
            raise _rolled_back(witness, seen, newest)
        if seen.size and await root_at(seen.size) != seen.root:
            raise _forked(witness, seen, newest)

    async def _cosign(self, witness: KnownWitness, note: bytes, newest: Checkpoint, prove: Prove) -> Signature | None:
        """One witness' cosignature; None when there is none to be had now."""
        try:
            signature = await self._asked(witness, note, newest, prove)
        except _NO_ANSWER as trouble:
            self._missed(witness, trouble)
            return None
        self._answered(witness, newest.size)
        return signature

    async def _asked(self, witness: KnownWitness, note: bytes, newest: Checkpoint, prove: Prove) -> Signature:
        """Ask from the size it had last; when it says another, once more from there."""
        known = self.standing.get(witness.name, Standing()).size or 0
        answer = await self._submit(witness, known if known <= newest.size else 0, note, newest, prove)
        if answer.status == http.HTTPStatus.CONFLICT and answer.kind == SIZE_TYPE:
            size = decimal(answer.body.decode("ascii", errors="replace").removesuffix("\n"))
            if size < newest.size or (size == newest.size and size != known):
                answer = await self._submit(witness, size, note, newest, prove)
        if answer.status == http.HTTPStatus.OK:
            return _cosignature(witness, newest, answer.body)
        if answer.status in {http.HTTPStatus.CONFLICT, http.HTTPStatus.UNPROCESSABLE_ENTITY}:
            await self._settle(witness, newest, prove)
        raise NotCosigned(f"status {answer.status}")

    async def _submit(self, witness: KnownWitness, old: int, note: bytes, newest: Checkpoint, prove: Prove) -> Answer:
        proof = tuple(await prove(old)) if 0 < old < newest.size else ()
        body = Request(old, proof, _by_log_alone(note, newest)).encode()
        return await self._speak(witness, "POST", "add-checkpoint", body)

    async def _settle(self, witness: KnownWitness, newest: Checkpoint, prove: Prove) -> None:
        """It will not follow us: look at what it has seen. Raises `RolledBack` when that is proof of another history."""
        seen = await self._seen(witness, newest.origin)
        if seen is None or seen.size == 0:
            return
        if seen.size > newest.size:
            raise _rolled_back(witness, seen, newest)
        path = await prove(seen.size) if seen.size < newest.size else ()
        if not is_consistent(old=seen.size, old_root=seen.root, new=newest.size, new_root=newest.root, path=list(path)):
            raise _forked(witness, seen, newest)

    async def _seen(self, witness: KnownWitness, origin: str) -> Checkpoint | None:
        """The largest checkpoint it shows of this log, which it and the log have signed; None where it has none.

        Raises `NotCosigned`, `Malformed` or `NotSigned` for anything else.
        """
        answer = await self._speak(witness, "GET", f"{sha256(origin.encode()).hexdigest()}/checkpoint", None)
        if answer.status == http.HTTPStatus.NOT_FOUND:
            return None
        if answer.status != http.HTTPStatus.OK:
            raise NotCosigned(f"status {answer.status}")
        return self.opened(answer.body, witness, origin)

    def opened(self, note: bytes, witness: KnownWitness, origin: str) -> Checkpoint:
        """A checkpoint of this log that the witness cosigned. Raises `NotCosigned`, `Malformed` or `NotSigned`."""
        named = self.log_keys(origin) if self.log_keys else (log.key for log in self.policy.logs)
        open_note(note, [witness.key])
        seen, _ = open_checkpoint(note, [witness.key, *(key for key in named if key.name == origin)])
        if seen.origin != origin:
            raise NotCosigned("a checkpoint of another log")
        return seen

    async def _speak(self, witness: KnownWitness, method: str, path: str, body: bytes | None) -> Answer:
        url = (witness.url or "").rstrip("/")
        async with asyncio.timeout(self.patience_seconds * 2):
            return await asyncio.to_thread(_speak, f"{url}/{path}", method, body, self.patience_seconds)

    def _answered(self, witness: KnownWitness, size: int) -> None:
        self.standing[witness.name] = Standing(size=size, at=time.time())

    def _missed(self, witness: KnownWitness, trouble: Exception) -> None:
        before = self.standing.setdefault(witness.name, Standing())
        before.trouble = str(trouble) or type(trouble).__name__
        _log.error("a witness is missed", witness=witness.name, why=before.trouble, cosigned=before.size)


def _speak(url: str, method: str, body: bytes | None, patience: float) -> Answer:
    """One request, on a connection of its own, which is cut when its answer is not whole within the time.

    A time for every step would not do: whoever sends a byte now and then would hold a thread for days.
    """
    parts = urlsplit(url)
    if parts.hostname is None or parts.scheme not in {"http", "https"}:
        raise NotCosigned(f"{url} is no address of a witness")
    connection = (
        http.client.HTTPSConnection(parts.hostname, parts.port, timeout=patience, context=ssl.create_default_context())
        if parts.scheme == "https"
        else http.client.HTTPConnection(parts.hostname, parts.port, timeout=patience)
    )
    connection.connect()
    cut = threading.Timer(patience, _cut, [connection.sock])
    cut.start()
    try:
        connection.request(method, parts.path, body=body)
        answer = connection.getresponse()
        said = answer.read(LARGEST_ANSWER + 1)
        if len(said) > LARGEST_ANSWER:
            raise NotCosigned("its answer is too large")
        return Answer(answer.status, answer.headers.get("Content-Type", ""), said)
    finally:
        cut.cancel()
        connection.close()


def _cut(line: socket.socket) -> None:
    """End what somebody else is reading from, unless it has ended."""
    with suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)


def _by_log_alone(note: bytes, newest: Checkpoint) -> bytes:
    """The note without what witnesses put under it before: they need the log's word alone."""
    parsed = Note.parse(note)
    return Note(parsed.text, tuple(each for each in parsed.signatures if each.name == newest.origin)).encode()


def _cosignature(witness: KnownWitness, newest: Checkpoint, body: bytes) -> Signature:
    """The good signature of this witness among the lines. Raises `NotSigned`, `Malformed`."""
    opened = open_note(newest.text().encode() + b"\n" + body, [witness.key])
    return opened.verified[0].signature


def _rolled_back(witness: KnownWitness, seen: Checkpoint, newest: Checkpoint) -> RolledBack:
    return RolledBack(
        f"The witness {witness.name} has seen {seen.size} entries of {newest.origin} and the database holds "
        f"{newest.size}: {seen.size - newest.size} entries are gone. If an old backup was restored, bring the newer "
        "state back; if it is lost, go on with `caseload audit epoch`. See docs/audit.md."
    )


def _forked(witness: KnownWitness, seen: Checkpoint, newest: Checkpoint) -> RolledBack:
    return RolledBack(
        f"The witness {witness.name} has seen another history of {newest.origin}: its tree of {seen.size} entries is "
        f"not how the tree of {newest.size} here begins. Two installations sign with the same key, or the log was "
        "rewritten. Nothing is added to it. See docs/audit.md."
    )


async def _all(asked: Iterable[Awaitable[T]]) -> list[T]:
    """Ask at once; the first proof against us wins."""
    return list(await asyncio.gather(*asked))
