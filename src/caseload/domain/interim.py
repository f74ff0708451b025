"""Interim treatment: medicine while somebody waits for comprehensive treatment, on so many days of any twelve months.

Source: 42 CFR 8.12(j): at most 180 days in any 12 months, a plan for going on by day 120, and, with 8.12(f)(6) and (j)(4), two
random drug screens at least. The numbers are values of the profile in force on its first day. Days of an earlier interim
treatment within the twelve months count, also of one elsewhere, for the plan as for the end (product convention: the stricter
reading). What is over is listed and stops no dose; only a beginning for which no day is left is refused.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Final, Protocol

from dateutil.relativedelta import relativedelta

from caseload.domain.access import Act
from caseload.domain.admission import LONGEST_NAME, LONGEST_TEXT, State
from caseload.domain.caseload import Episode
from caseload.domain.errors import Conflict, Fault, Faults, Invalid, NotFound
from caseload.domain.ids import ClientId, EpisodeId, InterimId, StaffId
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff
from caseload.domain.profiles import Profile
from caseload.domain.profiles.monitoring import Interim

A_DAY: Final = timedelta(days=1)
READ_AGAIN: Final = "Read the client's interim treatments again."


class Ended(StrEnum):
    """How an interim treatment ended."""

    COMPREHENSIVE = "comprehensive"
    """The client goes on in comprehensive treatment."""
    TRANSFERRED = "transferred"
    LEFT = "left"


class InterimUnknown(NotFound):
    """No such interim treatment of this client within your reach."""


class NoInterimHere(Conflict):
    """The profile of this programme knows no interim treatment."""


class InterimRunning(Conflict):
    """Another interim treatment of this client covers some of these days."""


class InterimDaysUsed(Conflict):
    """No day of interim treatment is left to this client."""


class InterimSettled(Conflict):
    """This was said of the interim treatment before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """What somebody says of the beginning."""

    started_on: date
    """Its first local day, day 1."""
    elsewhere: str | None = None
    """The programme where it was, when it was not here."""
    last_on: date | None = None
    """Its last day, of one elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How the client goes on afterwards."""

    made_on: date
    made_by: str
    """The name of who made it."""
    recorded_by: StaffId
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """The last day, and how it ended."""

    last_on: date
    how: Ended
    recorded_by: StaffId
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """That it was recorded by mistake."""

    reason: str
    by: StaffId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class InterimTreatment:
    """One interim treatment of a client, and what was said of it since."""

    id: InterimId
    client: ClientId
    number: int
    """Counted from one for each client, with those taken back."""
    episode: EpisodeId | None
    """None of one elsewhere."""
    begun: Begun
    recorded_by: StaffId
    recorded_at: datetime
    left_on: date | None = None
    """The last day of an episode that has ended."""
    plan: Plan | None = None
    end: End | None = None
    taken_back: Mistake | None = None

    @property
    def last_on(self) -> date | None:
        """Its last day: as was said, or on which the client left; None while it runs."""
        said = (self.begun.last_on, self.end.last_on if self.end is not None else None, self.left_on)
        return min((each for each in said if each is not None), default=None)

    def days_until(self, day: date, after: date) -> int:
        """How many of its days lie after one day, and up to and including another."""
        last = min(day, self.last_on or day)
        return max(0, (last - max(self.begun.started_on, after + A_DAY)).days + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """An interim treatment that runs in a programme, with those before it."""

    given_name: str
    family_name: str
    treatment: InterimTreatment
    all_of_client: Sequence[InterimTreatment]
    screened_on: Sequence[date]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How an interim treatment stands on a day, or stood on its last one."""

    rule: str
    """With the version of the profile in force on its first day."""
    says: Interim
    days_used: int
    """Within the twelve months that end on that day, with those of earlier ones."""
    last_day: date
    """The last day on which the rule allows it; before the first one when none was left."""
    is_over: bool
    """That day has passed."""
    plan_due_on: date
    plan: State
    screens: int
    """Random drug screens in it, of the `random_screens` that are asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InterimBegun(Event):
    """An interim treatment was recorded."""

    name: ClassVar[str] = "interim.begun"


@dataclass(frozen=True, slots=True, kw_only=True)
class InterimPlanned(Event):
    """How a client goes on after an interim treatment was recorded."""

    name: ClassVar[str] = "interim.planned"


@dataclass(frozen=True, slots=True, kw_only=True)
class InterimEnded(Event):
    """An interim treatment was recorded as ended."""

    name: ClassVar[str] = "interim.ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class InterimTakenBack(Event):
    """An interim treatment was taken back."""

    name: ClassVar[str] = "interim.taken_back"


class Interims(Protocol):
    """What is kept of interim treatment. A second of the same kind is refused by its key with `InterimSettled`."""

    async def begin(self, new: InterimTreatment, /) -> None:
        """Keep one; `InterimRunning` when another of the same number was kept meanwhile."""
        ...

    async def add_plan(self, of: InterimTreatment, plan: Plan, /) -> None:
        """Keep how the client goes on."""
        ...

    async def add_end(self, of: InterimTreatment, end: End, /) -> None:
        """Keep its last day."""
        ...

    async def add_taken_back(self, wrong: InterimTreatment, mistake: Mistake, /) -> None:
        """Keep that it was a mistake."""
        ...


def last_day(started_on: date, most_days: int, months: int, before: Sequence[InterimTreatment]) -> date:
    """The last day on which no more than `most_days` lie in the `months` that end on it; before the first when none is left."""
    day = started_on
    while days_used(started_on, day, months, before) <= most_days:
        day += A_DAY
    return day - A_DAY


def days_used(started_on: date, day: date, months: int, before: Iterable[InterimTreatment]) -> int:
    """How many days of interim treatment lie in the months that end on a day, its own from `started_on` on."""
    after = day - relativedelta(months=months)
    return (day - max(started_on - A_DAY, after)).days + sum(each.days_until(day, after) for each in before)


def standing(
    one: InterimTreatment,
    all_of_client: Sequence[InterimTreatment],
    screened_on: Iterable[date],
    today: date,
    rules: Profile,
) -> Standing | None:
    """How one of ours stands on a local day; None of one elsewhere or taken back, and where the profile knows none."""
    says = rules.monitoring.interim
    if says is None or one.episode is None or one.taken_back is not None:
        return None
    start, before = one.begun.started_on, before_it(one, all_of_client)
    day = min(today, one.last_on or today)
    allowed_to = last_day(start, says.at_most_days, says.months, before)
    plan_due_on = max(start, last_day(start, says.plan_by_day, says.months, before))
    made_on = one.plan.made_on if one.plan is not None else None
    return Standing(
        rule=f"{says.rule} of {rules.label}",
        says=says,
        days_used=days_used(start, day, says.months, before),
        last_day=allowed_to,
        is_over=day > allowed_to,
        plan_due_on=plan_due_on,
        plan=_plan_state(made_on, plan_due_on, day),
        screens=len({each for each in screened_on if start <= each <= day}),
    )


def before_it(one: InterimTreatment, all_of_client: Iterable[InterimTreatment]) -> Sequence[InterimTreatment]:
    """Those of a client that began before one, without what was taken back."""
    return [each for each in all_of_client if each.taken_back is None and each.begun.started_on < one.begun.started_on]


def _plan_state(made_on: date | None, due_on: date, day: date) -> State:
    if made_on is None:
        return State.OVERDUE if day > due_on else State.DUE
    return State.DONE_LATE if made_on > due_on else State.DONE


def next_date(stands: Standing) -> date:
    """By when something is to be done about it: the plan while there is none, and then its last day."""
    return stands.plan_due_on if stands.plan in {State.DUE, State.OVERDUE} else stands.last_day


async def begin_interim(
    episode: Episode,
    begun: Begun,
    *,
    others: Sequence[InterimTreatment],
    as_id: InterimId,
    rules: Profile,
    today: date,
    by: Staff,
    now: datetime,
    interims: Interims,
    journal: Journal,
) -> InterimTreatment:
    """Record the beginning of one here, or one that was elsewhere, of a client in care.

    Raises `NotPermitted`, `NoInterimHere`, `Invalid`, `InterimRunning`, and `InterimDaysUsed` for one that begins today.
    """
    by.require(Act.ADMIT, episode.programme)
    says = rules.monitoring.interim
    if says is None:
        raise NoInterimHere("Ask the administrator which profile the programme goes by.", profile=rules.label)
    _require_days(begun, episode, today)
    one = InterimTreatment(
        id=as_id,
        client=episode.client,
        number=len(others) + 1,
        episode=episode.id if begun.elsewhere is None else None,
        begun=begun,
        recorded_by=by.id,
        recorded_at=now,
    )
    _require_alone(one, others)
    _require_days_left(one, others, today, says, rules)
    await interims.begin(one)
    journal.tell(InterimBegun(client=one.client, records=(as_id, episode.id), facts={"elsewhere": one.episode is None}))
    return one


def _require_days(begun: Begun, episode: Episode, today: date) -> None:
    faults, last = Faults(), begun.last_on
    faults.check(when=begun.started_on > today, where="started_on", problem="must not lie in the future")
    if begun.elsewhere is None:
        faults.check(
            when=begun.started_on < episode.admitted_on,
            where="started_on",
            problem=f"must not lie before the admission on {episode.admitted_on}; name the programme of an earlier one",
        )
        faults.check(when=last is not None, where="last_on", problem="end one of ours by an end of its own")
    else:
        faults.check(
            when=not 0 < len(begun.elsewhere.strip()) <= LONGEST_NAME,
            where="elsewhere",
            problem=f"name the programme, in {LONGEST_NAME} characters at most",
        )
        faults.check(
            when=last is None or not begun.started_on <= last <= today,
            where="last_on",
            problem="say the last day of one elsewhere, not before the first one and not after today",
        )
    faults.raise_if_any()


def _require_alone(one: InterimTreatment, others: Iterable[InterimTreatment]) -> None:
    ends = one.last_on or date.max
    for each in others:
        if (
            each.taken_back is None
            and each.begun.started_on <= ends
            and one.begun.started_on <= (each.last_on or date.max)
        ):
            raise InterimRunning(
                "End that one first, or take it back if it is wrong.",
                interim=str(each.id),
                started_on=str(each.begun.started_on),
                last_on=str(each.last_on),
            )


def _require_days_left(
    one: InterimTreatment, others: Sequence[InterimTreatment], today: date, says: Interim, rules: Profile
) -> None:
    """Of what is about to begin; what has begun is recorded all the same, and listed."""
    start, before = one.begun.started_on, before_it(one, others)
    if one.episode is None or start < today or last_day(start, says.at_most_days, says.months, before) >= start:
        return
    raise InterimDaysUsed(
        f"{says.says} Admit the client to comprehensive treatment, or refer them.",
        rule=f"{says.rule} of {rules.label}",
        at_most_days=says.at_most_days,
        months=says.months,
        used=[{"first_on": str(each.begun.started_on), "last_on": str(each.last_on)} for each in before],
    )


async def plan_on(
    one: InterimTreatment,
    made_on: date,
    made_by: str,
    *,
    today: date,
    by: Staff,
    now: datetime,
    interims: Interims,
    journal: Journal,
) -> InterimTreatment:
    """Record the plan for going on. Raises `Invalid`, `InterimSettled`."""
    _require_counts(one)
    faults = Faults()
    _check_day(faults, made_on, "made_on", one, today)
    faults.check(
        when=not 0 < len(made_by.strip()) <= LONGEST_NAME,
        where="made_by",
        problem=f"name who made it, in {LONGEST_NAME} characters at most",
    )
    faults.raise_if_any()
    if one.plan is not None:
        raise InterimSettled(READ_AGAIN)
    plan = Plan(made_on=made_on, made_by=made_by, recorded_by=by.id, recorded_at=now)
    await interims.add_plan(one, plan)
    journal.tell(InterimPlanned(client=one.client, records=(one.id,)))
    return replace(one, plan=plan)


async def end_interim(
    one: InterimTreatment,
    last_on: date,
    how: Ended,
    *,
    today: date,
    by: Staff,
    now: datetime,
    interims: Interims,
    journal: Journal,
) -> InterimTreatment:
    """Record its last day. Raises `Invalid`, `InterimSettled`."""
    _require_counts(one)
    faults = Faults()
    _check_day(faults, last_on, "last_on", one, today)
    faults.raise_if_any()
    if one.last_on is not None:
        raise InterimSettled(READ_AGAIN)
    end = End(last_on=last_on, how=how, recorded_by=by.id, recorded_at=now)
    await interims.add_end(one, end)
    journal.tell(InterimEnded(client=one.client, records=(one.id,), facts={"how": how}))
    return replace(one, end=end)


def _check_day(faults: Faults, day: date, where: str, one: InterimTreatment, today: date) -> None:
    faults.check(
        when=not one.begun.started_on <= day <= today,
        where=where,
        problem=f"must lie between its first day, {one.begun.started_on}, and today",
    )


def _require_counts(one: InterimTreatment) -> None:
    if one.taken_back is not None:
        raise InterimSettled(READ_AGAIN)


async def take_back_interim(
    one: InterimTreatment, reason: str, *, by: Staff, now: datetime, interims: Interims, journal: Journal
) -> InterimTreatment:
    """Say that it was recorded by mistake, with all that was said of it. Raises `Invalid`, `InterimSettled`."""
    if not 0 < len(reason.strip()) <= LONGEST_TEXT:
        raise Invalid(Fault("reason", f"say what was wrong, in {LONGEST_TEXT} characters at most"))
    _require_counts(one)
    mistake = Mistake(reason=reason, by=by.id, at=now)
    await interims.add_taken_back(one, mistake)
    journal.tell(InterimTakenBack(client=one.client, records=(one.id,)))
    return replace(one, taken_back=mistake)
