"""Taking the log away as a file, plain or so that it proves itself. Each export is an entry, and its end another."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from caseload.domain.access import Act, Role
from caseload.domain.accesslog.reading import LogFilter, LogScope, scope_of
from caseload.domain.errors import Conflict, NotFound, NotPermitted
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff


class LogFormat(StrEnum):
    """As what the log is taken away."""

    CSV = "csv"
    """RFC 4180, one line per entry, safe to open in a spreadsheet."""
    NDJSON = "ndjson"
    """One leaf per line, byte for byte as it is stored and hashed."""


class LaidOpen(StrEnum):
    """How much of what entries commit to leaves with an export that proves itself."""

    NOTHING = "nothing"
    FACTS = "facts"
    """What was recorded of requests: addresses, filters, events that concern no client."""
    CLIENTS = "clients"
    """That, and what was seen and done of every client."""


class NothingSigned(NotFound):
    """The log has no signed checkpoint yet."""

    def __init__(self) -> None:
        super().__init__("The first one comes within a second of the first entry, where a sequencer runs.")


class ErasureWaits(Conflict):
    """An erasure waits for its place in the signed log."""

    def __init__(self) -> None:
        super().__init__(
            "See that the sequencer runs, and export again: until then the erased look like hidden accesses."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LogExported(Event):
    """A part of the log was taken away as a file, wholly or as far as it came."""

    name: ClassVar[str] = "audit_log.exported"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLaidOpen(Event):
    """Whom an export laid open. `sha256` says which: it stands in the entry of its end too."""

    name: ClassVar[str] = "audit_log.laid_open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """What was asked to be taken away, by whom it may be."""

    filter: LogFilter
    scope: LogScope
    format: LogFormat

    def facts(self) -> dict[str, str | int]:
        """What the entry that closes it says of it."""
        return {"format": self.format.value}


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What was asked to be taken away so that it proves itself, by whom it may be."""

    filter: LogFilter
    scope: LogScope
    laid_open: LaidOpen
    towards: Sequence[int] = ()
    """Sizes of heads of the log that whoever asks has kept, towards which a part of it is to be proved."""


@dataclass(slots=True, kw_only=True)
class Taken:
    """How far an export has come: enough to recognise the file later."""

    rows: int = 0
    octets: int = 0
    sha256: str = ""
    """Of everything that left, in hexadecimal digits."""

    def told(self, what: Export) -> LogExported:
        """The event that closes the export."""
        facts: dict[str, str | int] = {"rows": self.rows, "octets": self.octets, "sha256": self.sha256}
        return LogExported(client=what.filter.client, facts={**what.facts(), **facts})


def export(asked: LogFilter, format_: LogFormat, *, by: Staff, journal: Journal) -> Export:
    """Allow an export, and say whom it is about. Raises `NotPermitted` or `Invalid`."""
    scope = scope_of(by.holdings, Act.EXPORT_AUDIT_LOG)
    asked.check()
    if asked.client is not None:
        journal.saw(asked.client, "access_log")
    return Export(filter=asked, scope=scope, format=format_)


def export_with_proof(
    asked: LogFilter, laid_open: LaidOpen, towards: Sequence[int], *, by: Staff, journal: Journal
) -> Proof:
    """Allow an export that proves itself, and say whom it is about. Raises `NotPermitted` or `Invalid`.

    Who was on which list is laid open by a privacy officer of the whole clinic and by nobody else: it says of everybody
    that they are in treatment. Of one client, whoever may read the log may have it, as they may read it.
    """
    scope = scope_of(by.holdings, Act.EXPORT_AUDIT_LOG)
    asked.check()
    if not _may_lay_open(laid_open, by):
        raise NotPermitted("Only a privacy officer of the whole clinic lays open whom the entries are about.")
    if asked.client is not None:
        journal.saw(asked.client, "access_log")
    return Proof(filter=asked, scope=scope, laid_open=laid_open, towards=tuple(towards))


def may_still_have(wanted: Proof, *, by: Staff) -> bool:
    """Whether somebody whose roles may have changed since they asked would be given the same export now."""
    return _reads_all_of(wanted.scope, by) and _may_lay_open(wanted.laid_open, by)


def may_still_take(what: Export, *, by: Staff | None) -> bool:
    """Whether whoever is taking it would be given the same export now; None where nobody works here under that name."""
    return by is not None and by.may(Act.EXPORT_AUDIT_LOG) and _reads_all_of(what.scope, by)


def _reads_all_of(asked: LogScope, by: Staff) -> bool:
    scope = scope_of(by.holdings, Act.EXPORT_AUDIT_LOG)
    return scope.programmes is None or (asked.programmes is not None and asked.programmes <= scope.programmes)


def _may_lay_open(laid_open: LaidOpen, by: Staff) -> bool:
    """Whether somebody may take away whom the entries are about, where that is what is wanted."""
    whole_clinic = any(held.role is Role.PRIVACY_OFFICER and held.programme is None for held in by.holdings)
    return laid_open is not LaidOpen.CLIENTS or whole_clinic
