"""Turns what a piece of work saw and did into commitments, references and sealed disclosures.

What is told of a client (the kinds of data seen, the events, the identifiers of the rows written) goes into that
client's item, under that client's key, and goes with that key. What belongs to no client (the source address, the
filter of a list, events about staff or programmes) goes into items of the request, with random salts, sealed under
the log's own key. Identifiers in the request's path go with the client when the work concerns exactly one.
"""

import os
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from hashlib import sha256
from types import MappingProxyType
from typing import NamedTuple
from uuid import UUID

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from caseload.audit import canonical
from caseload.audit.item import (
    NONCE_BYTES,
    SALT_BYTES,
    Disclosure,
    Sealed,
    client_item,
    pack,
    request_item,
)
from caseload.audit.journal import RequestJournal
from caseload.audit.keys import MOST_AWAKE, ClientKey
from caseload.audit.keystore import KeyName, KeyStore
from caseload.audit.tlog.merkle import inclusion_path, leaf_hash, root_of
from caseload.domain.journal import Event

Fact = Mapping[str, "canonical.Value"]

_encode = msgspec.json.Encoder(order="sorted").encode
_decode = msgspec.json.Decoder(dict[str, object]).decode
_NUMBER_BYTES = 2


class Asked(NamedTuple):
    """What the request's path names."""

    client: UUID | None = None
    others: Mapping[str, str] = MappingProxyType({})
    """Identifiers of other records, by the name they have in the route."""


class Told(NamedTuple):
    """Everything an entry says of clients and of its request."""

    journal: RequestJournal
    asked: Asked = Asked()
    request: Iterable[Fact] = ()
    happened: bool = True
    """False where the work was undone: what was told was tried, and not done."""


class Committed(NamedTuple):
    """What one leaf holds of clients and request, and what lies beside it."""

    client_root: bytes
    request_root: bytes
    requests: int
    references: list[bytes]
    """One per client: searching for one finds the entry, its position finds the disclosure."""
    sealed: bytes


class LogBox:
    """Seals what an entry says of its request, under the key store's `log` key."""

    def __init__(self, store: KeyStore) -> None:
        self._store = store
        current = store.current(KeyName.LOG)
        self._prefix = current.number.to_bytes(_NUMBER_BYTES, "big")
        self._boxes = {current.number: AESGCM(current.secret)}
        self._box = self._boxes[current.number]

    def seal(self, nonce: bytes, plain: bytes, leaf: bytes) -> bytes:
        """Encrypt; the number of the key stands in front."""
        return self._prefix + self._box.encrypt(nonce, plain, leaf)

    def open(self, nonce: bytes, sealed: bytes, leaf: bytes) -> bytes:
        """Decrypt. Raises `cryptography.exceptions.InvalidTag`, or `KeyStoreUnusable` when the key is gone."""
        number = int.from_bytes(sealed[:_NUMBER_BYTES], "big")
        box = self._boxes.get(number)
        if box is None:
            box = self._boxes[number] = AESGCM(self._store.numbered(KeyName.LOG, number).secret)
        return box.decrypt(nonce, sealed[_NUMBER_BYTES:], leaf)


def commit(leaf: UUID, told: Told, keys: Mapping[UUID, ClientKey], box: LogBox) -> Committed:
    """Commit to every client and to every fact about the request.

    A client who was only asked for is committed to when there is a key, which every client has; an identifier that
    is nobody's is a fact about the request. Raises `NotCanonical` for a fact outside the canonical subset, and
    `KeyError` for a client who was shown or changed and has no key.
    """
    nonce = os.urandom(NONCE_BYTES)
    bound = leaf.bytes
    hashes: list[bytes] = []
    sealed: list[bytes] = []
    references: list[bytes] = []
    middle = str(leaf).encode() + b'","w":'
    whats, facts = _said(told, keys)
    many = len(whats) > MOST_AWAKE
    for position, (client, what) in enumerate(whats.items()):
        key = keys[client]
        # Spelt out from `item.client_item` and `merkle.leaf_hash`: a list passes here once per row.
        hashes.append(sha256(b"\0%b%b%b%b}" % (key.salt(bound, position), key.prefix, middle, what)).digest())
        sealed.append(key.seal(nonce, what, bound))
        references.append(key.reference)
        if many:
            key.rest()
    request_hashes, request_sealed = _commit_request(leaf, nonce, facts, box)
    return Committed(
        root_of(hashes),
        root_of(request_hashes),
        len(request_hashes),
        references,
        pack(nonce, request_sealed, hashes, sealed),
    )


def disclose_client(
    client: UUID, key: ClientKey, leaf: UUID, references: list[bytes], beside: Sealed
) -> tuple[dict[str, object], Disclosure] | None:
    """What a leaf says of one client, with its proof; None when the client is not in it.

    Raises `cryptography.exceptions.InvalidTag` for a ciphertext that is not this client's.
    """
    if key.reference not in references:
        return None
    position = references.index(key.reference)
    what = key.open(beside.nonce, beside.clients[position], leaf.bytes)
    path = tuple(inclusion_path(beside.commitments, position)) if len(references) > 1 else ()
    proof = Disclosure(position, key.salt(leaf.bytes, position), client_item(client, leaf, what), path)
    return _decode(what), proof


def disclose_request(leaf: UUID, beside: Sealed, box: LogBox) -> list[tuple[dict[str, object], Disclosure]]:
    """What a leaf says of its request, each item with its proof."""
    items = [(salt, request_item(leaf, what), what) for salt, what in open_request(leaf, beside, box)]
    hashes = [leaf_hash(salt + item) for salt, item, _ in items]
    return [
        (_decode(what), Disclosure(index, salt, item, tuple(inclusion_path(hashes, index))))
        for index, (salt, item, what) in enumerate(items)
    ]


def open_request(leaf: UUID, beside: Sealed, box: LogBox) -> list[tuple[bytes, bytes]]:
    """What a leaf says of its request, each behind its salt."""
    return _apart(box.open(beside.nonce, beside.request, leaf.bytes)) if beside.request else []


def _commit_request(leaf: UUID, nonce: bytes, whats: list[bytes], box: LogBox) -> tuple[list[bytes], bytes]:
    if not whats:
        return [], b""
    salts = os.urandom(SALT_BYTES * len(whats))
    salted = [(salts[at * SALT_BYTES : (at + 1) * SALT_BYTES], what) for at, what in enumerate(whats)]
    hashes = [leaf_hash(salt + request_item(leaf, what)) for salt, what in salted]
    return hashes, box.seal(nonce, b"".join(salt + what + b"\n" for salt, what in salted), leaf.bytes)


def _apart(plain: bytes) -> list[tuple[bytes, bytes]]:
    """Each item is a salt, canonical JSON (which has no line break in it) and a line break."""
    found: list[tuple[bytes, bytes]] = []
    at = 0
    while at < len(plain):
        end = plain.index(b"\n", at + SALT_BYTES)
        found.append((plain[at : at + SALT_BYTES], plain[at + SALT_BYTES : end]))
        at = end + 1
    return found


def _said(told: Told, keys: Mapping[UUID, ClientKey]) -> tuple[dict[UUID, bytes], list[bytes]]:
    """What is said of each client, and of the request; all of it canonical."""
    journal, asked = told.journal, told.asked
    verb = "did" if told.happened else "tried"
    whats = {client: _saw(kinds) for client, kinds in journal.kinds.items()}
    facts = list(told.request)
    did, unowned = _did(journal.events, keys if not told.happened else None)
    if unowned:
        facts.append({verb: unowned})
    whats |= {client: _encode_checked(_seen(journal, client) | {verb: events}) for client, events in did.items()}
    others = dict(asked.others)
    if asked.client is not None and asked.client not in whats:
        if asked.client in keys:
            whats[asked.client] = _encode({"asked": {}})
        else:
            others["client"] = str(asked.client)
    if others and len(whats) == 1:
        [client] = whats
        said = {"asked": others} | ({verb: did[client]} if client in did else {})
        whats[client] = _encode_checked(said | _seen(journal, client))
    elif others:
        facts.append({"asked": others})
    return whats, [_encode_checked(fact) for fact in facts]


@lru_cache(maxsize=1024)
def _saw(kinds: tuple[str, ...]) -> bytes:
    """The rows of a list mostly say the same."""
    return _encode_checked({"saw": sorted(kinds)})


def _seen(journal: RequestJournal, client: UUID) -> dict[str, canonical.Value]:
    kinds = journal.kinds.get(client)
    return {"saw": sorted(kinds)} if kinds else {}


def _did(
    events: Iterable[Event], known: Collection[UUID] | None
) -> tuple[dict[UUID, list[canonical.Value]], list[canonical.Value]]:
    """What was told, by client, and what concerns none, or none of the known where only those count."""
    owned: dict[UUID, list[canonical.Value]] = {}
    unowned: list[canonical.Value] = []
    for event in events:
        nobody = event.client is None or (known is not None and event.client not in known)
        (unowned if event.client is None or nobody else owned.setdefault(event.client, [])).append(_happened(event))
    return owned, unowned


def _happened(event: Event) -> dict[str, canonical.Value]:
    said: dict[str, canonical.Value] = {"ev": event.name}
    if event.records:
        said["rec"] = [str(record) for record in event.records]
    if event.facts:
        said["facts"] = dict(event.facts)
    return said


def _encode_checked(said: Fact) -> bytes:
    canonical.check(said)
    return _encode(said)
