"""How often a job is tried, and how long it waits in between."""

from datetime import UTC, datetime, timedelta

import pytest

from caseload.domain.ids import JobId, new_id
from caseload.domain.job import (
    FIRST_PAUSE,
    LONGEST_PAUSE,
    MOST_ATTEMPTS,
    Job,
    is_last,
    never_said_why,
    pause_after,
)


def taken(attempts: int) -> Job:
    return Job(
        id=JobId(new_id()),
        kind="test.kind",
        key="",
        subject=None,
        due_at=datetime(2026, 11, 23, tzinfo=UTC),
        attempts=attempts,
        takes=attempts,
    )


def test_the_pause_doubles_and_has_an_end() -> None:
    assert [pause_after(each) / FIRST_PAUSE for each in range(1, 6)] == [1, 2, 4, 8, 16]
    assert pause_after(6) < LONGEST_PAUSE == pause_after(7) == pause_after(10_000)
    assert timedelta(minutes=10) == LONGEST_PAUSE


@pytest.mark.parametrize(
    ("attempts", "last", "silent"),
    [
        (1, False, False),
        (MOST_ATTEMPTS - 1, False, False),
        (MOST_ATTEMPTS, True, False),
        (MOST_ATTEMPTS + 1, True, True),
    ],
)
def test_the_last_attempt_is_made_and_none_after_it(attempts: int, *, last: bool, silent: bool) -> None:
    assert (is_last(taken(attempts)), never_said_why(taken(attempts))) == (last, silent)
