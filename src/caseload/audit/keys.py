"""A key per client: what links a client to the log, and what is destroyed to take the link away.

From a client's 32 random bytes come, each by HMAC-SHA256 under a word of its own: the salt of every commitment,
the key under which disclosures are encrypted, and the reference under which the log can be searched. Nobody
without the client's key can tell which entries are about that client, and with it gone, neither can we.

The bytes lie in `keys.client_key`, wrapped with AES-256-GCM under the key store's `client-keys` key and bound to the
client, so that swapped rows do not open.
"""

import asyncio
import hmac
import os
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple
from uuid import UUID

import asyncpg
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Row, bindparam, select
from sqlalchemy.dialects.postgresql import asyncpg as dialect
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import Uuid

from caseload.audit.driver import driver
from caseload.audit.item import NONCE_BYTES, client_prefix
from caseload.audit.keystore import KEY_BYTES, KeyName, KeyStore, KeyStoreUnusable
from caseload.audit.tables import client_key, erasure
from caseload.domain.ids import new_id

REFERENCE_BYTES = 16
MOST_REMEMBERED = 32_768
"""Keys that a process remembers: some 20 MB, and more clients than a process sees within their lifetime."""
MOST_AWAKE = 2_048
_NUMBER_BYTES = 2
_POSITION_BYTES = 4


class ClientKey:
    """What can be done with one client's key.

    What salts and seals is made from the key when it is first needed, and takes six times as much memory as the key:
    `rest` lets go of it until then.
    """

    __slots__ = ("_box", "_salts", "_sealing", "client", "prefix", "reference", "secret")

    def __init__(self, client: UUID, secret: bytes) -> None:
        self.client = client
        self.prefix = client_prefix(client)
        self.reference = reference_of(secret)
        """Under which the log is searched for this client. It says nothing without the key."""
        self.secret = secret
        self._sealing = hmac.digest(secret, b"seal", "sha256")
        self._salts: hmac.HMAC | None = None
        self._box: AESGCM | None = None

    def salt(self, leaf: bytes, position: int) -> bytes:
        """The salt of this client's item: `HMAC-SHA256(key, "salt" || leaf || position)`, leaf being its 16 bytes."""
        salts = (self._salts or self._salting()).copy()
        salts.update(leaf + position.to_bytes(_POSITION_BYTES, "big"))
        return salts.digest()

    def mark(self, leaf: bytes) -> bytes:
        """By what a line of this client's report is known again: no salt, because what is hashed is longer."""
        marks = (self._salts or self._salting()).copy()
        marks.update(leaf + b"report")
        return marks.digest()

    def seal(self, nonce: bytes, what: bytes, leaf: bytes) -> bytes:
        """Encrypt a disclosure for this client. A nonce may serve once per client key."""
        return (self._box or self._boxed()).encrypt(nonce, what, leaf)

    def open(self, nonce: bytes, sealed: bytes, leaf: bytes) -> bytes:
        """Decrypt a disclosure. Raises `cryptography.exceptions.InvalidTag`."""
        return (self._box or self._boxed()).decrypt(nonce, sealed, leaf)

    def rest(self) -> None:
        """Take less memory until it is needed again."""
        self._salts = self._box = None

    def _salting(self) -> hmac.HMAC:
        self._salts = salts = hmac.new(self.secret, b"salt", "sha256")
        return salts

    def _boxed(self) -> AESGCM:
        self._box = box = AESGCM(self._sealing)
        return box


def reference_of(secret: bytes) -> bytes:
    """Under which the log is searched for the client who has this key."""
    return hmac.digest(secret, b"reference", "sha256")[:REFERENCE_BYTES]


@dataclass(slots=True)
class _Kept:
    key: ClientKey
    until: float


class _Found(NamedTuple):
    key: ClientKey
    may_be_remembered: bool
    """False while the client's erasure is proposed: when it is carried out, no process may have the key any more."""


@dataclass(slots=True)
class Opened:
    """The keys for some work, and which of them are to be remembered once its transaction has committed."""

    keys: dict[UUID, ClientKey] = field(default_factory=dict[UUID, ClientKey])
    new_here: dict[UUID, ClientKey] = field(default_factory=dict[UUID, ClientKey])


class ClientKeys:
    """Finds, makes and for a short while remembers the keys of clients.

    A key enters the memory only through `remember`, after the transaction that showed it has committed: a key made
    by work that was undone never existed, and nothing may be sealed with it. It stays there for half of the time between
    the proposal of an erasure and its confirmation (`domain.erasure.WAIT`).
    """

    def __init__(
        self,
        store: KeyStore,
        *,
        most: int = MOST_REMEMBERED,
        most_awake: int = MOST_AWAKE,
        lifetime_seconds: float = 300.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._most = most
        self._most_awake = most_awake
        self._lifetime = lifetime_seconds
        self._clock = clock
        self._remembered: OrderedDict[UUID, _Kept] = OrderedDict()
        self._awake: OrderedDict[UUID, ClientKey] = OrderedDict()
        self._boxes: dict[int, AESGCM] = {}

    async def of(
        self, connection: AsyncConnection, clients: Collection[UUID], *, asked: Collection[UUID] = ()
    ) -> Opened:
        """The keys of these clients, made for those who have none; at most one query when all have one.

        `asked` are identifiers that somebody sent: their keys are found where there are any, and never made.
        Raises `KeyStoreUnusable` when a key does not open.
        """
        opened = Opened()
        missing = self._recall([*clients, *asked] if asked else clients, opened.keys)
        if missing:
            found = await self._find(connection, missing)
            if unknown := [each for each in missing if each not in found and each in clients]:
                found |= await self._make(connection, unknown)
            opened.keys |= {client: each.key for client, each in found.items()}
            opened.new_here = {client: each.key for client, each in found.items() if each.may_be_remembered}
        return opened

    async def existing(self, connection: AsyncConnection, client: UUID) -> ClientKey | None:
        """The key of a client, or None: never seen, or erased."""
        found = (await self._find(connection, [client])).get(client)
        return None if found is None else found.key

    async def references(self, connection: AsyncConnection) -> dict[bytes, UUID]:
        """Whom each reference of the log is about, for everybody who has a key. Never kept: it would outlive a key."""
        rows = (await connection.execute(_EVERY)).all()
        return await asyncio.to_thread(self._references, rows)

    def forget(self, client: UUID) -> None:
        """Let go of the key of a client who was erased."""
        self._remembered.pop(client, None)
        self._awake.pop(client, None)

    async def everybody(self, connection: AsyncConnection) -> AsyncGenerator[ClientKey]:
        """The keys of everybody who has one and is not being erased, one by one. Raises `KeyStoreUnusable`."""
        after = UUID(int=0)
        while rows := (await connection.execute(_EVERYBODY, {"after": after})).all():
            for key in await asyncio.to_thread(self._keys, rows):
                yield key
            after = rows[-1].client_id

    def remember(self, keys: Mapping[UUID, ClientKey]) -> None:
        """Keep keys for a while; the oldest make room."""
        until = self._clock() + self._lifetime
        for client, key in keys.items():
            self._remembered[client] = _Kept(key, until)
            self._wake(client, key)
        while len(self._remembered) > self._most:
            oldest, _ = self._remembered.popitem(last=False)
            self._awake.pop(oldest, None)

    def _recall(self, clients: Collection[UUID], into: dict[UUID, ClientKey]) -> list[UUID]:
        """Put the remembered ones into `into`, return the others."""
        now = self._clock()
        missing: list[UUID] = []
        for client in clients:
            kept = self._remembered.get(client)
            if kept is not None and kept.until > now:
                into[client] = kept.key
                if client not in self._awake:
                    self._wake(client, kept.key)
            else:
                missing.append(client)
        return missing

    def _wake(self, client: UUID, key: ClientKey) -> None:
        """Of the remembered keys, those woken last are ready for use; the others rest."""
        self._awake[client] = key
        if len(self._awake) > self._most_awake:
            self._awake.popitem(last=False)[1].rest()

    async def _find(self, connection: AsyncConnection, clients: Collection[UUID]) -> dict[UUID, _Found]:
        wanted, found = list(clients), dict[UUID, _Found]()
        for start in range(0, len(wanted), _MOST_AT_ONCE):
            for key_id, client, wrapped, leaving in await _rows(connection, wanted[start : start + _MOST_AT_ONCE]):
                key = ClientKey(client, self._unwrap(key_id, client, wrapped))
                found[client] = _Found(key, may_be_remembered=not leaving)
        return found

    def _references(self, rows: Iterable[Row[UUID, UUID, bytes]]) -> dict[bytes, UUID]:
        return {reference_of(self._unwrap(key_id, client, wrapped)): client for key_id, client, wrapped in rows}

    def _keys(self, rows: Iterable[Row[UUID, UUID, bytes]]) -> list[ClientKey]:
        return [ClientKey(client, self._unwrap(key_id, client, wrapped)) for key_id, client, wrapped in rows]

    async def _make(self, connection: AsyncConnection, clients: Iterable[UUID]) -> dict[UUID, _Found]:
        """Make keys; where somebody else was faster, theirs is the one. In order, so that two cannot deadlock."""
        ordered = sorted(clients)
        await connection.execute(_KEEP, [self._fresh_row(client) for client in ordered])
        return await self._find(connection, ordered)

    def _fresh_row(self, client: UUID) -> dict[str, object]:
        key_id = new_id()
        return {"key_id": key_id, "client_id": client, "wrapped": self._wrap(key_id, client, os.urandom(KEY_BYTES))}

    def _wrap(self, key_id: UUID, client: UUID, secret: bytes) -> bytes:
        number = self._store.current(KeyName.CLIENT_KEYS).number
        nonce = os.urandom(NONCE_BYTES)
        sealed = self._box(number).encrypt(nonce, secret, key_id.bytes + client.bytes)
        return number.to_bytes(_NUMBER_BYTES, "big") + nonce + sealed

    def _unwrap(self, key_id: UUID, client: UUID, wrapped: bytes) -> bytes:
        number = int.from_bytes(wrapped[:_NUMBER_BYTES], "big")
        nonce = wrapped[_NUMBER_BYTES : _NUMBER_BYTES + NONCE_BYTES]
        try:
            return self._box(number).decrypt(nonce, wrapped[_NUMBER_BYTES + NONCE_BYTES :], key_id.bytes + client.bytes)
        except (InvalidTag, ValueError) as problem:
            raise KeyStoreUnusable(
                f"The client key {key_id} does not open with key {number} of the store."
            ) from problem

    def _box(self, number: int) -> AESGCM:
        box = self._boxes.get(number)
        if box is None:
            box = self._boxes[number] = AESGCM(self._store.numbered(KeyName.CLIENT_KEYS, number).secret)
        return box


_EVERY = select(client_key.c.key_id, client_key.c.client_id, client_key.c.wrapped)
_LEAVING = select(erasure.c.id).where(erasure.c.client_id == client_key.c.client_id).exists().label("leaving")
_PAGE: Final = 1_024
_EVERYBODY = (
    _EVERY.where(
        ~select(erasure.c.id).where(erasure.c.client_id == client_key.c.client_id).exists(),
        client_key.c.client_id > bindparam("after"),
    )
    .order_by(client_key.c.client_id)
    .limit(_PAGE)
)
_KEEP = insert(client_key).on_conflict_do_nothing(index_elements=[client_key.c.client_id])
_MOST_AT_ONCE: Final = 64


def _statement(many: int) -> str:
    """Finds the keys of that many clients, as the driver takes it.

    A parameter for each and no array, whose length PostgreSQL would plan for anew each time.
    """
    clients = [bindparam(f"client_{number}", type_=Uuid()) for number in range(many)]
    found = _EVERY.add_columns(_LEAVING).where(client_key.c.client_id.in_(clients))
    return str(found.compile(dialect=dialect.dialect()))


_FIND: Final = {many: _statement(many) for many in (1, 4, 16, _MOST_AT_ONCE)}


async def _rows(connection: AsyncConnection, clients: Sequence[UUID]) -> Sequence[asyncpg.Record]:
    """The rows of these clients, at most `_MOST_AT_ONCE`: past SQLAlchemy, for every read pays for it."""
    many = next(each for each in _FIND if each >= len(clients))
    padding = [clients[0]] * (many - len(clients))
    return await (await driver(connection)).fetch(_FIND[many], *clients, *padding)
