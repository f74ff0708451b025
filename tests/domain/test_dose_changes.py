"""Large changes of a daily dose: the last that is not one, the first that is, and what is no change at all."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from caseload.domain.ids import OrderId, new_id
from caseload.domain.medication import Order, Step, large_changes
from caseload.domain.medicines import DosePart, Form, Medicine
from caseload.domain.schedule import start_of_day
from tests.domain.test_dosing import record
from tests.domain.test_medication import DAY, NOW, TODAY, order

ZONE = record().time_zone
TODAY_IN = ZoneInfo(ZONE)
LONG = TODAY - 300 * DAY


def of(amount: str, **changed: Any) -> Order:
    order_id = OrderId(new_id())
    starts_on = changed.get("starts_on", TODAY)
    said = {"id": order_id, "chain": order_id, "amounts_mg": {DosePart.WHOLE: Decimal(amount)}, "starts_on": starts_on}
    signed = NOW - (TODAY - starts_on) - DAY
    return order(**{**said, "written_at": signed, "signed_at": signed, **changed})


def before(amount: str, **changed: Any) -> Order:
    """An order of long ago that ended yesterday."""
    return of(amount, **{"starts_on": LONG, "ends_on": TODAY - DAY, **changed})


def days(*orders: Order, percent: int = 20, first: date = LONG, last: date = TODAY) -> Sequence[date]:
    return [each.on for each in large_changes(orders, ZONE, percent=percent, first=first, last=last)]


@pytest.mark.parametrize(
    ("amount", "large"), [("72", False), ("72.001", True), ("48", False), ("47.999", True), ("60", False)]
)
def test_by_more_than_a_fifth_up_or_down(amount: str, *, large: bool) -> None:
    assert days(before("60"), of(amount)) == ([TODAY] if large else [])


@pytest.mark.parametrize(("percent", "large"), [(0, True), (19, True), (20, False)])
def test_how_much_is_the_profiles(percent: int, *, large: bool) -> None:
    assert days(before("60"), of("72"), percent=percent) == ([TODAY] if large else [])


def test_beginning_and_ending_are_no_change_and_days_between_make_none_smaller() -> None:
    assert days(of("60")) == []
    assert days(before("60")) == []
    assert days(before("60", ends_on=TODAY - 30 * DAY), of("30")) == [TODAY]
    assert days(before("60", ends_on=TODAY - 30 * DAY), of("60")) == []


def test_each_step_of_an_order_counts_from_its_day_and_those_to_come_do_not_yet() -> None:
    ups = tuple(
        Step(from_on=TODAY + number * DAY, amounts_mg={DosePart.WHOLE: Decimal(amount)})
        for number, amount in ((-2, 40), (-1, 45), (0, 60), (1, 90))
    )
    rising = of("30", starts_on=TODAY - 9 * DAY, steps=ups)
    assert days(rising) == [TODAY - 2 * DAY, TODAY]
    assert days(rising, first=TODAY - DAY) == [TODAY]
    assert days(rising, last=TODAY - DAY) == [TODAY - 2 * DAY]
    assert days(rising, last=TODAY + DAY)[-1] == TODAY + DAY


def test_a_day_of_a_regimen_that_is_not_daily_has_its_share() -> None:
    twice = before("60"), of("120", every_days=2)
    assert days(*twice) == []
    assert days(before("60"), of("60", every_days=2)) == [TODAY]
    parts = {DosePart.MORNING: Decimal(40), DosePart.EVENING: Decimal(20)}
    assert days(before("60"), of("60", amounts_mg=parts)) == []


def test_each_medicine_counts_for_itself_and_an_injection_has_no_daily_dose() -> None:
    other = {"medicine": Medicine.BUPRENORPHINE, "form": Form.SUBLINGUAL_TABLET}
    assert days(before("60"), of("8", **other)) == []
    assert days(before("60"), of("30"), before("16", **other), of("8", **other)) == [TODAY, TODAY]
    depot = {"medicine": Medicine.BUPRENORPHINE, "form": Form.EXTENDED_RELEASE_INJECTION, "every_days": 28}
    assert days(before("300", **depot), of("100", **depot)) == []


def test_what_nobody_signed_and_what_was_stopped_changes_nothing() -> None:
    assert days(before("60"), of("90", signed_at=None)) == []
    assert days(before("60"), of("90", stopped_at=NOW - DAY)) == []


def test_a_spoken_order_counts_from_when_it_was_taken_down() -> None:
    spoken = of("90", verbal_by=order().written_by, countersign_by=NOW + 3 * DAY, signed_at=NOW, written_at=NOW - DAY)
    [change] = large_changes([before("60"), spoken], ZONE, percent=20, first=LONG, last=TODAY)
    assert (change.order, change.on, change.since) == (spoken.id, TODAY, start_of_day(TODAY, TODAY_IN))


def test_an_order_that_was_to_begin_before_it_was_signed_counts_from_then() -> None:
    first = before("60", replaced_by=OrderId(new_id()), replaced_from=TODAY - 5 * DAY, replaced_at=NOW, ends_on=None)
    late = of("90", starts_on=TODAY - 5 * DAY, signed_at=NOW + timedelta(minutes=1))
    [change] = large_changes([first, late], ZONE, percent=20, first=LONG, last=TODAY)
    assert (change.on, change.since) == (TODAY, NOW + timedelta(minutes=1))
