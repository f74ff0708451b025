"""Phases of a plan: each from a day to a day, and every check-in by the terms of its own."""

from dataclasses import replace
from datetime import date, time, timedelta

import msgspec
import pytest

from caseload.domain.checkin import Plan, Terms, one_after_another, plan_check_ins, upcoming, usual_phases
from caseload.domain.checkin.phases import MOST_PHASES, check_phases
from caseload.domain.errors import Invalid
from caseload.domain.ids import PlanId, ProgrammeId, new_id
from caseload.domain.profiles import profiles
from caseload.domain.profiles.checkins import PhaseStep, wrong_phases
from caseload.domain.schedule import LATEST, Recurrence, Unit, Weekday
from tests.factories.checkin import MONDAY, MORNING, Kept, Remembered, counsellor, daily, episode, terms

pytestmark = pytest.mark.anyio

UK = profiles()["UK"][-1]
DAY = timedelta(days=1)
PROGRAMME = ProgrammeId(new_id())


async def planned(kept: Kept, first: Terms, *later: Terms) -> Plan:
    made = await plan_check_ins(
        episode(programme=PROGRAMME),
        first,
        later=later,
        as_id=PlanId(new_id()),
        by=counsellor(PROGRAMME),
        now=MORNING,
        plans=kept,
        journal=Remembered(),
    )
    return kept.plans[made.id]


def weeks(every: int, starts_on: date = MONDAY, ends_on: date | None = None) -> Recurrence:
    return Recurrence(
        every=every, unit=Unit.WEEKS, weekday=Weekday.MONDAY, at=time(9), starts_on=starts_on, ends_on=ends_on
    )


def phased(*starts: tuple[int, int], ends_on: date | None = None) -> tuple[Terms, ...]:
    """Terms for `(from_day, every_weeks)`."""
    found = [terms(weeks(every, MONDAY + day * DAY)) for day, every in starts]
    return one_after_another((*found[:-1], replace(found[-1], rule=replace(found[-1].rule, ends_on=ends_on))))


def coming(plan: Plan, *, days: int) -> list[tuple[int, int]]:
    """Day and phase of what is made, round after round, as far as so many days of the plan."""
    made: list[tuple[int, int]] = []
    now = MORNING
    while plan.scheduled_through < MONDAY + days * DAY:
        check_ins, through = upcoming(plan, now=now)
        assert through > plan.scheduled_through
        made += [((each.scheduled_on - MONDAY).days, each.phase) for each in check_ins]
        plan, now = replace(plan, scheduled_through=through), now + DAY
    return [each for each in made if each[0] <= days]


async def test_a_plan_steps_down_from_phase_to_phase() -> None:
    plan = await planned(Kept(), *phased((0, 1), (28, 2), (91, 4)))

    assert coming(replace(plan, scheduled_through=MONDAY - DAY), days=150) == [
        (0, 1), (7, 1), (14, 1), (21, 1),
        (28, 2), (42, 2), (56, 2), (70, 2), (84, 2),
        (91, 3), (119, 3), (147, 3),
    ]  # fmt: skip


async def test_each_check_in_goes_by_the_grace_of_its_phase() -> None:
    first, second = phased((0, 1), (28, 2))
    kept = Kept()
    plan = await planned(kept, first, replace(second, grace_days=3))

    slack = {one.check_in.phase: one.grace_ends_at - one.due_at for one in kept.of(plan.id)}
    assert slack == {1: DAY, 2: 3 * DAY}


async def test_a_plan_whose_last_phase_ends_is_scheduled_for_good() -> None:
    kept = Kept()
    plan = await planned(kept, *phased((0, 1), (28, 2), ends_on=MONDAY + 42 * DAY))

    assert [one.check_in.scheduled_on for one in kept.of(plan.id)] == [
        MONDAY + day * DAY for day in (0, 7, 14, 21, 28, 42)
    ]
    assert plan.scheduled_through == LATEST


def test_each_phase_lasts_until_the_day_before_the_next() -> None:
    assert [each.rule.ends_on for each in phased((0, 1), (28, 2), (91, 4), ends_on=MONDAY + 200 * DAY)] == [
        MONDAY + 27 * DAY,
        MONDAY + 90 * DAY,
        MONDAY + 200 * DAY,
    ]


@pytest.mark.parametrize("starts", [((0, 1), (0, 2)), ((0, 1), (28, 2), (28, 4)), ((0, 1), (28, 2), (27, 4))])
def test_phases_that_do_not_follow_each_other_are_refused(starts: tuple[tuple[int, int], ...]) -> None:
    with pytest.raises(Invalid, match="must be after the phase before it"):
        phased(*starts)


def test_a_phase_that_overlaps_the_next_or_has_no_end_before_it_is_refused() -> None:
    second = terms(weeks(2, MONDAY + 28 * DAY))
    for ends_on in (None, MONDAY + 28 * DAY):
        with pytest.raises(Invalid, match=r"phases\.0\.starts_on"):
            check_phases((terms(weeks(1, ends_on=ends_on)), second))
    check_phases((terms(weeks(1, ends_on=MONDAY + 27 * DAY)), second))


def test_there_is_an_end_to_the_number_of_phases() -> None:
    phased(*((7 * number, 1) for number in range(MOST_PHASES)))
    with pytest.raises(Invalid, match=f"at most {MOST_PHASES - 1}"):
        phased(*((7 * number, 1) for number in range(MOST_PHASES + 1)))


def test_the_profile_suggests_weekly_then_rarer_on_the_same_weekday() -> None:
    found = usual_phases(terms(weeks(1)), UK)
    assert [(each.rule.words, (each.rule.starts_on - MONDAY).days, each.grace_days) for each in found] == [
        ("every week on Monday at 09:00", 0, 1),
        ("every 2 weeks on Monday at 09:00", 28, 3),
        ("every 4 weeks on Monday at 09:00", 91, 7),
        ("every 13 weeks on Monday at 09:00", 365, 7),
    ]
    assert {each.grace_rule for each in found[1:]} == {"UK-1 uk.check_in_grace"}


@pytest.mark.parametrize(
    ("rule", "days"),
    [
        (daily(), [0, 28, 91, 365]),
        (weeks(2), [0, 91, 365]),
        (weeks(13), [0]),
        (weeks(1, ends_on=MONDAY + 90 * DAY), [0, 28]),
        (weeks(1, ends_on=MONDAY + 91 * DAY), [0, 28, 91]),
    ],
)
def test_what_is_not_rarer_or_comes_too_late_is_left_out(rule: Recurrence, days: list[int]) -> None:
    found = usual_phases(terms(rule), UK)
    assert [(each.rule.starts_on - MONDAY).days for each in found] == days
    assert found[-1].rule.ends_on == rule.ends_on


@pytest.mark.parametrize(
    ("steps", "days", "said"),
    [
        ((), 90, "must begin on day 0"),
        (((1, 1),), 90, "must begin on day 0"),
        (((0, 0),), 90, "must begin on day 0"),
        (((0, 1), (28, 1)), 90, "become rarer"),
        (((0, 1), (0, 2)), 90, "become rarer"),
        (((0, 53),), 90, "every 52 weeks"),
        (((0, 52),), 0, "step_up.days must lie between 1 and 366"),
        (((0, 52),), 367, "step_up.days must lie between 1 and 366"),
    ],
)
def test_a_profile_whose_phases_contradict_themselves_is_refused(
    steps: tuple[tuple[int, int], ...], days: int, said: str
) -> None:
    found = msgspec.structs.replace(
        UK.check_ins,
        phases=tuple(PhaseStep(from_day=day, every_weeks=weeks) for day, weeks in steps),
        step_up=msgspec.structs.replace(UK.check_ins.step_up, days=days),
    )
    assert [problem for problem in wrong_phases(found) if said in problem]


@pytest.mark.parametrize(
    ("field", "last", "first_refused"),
    [("dose_change_percent", 0, -1), ("relapse_use_days", 1, 0), ("relapse_use_days", 28, 29)],
)
def test_what_a_profile_may_say_of_a_relapse_and_a_changed_dose(field: str, last: int, first_refused: int) -> None:
    def wrong(value: int) -> list[str]:
        step_up = msgspec.structs.replace(UK.check_ins.step_up, **{field: value})
        return list(wrong_phases(msgspec.structs.replace(UK.check_ins, step_up=step_up)))

    assert wrong(last) == []
    assert field in wrong(first_refused)[0]


@pytest.mark.parametrize(("steps", "days"), [(((0, 1),), 1), (((0, 52),), 366), (((0, 1), (1, 2)), 90)])
def test_the_last_that_a_profile_may_say(steps: tuple[tuple[int, int], ...], days: int) -> None:
    found = msgspec.structs.replace(
        UK.check_ins,
        phases=tuple(PhaseStep(from_day=day, every_weeks=weeks) for day, weeks in steps),
        step_up=msgspec.structs.replace(UK.check_ins.step_up, days=days),
    )
    assert list(wrong_phases(found)) == []
