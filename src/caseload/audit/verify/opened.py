"""How much of what entries commit to is laid open, and whether that is as much as the export promises.

An entry says how many clients it names, and how many facts of its request it commits to. Where everything was promised,
less than that is explained by one thing only: the clients were erased, and an erasure is an entry of the log itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from caseload.audit.bundle import Opened, Scope
from caseload.audit.record import Record
from caseload.audit.verify.verdict import Finding, Kind

ERASED: Final = "client.erased"
"""The event by which a client's key is destroyed: nothing that was logged of them before opens any more."""
_DONE: Final = "0"
_REMEMBERED: Final = timedelta(minutes=10)
"""So long after an erasure a process that still held the key may have sealed something under it: twice what it may."""


class Short(NamedTuple):
    """Entries of which the same number of clients is not laid open."""

    entries: int
    newest: int
    """The place of the newest of them."""
    at: str
    """And its time."""


@dataclass(slots=True)
class Laid:
    """What is laid open of some entries, and of how much."""

    clients: int = 0
    of_clients: int = 0
    facts: int = 0
    of_facts: int = 0
    short: dict[int, Short] = field(default_factory=dict[int, Short])
    """By how many clients of an entry are not laid open."""
    silent: int = 0
    """Entries whose facts are not laid open."""
    first_silent: int = 0
    erased: list[str] = field(default_factory=list[str])
    """When clients were erased."""

    def take(self, place: int, record: Record, *, clients: int, facts: int) -> None:
        """Count one entry, of which so many clients and facts were proved."""
        if record.clients:
            of = int(record.clients)
            self.of_clients += of
            self.clients += clients
            if clients < of:
                self._fell_short(of - clients, Short(1, place, record.at))
        if record.facts:
            self.of_facts += int(record.facts)
            self.facts += facts
            if facts < int(record.facts):
                self._was_silent(1, place)
        if record.event == ERASED and record.outcome == _DONE:
            self.erased.append(record.at)

    def follow(self, later: "Laid") -> None:
        """Count entries that come after these."""
        self.clients += later.clients
        self.of_clients += later.of_clients
        self.facts += later.facts
        self.of_facts += later.of_facts
        for missing, short in later.short.items():
            self._fell_short(missing, short)
        if later.silent:
            self._was_silent(later.silent, later.first_silent)
        self.erased += later.erased

    def findings(self, promised: Opened, scope: Scope) -> Iterator[Finding]:
        """Whether it is what was promised."""
        if promised is Opened.NOTHING:
            return
        if self.silent:
            said = (
                f"What entry {self.first_silent} says of its request is not laid open as promised ({self.silent:,} entries"
                f" in all): it was taken away, or what opens it."
            )
            yield Finding(Kind.DISCLOSURE, said, self.first_silent)
        if promised is Opened.CLIENTS:
            yield from self._clients(scope)

    def _clients(self, scope: Scope) -> Iterator[Finding]:
        explained = False
        for missing, short in sorted(self.short.items()):
            if scope is Scope.WHOLE and missing > self._erased_after(short.at):
                said = (
                    f"Of entry {short.newest}, {missing:,} of its clients are not laid open, and the log tells of"
                    f" {self._erased_after(short.at):,} erasures after it ({short.entries:,} entries lack as many): what"
                    f" lies beside it was taken away."
                )
                yield Finding(Kind.DISCLOSURE, said, short.newest)
            else:
                explained = True
        if explained:
            known = (
                f"the log tells of {len(self.erased):,} erasures" if scope is Scope.WHOLE else "ask for the whole log"
            )
            said = (
                f"{self.of_clients - self.clients:,} times a client of an entry is not laid open, as when clients were"
                f" erased: {known}."
            )
            yield Finding(Kind.REMARK, said)

    def _erased_after(self, at: str) -> int:
        """How many were erased after an entry was made, or shortly before."""
        made = datetime.fromisoformat(at)
        return sum(datetime.fromisoformat(each) + _REMEMBERED >= made for each in self.erased)

    def _fell_short(self, missing: int, short: Short) -> None:
        known = self.short.get(missing)
        if known is not None:
            newest = max(known, short, key=lambda each: (each.at, each.newest))
            short = newest._replace(entries=known.entries + short.entries)
        self.short[missing] = short

    def _was_silent(self, entries: int, first: int) -> None:
        if not self.silent:
            self.first_silent = first
        self.silent += entries
