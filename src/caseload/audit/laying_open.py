"""Lays open what entries commit to, for an export: as much as was asked for, and each item so that it proves itself."""

from collections.abc import Callable, Sequence
from typing import NamedTuple
from uuid import UUID

from cryptography.exceptions import InvalidTag

from caseload.audit.commitment import LogBox, disclose_request
from caseload.audit.disclosed import Disclosed, Of, Shown, show
from caseload.audit.item import Sealed, client_item, unpack
from caseload.audit.keys import ClientKey
from caseload.audit.keystore import KeyStoreUnusable
from caseload.audit.leaf import from_base64url
from caseload.audit.record import Record

Find = Callable[[bytes], tuple[UUID, ClientKey] | None]
"""From a reference to the client and their key; None for one who was erased, or of whom nothing is to be shown."""


class Kept(NamedTuple):
    """What lies beside a leaf (see `tables.disclosure`)."""

    references: Sequence[bytes]
    sealed: bytes


def lay_open(index: int, record: Record, kept: Kept, find: Find | None, box: LogBox | None) -> list[Disclosed]:
    """What may be shown of an entry. What does not open, or was not committed to, is left out."""
    try:
        beside = unpack(kept.sealed)
    except ValueError:
        return []
    entry = UUID(record.id)
    found: list[Disclosed] = []
    if find is not None and record.clients:
        found += _clients(index, entry, record, kept.references, beside, find)
    if box is not None and record.facts:
        found += _facts(index, entry, int(record.facts), beside, box)
    return found


def _facts(index: int, entry: UUID, count: int, beside: Sealed, box: LogBox) -> list[Disclosed]:
    try:
        items = disclose_request(entry, beside, box)
    except (InvalidTag, KeyStoreUnusable, ValueError):
        return []
    if len(items) != count:
        return []
    return [Disclosed(index, Of.FACTS, [Shown(each.position, each.salt, each.item) for _, each in items], [])]


def _clients(
    index: int, entry: UUID, record: Record, references: Sequence[bytes], beside: Sealed, find: Find
) -> list[Disclosed]:
    count = int(record.clients)
    hashes = beside.commitments or (from_base64url(record.clients_root),)
    if not len(references) == len(beside.clients) == len(hashes) == count:
        return []
    shown: list[Shown] = []
    for position, reference in enumerate(references):
        known = find(reference)
        if known is not None:
            client, key = known
            try:
                what = key.open(beside.nonce, beside.clients[position], entry.bytes)
            except InvalidTag:
                continue
            shown.append(Shown(position, key.salt(entry.bytes, position), client_item(client, entry, what)))
    return [show(index, Of.CLIENTS, shown, hashes)] if shown else []
