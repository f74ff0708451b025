"""The way into the log: from what a piece of work saw and did to one durable entry.

Made once per process:

    trail = AuditTrail(key_store, organisation="clinic-01")

A write appends inside its own transaction, commits, and says how that ended:

    entry = await trail.append(connection, Pending(actor=..., circumstances=..., outcome=..., journal=...))
    await connection.commit()
    trail.settle([entry], kept=True)          # kept=False when the commit failed or its end is unknown

A read, a refusal or a failure waits for the batcher (`batcher.py`), which does all of that for many at once:

    entry_id = await batcher.add(pending)     # returns when durable; raises `LogUnavailable`

`settle` costs nothing and matters twice: a client's key enters the memory of keys only when the transaction that
showed it has committed, and a number given to an entry that never came to be is declared in the next leaf (`void`),
so that a number which is missing without a word is evidence.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import NullType

from caseload.audit.commitment import LogBox, commit
from caseload.audit.driver import driver
from caseload.audit.keys import ClientKey, ClientKeys, Opened
from caseload.audit.keystore import KeyName, KeyStore
from caseload.audit.leaf import (
    VERSION,
    Auth,
    Leaf,
    Op,
    Outcome,
    Purpose,
    Root,
    base64url,
    checked_event,
    checked_name,
    checked_route,
    encode,
    timestamp,
)
from caseload.audit.pending import Actor, Circumstances, Pending, clients_of
from caseload.domain.ids import EntryId, new_id

__all__ = ["Actor", "AuditTrail", "Auth", "Circumstances", "Entry", "Op", "Outcome", "Pending", "Purpose"]

APPEND = "select audit.append($1, $2, $3)"
_APPEND = select(
    func.audit.append(
        bindparam("leaves", type_=NullType()),
        bindparam("refs", type_=NullType()),
        bindparam("sealed", type_=NullType()),
    )
)
_BOOT_BYTES = 12
_MOST_VOIDS = 64


class Entry(NamedTuple):
    """One entry, ready to be appended. Only `trail.settle` and the append path look inside."""

    id: EntryId
    leaf: bytes
    references: list[bytes]
    sealed: bytes
    number: int
    void: tuple[tuple[int, int], ...]
    new_keys: Mapping[UUID, ClientKey]


class AuditTrail:
    """Makes entries of one process and appends them. Not shared between processes, safe within one event loop."""

    def __init__(self, store: KeyStore, *, organisation: str, keys: ClientKeys | None = None) -> None:
        """Raises `KeyStoreUnusable` when a key is missing: at the start, and not with the first client."""
        store.current(KeyName.CLIENT_KEYS)
        self.keys = keys or ClientKeys(store)
        self.box = LogBox(store)
        self.organisation = checked_name(organisation)
        self.boot = base64url(os.urandom(_BOOT_BYTES))
        self._number = 0
        self._void: list[tuple[int, int]] = []

    async def append(self, connection: AsyncConnection, pending: Pending) -> Entry:
        """Make the entry and append it in the connection's transaction. Durable when that commits, not before."""
        entries = await self.prepare(connection, [pending])
        try:
            await append(connection, entries)
        except BaseException:
            self.settle(entries, kept=False)
            raise
        return entries[0]

    async def prepare(self, connection: AsyncConnection, pendings: Sequence[Pending]) -> list[Entry]:
        """Make entries, with one query for the keys of all their clients when some are not in memory.

        Raises `BadLeaf` or `NotCanonical` for what may not stand in the log, `KeyStoreUnusable` for a key
        that does not open. Whoever calls this also calls `settle`, however it ends.
        """
        known, asked = clients_of(pendings)
        opened = await self.keys.of(connection, known, asked=asked)
        entries: list[Entry] = []
        try:
            entries.extend(self._make(pending, opened) for pending in pendings)
        except BaseException:
            self.settle(entries, kept=False)
            raise
        return entries

    def settle(self, entries: Iterable[Entry], *, kept: bool) -> None:
        """Say whether entries are durable. `kept=False` also where that is unknown."""
        for entry in entries:
            if kept:
                self.keys.remember(entry.new_keys)
            else:
                self._void += [*entry.void, (entry.number, entry.number)]

    def _make(self, pending: Pending, opened: Opened) -> Entry:
        entry_id = EntryId(new_id())
        said = pending.circumstances
        committed = commit(entry_id, pending.told(), opened.keys, self.box)
        leaf = Leaf(
            act=pending.act(),
            boot=self.boot,
            ctr=self._number + 1,
            ev=checked_event(pending.event()),
            id=str(entry_id),
            key=said.handover,
            obj=_root(committed.requests, committed.request_root),
            op=said.op.value,
            org=self.organisation,
            out=pending.outcome.value,
            prog=pending.programme(),
            purp=said.purpose.value,
            req=str(said.request),
            route=checked_route(said.route),
            st=pending.status,
            subj=_root(len(committed.references), committed.client_root),
            t=timestamp(entry_id),
            v=VERSION,
            void=self._next_void(),
        )
        data = encode(leaf)
        self._number += 1
        del self._void[: len(leaf.void)]
        return Entry(entry_id, data, committed.references, committed.sealed, leaf.ctr, leaf.void, opened.new_here)

    def _next_void(self) -> tuple[tuple[int, int], ...]:
        """The oldest declared gaps, neighbours joined. They stay declared until the leaf that names them is made."""
        if len(self._void) > 1:
            self._void = _joined(self._void)
        return tuple(self._void[:_MOST_VOIDS])


async def append(connection: AsyncConnection, entries: Sequence[Entry]) -> None:
    """Append entries in the connection's transaction, in one round trip; past SQLAlchemy where that has begun it."""
    given = parameters(entries)
    raw = await driver(connection)
    if raw.is_in_transaction():
        await raw.execute(APPEND, given["leaves"], given["refs"], given["sealed"])
    else:
        await connection.execute(_APPEND, given)


def parameters(entries: Sequence[Entry]) -> dict[str, list[object]]:
    """The arrays that `audit.append` takes."""
    return {
        "leaves": [entry.leaf for entry in entries],
        "refs": [reference for entry in entries for reference in entry.references],
        "sealed": [entry.sealed for entry in entries],
    }


def _root(count: int, root: bytes) -> Root | None:
    return Root(n=count, root=base64url(root)) if count else None


def _joined(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if joined and low <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(high, joined[-1][1]))
        else:
            joined.append((low, high))
    return joined
