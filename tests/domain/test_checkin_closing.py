"""Check-ins around closure days: due on the next open day, graced by open days, and closed before or after all the same."""

import asyncio
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from caseload.domain.access import Role
from caseload.domain.checkin import (
    AskedBy,
    LastFact,
    Mode,
    Record,
    Terms,
    complete,
    make_way,
    overdue,
    plan_check_ins,
    reschedule,
    waiting,
)
from caseload.domain.checkin.closing import around
from caseload.domain.errors import Invalid
from caseload.domain.ids import PlanId, ProgrammeId, new_id
from caseload.domain.profiles.selected import Selected
from caseload.domain.programme import Programme
from caseload.domain.schedule import Recurrence
from tests.factories.checkin import (
    MONDAY,
    MORNING,
    NEW_YORK,
    Kept,
    Remembered,
    counsellor,
    daily,
    episode,
    terms,
    weekly,
)

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)
NINE = datetime(2026, 6, 1, 13, tzinfo=UTC)
"""Monday 1 June 2026, 09:00 in New York."""
HOUSE = Programme(id=ProgrammeId(new_id()), code="H", name="House", time_zone=NEW_YORK.key, profiles=Selected("US"))
ROBIN, SAM = counsellor(HOUSE.id), counsellor(HOUSE.id, role=Role.SUPERVISOR)


async def planned(kept: Kept, of: Terms, *, now: datetime = MORNING) -> list[Record]:
    plan = await plan_check_ins(
        episode(programme=HOUSE.id), of, as_id=PlanId(new_id()), by=ROBIN, now=now, plans=kept, journal=Remembered()
    )
    return kept.of(plan.id)


async def close(kept: Kept, *days: date, now: datetime = MORNING) -> int:
    kept.closed |= set(days)
    return await make_way(HOUSE, days, by=SAM, now=now, check_ins=kept, journal=Remembered())


def days_of(records: list[Record]) -> list[tuple[date, date, date]]:
    """Of each: the day the rule names, the local day it is due, the local day its grace ends."""
    return [
        (
            one.check_in.scheduled_on,
            one.due_at.astimezone(NEW_YORK).date(),
            one.grace_ends_at.astimezone(NEW_YORK).date(),
        )
        for one in records
    ]


async def test_what_falls_on_a_closed_day_is_due_at_the_same_hour_of_the_next_open_one() -> None:
    kept = Kept(closed={MONDAY + 7 * DAY, MONDAY + 8 * DAY})
    first, second, third = (await planned(kept, terms(weekly())))[:3]
    assert days_of([first, second, third]) == [
        (MONDAY, MONDAY, MONDAY + DAY),
        (MONDAY + 7 * DAY, MONDAY + 9 * DAY, MONDAY + 10 * DAY),
        (MONDAY + 14 * DAY, MONDAY + 14 * DAY, MONDAY + 15 * DAY),
    ]
    assert second.due_at == NINE + 9 * DAY


@pytest.mark.parametrize(
    ("grace", "closed", "ends"),
    [
        (0, {1}, 0),
        (1, set[int](), 1),
        (1, {1}, 2),
        (1, {1, 2}, 3),
        (1, {2}, 1),
        (2, {2}, 3),
        (3, {1, 3, 5}, 6),
    ],
)
async def test_no_day_of_grace_is_a_closed_one(grace: int, closed: set[int], ends: int) -> None:
    kept = Kept(closed={MONDAY + each * DAY for each in closed})
    first = (await planned(kept, terms(weekly(), grace_days=grace)))[0]
    assert first.grace_ends_at == NINE + ends * DAY
    assert not overdue([first], now=first.grace_ends_at)
    assert overdue([first], now=first.grace_ends_at + timedelta(minutes=1))


async def test_nobody_is_expected_twice_on_the_morning_after() -> None:
    sunday = MONDAY + 6 * DAY
    kept = Kept(closed={sunday - DAY, sunday})
    found = [on for on, *_ in days_of(await planned(kept, terms(daily())))]
    assert sunday - DAY not in found
    assert sunday not in found
    assert {sunday - 2 * DAY, sunday + DAY} <= set(found)


async def test_the_last_one_moves_beyond_the_end_of_the_rule() -> None:
    kept = Kept(closed={MONDAY + 3 * DAY})
    found = days_of(await planned(kept, terms(daily(ends_on=MONDAY + 3 * DAY), grace_days=0)))
    assert found[-1] == (MONDAY + 3 * DAY, MONDAY + 4 * DAY, MONDAY + 4 * DAY)


async def test_the_hour_on_the_wall_stays_when_the_clocks_change_over_a_closed_day() -> None:
    saturday = date(2026, 10, 31)
    kept = Kept(closed={saturday, saturday + DAY})
    rule = daily(every=7, starts_on=saturday, at=time(9))
    first = (await planned(kept, terms(rule)))[0]
    assert first.check_in.due_at == datetime(2026, 11, 2, 14, tzinfo=UTC), "09:00 at five hours, and not at four"


async def test_a_contact_on_the_day_that_the_rule_named_still_counts() -> None:
    kept = Kept(closed={MONDAY})
    first = (await planned(kept, terms(weekly(), early_days=0)))[0]
    assert (first.due_at, first.counts_from) == (NINE + DAY, NINE)
    done = await complete(
        first.check_in.id,
        occurred_at=NINE,
        mode=Mode.TELEPHONE,
        note=None,
        by=ROBIN,
        now=NINE,
        check_ins=kept,
        journal=Remembered(),
    )
    assert done.occurred_at == NINE


async def test_a_day_that_is_closed_later_moves_what_waits_and_says_so_once() -> None:
    kept = Kept()
    first = (await planned(kept, terms(weekly())))[0]
    journal = Remembered()
    kept.closed = {MONDAY}
    later = MORNING + timedelta(minutes=1)
    assert await make_way(HOUSE, [MONDAY], by=SAM, now=later, check_ins=kept, journal=journal) == 1
    assert await make_way(HOUSE, [MONDAY], by=SAM, now=later, check_ins=kept, journal=journal) == 0
    moved = kept.records[first.check_in.id]
    assert [(one.asked_by, one.due_at, one.recorded_by) for one in moved.moves] == [
        (AskedBy.CLOSURE, NINE + DAY, SAM.id)
    ]
    assert [(event.name, event.client) for event in journal.events] == [
        ("check_in.moved_by_closure", first.check_in.client)
    ]
    waits = waiting(moved)
    assert waits is not None
    assert (waits.last_fact, waits.grace_ends_at) == (LastFact.RESCHEDULED, NINE + 2 * DAY)
    assert moved.movable_until == NINE + 8 * DAY, "as if it had been planned so"


async def test_the_snow_of_yesterday_extends_the_grace_of_what_was_due_before() -> None:
    kept = Kept()
    first = (await planned(kept, terms(weekly())))[0]
    now = NINE + DAY + timedelta(minutes=1)
    assert overdue([first], now=now)
    assert await close(kept, MONDAY + DAY, now=now) == 1
    again = kept.records[first.check_in.id]
    assert (again.due_at, again.grace_ends_at) == (NINE, NINE + 2 * DAY)
    assert not overdue([again], now=now)


async def test_what_is_settled_and_what_lies_elsewhere_stays() -> None:
    kept = Kept()
    first, second, *_ = await planned(kept, terms(weekly()))
    await complete(
        first.check_in.id,
        occurred_at=NINE,
        mode=Mode.TELEPHONE,
        note=None,
        by=ROBIN,
        now=NINE,
        check_ins=kept,
        journal=Remembered(),
    )
    assert await close(kept, MONDAY, MONDAY + 2 * DAY, now=NINE) == 0
    assert kept.records[second.check_in.id].moves == ()


async def test_a_move_counts_open_days_of_grace_and_nobody_asks_for_a_closure() -> None:
    kept = Kept(closed={MONDAY + 3 * DAY})
    first = (await planned(kept, terms(weekly())))[0]

    async def move(asked_by: AskedBy) -> datetime:
        moved = await reschedule(
            first.check_in.id,
            due_at=NINE + 2 * DAY,
            asked_by=asked_by,
            reason=None,
            by=ROBIN,
            now=MORNING,
            check_ins=kept,
            journal=Remembered(),
        )
        return moved.grace_ends_at

    assert await move(AskedBy.PROVIDER) == NINE + 4 * DAY
    with pytest.raises(Invalid, match="client or provider"):
        await move(AskedBy.CLOSURE)


@given(
    closed=some.sets(some.integers(0, 70), max_size=12),
    grace=some.integers(0, 5),
    weeks=some.integers(1, 3),
    hour=some.integers(0, 23),
)
def test_it_is_the_same_whether_days_are_closed_before_or_after(
    closed: set[int], grace: int, weeks: int, hour: int
) -> None:
    """But for a check-in that is not made because the next one comes on the same morning: made before, it stays."""
    days = sorted(MONDAY + each * DAY for each in closed)
    rule: Recurrence = weekly(every=weeks, at=time(hour))

    async def told() -> tuple[list[Record], list[Record]]:
        before, after = Kept(closed=set(days)), Kept()
        known = await planned(before, terms(rule, grace_days=grace), now=MORNING - DAY)
        plan = (await planned(after, terms(rule, grace_days=grace), now=MORNING - DAY))[0].check_in.plan
        if days:
            await close(after, *days, now=MORNING - DAY)
            assert await close(after, *days, now=MORNING - DAY) == 0
        return known, after.of(plan)

    known, moved = asyncio.run(told())
    both = {one.check_in.scheduled_on for one in known}
    moved = [one for one in moved if one.check_in.scheduled_on in both]
    assert days_of(moved) == days_of(known)[: len(moved)]
    for one in known:
        assert one.due_at.astimezone(NEW_YORK).date() not in days


def test_a_rule_that_names_no_day_has_nothing_to_move() -> None:
    assert list(around(iter(()), terms(weekly()), {date(2026, 12, 25)})) == []
