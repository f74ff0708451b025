"""How many days of interim treatment were used, which is the last, and by when the plan is made."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from dateutil.relativedelta import relativedelta

from caseload.domain.admission import State
from caseload.domain.interim.treatment import A_DAY, InterimTreatment
from caseload.domain.profiles import Profile
from caseload.domain.profiles.monitoring import Interim


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
