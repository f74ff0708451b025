"""When an electrocardiogram is due: each reason on its first day, and what takes it away."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from caseload.domain.ecg import EcgReason, Heart, above_since, ecg_due
from caseload.domain.medication import MedicationRecord, Order, Step
from caseload.domain.medicines import DosePart, Medicine
from caseload.domain.profiles import profile_version
from caseload.domain.profiles.selected import Selected
from tests.domain.test_medication import DAY, HOME, NOW, TODAY, order

UK = profile_version("UK", 1)
BEFORE, FOLLOW_UP, YEARLY, HIGH, FAINTED = EcgReason


def methadone(starts_on: date = TODAY, mg: int = 60, **said: Any) -> Order:
    return replace(order(starts_on=starts_on), amounts_mg={DosePart.WHOLE: Decimal(mg)}, signed_at=NOW, **said)


def heart(*orders: Order, ecgs: Sequence[date] = (), fainted: Sequence[date] = (), **said: Any) -> Heart:
    first = orders[-1]
    record = MedicationRecord(
        client=first.client, programme=HOME, time_zone="Europe/London", profiles=Selected("UK"), **said
    )
    return Heart(
        record=record,
        given_name="Ann",
        family_name="Example",
        order=first,
        orders=orders,
        ecgs=ecgs,
        last_qtc=430 if ecgs else None,
        fainted=fainted,
    )


def reasons(of: Heart, until: date) -> list[tuple[EcgReason, date]]:
    found = ecg_due(of, until, UK)
    return [] if found is None else [(each.reason, each.due_on) for each in found.reasons]


def test_before_methadone_begins_one_is_due_on_the_first_day() -> None:
    begins = heart(methadone(TODAY + 3 * DAY))
    assert reasons(begins, TODAY + 2 * DAY) == []
    assert reasons(begins, TODAY + 3 * DAY) == [(BEFORE, TODAY + 3 * DAY)]
    assert reasons(heart(methadone(TODAY + 3 * DAY), ecgs=[TODAY]), TODAY + 3 * DAY) == []


@pytest.mark.parametrize(("seen", "after", "due"), [(0, 29, False), (0, 30, True), (1, 30, False), (-20, 30, True)])
def test_within_30_days_another_one_is_due(seen: int, after: int, *, due: bool) -> None:
    """One of the first day is the one from before the start."""
    of = heart(methadone(), ecgs=[TODAY + seen * DAY])
    assert reasons(of, TODAY + after * DAY) == ([(FOLLOW_UP, TODAY + 30 * DAY)] if due else [])


def test_every_year_one_is_due() -> None:
    last = TODAY + 30 * DAY
    of = heart(methadone(), ecgs=[TODAY, last])
    assert reasons(of, last + 364 * DAY) == []
    assert reasons(of, last + 365 * DAY) == [(YEARLY, last + 365 * DAY)]


@pytest.mark.parametrize(("mg", "seen", "due"), [(100, 0, False), (101, 9, True), (101, 10, False)])
def test_above_100_mg_a_day_one_is_due_from_the_day_of_the_rise(mg: int, seen: int, *, due: bool) -> None:
    rise = TODAY + 10 * DAY
    risen = methadone(steps=(Step(from_on=rise, amounts_mg={DosePart.WHOLE: Decimal(mg)}),))
    of = heart(risen, ecgs=[TODAY + DAY, TODAY + seen * DAY])
    assert reasons(of, rise - DAY) == []
    assert reasons(of, rise) == ([(HIGH, rise)] if due else [])


def test_the_rise_counts_from_where_it_has_stood_above_since() -> None:
    """Whoever went down and up again has risen again; what was replaced before its step never rose."""
    high, low = methadone(TODAY, 120), methadone(TODAY + 5 * DAY, 90)
    down = replace(high, replaced_from=TODAY + 5 * DAY)
    again = methadone(TODAY + 9 * DAY, 110)
    assert above_since(heart(down, replace(low, replaced_from=TODAY + 9 * DAY), again), TODAY + 9 * DAY, 100) == (
        TODAY + 9 * DAY
    )
    assert above_since(heart(down, low), TODAY + 5 * DAY, 100) is None
    assert above_since(heart(high, again), TODAY + 9 * DAY, 100) == TODAY
    never = replace(
        methadone(steps=(Step(from_on=TODAY + 8 * DAY, amounts_mg={DosePart.WHOLE: Decimal(130)}),)),
        replaced_from=TODAY + 8 * DAY,
    )
    assert above_since(heart(never), TODAY + 20 * DAY, 100) is None
    other = replace(methadone(mg=120), medicine=Medicine.BUPRENORPHINE)
    assert above_since(heart(other), TODAY, 100) is None


@pytest.mark.parametrize(("seen", "due"), [(4, True), (5, False)])
def test_after_a_faint_one_is_due(seen: int, *, due: bool) -> None:
    of = heart(methadone(), ecgs=[TODAY + DAY, TODAY + seen * DAY], fainted=[TODAY + 5 * DAY])
    assert reasons(of, TODAY + 5 * DAY) == ([(FAINTED, TODAY + 5 * DAY)] if due else [])


def test_the_reasons_stand_in_the_order_of_their_days() -> None:
    of = heart(methadone(mg=120), fainted=[TODAY + 2 * DAY, TODAY + DAY])
    found = ecg_due(of, TODAY + 30 * DAY, UK)
    assert found is not None
    assert [each.reason for each in found.reasons] == [BEFORE, HIGH, FAINTED, FOLLOW_UP]
    assert (found.due_on, found.began_on, found.last_ecg_on) == (TODAY, TODAY, None)


def test_of_brought_in_history_the_first_day_is_not_known() -> None:
    of = heart(methadone(), history_until=TODAY - DAY)
    assert reasons(of, TODAY + 60 * DAY) == [(BEFORE, TODAY)]
    found = ecg_due(of, TODAY, UK)
    assert found is not None
    assert found.began_on is None
    seen = heart(methadone(), history_until=TODAY - DAY, ecgs=[TODAY - timedelta(days=400)])
    assert reasons(seen, TODAY) == [(YEARLY, TODAY - 35 * DAY)]
