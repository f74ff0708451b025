"""Interim treatment: its last day and the plan's, with earlier ones in the twelve months, and what may be recorded."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import given
from hypothesis import strategies as st

from caseload.domain.access import Role
from caseload.domain.admission import LONGEST_NAME, LONGEST_TEXT, State
from caseload.domain.errors import Invalid, NotPermitted
from caseload.domain.ids import InterimId, ProgrammeId, new_id
from caseload.domain.interim import (
    Begun,
    End,
    Ended,
    InterimDaysUsed,
    InterimRunning,
    InterimSettled,
    InterimTreatment,
    NoInterimHere,
    Plan,
    Standing,
    begin_interim,
    correct_plan,
    end_interim,
    last_day,
    next_date,
    plan_on,
    standing,
    take_back_interim,
)
from caseload.domain.profiles import ProfileBroken, profile_version, profiles, read_profile
from caseload.domain.taken_back import TakenBack
from tests.factories.checkin import MORNING, Remembered, counsellor, episode

pytestmark = pytest.mark.anyio

US, UK, DAY = profile_version("US", 1), profile_version("UK", 1), timedelta(days=1)
HERE = ProgrammeId(new_id())
EPISODE = episode(programme=HERE)
ROBIN = counsellor(HERE)
START = date(2026, 1, 1)
LAST, PLAN_DUE = date(2026, 6, 29), date(2026, 4, 30)
TODAY = EPISODE.admitted_on + 200 * DAY


def treatment(started_on: date, last_on: date | None = None, **said: Any) -> InterimTreatment:
    """One of ours; elsewhere when it says its last day at once."""
    begun = Begun(started_on=started_on, last_on=last_on, elsewhere=None if last_on is None else "Hill Clinic")
    one: dict[str, Any] = {
        "id": InterimId(new_id()),
        "client": EPISODE.client,
        "number": 1,
        "episode": EPISODE.id if last_on is None else None,
        "begun": begun,
        "recorded_by": ROBIN.id,
        "recorded_at": MORNING,
    }
    return InterimTreatment(**one | said)


def planned(on: date) -> Plan:
    return Plan(made_on=on, made_by="Dr Osei", recorded_by=ROBIN.id, recorded_at=MORNING)


def ended(on: date) -> End:
    return End(last_on=on, how=Ended.COMPREHENSIVE, recorded_by=ROBIN.id, recorded_at=MORNING)


def mistaken() -> TakenBack:
    return TakenBack(reason="Another client.", by=ROBIN.id, at=MORNING)


def stands(one: InterimTreatment, today: date, *others: InterimTreatment, screened_on: Sequence[date] = ()) -> Standing:
    found = standing(one, [one, *others], screened_on, today, US)
    assert found is not None
    return found


@pytest.mark.parametrize(("today", "is_over"), [(START, False), (LAST, False), (LAST + DAY, True)])
def test_the_180th_day_is_the_last_one(today: date, is_over: bool) -> None:  # noqa: FBT001  as listed
    found = stands(treatment(START), today)
    assert (found.last_day, found.is_over, found.days_used) == (LAST, is_over, (today - START).days + 1)


@pytest.mark.parametrize(
    ("made_on", "today", "state"),
    [
        (None, PLAN_DUE, State.DUE),
        (None, PLAN_DUE + DAY, State.OVERDUE),
        (PLAN_DUE, LAST, State.DONE),
        (PLAN_DUE + DAY, LAST, State.DONE_LATE),
    ],
)
def test_the_plan_is_in_time_until_the_120th_day(made_on: date | None, today: date, state: State) -> None:
    found = stands(treatment(START, plans=() if made_on is None else (planned(made_on),)), today)
    assert (found.plan_due_on, found.plan) == (PLAN_DUE, state)
    assert next_date(found) == (PLAN_DUE if made_on is None else LAST)


def test_days_of_an_earlier_one_count_also_elsewhere_and_slide_out_after_twelve_months() -> None:
    before = treatment(date(2025, 8, 1), date(2025, 10, 29))
    found = stands(treatment(START), START, before)
    assert (found.days_used, found.last_day, found.plan_due_on) == (91, date(2026, 3, 31), date(2026, 1, 30))
    long_ago = treatment(date(2025, 1, 1), date(2025, 6, 29))
    slides = stands(treatment(START), START, long_ago)
    assert (slides.days_used, slides.last_day) == (180, LAST), "each day one comes and one of the year before goes"
    on_the_edge = treatment(date(2024, 12, 1), date(2025, 1, 1))
    assert stands(treatment(START), START, on_the_edge).days_used == 1


def test_a_plan_whose_day_had_come_before_is_due_on_the_first_day() -> None:
    found = stands(treatment(START), START, treatment(date(2025, 7, 1), date(2025, 12, 1)))
    assert (found.plan_due_on, found.plan, found.last_day) == (START, State.DUE, date(2026, 1, 26))


def test_what_was_taken_back_and_what_came_later_count_for_nothing() -> None:
    wrong = treatment(date(2025, 8, 1), date(2025, 10, 29), taken_back=mistaken())
    assert stands(treatment(START), LAST, wrong, treatment(LAST + 9 * DAY)).last_day == LAST
    for other in (wrong, treatment(START, LAST)):
        assert standing(other, [other], [], LAST, US) is None
    assert standing(treatment(START), [], [], LAST, UK) is None


def test_one_that_ended_or_whose_client_left_stays_as_it_stood_on_its_last_day() -> None:
    for one in (treatment(START, end=ended(LAST)), treatment(START, left_on=LAST, end=ended(LAST + DAY))):
        found = stands(one, LAST + 100 * DAY)
        assert (found.days_used, found.is_over) == (180, False)


def test_the_random_screens_of_its_days_are_counted_once_a_day() -> None:
    days = [START - DAY, START, START, LAST, LAST + DAY]
    found = stands(treatment(START, end=ended(LAST)), LAST + DAY, screened_on=days)
    assert (found.screens, found.says.random_screens) == (2, 2)


periods = st.lists(st.tuples(st.integers(1, 200), st.integers(1, 120)), max_size=4)


@given(periods)
def test_on_the_last_day_no_more_than_the_rule_lies_in_twelve_months_and_on_the_next_one_more(
    gaps: list[tuple[int, int]],
) -> None:
    before, day = list[InterimTreatment](), START
    for gap, length in gaps:
        last_on = day - gap * DAY
        day = last_on - (length - 1) * DAY
        before.append(treatment(day, last_on))
    taken = {
        each.begun.started_on + number * DAY
        for each in before
        for number in range((each.last_on or START).toordinal() - each.begun.started_on.toordinal() + 1)
    }
    last = last_day(START, 180, 12, before)

    def used(until: date) -> int:
        since = until - relativedelta(months=12)
        own = {START + number * DAY for number in range((until - START).days + 1)}
        return len([each for each in taken | own if since < each <= until])

    assert last < START or used(last) <= 180
    assert used(last + DAY) > 180
    assert all(used(START + number * DAY) <= 180 for number in range(max(0, (last - START).days)))


def test_only_the_profiles_of_the_us_know_it() -> None:
    knows = {name for name, (version, *_) in profiles().items() if version.monitoring.interim is not None}
    assert knows == {"US", "US-CA-BRIDGE"}


@pytest.mark.parametrize(
    ("name", "value", "where"),
    [
        ("months", 0, "months"),
        ("months", 37, "months"),
        ("at_most_days", 0, "at_most_days"),
        ("at_most_days", 336, "at_most_days"),
        ("plan_by_day", 0, "plan_by_day"),
        ("plan_by_day", 181, "plan_by_day"),
        ("random_screens", -1, "random_screens"),
    ],
)
def test_a_rule_that_nobody_could_mean_is_refused(name: str, value: int, where: str) -> None:
    document = msgspec.json.decode(msgspec.json.encode(US))
    document["monitoring"]["interim"][name] = value
    with pytest.raises(ProfileBroken, match=f"monitoring.interim.{where} must"):
        read_profile(msgspec.json.encode(document), "own.json")


class Kept:
    """Keeps everything in memory."""

    def __init__(self) -> None:
        self.all: list[object] = []

    async def begin(self, new: InterimTreatment, /) -> None:
        self.all.append(new)

    async def add_plan(self, of: InterimTreatment, plan: Plan, /) -> None:
        self.all.append((of.id, plan))

    async def add_end(self, of: InterimTreatment, end: End, /) -> None:
        self.all.append((of.id, end))

    async def add_taken_back(self, wrong: InterimTreatment, taken_back: TakenBack, /) -> None:
        self.all.append((wrong.id, taken_back))


async def begun(kept: Kept, *others: InterimTreatment, **said: Any) -> InterimTreatment:
    given: dict[str, Any] = {"by": ROBIN, "journal": Remembered(), "rules": US}
    given |= {name: said.pop(name) for name in given if name in said}
    return await begin_interim(
        EPISODE,
        replace(Begun(started_on=TODAY), **said),
        others=others,
        as_id=InterimId(new_id()),
        today=TODAY,
        now=MORNING,
        interims=kept,
        **given,
    )


async def test_one_of_ours_and_one_elsewhere_are_kept_and_told_without_a_name() -> None:
    kept, journal = Kept(), Remembered()
    ours = await begun(kept, journal=journal)
    other = await begun(
        kept, ours, journal=journal, started_on=TODAY - 9 * DAY, last_on=TODAY - DAY, elsewhere="Hill Clinic"
    )
    assert kept.all == [ours, other]
    assert (ours.episode, ours.number, other.episode, other.number) == (EPISODE.id, 1, None, 2)
    assert [(event.name, dict(event.facts)) for event in journal.events] == [
        ("interim.begun", {"elsewhere": False}),
        ("interim.begun", {"elsewhere": True}),
    ]


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        ({"started_on": TODAY + DAY}, "started_on"),
        ({"started_on": EPISODE.admitted_on - DAY}, "started_on"),
        ({"last_on": TODAY}, "last_on"),
        ({"elsewhere": "Hill Clinic"}, "last_on"),
        ({"elsewhere": "Hill Clinic", "last_on": TODAY - DAY}, "last_on"),
        ({"elsewhere": "Hill Clinic", "last_on": TODAY + DAY}, "last_on"),
        ({"elsewhere": " ", "last_on": TODAY}, "elsewhere"),
        ({"elsewhere": "x" * (LONGEST_NAME + 1), "last_on": TODAY}, "elsewhere"),
    ],
)
async def test_what_contradicts_itself_is_refused(wrong: dict[str, Any], where: str) -> None:
    kept = Kept()
    with pytest.raises(Invalid) as refused:
        await begun(kept, **wrong)
    assert [fault.field for fault in refused.value.faults] == [where]
    assert not kept.all


async def test_two_never_share_a_day() -> None:
    running = treatment(TODAY - 30 * DAY)
    with pytest.raises(InterimRunning):
        await begun(Kept(), running)
    with pytest.raises(InterimRunning):
        await begun(Kept(), replace(running, end=ended(TODAY)))
    for free in (replace(running, end=ended(TODAY - DAY)), replace(running, taken_back=mistaken())):
        await begun(Kept(), free)
    with pytest.raises(InterimRunning):
        await begun(Kept(), running, elsewhere="Hill Clinic", started_on=TODAY - 40 * DAY, last_on=TODAY - 30 * DAY)
    await begun(Kept(), running, elsewhere="Hill Clinic", started_on=TODAY - 40 * DAY, last_on=TODAY - 31 * DAY)


async def test_none_begins_today_when_no_day_is_left_but_one_that_began_is_recorded() -> None:
    used = treatment(TODAY - 190 * DAY, TODAY - 11 * DAY)
    with pytest.raises(InterimDaysUsed) as refused:
        await begun(Kept(), used)
    assert (refused.value.facts["rule"], refused.value.facts["at_most_days"]) == ("us.interim of US-1", 180)
    assert await begun(Kept(), used, started_on=TODAY - DAY)
    assert await begun(Kept(), treatment(TODAY - 190 * DAY, TODAY - 12 * DAY))


async def test_where_the_profile_knows_none_there_is_none() -> None:
    with pytest.raises(NoInterimHere):
        await begun(Kept(), rules=UK)


async def test_only_whoever_may_admit_there_records_it() -> None:
    for by in (counsellor(HERE, role=Role.FRONT_DESK), counsellor(ProgrammeId(new_id()))):
        with pytest.raises(NotPermitted):
            await begun(Kept(), by=by)


async def test_a_plan_and_an_end_are_said_once_within_its_days() -> None:
    kept, journal, one = Kept(), Remembered(), treatment(TODAY - 10 * DAY)
    about: dict[str, Any] = {"today": TODAY, "by": ROBIN, "now": MORNING, "interims": kept, "journal": journal}
    for made_on, made_by in ((TODAY + DAY, "Dr Osei"), (TODAY - 11 * DAY, "Dr Osei"), (TODAY, " ")):
        with pytest.raises(Invalid):
            await plan_on(one, made_on, made_by, **about)
    for last_on in (TODAY + DAY, TODAY - 11 * DAY):
        with pytest.raises(Invalid):
            await end_interim(one, last_on, Ended.LEFT, **about)
    with_plan = await plan_on(one, TODAY - 10 * DAY, "x" * LONGEST_NAME, **about)
    over = await end_interim(with_plan, TODAY, Ended.TRANSFERRED, **about)
    assert kept.all == [(one.id, with_plan.plan), (one.id, over.end)]
    assert [event.name for event in journal.events] == ["interim.planned", "interim.ended"]
    with pytest.raises(InterimSettled):
        await plan_on(over, TODAY, "Dr Osei", **about)
    for again in (over, replace(one, left_on=TODAY), treatment(TODAY - 10 * DAY, TODAY)):
        with pytest.raises(InterimSettled):
            await end_interim(again, TODAY, Ended.LEFT, **about)


async def test_a_wrong_plan_is_put_right_by_a_version_that_says_why_and_none_before_is_lost() -> None:
    kept, journal, one = Kept(), Remembered(), treatment(START)
    about: dict[str, Any] = {"today": LAST, "by": ROBIN, "now": MORNING, "interims": kept, "journal": journal}
    with pytest.raises(InterimSettled):
        await correct_plan(one, LAST, "Dr Osei", "Nothing was said yet.", version=0, **about)
    late = await plan_on(one, PLAN_DUE + DAY, "Dr Osei", **about)
    for made_on, made_by, reason, where in (
        (LAST + DAY, "Dr Osei", "Wrong day.", "made_on"),
        (None, "Dr Osei", "Wrong day.", "made_on"),
        (PLAN_DUE, None, "Wrong day.", "made_by"),
        (PLAN_DUE, "Dr Osei", " ", "reason"),
        (PLAN_DUE, "Dr Osei", "x" * (LONGEST_TEXT + 1), "reason"),
    ):
        with pytest.raises(Invalid) as refused:
            await correct_plan(late, made_on, made_by, reason, version=1, **about)
        assert [fault.field for fault in refused.value.faults] == [where]
    in_time = await correct_plan(late, PLAN_DUE, "Dr Quill", "Misread the date.", version=1, **about)
    none = await correct_plan(in_time, None, None, "Of another client.", version=2, **about)
    states = [stands(each, LAST).plan for each in (late, in_time, none)]
    assert states == [State.DONE_LATE, State.DONE, State.OVERDUE]
    assert [(each.version, each.made_by, each.reason) for each in none.plans] == [
        (1, "Dr Osei", None),
        (2, "Dr Quill", "Misread the date."),
        (3, None, "Of another client."),
    ]
    assert kept.all == [(one.id, each) for each in none.plans]
    assert [event.name for event in journal.events] == ["interim.planned", *["interim.plan_corrected"] * 2]
    with pytest.raises(Invalid):
        await correct_plan(none, None, None, "Still none.", version=3, **about)
    for stale in (replace(none, taken_back=mistaken()), none):
        with pytest.raises(InterimSettled):
            await correct_plan(stale, PLAN_DUE, "Dr Osei", "Again.", version=2, **about)


async def test_a_mistake_is_taken_back_once_and_nothing_is_said_of_it_then() -> None:
    kept, journal, one = Kept(), Remembered(), treatment(TODAY - 10 * DAY)
    about: dict[str, Any] = {"by": ROBIN, "now": MORNING, "interims": kept, "journal": journal}
    for reason in (" ", "x" * (LONGEST_TEXT + 1)):
        with pytest.raises(Invalid):
            await take_back_interim(one, reason, **about)
    wrong = await take_back_interim(one, "x" * LONGEST_TEXT, **about)
    assert kept.all == [(one.id, wrong.taken_back)]
    assert [event.name for event in journal.events] == ["interim.taken_back"]
    with pytest.raises(InterimSettled):
        await take_back_interim(wrong, "Again.", **about)
    with pytest.raises(InterimSettled):
        await plan_on(wrong, TODAY, "Dr Osei", today=TODAY, **about)
