"""More contact for a while: one step more often, until it ends by itself and the plan's phases count again."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta

import pytest

from caseload.domain.access import Role
from caseload.domain.checkin import (
    NothingToStepUp,
    Occurred,
    Plan,
    PlanStopped,
    PlanVersion,
    StepUpGround,
    Terms,
    change_plan,
    decide_step_up,
    one_after_another,
    plan_check_ins,
    stop_plan,
)
from caseload.domain.checkin.stepping import raised
from caseload.domain.errors import Invalid, NotPermitted
from caseload.domain.ids import PlanId, ProgrammeId, new_id
from caseload.domain.profiles import profiles
from caseload.domain.schedule import Recurrence, Unit, Weekday
from tests.factories.checkin import MONDAY, MORNING, Kept, Remembered, counsellor, daily, episode, terms

pytestmark = pytest.mark.anyio

UK = profiles()["UK"][-1]
DAY = timedelta(days=1)
PROGRAMME = ProgrammeId(new_id())


class Versioned(Kept):
    """A store that remembers the versions it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.numbered: dict[tuple[PlanId, int], PlanVersion] = {}

    async def add(self, plan: Plan) -> None:
        self.numbered[plan.id, plan.version.version] = plan.version
        await super().add(plan)

    async def add_version(self, plan: Plan) -> None:
        self.numbered[plan.id, plan.version.version] = plan.version
        await super().add_version(plan)

    async def version(self, plan: PlanId, number: int, /) -> PlanVersion:
        return self.numbered[plan, number]


def weeks(every: int, day: int = 0) -> Recurrence:
    return Recurrence(every=every, unit=Unit.WEEKS, weekday=Weekday.MONDAY, at=time(9), starts_on=MONDAY + day * DAY)


def monthly() -> Recurrence:
    return Recurrence(every=1, unit=Unit.MONTHS, month_day=3, at=time(9), starts_on=MONDAY)


class Client:
    """One client with a plan, and whoever counsels them."""

    def __init__(self) -> None:
        self.kept, self.journal, self.by = Versioned(), Remembered(), counsellor(PROGRAMME)
        self.id = PlanId(new_id())

    async def planned(self, *phases: Terms) -> Plan:
        first, *later = one_after_another(phases)
        await plan_check_ins(
            episode(programme=PROGRAMME),
            first,
            later=tuple(later),
            as_id=self.id,
            by=self.by,
            now=MORNING,
            plans=self.kept,
            journal=self.journal,
        )
        return self.plan

    @property
    def plan(self) -> Plan:
        return self.kept.plans[self.id]

    async def steps_up(
        self, on: date = MONDAY, *, now: datetime = MORNING, ground: StepUpGround = StepUpGround.RELAPSE
    ) -> Plan:
        await decide_step_up(
            self.plan,
            Occurred(ground=ground, on=on),
            rules=UK,
            by=self.by,
            now=now,
            plans=self.kept,
            journal=self.journal,
        )
        return self.plan

    def due(self) -> list[int]:
        """The days that still wait, counted from the first Monday."""
        waits = [one.check_in.scheduled_on for one in self.kept.of(self.id) if one.outcome is None]
        return sorted((day - MONDAY).days for day in waits)


async def test_every_two_weeks_becomes_weekly_on_the_same_weekday_from_the_day_after() -> None:
    client = Client()
    await client.planned(terms(weeks(2)))
    assert client.due() == [0, 14, 28, 42, 56]

    plan = await client.steps_up()

    assert client.due() == [0, 7, 14, 21, 28, 35, 42, 49, 56]
    assert [each.rule.words for each in plan.version.phases] == [
        "every week on Monday at 09:00",
        "every 2 weeks on Monday at 09:00",
    ]
    step_up = plan.version.step_up
    assert step_up is not None
    assert (step_up.last_on, step_up.base_version, step_up.rule) == (
        MONDAY + 90 * DAY, 1, "UK-1 uk.check_in_step_up",
    )  # fmt: skip
    assert client.journal.events[-1].facts == {"version": 2, "ground": "relapse"}


def until(base: Plan, *, last: int, first: int = 1) -> list[tuple[str, int, int | None]]:
    """Words, first and last day of the phases that are raised between two days."""
    found = raised(base.version, UK, begins_on=MONDAY + first * DAY, last_on=MONDAY + last * DAY)
    return [
        (
            each.rule.words.removesuffix(" at 09:00"),
            (each.rule.starts_on - MONDAY).days,
            None if each.rule.ends_on is None else (each.rule.ends_on - MONDAY).days,
        )
        for each in found
    ]


async def test_it_ends_by_itself_and_goes_back_to_the_phase_of_that_day_in_its_own_step() -> None:
    base = await Client().planned(terms(weeks(2)), terms(weeks(4, 70)), terms(weeks(13, 140)))
    assert until(base, last=30) == [
        ("every week on Monday", 1, 30),
        ("every 2 weeks on Monday", 42, 69),
        ("every 4 weeks on Monday", 70, 139),
        ("every 13 weeks on Monday", 140, None),
    ]
    # The fourth weeks of the second phase are days 70, 98 and 126: on day 99 its next is 126.
    assert until(base, last=98)[1:] == [("every 4 weeks on Monday", 126, 139), ("every 13 weeks on Monday", 140, None)]
    assert until(base, last=139)[1:] == [("every 13 weeks on Monday", 140, None)]


async def test_one_step_is_from_the_phase_in_which_it_begins() -> None:
    base = await Client().planned(terms(weeks(2)), terms(weeks(4, 70)), terms(weeks(13, 140)))
    assert [until(base, first=first, last=first + 20)[0][0] for first in (69, 70, 139, 140)] == [
        "every week on Monday",
        "every 2 weeks on Monday",
        "every 2 weeks on Monday",
        "every 4 weeks on Monday",
    ]


async def test_by_the_month_becomes_every_two_weeks_on_the_weekday_of_the_next_one() -> None:
    base = await Client().planned(terms(monthly()))
    assert until(base, first=5, last=40) == [("every 2 weeks on Friday", 5, 40), ("every month on day 3", 63, None)]


async def test_weekly_stays_weekly_until_then_and_does_not_become_rarer_meanwhile() -> None:
    base = await Client().planned(terms(weeks(1)), terms(weeks(2, 28)))
    assert until(base, last=90) == [("every week on Monday", 7, 90), ("every 2 weeks on Monday", 98, None)]
    assert until(base, last=27) == []
    assert until(base, last=28)[0] == ("every week on Monday", 7, 28)
    assert until(base, first=22, last=40)[0] == ("every week on Monday", 22, 40)


async def test_a_plan_that_ends_is_not_made_longer() -> None:
    rule = replace(weeks(2), ends_on=MONDAY + 40 * DAY)
    base = await Client().planned(terms(rule))
    assert until(base, last=90) == [("every week on Monday", 1, 40)]
    assert until(base, first=41, last=90) == []
    assert until(base, first=40, last=90) == [("every week on Monday", 40, 40)]


async def test_a_plan_that_has_not_begun_is_raised_from_its_first_day() -> None:
    base = await Client().planned(terms(weeks(2, 7)))
    assert until(base, last=30)[0] == ("every week on Monday", 7, 30)
    assert until(base, last=6) == []


@pytest.mark.parametrize(("ago", "steps"), [(88, True), (89, True), (90, False), (400, False)])
async def test_the_days_are_counted_from_when_it_happened(ago: int, *, steps: bool) -> None:
    client = Client()
    await client.planned(terms(weeks(2)))
    if steps:
        plan = await client.steps_up(MONDAY - ago * DAY)
        assert plan.version.phases[0].rule.ends_on == MONDAY + (90 - ago) * DAY
    else:
        with pytest.raises(NothingToStepUp):
            await client.steps_up(MONDAY - ago * DAY)


async def test_a_second_one_makes_it_longer_and_still_goes_back_to_what_people_decided() -> None:
    client = Client()
    await client.planned(terms(weeks(4)))
    await client.steps_up()
    with pytest.raises(NothingToStepUp):
        await client.steps_up(ground=StepUpGround.OVERDOSE)

    later = MORNING + 10 * DAY
    plan = await client.steps_up(MONDAY + 10 * DAY, now=later, ground=StepUpGround.OVERDOSE)
    step_up = plan.version.step_up
    assert step_up is not None
    assert (step_up.base_version, step_up.last_on) == (1, MONDAY + 100 * DAY)
    assert [each.rule.every for each in plan.version.phases] == [2, 4], "one step from the plan, not from the step"


async def test_what_people_decide_meanwhile_counts() -> None:
    client = Client()
    await client.planned(terms(weeks(4)))
    plan = await client.steps_up()
    await change_plan(
        plan,
        terms(weeks(13)),
        reason="Moved away",
        by=client.by,
        now=MORNING,
        plans=client.kept,
        journal=client.journal,
    )
    assert client.plan.version.step_up is None
    assert (await client.steps_up()).version.phases[0].rule.every == 4


async def test_who_may_not_plan_may_not_and_nobody_knows_what_has_not_happened() -> None:
    client = Client()
    await client.planned(terms(daily(every=14)))
    with pytest.raises(Invalid, match="must not be in the future"):
        await client.steps_up(MONDAY + DAY)
    client.by = counsellor(PROGRAMME, role=Role.NURSE)
    with pytest.raises(NotPermitted):
        await client.steps_up()


async def test_a_stopped_plan_is_not_brought_back() -> None:
    client = Client()
    plan = await client.planned(terms(weeks(2)))
    await stop_plan(
        plan, at=MORNING, reason="Left", by=client.by, now=MORNING, plans=client.kept, journal=client.journal
    )
    with pytest.raises(PlanStopped):
        await client.steps_up()
    assert raised(client.plan.version, UK, begins_on=MONDAY, last_on=MONDAY + DAY) == ()
