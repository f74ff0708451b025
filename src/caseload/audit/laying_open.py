"""Lays open what entries commit to, for an export: as much as was asked for, and each item so that it proves itself."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from cryptography.exceptions import InvalidTag

from caseload.audit.commitment import LogBox, open_request
from caseload.audit.disclosed import Disclosed, Of, Shown, show
from caseload.audit.item import Sealed, item_after, request_item, unpack
from caseload.audit.keyring import KeyRing
from caseload.audit.keystore import KeyStoreUnusable
from caseload.audit.leaf import from_base64url
from caseload.audit.record import Record


class Kept(NamedTuple):
    """What lies beside a leaf (see `tables.disclosure`)."""

    references: Sequence[bytes]
    sealed: bytes


def lay_open(index: int, record: Record, kept: Kept, ring: KeyRing | None, box: LogBox | None) -> list[Disclosed]:
    """What may be shown of an entry, marking on the ring who is. What does not open, or was not committed to, is left out."""
    try:
        beside = unpack(kept.sealed)
    except ValueError:
        return []
    entry = UUID(record.id)
    found: list[Disclosed] = []
    if ring is not None and record.clients:
        found += _clients(index, entry, record, kept.references, beside, ring)
    if box is not None and record.facts:
        found += _facts(index, entry, int(record.facts), beside, box)
    return found


def _facts(index: int, entry: UUID, count: int, beside: Sealed, box: LogBox) -> list[Disclosed]:
    try:
        items = open_request(entry, beside, box)
    except (InvalidTag, KeyStoreUnusable, ValueError):
        return []
    if len(items) != count:
        return []
    shown = [Shown(at, salt, request_item(entry, what)) for at, (salt, what) in enumerate(items)]
    return [Disclosed(index, Of.FACTS, shown, [])]


def _clients(
    index: int, entry: UUID, record: Record, references: Sequence[bytes], beside: Sealed, ring: KeyRing
) -> list[Disclosed]:
    count = int(record.clients)
    hashes = beside.commitments or (from_base64url(record.clients_root),)
    if not len(references) == len(beside.clients) == len(hashes) == count:
        return []
    shown: list[Shown] = []
    bound, spelt = entry.bytes, record.id.encode()
    for position, reference in enumerate(references):
        key = ring.find(reference)
        if key is not None:
            try:
                what = key.open(beside.nonce, beside.clients[position], bound)
            except InvalidTag:
                continue
            ring.mark(reference)
            shown.append(Shown(position, key.salt(bound, position), item_after(key.prefix, spelt, what)))
    return [show(index, Of.CLIENTS, shown, hashes)] if shown else []
