"""Check-ins of a programme that moves to another time zone: each day of the plan once, by the clock on the wall."""

import asyncio
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as some

from caseload.domain.access import Role
from caseload.domain.checkin import (
    AskedBy,
    Attempt,
    Ended,
    Mode,
    Outcome,
    PlanStopped,
    Record,
    Result,
    Terms,
    follow_zone,
    one_after_another,
    overdue,
    plan_check_ins,
    reschedule,
    schedule_ahead,
    stop_plan,
)
from caseload.domain.errors import Invalid
from caseload.domain.ids import PlanId, ProgrammeId, new_id
from caseload.domain.schedule import Recurrence, Unit, instant, occurrences
from caseload.domain.zones import MovedZone, can_give_way
from tests.factories.checkin import MONDAY, MORNING, NEW_YORK, Kept, Remembered, counsellor, daily, episode, terms

pytestmark = pytest.mark.anyio

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
LOS_ANGELES = ZoneInfo("America/Los_Angeles")
ZONES = tuple(
    ZoneInfo(name)
    for name in ("America/New_York", "America/Los_Angeles", "Europe/London", "Asia/Kathmandu", "Australia/Sydney")
)
PROGRAMME = ProgrammeId(new_id())
ROBIN = counsellor(PROGRAMME, role=Role.SUPERVISOR)


class House:
    """A plan, and a programme that may move."""

    def __init__(self) -> None:
        self.kept, self.journal, self.id = Kept(), Remembered(), PlanId(new_id())

    async def planned(self, *phases: Terms, now: datetime = MORNING) -> None:
        first, *later = one_after_another(phases)
        await plan_check_ins(
            episode(programme=PROGRAMME),
            first,
            later=tuple(later),
            as_id=self.id,
            by=ROBIN,
            now=now,
            plans=self.kept,
            journal=self.journal,
        )

    async def follows(self, zone: ZoneInfo, *, now: datetime) -> None:
        plan = self.kept.plans[self.id]
        await follow_zone(plan, zone, by=ROBIN, now=now, plans=self.kept, journal=self.journal)

    def of(self, day: date) -> list[Record]:
        """The check-ins of a day that have not been withdrawn."""
        return [each for each in self.there() if each.check_in.scheduled_on == day]

    def there(self) -> list[Record]:
        return [
            each for each in self.kept.of(self.id) if each.outcome is None or each.outcome.ended is not Ended.WITHDRAWN
        ]

    async def tried(self, record: Record, *, at: datetime) -> None:
        tried = Attempt(
            id=new_id(),
            check_in=record.check_in.id,
            attempted_at=at,
            mode=Mode.TELEPHONE,
            result=Result.NO_ANSWER,
            note=None,
            recorded_by=ROBIN.id,
            recorded_at=at,
        )
        await self.kept.add_attempt(tried, self.kept.waiting[record.check_in.id])


def moved(*zones: ZoneInfo, at: datetime) -> ZoneInfo:
    return MovedZone.of(zones, [at])


@some.composite
def plans(draw: some.DrawFn) -> list[Terms]:
    zone = draw(some.sampled_from(ZONES))
    starts_on = date(draw(some.sampled_from([2026, 2028])), draw(some.integers(1, 12)), draw(some.integers(1, 28)))
    at = time(draw(some.integers(0, 23)), draw(some.sampled_from([0, 30])))
    unit = draw(some.sampled_from([Unit.DAYS, Unit.MONTHS]))
    rule = Recurrence(
        every=draw(some.integers(1, 3)),
        unit=unit,
        at=at,
        starts_on=starts_on,
        month_day=draw(some.integers(1, 31)) if unit is Unit.MONTHS else None,
        ends_on=draw(some.none() | some.integers(1, 40).map(lambda days: starts_on + days * DAY)),
    )
    later = daily(every=5, at=at, starts_on=starts_on + 20 * DAY)
    return [terms(rule, zone=zone), *([terms(later, zone=zone)] if draw(some.booleans()) else [])]


@given(plans(), some.sampled_from(ZONES), some.integers(-12, 45 * 24), some.integers(0, 72), some.integers(0, 40))
def test_each_day_of_a_plan_is_due_once_whenever_the_programme_moves_and_the_plan_follows(
    phases: list[Terms], to: ZoneInfo, moves_after: int, follows_after: int, done: int
) -> None:
    zone, first = phases[0].zone, phases[0].rule.starts_on
    begins = datetime.combine(first, time(12), UTC) - DAY
    moves_at = begins + moves_after * HOUR
    assume(to.key != zone.key and moves_at >= begins and can_give_way(moves_at, zone, to))
    house, now = House(), moves_at + follows_after * HOUR

    async def story() -> None:
        await house.planned(*phases, now=begins)
        await schedule_ahead(now=moves_at, plans=house.kept, journal=house.journal)
        for record in house.kept.of(house.id)[:done]:
            if record.due_at < now + 2 * DAY:
                await settle(house, record, now=now)
        await house.follows(moved(zone, to, at=moves_at), now=now)
        await schedule_ahead(now=now + DAY, plans=house.kept, journal=house.journal)

    asyncio.run(story())
    last = max((each.check_in.scheduled_on for each in house.there()), default=first)
    wanted = [
        each.on for one in one_after_another(phases) for each in occurrences(one.rule, zone, first=first, last=last)
    ]
    assert [each.check_in.scheduled_on for each in house.there()] == wanted
    stays = max(now.astimezone(zone).date(), now.astimezone(to).date())
    for each in house.there():
        on = each.check_in.scheduled_on
        by = to if on > stays and each.outcome is None else zone
        assert each.due_at == instant(datetime.combine(on, each.terms.rule.at), by)
        assert each.grace_ends_at == each.terms.grace_ends_at(each.due_at)


async def settle(house: House, record: Record, *, now: datetime) -> None:
    done = Outcome(
        check_in=record.check_in.id,
        version=1,
        ended=Ended.MISSED,
        reason="Never came",
        recorded_by=ROBIN.id,
        recorded_at=now,
    )
    await house.kept.add_outcomes([done], [])


async def test_what_somebody_has_touched_stays_the_check_in_that_it_is_and_shows_the_same_on_the_clock() -> None:
    house = House()
    await house.planned(terms(daily()))
    _, tuesday, wednesday, thursday, *_ = house.kept.of(house.id)
    await reschedule(
        wednesday.check_in.id,
        due_at=wednesday.due_at + 6 * HOUR,
        asked_by=AskedBy.CLIENT,
        reason="Work",
        by=ROBIN,
        now=MORNING,
        check_ins=house.kept,
        journal=house.journal,
    )
    await house.tried(tuesday, at=MORNING)
    limit = house.kept.records[wednesday.check_in.id].movable_until

    await house.follows(moved(NEW_YORK, LOS_ANGELES, at=MORNING + HOUR), now=MORNING + 2 * HOUR)

    [still] = house.of(MONDAY + DAY)
    assert (still.check_in.id, len(still.attempts)) == (tuesday.check_in.id, 1)
    assert still.due_at == datetime(2026, 6, 2, 16, tzinfo=UTC)
    assert still.grace_ends_at == tuesday.grace_ends_at + 3 * HOUR
    [later] = house.of(MONDAY + 2 * DAY)
    assert later.check_in.id == wednesday.check_in.id
    assert later.due_at == datetime(2026, 6, 3, 22, tzinfo=UTC)
    assert [move.asked_by for move in later.moves] == [AskedBy.CLIENT, AskedBy.ZONE]
    assert later.movable_until == limit
    [anew] = house.of(MONDAY + 3 * DAY)
    assert anew.check_in.id != thursday.check_in.id
    assert house.kept.waiting[later.check_in.id].due_at == later.due_at


async def test_the_day_of_the_move_stays_as_it_was_and_so_does_what_is_overdue() -> None:
    house = House()
    await house.planned(terms(daily()))
    now = MORNING + 3 * DAY
    before = [each for each in house.kept.of(house.id) if each.check_in.scheduled_on <= MONDAY + 3 * DAY]
    late = overdue(before, now=now)
    await house.follows(moved(NEW_YORK, LOS_ANGELES, at=now), now=now)
    assert [each for each in house.there() if each.check_in.scheduled_on <= MONDAY + 3 * DAY] == before
    assert overdue(house.there(), now=now) == late != []


async def test_a_plan_whose_last_day_is_over_follows_without_a_new_check_in_and_a_stopped_one_cannot() -> None:
    house = House()
    await house.planned(terms(daily(ends_on=MONDAY + DAY)))
    now = MORNING + DAY
    there = house.there()
    await house.follows(moved(NEW_YORK, LOS_ANGELES, at=now), now=now)
    assert house.there() == there
    plan = house.kept.plans[house.id]
    assert (plan.version.version, [each.zone.key for each in plan.version.phases]) == (2, ["America/Los_Angeles"])
    await stop_plan(plan, at=now, reason="Moved away", by=ROBIN, now=now, plans=house.kept, journal=house.journal)
    with pytest.raises(PlanStopped):
        await house.follows(NEW_YORK, now=now)


async def test_a_plan_that_is_behind_is_scheduled_up_to_the_day_of_the_move_first() -> None:
    house = House()
    await house.planned(terms(daily()))
    behind = house.kept.plans[house.id].scheduled_through
    now = MORNING + 400 * DAY
    await house.follows(moved(NEW_YORK, LOS_ANGELES, at=now), now=now)
    days = [each.check_in.scheduled_on for each in house.there()]
    assert behind < MONDAY + 400 * DAY
    assert len(days) == len(set(days))
    assert {MONDAY + number * DAY for number in range(402)} <= set(days)


async def test_nobody_asks_for_a_move_to_another_zone_by_hand() -> None:
    house = House()
    await house.planned(terms(daily()))
    record = house.kept.of(house.id)[1]
    with pytest.raises(Invalid, match="asked_by"):
        await reschedule(
            record.check_in.id,
            due_at=record.due_at + HOUR,
            asked_by=AskedBy.ZONE,
            reason="Why not",
            by=ROBIN,
            now=MORNING,
            check_ins=house.kept,
            journal=house.journal,
        )
