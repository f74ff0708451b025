"""Gaps between doses: what was missed, and what nobody has told us."""

from collections import Counter
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseload.domain.history import Outcome, missed_runs, would_have_stopped
from caseload.domain.history.reading import Gap, attendance, gaps
from caseload.domain.medicines import Medicine
from caseload.domain.profiles import profile_version

START = date(2025, 1, 1)
DAYS = st.lists(st.integers(min_value=0, max_value=90).map(lambda number: START + timedelta(days=number)))


@given(DAYS)
def test_without_an_end_of_history_every_day_in_a_gap_was_missed(days: list[date]) -> None:
    found = list(gaps(days, None))
    assert [gap.missed for gap in found] == list(missed_runs(days))
    assert not any(gap.not_known for gap in found)


@given(DAYS, st.integers(min_value=-5, max_value=100))
def test_each_day_of_a_gap_is_missed_or_not_known_by_whether_the_history_tells_of_it(
    days: list[date], number: int
) -> None:
    until = START + timedelta(days=number)
    for gap in gaps(days, until):
        between = [gap.after + timedelta(days=day) for day in range(1, (gap.before - gap.after).days)]
        ends_here = gap.after <= until < gap.before
        missed = [day for day in between if not ends_here or day <= until]
        assert (gap.missed, gap.not_known) == (len(missed), len(between) - len(missed))


def test_a_history_that_ends_with_its_last_dose_leaves_nothing_missed_after_it() -> None:
    days = [date(2025, 5, 1), date(2025, 5, 3), date(2025, 5, 10)]
    assert list(gaps(days, date(2025, 5, 3))) == [
        Gap(after=date(2025, 5, 1), before=date(2025, 5, 3), missed=1, not_known=0),
        Gap(after=date(2025, 5, 3), before=date(2025, 5, 10), missed=0, not_known=6),
    ]


def test_a_visit_of_unknown_outcome_is_neither_attended_nor_missed() -> None:
    found = attendance(Counter({Outcome.ATTENDED: 3, Outcome.DID_NOT_ATTEND: 1, Outcome.UNKNOWN: 5}))
    assert (found.attended, found.did_not_attend, found.not_known) == (3, 1, 5)
    assert (found.counted, found.rate_percent) == (4, 75)


@pytest.mark.parametrize(
    ("profile", "medicine", "missed", "stopped"),
    [
        ("UK", Medicine.METHADONE, 2, 0),
        ("UK", Medicine.METHADONE, 3, 5),
        ("AU", Medicine.METHADONE, 2, 0),
        ("AU", Medicine.METHADONE, 3, 5),
        ("US-CA-BRIDGE", Medicine.METHADONE, 3, 0),
        ("US-CA-BRIDGE", Medicine.METHADONE, 4, 5),
        ("US-CA-BRIDGE", Medicine.BUPRENORPHINE, 3, 5),
        ("US", Medicine.METHADONE, 0, 0),
    ],
)
def test_a_dose_is_stopped_by_the_rung_that_the_days_before_it_reach(
    profile: str, medicine: Medicine, missed: int, stopped: int
) -> None:
    assert would_have_stopped({(medicine, missed): 5}, profile_version(profile, 1)) == stopped
