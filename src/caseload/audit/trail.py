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
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, cast
from uuid import UUID

import asyncpg
from sqlalchemy import bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import NullType

from caseload.audit import canonical
from caseload.audit.commitment import Asked, Fact, LogBox, Told, commit
from caseload.audit.journal import RequestJournal
from caseload.audit.keys import ClientKey, ClientKeys, Opened
from caseload.audit.keystore import KeyStore
from caseload.audit.leaf import (
    VERSION,
    Act,
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
    session_digest,
    timestamp,
)
from caseload.domain.access import MAY, Holding
from caseload.domain.access import Act as Permission
from caseload.domain.ids import ClientId, EntryId, ProgrammeId, SessionId, StaffId, new_id

__all__ = ["Actor", "AuditTrail", "Auth", "Circumstances", "Entry", "Op", "Outcome", "Pending", "Purpose"]

_BOOT_BYTES = 12
_MOST_VOIDS = 64


class Actor(Protocol):
    """Who acts, as far as the log needs to know. `caseload.domain.people.Staff` is one."""

    @property
    def id(self) -> StaffId:
        """The person."""
        ...

    @property
    def session(self) -> SessionId | None:
        """The session they act from; None for the command line and for jobs."""
        ...

    @property
    def holdings(self) -> tuple[Holding, ...]:
        """The roles in force for them."""
        ...


@dataclass(slots=True, kw_only=True)
class Circumstances:
    """How a piece of work came about. Filled in as it becomes known, read when the entry is made."""

    request: UUID = field(default_factory=new_id)
    """Made by us for each request; never taken from a caller's header."""
    source: str = ""
    """The caller's address. Stands in the log as a commitment only."""
    route: str = "unknown"
    """Method and template, `GET /api/v1/clients/{client}`, or the words of a command. Never an identifier."""
    event: str | None = None
    """What the entry is called (`client.read`). Without one, the first event told gives its name."""
    op: Op = Op.READ
    act: Permission | None = None
    """What the caller asked to do: of the roles held, those that allow it are named in the entry."""
    purpose: Purpose = Purpose.TREATMENT
    programme: ProgrammeId | None = None
    """The programme that the work concerns; left out, the one in which the roles used are held, if it is one."""
    auth: Auth = Auth.PASSWORD
    client: ClientId | None = None
    """The client whom the path names. Stands in the log also when nothing of them was shown."""
    asked: Mapping[str, str] = field(default_factory=dict[str, str])
    """Other identifiers in the path, by their names in the route."""
    filter: Mapping[str, canonical.Value] | None = None
    """What a list or an export was narrowed to, by identifiers and codes. Stands in the log as a commitment, and
    outlives the erasure of a client: never a name or a birth date."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """Everything an entry will say, before it has been made."""

    actor: Actor | None
    """None where nobody has been identified: a failed sign-in, a request without a token."""
    circumstances: Circumstances
    outcome: Outcome
    journal: RequestJournal = field(default_factory=RequestJournal)
    status: int | None = None
    """The HTTP status of the answer; None where none left."""


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
        known, asked = _clients_of(pendings)
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
        told = Told(pending.journal, Asked(said.client, said.asked), _facts(said), pending.outcome is Outcome.DONE)
        committed = commit(entry_id, told, opened.keys, self.box)
        leaf = Leaf(
            act=_act(pending),
            boot=self.boot,
            ctr=self._number + 1,
            ev=checked_event(_event(pending)),
            id=str(entry_id),
            obj=_root(committed.requests, committed.request_root),
            op=said.op.value,
            org=self.organisation,
            out=pending.outcome.value,
            prog=_programme(pending),
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
    """Append entries in the connection's transaction, in one round trip."""
    await connection.execute(APPEND, parameters(entries))


async def driver(connection: AsyncConnection) -> asyncpg.Connection:
    """The connection below SQLAlchemy's."""
    return cast("asyncpg.Connection", (await connection.get_raw_connection()).driver_connection)


def parameters(entries: Sequence[Entry]) -> dict[str, list[object]]:
    """The arrays that `audit.append` takes."""
    return {
        "leaves": [entry.leaf for entry in entries],
        "refs": [reference for entry in entries for reference in entry.references],
        "sealed": [entry.sealed for entry in entries],
    }


def _root(count: int, root: bytes) -> Root | None:
    return Root(n=count, root=base64url(root)) if count else None


def _event(pending: Pending) -> str:
    said = pending.circumstances
    if said.event is not None:
        return said.event
    return pending.journal.events[0].name if pending.journal.events else _UNNAMED


def _act(pending: Pending) -> Act:
    actor, said = pending.actor, pending.circumstances
    if actor is None:
        return Act(auth=Auth.NONE.value, id="anonymous")
    return Act(
        auth=said.auth.value,
        id=str(actor.id),
        role=tuple(sorted({held.role.value for held in _used(actor, said.act)})),
        sess=session_digest(actor.session) if actor.session else None,
    )


def _used(actor: Actor, act: Permission | None) -> list[Holding]:
    """The roles used: those held that allow the act, or all of them where no act was named."""
    return [held for held in actor.holdings if act is None or held.role in MAY[act]]


def _programme(pending: Pending) -> str | None:
    """The programme that the work named, or else the one in which the roles used are held, if it is one."""
    said = pending.circumstances
    if said.programme is not None:
        return str(said.programme)
    held_in = {held.programme for held in _used(pending.actor, said.act)} if pending.actor else set[None]()
    return str(held_in.pop()) if len(held_in) == 1 and None not in held_in else None


def _clients_of(pendings: Sequence[Pending]) -> tuple[Collection[UUID], Collection[UUID]]:
    """Clients whom these entries name, and identifiers that were only sent, or told of in work that was undone.

    The first get a key if they have none. Behind the others there may be nobody.
    """
    known: dict[UUID, None] = {}
    asked: set[UUID] = set()
    for pending in pendings:
        known.update(dict.fromkeys(pending.journal.shown()))
        if pending.outcome is Outcome.DONE:
            known.update(dict.fromkeys(pending.journal.told_of()))
        else:
            asked.update(pending.journal.told_of())
        if pending.circumstances.client is not None:
            asked.add(pending.circumstances.client)
    return known.keys(), asked - known.keys()


def _facts(said: Circumstances) -> list[Fact]:
    facts: list[Fact] = []
    if said.source:
        facts.append({"source": said.source})
    if said.filter is not None:
        facts.append({"filter": dict(said.filter)})
    return facts


def _joined(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if joined and low <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(high, joined[-1][1]))
        else:
            joined.append((low, high))
    return joined


_UNNAMED = "request.other"
APPEND = select(
    func.audit.append(
        bindparam("leaves", type_=NullType()),
        bindparam("refs", type_=NullType()),
        bindparam("sealed", type_=NullType()),
    )
)
