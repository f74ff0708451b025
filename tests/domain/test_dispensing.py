"""The dispensing log's rules: who reads it, and for how long a period at once."""

from collections.abc import Sequence
from datetime import date

import pytest

from caseload.domain.access import Role
from caseload.domain.dispensing import Dispensed, Period, read_log
from caseload.domain.errors import Invalid, NotPermitted
from caseload.domain.ids import DoseId, ProgrammeId, UnitId, new_id
from caseload.domain.people import Staff
from tests.factories.staff import somebody

pytestmark = pytest.mark.anyio

HARBOUR = ProgrammeId(new_id())
DAY = Period(first=date(2026, 11, 22), last=date(2026, 11, 22))


class Empty:
    async def lines(
        self, programme: ProgrammeId, period: Period, *, after: DoseId | UnitId | None, limit: int
    ) -> Sequence[Dispensed]:
        return []


def someone(role: Role) -> Staff:
    return somebody((role, HARBOUR))


async def test_an_inspector_reads_the_log_and_a_counsellor_does_not() -> None:
    log = Empty()

    assert list(await read_log(HARBOUR, DAY, by=someone(Role.INSPECTOR), after=None, limit=50, log=log)) == []
    with pytest.raises(NotPermitted):
        await read_log(HARBOUR, DAY, by=someone(Role.COUNSELLOR), after=None, limit=50, log=log)


@pytest.mark.parametrize(
    ("last", "good"), [(date(2026, 1, 31), True), (date(2026, 2, 1), False), (date(2025, 12, 31), False)]
)
def test_a_period_is_a_month_at_most_and_runs_forward(last: date, *, good: bool) -> None:
    if good:
        assert Period(first=date(2026, 1, 1), last=last).last == last
    else:
        with pytest.raises(Invalid):
            Period(first=date(2026, 1, 1), last=last)
