"""What the questions find: pure rules over what the log and the record say of a span of time."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from statistics import median
from uuid import UUID
from zoneinfo import ZoneInfo

from caseload.domain.ids import ClientId, EntryId, ProgrammeId, StaffId
from caseload.domain.oversight.questions import AccountsToClose, BulkReads, OutOfHours, Question, questions


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What one person left in the log on one day: so many entries, the first and the last of them."""

    actor: StaffId
    day: date
    """The local day of the programme concerned."""
    entries: int
    first: EntryId
    first_at: datetime
    last_at: datetime
    clients: int = 0
    """How many clients were shown, each counted once."""
    client: ClientId | None = None
    """The one client, where all entries are about one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarter:
    """What one person read of clients within a quarter of an hour."""

    actor: StaffId
    programme: ProgrammeId | None
    begins: datetime
    entries: int
    first: EntryId
    last_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """Time on duty."""

    staff: StaffId
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAccount:
    """An account that is open, and what speaks for it."""

    staff: StaffId
    created_at: datetime
    last_used_at: datetime | None
    role_until: datetime | None
    """When the last role ends or ended; None for one without an end, and where there never was one."""
    ever_held: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedFor:
    """Somebody was named for a restricted client, from when to when."""

    staff: StaffId
    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RestrictedWhile:
    """A client was restricted, from when to when, and whom that named meanwhile."""

    client: ClientId
    since: datetime
    until: datetime | None
    named: tuple[NamedFor, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something to look at, with its reason."""

    question: Question
    id: UUID
    """The first entry it rests on, or the account: the same whenever the question is asked."""
    staff: StaffId
    """Whom it is about, and who may therefore not review it."""
    client: ClientId | None = None
    day: date | None = None
    entries: int = 0
    first_at: datetime | None = None
    last_at: datetime
    """A review that covers this instant settles it; what comes later opens it again."""
    why: str
    facts: Mapping[str, str | int] = field(default_factory=dict[str, "str | int"])

    @property
    def rule(self) -> str:
        """The rule, with its version."""
        return questions().rule(self.question)


def found_in(question: Question, trace: Trace, why: str, **facts: str | int) -> Finding:
    """A finding that rests on one trace."""
    return Finding(
        question=question,
        id=trace.first,
        staff=trace.actor,
        client=trace.client,
        day=trace.day,
        entries=trace.entries,
        first_at=trace.first_at,
        last_at=trace.last_at,
        why=why,
        facts=facts,
    )


def without_link(opened: Sequence[Trace], linked: frozenset[int]) -> Iterator[Finding]:
    """Records opened without a reason in the record; `linked` are the places of those with one."""
    rules = questions().without_link
    for place, trace in enumerate(opened):
        if place not in linked:
            yield found_in(
                Question.WITHOUT_LINK,
                trace,
                f"Opened this record {_times(trace.entries)} on {trace.day}. From {rules.days_around} days before to "
                f"{rules.days_around} days after they did not answer for or cover this client, led no session of "
                f"theirs, and wrote no order or dose; and their work at the window or desk of a programme gave no "
                f"occasion within {rules.programme_days_around} day of it.",
            )


def own_or_namesake(opened: Sequence[Trace], alike: Mapping[int, bool]) -> Iterator[Finding]:
    """Records opened by somebody of the same name; `alike` says at which places, and whether the whole name."""
    for place, trace in enumerate(opened):
        if place in alike:
            shared = "the same given and family name" if alike[place] else "the same family name"
            yield found_in(
                Question.OWN_OR_NAMESAKE,
                trace,
                f"Opened {_times(trace.entries)} on {trace.day} the record of a client with {shared}: their own, a "
                "relative's, or that of a stranger who happens to bear the name.",
                whole_name=int(alike[place]),
            )


def out_of_hours(
    quarters: Iterable[Quarter],
    shifts: Iterable[Shift],
    zones: Mapping[ProgrammeId | None, ZoneInfo],
    rules: OutOfHours,
) -> Iterator[Finding]:
    """Reading while the programme is closed, by local night, unless on duty."""
    duty: defaultdict[StaffId, list[Shift]] = defaultdict(list)
    for shift in shifts:
        duty[shift.staff].append(shift)
    nights: defaultdict[tuple[StaffId, date], list[Quarter]] = defaultdict(list)
    for quarter in quarters:
        local = quarter.begins.astimezone(zones.get(quarter.programme, zones[None]))
        on_duty = any(shift.starts_at <= quarter.begins < shift.ends_at for shift in duty[quarter.actor])
        if not on_duty and not rules.is_open(local.time()):
            nights[quarter.actor, local.date()].append(quarter)
    for (staff, day), night in nights.items():
        entries, first = sum(each.entries for each in night), min(night, key=lambda each: each.first)
        yield Finding(
            question=Question.OUT_OF_HOURS,
            id=first.first,
            staff=staff,
            day=day,
            entries=entries,
            first_at=first.begins,
            last_at=max(each.last_at for each in night),
            why=f"Read client data {_times(entries)} on {day} outside {rules.opens:%H:%M} to {rules.closes:%H:%M} by "
            "the programme's clock, without a shift on duty.",
        )


def bulk_reads(days: Iterable[Trace], files: Iterable[Trace], rules: BulkReads) -> Iterator[Finding]:
    """Days on which somebody was shown far more people than usual, and every file that was taken away."""
    by_person: defaultdict[StaffId, list[Trace]] = defaultdict(list)
    for trace in days:
        by_person[trace.actor].append(trace)
    for traces in by_person.values():
        for trace in traces:
            others = [other.clients for other in traces if other.day != trace.day]
            if len(others) >= rules.usual_days:
                usual = int(median(others))
                enough = max(rules.at_least_clients, rules.times_the_median * usual)
                compared = f"on their {len(others)} other days in this time the median was {usual}"
            else:
                enough = rules.clients_without_comparison
                compared = f"there are only {len(others)} other days to compare with"
            if trace.clients >= enough:
                yield found_in(
                    Question.BULK_READS,
                    trace,
                    f"Was shown {trace.clients} clients on {trace.day}; {compared}.",
                    clients=trace.clients,
                )
    for trace in files:
        yield found_in(
            Question.BULK_READS,
            trace,
            f"Took a part of the record away as a file {_times(trace.entries)} on {trace.day}.",
        )


def repeated_denials(refused: Iterable[Trace], at_least: int) -> Iterator[Finding]:
    """Days on which somebody was turned away again and again."""
    for trace in refused:
        if trace.entries >= at_least:
            yield found_in(
                Question.REPEATED_DENIALS,
                trace,
                f"Asked {_times(trace.entries)} on {trace.day} for something that their roles do not open or that is "
                "not within their reach.",
            )


def restricted_use(shown: Iterable[Trace]) -> Iterator[Finding]:
    """Days on which somebody was shown a restricted client without being named. Nothing is wrong with it by itself."""
    for trace in shown:
        yield found_in(
            Question.RESTRICTED_USE,
            trace,
            f"Was shown this restricted client {_times(trace.entries)} on {trace.day}, without being named: at the "
            "window, with an order, or in a session they led.",
        )


def accounts_to_close(
    accounts: Iterable[OpenAccount], acted_after_end: Iterable[Trace], rules: AccountsToClose, *, at: datetime
) -> Iterator[Finding]:
    """Open accounts that nobody uses or that hold no role, and what closed accounts still did."""
    for account in accounts:
        why = _why_to_close(account, rules, at)
        if why:
            yield Finding(
                question=Question.ACCOUNTS_TO_CLOSE, id=account.staff, staff=account.staff, last_at=at, why=why
            )
    for trace in acted_after_end:
        yield found_in(
            Question.ACCOUNTS_TO_CLOSE,
            trace,
            f"Left {trace.entries} entries after the account was closed; nothing should be possible with it.",
        )


def _why_to_close(account: OpenAccount, rules: AccountsToClose, at: datetime) -> str:
    waiting = timedelta(days=rules.roleless_days)
    if not account.ever_held and account.created_at + waiting <= at:
        return f"Made on {account.created_at:%Y-%m-%d} and never given a role."
    if account.role_until is not None and account.role_until + waiting <= at:
        return f"The last role ended on {account.role_until:%Y-%m-%d}."
    idle_since = account.last_used_at or account.created_at
    if idle_since + timedelta(days=rules.unused_days) <= at:
        never = "" if account.last_used_at else ", when it was made, and never used"
        return f"Holds a role and has not been used since {idle_since:%Y-%m-%d}{never}."
    return ""


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"
