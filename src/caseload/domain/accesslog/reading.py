"""Reading the log: what anyone did or saw, and who saw one client.

The log shows who acted, never whom they saw: a client is told of only when asked for one at a time, by identifier,
and asking is an entry of its own (ASTM E2147-18, section 7: audit trails are themselves audited). Whoever reads the
log for one programme reads the entries of that programme and no others.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol

from caseload.domain.access import MAY, Act, Holding
from caseload.domain.errors import Faults, NotFound, NotPermitted
from caseload.domain.ids import ClientId, EntryId, ProgrammeId, StaffId
from caseload.domain.journal import Journal
from caseload.domain.people import Staff

LARGEST_PAGE: Final = 200

_EVENT: Final = re.compile(r"[a-z][a-z0-9_]{0,39}(\.[a-z][a-z0-9_]{0,39}){0,3}", re.ASCII)


class LogOutcome(StrEnum):
    """How what the entry tells of ended."""

    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"
    UNAVAILABLE = "unavailable"


class ClientNotInLog(NotFound):
    """The log knows no such client."""

    def __init__(self) -> None:
        super().__init__("Check the identifier. A client who was erased can no longer be found in the log.")


class NotInTree(NotFound):
    """The signed tree of the log does not have this."""

    def __init__(self) -> None:
        super().__init__("Ask for the checkpoint, and then for what a tree of that size has.")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFilter:
    """Which entries are asked for: those that fulfil everything that is given."""

    since: datetime | None = None
    """The first instant that counts."""
    until: datetime | None = None
    """The first instant that counts no more."""
    actor: StaffId | None = None
    event: str | None = None
    """A name (`dose.recorded`), or its first word (`dose`) for everything that begins so."""
    outcome: LogOutcome | None = None
    programme: ProgrammeId | None = None
    client: ClientId | None = None
    """Only entries about this client. For a list of accesses it is the question itself."""
    events: frozenset[str] = frozenset()
    """Any of these names; empty for every one."""
    but: frozenset[str] = frozenset()
    """None of these names."""

    def facts(self) -> dict[str, str]:
        """What the entry of the question says of it. The client is not in it: they are named apart."""
        given = {
            "since": self.since and self.since.isoformat(),
            "until": self.until and self.until.isoformat(),
            "actor": self.actor and str(self.actor),
            "event": self.event,
            "outcome": self.outcome and self.outcome.value,
            "programme": self.programme and str(self.programme),
        }
        return {name: value for name, value in given.items() if value}

    def check(self) -> None:
        """Raise `Invalid` for a filter that nothing can fulfil."""
        faults = Faults()
        for name, instant in (("since", self.since), ("until", self.until)):
            faults.check(
                when=instant is not None and instant.tzinfo is None, where=name, problem="must carry an offset"
            )
        faults.raise_if_any()
        faults.check(
            when=self.since is not None and self.until is not None and self.since >= self.until,
            where="until",
            problem="must lie after `since`",
        )
        faults.check(
            when=self.event is not None and not _EVENT.fullmatch(self.event),
            where="event",
            problem="must be the name of an event, such as `dose.recorded`, or its first word, such as `dose`",
        )
        faults.raise_if_any()


@dataclass(frozen=True, slots=True, kw_only=True)
class LogScope:
    """Which part of the log one person may read."""

    programmes: frozenset[ProgrammeId] | None
    """None for the whole log; otherwise only entries that concern one of these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """What an entry says without laying a client open."""

    id: EntryId
    index: int | None
    """Its place in the tree; None while it waits for one."""
    at: datetime
    actor: str
    """A staff identifier, `anonymous` or `system`."""
    roles: tuple[str, ...]
    """The roles used."""
    authenticated_by: str
    operation: str
    """FHIR `audit-event-action`: C, R, U, D or E."""
    event: str
    outcome: LogOutcome
    status: int | None
    route: str
    purpose: str
    programme: ProgrammeId | None
    request: str
    clients: int
    """How many clients it names."""
    about: tuple[Mapping[str, object], ...]
    """What was recorded of the request: the source address, the filter, events that concern no client."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """One entry about one client, with what it says of that client and of nobody else."""

    entry: LogEntry
    saw: tuple[str, ...]
    """The kinds of data that were shown."""
    did: tuple[Mapping[str, object], ...]
    """What was done to the record: `ev` and, where there are some, `rec` (identifiers of rows) and `facts`."""
    tried: tuple[Mapping[str, object], ...]
    """What would have been done, had the work not been refused or failed."""
    asked: Mapping[str, object]
    """Identifiers in the request. Alone, without anything seen or done, it was asked for and not shown."""
    proved: bool
    """Whether what is shown here is what the stored leaf commits to."""


class AccessLog(Protocol):
    """The log as it can be read."""

    async def entries(
        self, asked: LogFilter, scope: LogScope, *, after: EntryId | None, limit: int
    ) -> Sequence[LogEntry]:
        """Entries, newest first, from the one after `after` on."""
        ...

    async def accesses(
        self, client: ClientId, asked: LogFilter, scope: LogScope, *, after: EntryId | None, limit: int
    ) -> Sequence[Access]:
        """Entries about the client, newest first. Raises `ClientNotInLog`."""
        ...


def scope_of(holdings: Sequence[Holding], act: Act) -> LogScope:
    """Which part of the log these roles open for the act. Raises `NotPermitted` when they open none."""
    held = [holding for holding in holdings if holding.role in MAY[act]]
    if not held:
        raise NotPermitted("Only an auditor or a privacy officer reads the log.")
    programmes = frozenset(holding.programme for holding in held if holding.programme is not None)
    everywhere = any(holding.programme is None for holding in held)
    return LogScope(programmes=None if everywhere else programmes)


def check_may_read_tree(by: Staff) -> None:
    """Raise `NotPermitted` unless this person reads the log of the whole organisation.

    The tree holds the hash of every leaf, a bundle the leaves themselves, and a proof tells of the entries beside one.
    """
    if scope_of(by.holdings, Act.SEE_AUDIT_LOG).programmes is not None:
        raise NotPermitted("The tree is over the whole log, and your role opens a part of it.")


async def list_entries(
    asked: LogFilter, *, after: EntryId | None, limit: int, by: Staff, log: AccessLog
) -> Sequence[LogEntry]:
    """A page of the log, newest first."""
    scope = scope_of(by.holdings, Act.SEE_AUDIT_LOG)
    asked.check()
    return await log.entries(asked, scope, after=after, limit=_page(limit))


async def who_saw(
    client: ClientId,
    asked: LogFilter,
    *,
    after: EntryId | None,
    limit: int,
    by: Staff,
    log: AccessLog,
    journal: Journal,
) -> Sequence[Access]:
    """A page of the accesses to one client, newest first. Raises `ClientNotInLog`."""
    scope = scope_of(by.holdings, Act.SEE_AUDIT_LOG)
    asked.check()
    found = await log.accesses(client, asked, scope, after=after, limit=_page(limit))
    journal.saw(client, "access_log")
    return found


def _page(limit: int) -> int:
    return max(1, min(limit, LARGEST_PAGE))
