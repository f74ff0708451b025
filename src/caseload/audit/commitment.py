"""Turns what a piece of work saw and did into commitments, references and sealed disclosures.

What is told of a client (the kinds of data seen, the events, the identifiers of the rows written) goes into that
client's item, under that client's key, and goes with that key. What belongs to no client (the source address, the
filter of a list, events about staff or programmes) goes into items of the request, with random salts, sealed under
the log's own key.
"""

import os
from collections.abc import Iterable, Mapping
from hashlib import sha256
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
from caseload.audit.keys import ClientKey
from caseload.audit.keystore import KeyName, KeyStore
from caseload.audit.merkle import inclusion_path, leaf_hash, root_of
from caseload.domain.journal import Event

Fact = Mapping[str, "canonical.Value"]

_encode = msgspec.json.Encoder(order="sorted").encode
_decode = msgspec.json.Decoder(dict[str, object]).decode
_NUMBER_BYTES = 2


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

    def seal(self, nonce: bytes, plain: bytes, leaf: UUID) -> bytes:
        """Encrypt; the number of the key stands in front."""
        return self._prefix + self._box.encrypt(nonce, plain, leaf.bytes)

    def open(self, nonce: bytes, sealed: bytes, leaf: UUID) -> bytes:
        """Decrypt. Raises `cryptography.exceptions.InvalidTag`, or `KeyStoreUnusable` when the key is gone."""
        number = int.from_bytes(sealed[:_NUMBER_BYTES], "big")
        box = self._boxes.get(number)
        if box is None:
            box = self._boxes[number] = AESGCM(self._store.numbered(KeyName.LOG, number).secret)
        return box.decrypt(nonce, sealed[_NUMBER_BYTES:], leaf.bytes)


def commit(
    leaf: UUID, journal: RequestJournal, keys: Mapping[UUID, ClientKey], request: Iterable[Fact], box: LogBox
) -> Committed:
    """Commit to every client and to every fact about the request.

    Raises `NotCanonical` for a fact outside the canonical subset, `KeyError` for a client without a key.
    """
    nonce = os.urandom(NONCE_BYTES)
    hashes: list[bytes] = []
    sealed: list[bytes] = []
    references: list[bytes] = []
    middle = str(leaf).encode() + b'","w":'
    for position, (client, what) in enumerate(_told_of_clients(journal).items()):
        key = keys[client]
        # Spelt out from `item.client_item` and `merkle.leaf_hash`: a list passes here once per row.
        hashes.append(sha256(b"\x00" + key.salt(leaf, position) + key.prefix + middle + what + b"}").digest())
        sealed.append(key.seal(nonce, what, leaf))
        references.append(key.reference)
    request_hashes, request_sealed = _commit_request(leaf, nonce, _told_of_request(journal, request), box)
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
    what = key.open(beside.nonce, beside.clients[position], leaf)
    path = tuple(inclusion_path(beside.commitments, position)) if len(references) > 1 else ()
    proof = Disclosure(position, key.salt(leaf, position), client_item(client, leaf, what), path)
    return _decode(what), proof


def disclose_request(leaf: UUID, beside: Sealed, box: LogBox) -> list[tuple[dict[str, object], Disclosure]]:
    """What a leaf says of its request, each item with its proof."""
    if not beside.request:
        return []
    salted = _apart(box.open(beside.nonce, beside.request, leaf))
    items = [(salt, request_item(leaf, what), what) for salt, what in salted]
    hashes = [leaf_hash(salt + item) for salt, item, _ in items]
    return [
        (_decode(what), Disclosure(index, salt, item, tuple(inclusion_path(hashes, index))))
        for index, (salt, item, what) in enumerate(items)
    ]


def _commit_request(leaf: UUID, nonce: bytes, whats: list[bytes], box: LogBox) -> tuple[list[bytes], bytes]:
    if not whats:
        return [], b""
    salts = os.urandom(SALT_BYTES * len(whats))
    salted = [(salts[at * SALT_BYTES : (at + 1) * SALT_BYTES], what) for at, what in enumerate(whats)]
    hashes = [leaf_hash(salt + request_item(leaf, what)) for salt, what in salted]
    return hashes, box.seal(nonce, b"".join(salt + what + b"\n" for salt, what in salted), leaf)


def _apart(plain: bytes) -> list[tuple[bytes, bytes]]:
    """Each item is a salt, canonical JSON (which has no line break in it) and a line break."""
    found: list[tuple[bytes, bytes]] = []
    at = 0
    while at < len(plain):
        end = plain.index(b"\n", at + SALT_BYTES)
        found.append((plain[at : at + SALT_BYTES], plain[at + SALT_BYTES : end]))
        at = end + 1
    return found


def _told_of_request(journal: RequestJournal, request: Iterable[Fact]) -> list[bytes]:
    facts = list(request)
    if unowned := [_told(event) for event in journal.events if event.client is None]:
        facts.append({"did": unowned})
    for fact in facts:
        canonical.check(fact)
    return [_encode(fact) for fact in facts]


def _told_of_clients(journal: RequestJournal) -> dict[UUID, bytes]:
    """What is said of each client, canonical; the rows of a list mostly say the same, which is encoded once."""
    same: dict[tuple[str, ...], bytes] = {}
    whats: dict[UUID, bytes] = {}
    for client, kinds in journal.kinds.items():
        what = same.get(kinds)
        if what is None:
            what = same[kinds] = _encode_checked({"saw": sorted(kinds)})
        whats[client] = what
    for client, did in _told_by_client(journal.events).items():
        saw = journal.kinds.get(client)
        whats[client] = _encode_checked({"did": did, "saw": sorted(saw)} if saw else {"did": did})
    return whats


def _told_by_client(events: Iterable[Event]) -> dict[UUID, list[canonical.Value]]:
    told: dict[UUID, list[canonical.Value]] = {}
    for event in events:
        if event.client is not None:
            told.setdefault(event.client, []).append(_told(event))
    return told


def _told(event: Event) -> dict[str, canonical.Value]:
    said: dict[str, canonical.Value] = {"ev": event.name}
    if event.records:
        said["rec"] = [str(record) for record in event.records]
    if event.facts:
        said["facts"] = dict(event.facts)
    return said


def _encode_checked(said: dict[str, canonical.Value]) -> bytes:
    canonical.check(said)
    return _encode(said)
