"""Steps of an order: when one takes effect, and when the one before stays."""

import itertools
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseload.domain.dosing import EVERYTHING_COMMITTED, Facts, Giving, Observed, Rule, TakenPart, judge
from caseload.domain.dosing.steps import in_step, step_on, waiting
from caseload.domain.errors import Invalid
from caseload.domain.medication import Order, Step
from caseload.domain.medicines import DosePart, Form, Medicine
from tests.domain.test_asking import asked, before, took
from tests.domain.test_medication import DAY, NOW, TODAY, order, record, wish

START = TODAY - 6 * DAY


def mg(amount: int | str) -> dict[DosePart, Decimal]:
    return {DosePart.WHOLE: Decimal(amount)}


def stepped(*amounts: tuple[int, int], **changed: object) -> Order:
    """An order of these amounts, each from so many days after its start on."""
    first, *later = amounts
    steps = tuple(Step(from_on=START + days * DAY, amounts_mg=mg(amount)) for days, amount in later)
    return order(starts_on=START, amounts_mg=mg(first[1]), steps=steps, **changed)


def at(day: date, hour: int) -> datetime:
    return NOW.replace(year=day.year, month=day.month, day=day.day, hour=hour)


def took_all(*amounts: int | None) -> list[TakenPart]:
    """A dose a day from the start on; None for a day without."""
    return [
        TakenPart(
            day=START + number * DAY, part=DosePart.WHOLE, amount_mg=Decimal(amount), at=at(START + number * DAY, 9)
        )
        for number, amount in enumerate(amounts)
        if amount is not None
    ]


def seen(*days: int, well: bool = True, hour: int = 8) -> list[Observed]:
    return [Observed(day=START + day * DAY, at=at(START + day * DAY, hour), is_well=well) for day in days]


UP = stepped((0, 30), (3, 40))


@pytest.mark.parametrize(
    ("day", "taken", "looked", "stands", "waits"),
    [
        (2, took_all(30, 30), seen(2), 30, False),  # its day has not come
        (3, took_all(30, 30, 30), seen(3), 40, False),
        (3, took_all(30, 30, 30), [], 30, True),  # nobody has looked yet
        (3, took_all(30, 30, 30), seen(2), 30, True),  # they looked yesterday
        (3, took_all(30, 30, 30), seen(3, well=False), 30, True),
        (3, took_all(30, 30, 30), [*seen(3), *seen(3, well=False, hour=9)], 30, True),  # drowsy afterwards
        (3, took_all(30, None, 30), seen(3), 30, True),
        (3, took_all(30, 29, 30), seen(3), 30, True),
        (4, took_all(30, 30, 30, 30), seen(4), 40, False),  # a day later, all taken
        (4, took_all(30, 30, 30, None), seen(4), 30, True),  # the day it waited was missed
        (4, took_all(30, 30, 30, 40), seen(3), 40, False),  # it stands since yesterday
        (4, took_all(30, 30, 30, None), seen(3), 30, True),  # seen, and gone without the dose: nobody took it
        (4, took_all(30, 30, 30, 39), seen(3), 30, True),  # a part of it shows nothing
        (4, took_all(30, 30, 30, 39), seen(3, 4), 40, False),  # but for the step before, and today they were seen
        (5, took_all(30, 30, 30, 40, None), seen(3), 40, False),  # taken once, a missed day does not undo it
        (3, took_all(30, 30, 30, 30), seen(3, hour=10), 30, True),  # seen only after the dose of the day
        (6, took_all(30, None, 30, 30, 30, 30), seen(3, 4, 5, 6), 30, True),  # waiting does not make it good
    ],
)
def test_a_step_up_counts_when_all_before_was_taken_and_the_client_was_seen_well(
    day: int,
    taken: list[TakenPart],
    looked: list[Observed],
    stands: int,
    waits: bool,  # noqa: FBT001  a parameter of the test, given by name
) -> None:
    course = step_on(UP, START + day * DAY, taken, looked)
    assert (course.step.total_mg, course.waits is not None) == (stands, waits)


def test_what_waits_names_the_days_that_were_not_taken_in_full() -> None:
    waits = step_on(UP, START + 4 * DAY, took_all(30, 20, 30, None), seen(4)).waits
    assert waits is not None
    assert (waits.not_in_full, waits.observed) == ((START + DAY, START + 3 * DAY), True)


def test_a_step_down_counts_from_its_day_whatever_was_taken() -> None:
    taper = stepped((0, 40), (3, 30), (5, 20))
    assert [step_on(taper, START + day * DAY, [], []).step.total_mg for day in range(7)] == [40] * 3 + [30] * 2 + [
        20
    ] * 2


def test_a_step_down_ends_the_wait_of_one_up() -> None:
    there_and_back = stepped((0, 30), (2, 60), (4, 25))
    waiting = step_on(there_and_back, START + 3 * DAY, [], [])
    assert (waiting.step.total_mg, waiting.waits is not None) == (30, True)
    assert step_on(there_and_back, START + 4 * DAY, [], []).waits is None


def test_a_later_step_up_waits_behind_the_first() -> None:
    course = step_on(stepped((0, 30), (2, 40), (4, 50)), START + 5 * DAY, took_all(30, 30, 30, 30, 30), [])
    assert course.waits is not None
    assert (course.step.total_mg, course.waits.step.total_mg) == (30, 40)


def test_who_is_seen_late_rises_by_one_step_and_the_later_ones_keep_their_distance() -> None:
    """Not by all the steps whose days have come meanwhile: nobody asked the prescriber about a rise of thirty."""
    ordered = stepped((0, 30), (2, 40), (4, 50), (6, 60))
    taken = took_all(30, 30, 30, 30, 30, 40, 40, 50, 50)
    found = [step_on(ordered, START + day * DAY, taken[:day], seen(*range(5, 11))).step.total_mg for day in range(10)]
    assert found == [30, 30, 30, 30, 30, 40, 40, 50, 50, 60]


def test_a_step_that_opens_later_says_from_when_on() -> None:
    ordered = stepped((0, 30), (2, 40), (4, 50))
    course = step_on(ordered, START + 6 * DAY, took_all(30, 30, 30, 30, 30, 40), seen(5, 6))
    assert course.waits is not None
    assert (course.step.total_mg, course.waits.opens_on, course.waits.not_in_full) == (40, START + 7 * DAY, ())
    told = waiting(ordered, course.waits, record().rules_on(TODAY)).facts
    assert told["not_before"] == str(START + 7 * DAY)


def test_a_step_down_after_a_late_step_up_is_counted_from_when_it_began() -> None:
    there_and_on = stepped((0, 30), (2, 60), (3, 40), (5, 50))
    taken = took_all(30, 30, 30, 30, 40, 40, 50, 50)
    found = [step_on(there_and_on, START + day * DAY, taken[:day], seen(4, 6)).step.total_mg for day in range(9)]
    assert found == [30, 30, 30, 30, 40, 40, 50, 50, 50]


def test_only_the_scheduled_days_are_asked_about() -> None:
    alternate = stepped((0, 8), (4, 12), every_days=2)
    assert step_on(alternate, START + 4 * DAY, took_all(8, None, 8), seen(4)).step.total_mg == 12


def test_every_part_of_a_split_day_must_be_taken() -> None:
    parts = {DosePart.MORNING: Decimal(20), DosePart.EVENING: Decimal(10)}
    more = {DosePart.MORNING: Decimal(20), DosePart.EVENING: Decimal(20)}
    split = order(starts_on=START, amounts_mg=parts, steps=(Step(from_on=START + DAY, amounts_mg=more),))
    morning = TakenPart(day=START, part=DosePart.MORNING, amount_mg=Decimal(20), at=at(START, 9))
    evening = TakenPart(day=START, part=DosePart.EVENING, amount_mg=Decimal(10), at=at(START, 18))
    assert step_on(split, START + DAY, [morning], seen(1)).waits is not None
    assert step_on(split, START + DAY, [morning, evening], seen(1)).waits is None


LEVELS = st.lists(st.integers(1, 120), min_size=1, max_size=5)


@given(
    levels=LEVELS,
    gaps=st.lists(st.integers(1, 4), min_size=5, max_size=5),
    doses=st.lists(st.none() | st.integers(1, 120), max_size=20),
    looked=st.sets(st.integers(0, 20)),
    day=st.integers(0, 20),
)
def test_no_step_gives_more_than_was_ordered_by_then_and_none_rises_unseen(
    levels: list[int], gaps: list[int], doses: list[int | None], looked: set[int], day: int
) -> None:
    days = [sum(gaps[:number]) for number in range(len(levels))]
    ordered = stepped(*zip(days, levels, strict=True))
    taken = took_all(*doses[: day + 1])
    course = step_on(ordered, START + day * DAY, taken, seen(*looked))
    reached = [level for on, level in zip(days, levels, strict=True) if on <= day]
    assert course.step.total_mg in reached
    if course.step.total_mg > levels[0]:
        assert any(each <= day for each in looked)
    if course.waits is None and all(later >= earlier for earlier, later in itertools.pairwise(levels)):
        assert course.step.total_mg == reached[-1]
    unseen = step_on(ordered, START + day * DAY, taken, [])
    assert unseen.step.total_mg <= levels[0]


@given(levels=LEVELS, missed=st.integers(0, 19))
def test_who_takes_everything_and_is_seen_every_day_gets_what_the_order_says(levels: list[int], missed: int) -> None:
    ordered = stepped(*((2 * number, level) for number, level in enumerate(levels)))
    planned = [int(ordered.total_on(START + day * DAY)) for day in range(20)]
    everything = took_all(*planned)
    for day in range(20):
        course = step_on(ordered, START + day * DAY, everything[:day], seen(*range(20)))
        assert (course.step.total_mg, course.waits) == (planned[day], None)
    with_gap = [dose for dose in everything if dose.day != START + missed * DAY]
    for day in range(20):
        assert step_on(ordered, START + day * DAY, with_gap[:day], seen(*range(20))).step.total_mg <= max(planned)


def test_at_the_window_the_step_that_waits_says_so() -> None:
    today = START + 3 * DAY
    giving = Giving(
        client=UP.client, order=UP.id, medicine=Medicine.METHADONE, form=Form.ORAL_SOLUTION, amount_mg=Decimal(40),
        part=DosePart.WHOLE, given_at=at(today, 9), supervised=True,
    )  # fmt: skip
    known = Facts(
        order=UP, given=None, last=None, held=None, allowed=None, freed_by=None, taken_since=took_all(30, 30, 30)
    )
    refused = judge(giving, today, in_step(known, today), record(), at=EVERYTHING_COMMITTED, now=at(today, 9))
    assert [each.rule for each in refused.broken] == [Rule.MORE_THAN_ORDERED, Rule.STEP_WAITS]
    told = refused.broken[1]
    assert (told.policy, told.facts["stays_mg"], told.facts["observed"]) == ("uk.step_up of UK-1", "30", False)


@pytest.mark.parametrize(
    ("steps", "field"),
    [
        ([(0, {DosePart.WHOLE: 40})], "steps.0.from_on"),
        ([(3, {DosePart.WHOLE: 40}), (3, {DosePart.WHOLE: 50})], "steps.1.from_on"),
        ([(11, {DosePart.WHOLE: 40})], "steps.0.from_on"),
        ([(3, {DosePart.MORNING: 40})], "steps.0.amounts_mg"),
        ([(3, {DosePart.WHOLE: 0})], "steps.0.amounts_mg.whole"),
        ([(number, {DosePart.WHOLE: 40}) for number in range(1, 62)], "steps"),
    ],
)
def test_steps_that_nobody_can_mean_cannot_be_ordered(steps: list[tuple[int, dict[DosePart, int]]], field: str) -> None:
    wanted = tuple(
        Step(from_on=TODAY + days * DAY, amounts_mg={part: Decimal(amount) for part, amount in amounts.items()})
        for days, amounts in steps
    )
    with pytest.raises(Invalid) as refused:
        wish(steps=wanted, ends_on=TODAY + timedelta(days=10 if len(steps) < 60 else 100)).check(today=TODAY)
    assert {fault.field for fault in refused.value.faults} == {field}


def test_the_steps_of_an_order_are_asked_about_like_orders() -> None:
    rising = order(
        amounts_mg=mg(30),
        product="methadone_solution_1",
        steps=tuple(Step(from_on=TODAY + days * DAY, amounts_mg=mg(amount)) for days, amount in ((2, 40), (4, 55))),
    )
    found = asked(rising, before(given=(took("methadone_solution_1", 1),)))
    assert (found["rise"]["day"], found["rise"]["rise_mg"]) == (str(TODAY + 4 * DAY), "15")
