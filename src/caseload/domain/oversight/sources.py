"""What a saved question is answered from: a span of time, each programme's clock, the log, and the record beside it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from caseload.domain.accesslog import LogScope
from caseload.domain.errors import Faults
from caseload.domain.ids import EntryId, ProgrammeId, StaffId
from caseload.domain.moments import check_year
from caseload.domain.oversight.findings import OpenAccount, Quarter, RestrictedWhile, Shift, Trace
from caseload.domain.programme import Programme

LONGEST_SPAN: Final = timedelta(days=92)
USUAL_SPAN: Final = timedelta(days=31)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The time that is asked about."""

    since: datetime
    until: datetime

    @staticmethod
    def of(since: datetime | None, until: datetime | None, *, now: datetime) -> "Span":
        """The span asked for; the last month if none was named. Raises `Invalid`."""
        faults = Faults()
        for name, instant in (("since", since), ("until", until)):
            faults.check(
                when=instant is not None and instant.tzinfo is None, where=name, problem="must carry an offset"
            )
            if instant is not None:
                check_year(instant, faults, name)
        faults.raise_if_any()
        ends = min(until or now, now)
        begins = since or ends - USUAL_SPAN
        faults.check(when=begins >= ends, where="since", problem="must lie before `until` and before now")
        faults.check(
            when=ends - begins > LONGEST_SPAN, where="since", problem=f"may lie {LONGEST_SPAN.days} days back at most"
        )
        faults.raise_if_any()
        return Span(since=begins, until=ends)


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """By which clock a day is a day: each programme's own, and one for what concerns none."""

    zones: Mapping[ProgrammeId | None, ZoneInfo]

    @staticmethod
    def of(programmes: Sequence[Programme]) -> "Places":
        """The programmes' zones; the first one's counts for what concerns no single programme."""
        zones: dict[ProgrammeId | None, ZoneInfo] = {each.id: each.zone for each in programmes}
        zones[None] = programmes[0].zone if programmes else ZoneInfo("UTC")
        return Places(zones=zones)


class Traces(Protocol):
    """What people left in the log. Only what concerns one of the scope's programmes, where it names some."""

    async def opened(self, span: Span, scope: LogScope, places: Places) -> Sequence[Trace]:
        """Records opened one at a time, by person, client and day; not for reading the log itself."""
        ...

    async def quarters(self, span: Span, scope: LogScope) -> Sequence[Quarter]:
        """Reading of client data by quarters of an hour."""
        ...

    async def shown(self, span: Span, scope: LogScope, places: Places, *, but: Sequence[str]) -> Sequence[Trace]:
        """How many clients each person was shown a day, without the events of `but`."""
        ...

    async def told(self, span: Span, scope: LogScope, places: Places, *, events: Sequence[str]) -> Sequence[Trace]:
        """How often each person did one of these, by day."""
        ...

    async def refused(self, span: Span, scope: LogScope, places: Places) -> Sequence[Trace]:
        """How often each person was told that something is not allowed or not there, by day."""
        ...

    async def after(self, ends: Mapping[StaffId, datetime], span: Span, places: Places) -> Sequence[Trace]:
        """What these people did after those instants, by day."""
        ...

    async def restricted(
        self, span: Span, scope: LogScope, places: Places, restricted: Sequence[RestrictedWhile]
    ) -> Sequence[Trace]:
        """Where somebody was shown a restricted client without being named then, by person, client and day.

        Not for the work of a privacy officer, and not behind a broken glass, which has a review of its own.
        """
        ...

    async def actor_of(self, entry: EntryId, scope: LogScope) -> StaffId | None:
        """Who left an entry; None when there is none of a person."""
        ...


class Grounds(Protocol):
    """What the record knows that may explain a finding."""

    async def linked(self, opened: Sequence[Trace], *, days: int, programme_days: int) -> frozenset[int]:
        """The places of those who had a reason in the record within so many days."""
        ...

    async def alike(self, opened: Sequence[Trace]) -> Mapping[int, bool]:
        """The places of those who bear the client's family name, and whether the whole name."""
        ...

    async def shifts(self, span: Span) -> Sequence[Shift]:
        """Shifts on duty that were not called off."""
        ...

    async def restricted(self, span: Span) -> Sequence[RestrictedWhile]:
        """Which clients were restricted at some time in the span, and whom that named."""
        ...

    async def open_accounts(self, *, programmes: Iterable[ProgrammeId] | None) -> Sequence[OpenAccount]:
        """Accounts that are open; of people with a role in these programmes ever, where they are named."""
        ...

    async def closed_accounts(self, programmes: Iterable[ProgrammeId] | None) -> Mapping[StaffId, datetime]:
        """Closed accounts, with when they were closed."""
        ...
