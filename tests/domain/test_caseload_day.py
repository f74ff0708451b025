"""A counsellor's day as pure rules: which band a line is in, why it stands there, and which comes first."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseload.domain.attendance import SessionKind
from caseload.domain.caseload import Edition, LevelOfCare
from caseload.domain.caseload.dashboard import Attended, hours_of_week
from caseload.domain.caseload.day import (
    About,
    Band,
    Expected,
    Line,
    Matter,
    Meeting,
    band_of,
    due,
    escalated,
    in_order,
    late,
    meeting,
    offered,
    to_do,
    unsigned,
)
from caseload.domain.ids import ClientId
from tests.factories.checkin import MORNING

TICK = timedelta(microseconds=1)
HOUR = timedelta(hours=1)
ADA = About(client=ClientId(UUID(int=1)), given_name="Ada", family_name="Lindqvist", covering=False)
SOME = UUID(int=7)
HERE = Expected(client=ADA.client, given_name="Ada", family_name="Lindqvist", arrived_at=MORNING)
GROUP = Meeting(
    record=SOME,
    kind=SessionKind.GROUP,
    title="Relapse prevention",
    starts_at=MORNING,
    ends_at=MORNING + HOUR,
    leads=True,
    expected=(HERE, replace(HERE, client=ClientId(UUID(int=2)), arrived_at=None)),
)


@pytest.mark.parametrize(
    ("at", "matter", "band", "why"),
    [
        (-TICK, Matter.SESSION, Band.TODAY, "You lead it, it is to come: 1 of 2 have arrived."),
        (timedelta(0), Matter.SESSION, Band.TODAY, "You lead it, it has begun: 1 of 2 have arrived."),
        (HOUR - TICK, Matter.SESSION, Band.TODAY, "You lead it, it has begun: 1 of 2 have arrived."),
        (HOUR, Matter.REGISTER, Band.LATE, "You lead it, it is over, and its register has not been taken."),
    ],
)
def test_a_session_is_of_today_until_it_is_over_and_its_register_is_late_from_then_on(
    at: timedelta, matter: Matter, band: Band, why: str
) -> None:
    found = meeting(GROUP, now=MORNING + at)

    assert found is not None
    assert (found.matter, found.band, found.why) == (matter, band, why)
    assert found.at == (GROUP.ends_at if matter is Matter.REGISTER else GROUP.starts_at)


def test_the_register_of_somebody_elses_session_is_theirs() -> None:
    others = replace(GROUP, leads=False)

    before, after = meeting(others, now=MORNING), meeting(others, now=others.ends_at)

    assert before is not None
    assert before.why == "A client of yours is expected, it has begun: 1 of 2 have arrived."
    assert after is None


@pytest.mark.parametrize(("late_by", "band"), [(-TICK, Band.WAITS), (timedelta(0), Band.WAITS), (TICK, Band.LATE)])
def test_a_note_is_late_after_the_last_moment_for_signing_it(late_by: timedelta, band: Band) -> None:
    found = unsigned(SOME, "Group", sign_by=MORNING, now=MORNING + late_by)

    assert (found.matter, found.band, found.at) == (Matter.NOTE, band, MORNING)
    assert ("should have been signed" in found.why) is (band is Band.LATE)


@pytest.mark.parametrize(("before", "why"), [(TICK, "before today"), (timedelta(0), "Due today")])
def test_what_was_due_before_today_and_is_not_overdue_says_that_its_grace_runs(before: timedelta, why: str) -> None:
    found = due(SOME, "every day at 09:00", at=MORNING - before, today_began=MORNING, about=ADA)

    assert why in found.why
    assert (found.matter, found.band) == (Matter.CHECK_IN, Band.TODAY)


def test_what_must_be_heard_of_comes_first_then_what_is_late_then_today_then_what_waits() -> None:
    lines = [
        offered(SOME, at=MORNING - 9 * HOUR, about=ADA),
        due(SOME, "every day at 09:00", at=MORNING + HOUR, today_began=MORNING, about=ADA),
        late(SOME, "Late.", since=MORNING - HOUR, about=ADA),
        late(SOME, "Later.", since=MORNING - 2 * HOUR, about=ADA),
        escalated(SOME, "suicidal_intent", at=MORNING, about=ADA),
    ]

    found = in_order(lines)

    assert [line.band for line in found] == [Band.AT_ONCE, Band.LATE, Band.LATE, Band.TODAY, Band.WAITS]
    assert found[0].why == "Escalated because of suicidal intent, and no clinician has taken it on yet."
    assert [line.why for line in found[1:3]] == ["Later.", "Late."]


@pytest.mark.parametrize(
    ("due_at", "band", "says"),
    [
        (-TICK, Band.LATE, "it should have been done before today"),
        (timedelta(0), Band.TODAY, "it is due today"),
        (23 * HOUR - TICK, Band.TODAY, "it is due today"),
        (23 * HOUR, Band.THIS_WEEK, "it is due this week"),
        (167 * HOUR - TICK, Band.THIS_WEEK, "it is due this week"),
        (167 * HOUR, Band.DEFERRED, "it is due later than this week"),
    ],
)
def test_a_care_task_stands_in_its_band_to_the_instant_on_a_day_of_23_hours_too(
    due_at: timedelta, band: Band, says: str
) -> None:
    days = {"today_began": MORNING, "today_ends": MORNING + 23 * HOUR, "week_ends": MORNING + 167 * HOUR}

    assert band_of(MORNING + due_at, **days) is band

    asked = to_do(SOME, "Ring.", of_ladder=False, at=MORNING, band=band, about=ADA)
    step = to_do(SOME, "Ring.", of_ladder=True, at=MORNING, band=band, about=ADA)
    assert (asked.why, asked.title, asked.matter) == (f"A colleague asks for it: {says}.", "Ring.", Matter.CARE_TASK)
    assert step.why == f"The client has not come, and a step is due: {says}."


def test_what_is_due_this_week_comes_before_what_only_waits_and_what_is_deferred_comes_last() -> None:
    bands = [Band.DEFERRED, Band.WAITS, Band.THIS_WEEK, Band.TODAY, Band.LATE]
    task = to_do(SOME, "Ring.", of_ladder=False, at=MORNING, band=Band.LATE, about=ADA)
    lines = [replace(task, band=band) for band in bands]

    assert [line.band for line in in_order(lines)] == bands[::-1]


lines_of = st.builds(
    Line,
    matter=st.sampled_from(Matter),
    band=st.sampled_from(Band),
    why=st.just("x"),
    record=st.uuids(),
    at=st.datetimes(min_value=datetime(2026, 1, 1), max_value=datetime(2026, 1, 3)),  # noqa: DTZ001 - only compared
)


@given(st.lists(lines_of, max_size=12))
def test_the_order_is_the_same_however_the_lines_come(lines: list[Line]) -> None:
    found = in_order(lines)

    assert list(found) == list(in_order(lines[::-1])) or len({(one.band, one.at, one.record) for one in lines}) < len(
        lines
    )
    bands = [tuple(Band).index(line.band) for line in found]
    assert bands == sorted(bands)


def test_a_week_is_judged_by_the_hours_of_each_level_and_only_whole_weeks_are() -> None:
    """1.5 is below 9 hours, 2.1 from 9 to below 20 (The ASAM Criteria)."""
    outpatient, intensive = (LevelOfCare(edition=Edition.ASAM_4, level=level) for level in ("1.5", "2.1"))
    local = LevelOfCare(edition=Edition.LOCAL, level="day programme")
    found = hours_of_week(
        [
            Attended(level=level, whole=whole, minutes=minutes, clients=clients)
            for level, whole, minutes, clients in (
                (outpatient, True, 0, 1),
                (outpatient, True, 9 * 60 - 1, 2),
                (outpatient, True, 9 * 60, 4),
                (intensive, True, 9 * 60 - 1, 8),
                (intensive, True, 9 * 60, 16),
                (intensive, True, 20 * 60, 32),
                (local, True, 60, 64),
                (intensive, False, 60, 128),
                (None, False, 60, 256),
            )
        ],
        first=date(2026, 6, 1),
        last=date(2026, 6, 7),
    )

    assert (found.met, found.over, found.short) == (1 + 2 + 16, 4 + 32, 8)
    assert (found.no_rule, found.not_a_whole_week) == (64, 128 + 256)
