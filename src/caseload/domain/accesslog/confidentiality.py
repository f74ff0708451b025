"""What was done about confidentiality in a period: consents, decisions, disclosures, refusals, broken glasses, rights requests.

It is read from the log, which has the decisions too that left no record of their own, and each line is held to what its leaf
commits to. As the log it says who did what by which rule, and never to whom: of whom it was, and which records those are, it
says where one client is asked for by identifier (42 CFR 2.13(a); ASTM E2147-18, section 7).
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import chain
from types import MappingProxyType
from typing import Final, NamedTuple, Protocol, cast

from caseload.domain.access import Act
from caseload.domain.accesslog.exporting import Export, LogFormat
from caseload.domain.accesslog.reading import LARGEST_PAGE, Access, LogEntry, LogFilter, LogOutcome, LogScope, scope_of
from caseload.domain.ids import EntryId
from caseload.domain.journal import Journal
from caseload.domain.people import Staff

MOST_LOOKED_AT: Final = 5 * LARGEST_PAGE
"""So many entries are looked at for one page: where little of them belongs there, the page is shorter and another follows."""


class Matter(StrEnum):
    """What a line is about."""

    CONSENTS = "consents"
    """Given, revoked, ended by an event, expired."""
    DECISIONS = "decisions"
    """Whether something may be told: allowed or refused, category by category."""
    DISCLOSURES = "disclosures"
    """Made, refused, completed, told on, accounted for; and who sat in a session with a client."""
    BREAK_GLASS = "break_glass"
    """Broken, tried in vain, ended, reviewed."""
    RIGHTS_REQUESTS = "rights_requests"
    """Received, put off, answered, disagreed with; that an agreed restriction or contact has ended."""


ATTEMPTS: Final[Mapping[str, Matter]] = MappingProxyType({
    "disclosure.ask": Matter.DECISIONS,
    "disclosure.make": Matter.DISCLOSURES,
    "in_emergency.release": Matter.DISCLOSURES,
    "last_dose.disclose": Matter.DISCLOSURES,
    "glass.break": Matter.BREAK_GLASS,
})  # fmt: skip
"""What an entry is called of an attempt that was refused, or failed, before anything was told."""

MATTERS: Final[Mapping[str, Matter]] = MappingProxyType({
    **ATTEMPTS,
    "consent.given": Matter.CONSENTS,
    "consent.revoked": Matter.CONSENTS,
    "consent.ended_by_event": Matter.CONSENTS,
    "consent.expired": Matter.CONSENTS,
    "consent.asked": Matter.DECISIONS,
    "disclosure.made": Matter.DISCLOSURES,
    "disclosure.refused": Matter.DISCLOSURES,
    "disclosure.completed": Matter.DISCLOSURES,
    "disclosure.passed_on": Matter.DISCLOSURES,
    "disclosure.accounted": Matter.DISCLOSURES,
    "disclosure.sat_in": Matter.DISCLOSURES,
    "glass.broken": Matter.BREAK_GLASS,
    "glass.not_broken": Matter.BREAK_GLASS,
    "glass.ended": Matter.BREAK_GLASS,
    "glass.reviewed": Matter.BREAK_GLASS,
    "rights.requested": Matter.RIGHTS_REQUESTS,
    "rights.put_off": Matter.RIGHTS_REQUESTS,
    "rights.accounting_made": Matter.RIGHTS_REQUESTS,
    "rights.answered": Matter.RIGHTS_REQUESTS,
    "rights.asked_along": Matter.RIGHTS_REQUESTS,
    "rights.statement_taken": Matter.RIGHTS_REQUESTS,
    "rights.restriction_ended": Matter.RIGHTS_REQUESTS,
    "rights.restriction_terminated": Matter.RIGHTS_REQUESTS,
    "rights.contact_ended": Matter.RIGHTS_REQUESTS,
})  # fmt: skip
"""Every event that belongs there, and every attempt."""


class Result(StrEnum):
    """How it ended."""

    DONE = "done"
    ALLOWED = "allowed"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """One line: who did what, when, by which rule, and how it ended."""

    entry: LogEntry
    matter: Matter
    event: str
    result: Result
    rule: str | None
    """The rule, or the version of the rules, where there is one."""
    facts: Mapping[str, object]
    records: tuple[str, ...]
    """Identifiers of the records; nothing unless one client was asked for."""
    proved: bool
    """Whether this is what the stored leaf commits to; false also of a client who was erased."""


class Read(NamedTuple):
    """One entry, with what it says of each of its clients who can be told."""

    entry: LogEntry
    accesses: Sequence[Access]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """Which lines are asked for."""

    filter: LogFilter
    matter: Matter | None = None
    refused_only: bool = False

    def entries(self) -> LogFilter:
        """The entries that may hold such a line. A decision stands first in the entry of what was told by it."""
        return replace(self.filter, events=frozenset(MATTERS))

    def facts(self) -> dict[str, str]:
        """What the entry of the question says of it."""
        given = {"matter": self.matter and self.matter.value, "refused_only": "true" if self.refused_only else None}
        return {**self.filter.facts(), **{name: value for name, value in given.items() if value}}

    def has(self, deed: Deed) -> bool:
        """Whether a line is among those."""
        return (self.matter is None or deed.matter is self.matter) and (
            not self.refused_only or deed.result is Result.REFUSED
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfidentialityExport(Export):
    """What was asked to be taken away as a file."""

    sought: Sought

    def facts(self) -> dict[str, str | int]:
        """What the entry that closes it says of it."""
        return {"format": self.format.value, "view": "confidentiality"}


class Page(NamedTuple):
    """Some lines, and the last entry that was looked at where there may be more."""

    deeds: Sequence[Deed]
    next: EntryId | None


class ConfidentialityLog(Protocol):
    """The log as it tells of confidentiality."""

    async def read(self, asked: LogFilter, scope: LogScope, *, after: EntryId | None, limit: int) -> Sequence[Read]:
        """Entries, newest first, each with what it says of its clients. Raises `ClientNotInLog`."""
        ...


async def list_deeds(
    sought: Sought, *, after: EntryId | None, limit: int, by: Staff, log: ConfidentialityLog, journal: Journal
) -> Page:
    """A page of lines, newest first; it ends with a whole entry, so it may be a few lines longer than asked.

    Raises `NotPermitted`, `Invalid`, and `ClientNotInLog` where one client is asked for.
    """
    scope = scope_of(by.holdings, Act.SEE_AUDIT_LOG)
    sought.filter.check()
    page = await _page(sought, scope, after=after, most=max(1, min(limit, LARGEST_PAGE)), log=log)
    if sought.filter.client is not None:
        journal.saw(sought.filter.client, "access_log")
    return page


async def _page(sought: Sought, scope: LogScope, *, after: EntryId | None, most: int, log: ConfidentialityLog) -> Page:
    asked, found, looked_at, size = sought.entries(), list[Deed](), 0, most
    while looked_at < MOST_LOOKED_AT:
        read = await log.read(asked, scope, after=after, limit=size)
        for each in read:
            found += reversed(deeds_of(each, sought))
            after = each.entry.id
            if len(found) >= most:
                return Page(found, after)
        if len(read) < size:
            return Page(found, None)
        looked_at, size = looked_at + size, LARGEST_PAGE
    return Page(found, after)


def export_deeds(sought: Sought, format_: LogFormat, *, by: Staff, journal: Journal) -> ConfidentialityExport:
    """Allow an export, and say whom it is about. Raises `NotPermitted` or `Invalid`."""
    scope = scope_of(by.holdings, Act.EXPORT_AUDIT_LOG)
    sought.filter.check()
    if sought.filter.client is not None:
        journal.saw(sought.filter.client, "access_log")
    return ConfidentialityExport(filter=sought.entries(), scope=scope, format=format_, sought=sought)


def deeds_of(read: Read, sought: Sought) -> list[Deed]:
    """Pure: the lines of one entry that were sought. What nothing more is known of has one line, with the entry's own name."""
    entry, is_open = read.entry, sought.filter.client is not None
    told = [
        *_said(((each.did, each.tried) for each in read.accesses), proved=all(each.proved for each in read.accesses)),
        *_said(((_list(each, "did"), _list(each, "tried")) for each in entry.about), proved=True),
    ]
    said = [(what, proved) for what, proved in told if what.get("ev") in MATTERS]
    if _came_to_nothing(entry, {MATTERS[str(what["ev"])] for what, _ in said}) or _is_shut(read, said):
        said.append(({"ev": entry.event}, entry.clients == len(read.accesses)))
    deeds = (_deed(entry, what, proved=proved, is_open=is_open) for what, proved in said)
    return [deed for deed in deeds if sought.has(deed)]


def _came_to_nothing(entry: LogEntry, told: Collection[Matter]) -> bool:
    """An attempt that was refused or failed before anything of its own was told; not a retry, which does nothing again."""
    return entry.outcome is not LogOutcome.DONE and entry.event in ATTEMPTS and ATTEMPTS[entry.event] not in told


def _is_shut(read: Read, said: Collection[object]) -> bool:
    """Of what was told nothing can be opened any more: its client was erased."""
    entry = read.entry
    is_told = entry.event in MATTERS and entry.event not in ATTEMPTS
    return not said and is_told and entry.clients != len(read.accesses)


def _said(
    told: Iterable[tuple[Collection[Mapping[str, object]], Collection[Mapping[str, object]]]], *, proved: bool
) -> Iterator[tuple[Mapping[str, object], bool]]:
    for did, tried in told:
        for what in chain(did, tried):
            yield what, proved


def _list(about: Mapping[str, object], name: str) -> Sequence[Mapping[str, object]]:
    return cast("Sequence[Mapping[str, object]]", about.get(name, ()))


def _deed(entry: LogEntry, what: Mapping[str, object], *, proved: bool, is_open: bool) -> Deed:
    event = str(what["ev"])
    facts = cast("Mapping[str, object]", what.get("facts", {}))
    rule = next((str(facts[name]) for name in ("rule", "rules", "form") if name in facts), None)
    return Deed(
        entry=entry,
        matter=MATTERS[event],
        event=event,
        result=_result(entry.outcome, facts.get("answer")),
        rule=rule,
        facts=facts,
        records=tuple(str(each) for each in cast("Sequence[object]", what.get("rec", ()))) if is_open else (),
        proved=proved,
    )


def _result(outcome: LogOutcome, answer: object) -> Result:
    """A decision ends as it was answered, whatever became of what was to be told by it."""
    if answer is not None:
        return Result(str(answer))
    match outcome:
        case LogOutcome.DONE:
            return Result.DONE
        case LogOutcome.REFUSED:
            return Result.REFUSED
        case _:
            return Result.FAILED
