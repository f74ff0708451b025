"""Days covered by something besides our own doses: what they move, and whom they cost nothing."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseload.domain.dosing import CoveredBy, CoveredDay, Morning, TakenPart, days_without
from caseload.domain.dosing.covered import acting_of, counted, counted_in, given_by, last_of, parts_of, read_since
from caseload.domain.medication import Step
from caseload.domain.medicines import DosePart, Form, Medicine
from tests.domain.test_dosing import facts, record, running, taken
from tests.domain.test_medication import DAY, NOW, TODAY

METHADONE = (Medicine.METHADONE, Form.ORAL_SOLUTION)


def covered(days_ago: int, *, at: datetime | None = None, amount_mg: str = "60", **changed: Any) -> CoveredDay:
    said: dict[str, Any] = {
        "part": DosePart.WHOLE,
        "medicine": Medicine.METHADONE,
        "form": Form.ORAL_SOLUTION,
        "product": None,
        "by": CoveredBy.STATEMENT,
        "record": UUID(int=77),
        "source": "HMP Example",
        **changed,
    }
    return CoveredDay(day=TODAY - days_ago * DAY, at=at, amount_mg=Decimal(amount_mg), **said)


def test_it_is_not_asked_where_nothing_was_ever_covered() -> None:
    assert read_since(None, taken(1), running(), TODAY) is None


@pytest.mark.parametrize(
    ("until_days_ago", "last_days_ago", "since_days_ago"),
    [(0, 1, 62), (62, 1, 62), (63, 1, None), (63, 63, 63), (64, 63, None), (90, 90, 90)],
)
def test_it_is_asked_from_our_last_dose_on_and_as_far_as_anything_acts(
    until_days_ago: int, last_days_ago: int, since_days_ago: int | None
) -> None:
    since = read_since(TODAY - until_days_ago * DAY, taken(last_days_ago), running(), TODAY)
    assert since == (None if since_days_ago is None else TODAY - since_days_ago * DAY)


def test_it_is_asked_from_the_first_day_of_an_order_in_steps_and_always_without_a_dose_of_ours() -> None:
    stepped = running(steps=(Step(from_on=TODAY, amounts_mg={DosePart.WHOLE: Decimal(70)}),))
    assert read_since(TODAY - 99 * DAY, taken(1), stepped, TODAY) == stepped.starts_on
    assert read_since(TODAY - 999 * DAY, None, None, TODAY) == date.min


def test_the_last_dose_is_the_latest_of_ours_and_what_is_covered() -> None:
    days = [covered(5), covered(2, amount_mg="40"), covered(3), covered(-1)]
    last = last_of(taken(6), days, *METHADONE, TODAY)
    assert last is not None
    assert (last.day, last.amount_mg) == (TODAY - 2 * DAY, Decimal(40))
    assert last_of(taken(1), days[:1], *METHADONE, TODAY) == taken(1)
    assert last_of(None, [], *METHADONE, TODAY) is None


def test_of_one_day_the_last_by_the_clock_counts_and_without_a_clock_the_smallest() -> None:
    early, late = NOW - DAY, NOW - DAY + timedelta(hours=2)
    day = [covered(1, at=early, amount_mg="10"), covered(1, at=late, amount_mg="50"), covered(1, amount_mg="5")]
    last = last_of(None, day, *METHADONE, TODAY)
    assert last is not None
    assert (last.at, last.amount_mg) == (late, Decimal(50))
    unknown = last_of(None, [covered(1, amount_mg="50"), covered(1, amount_mg="5")], *METHADONE, TODAY)
    assert unknown is not None
    assert unknown.amount_mg == Decimal(5)


def test_only_what_acts_alike_tells_of_tolerance() -> None:
    naltrexone = covered(1, medicine=Medicine.NALTREXONE, form=Form.TABLET)
    buprenorphine = covered(1, medicine=Medicine.BUPRENORPHINE, form=Form.SUBLINGUAL_TABLET)
    assert last_of(None, [naltrexone], *METHADONE, TODAY) is None
    assert last_of(None, [buprenorphine], *METHADONE, TODAY) is not None
    assert last_of(None, [buprenorphine], Medicine.BUPRENORPHINE, Form.EXTENDED_RELEASE_INJECTION, TODAY) is None


def test_a_covered_part_takes_its_part_of_the_day_and_no_other() -> None:
    evening = covered(0, part=DosePart.EVENING)
    [given_elsewhere] = given_by([evening, covered(1)], TODAY)
    assert (given_elsewhere.source, given_elsewhere.given_by, given_elsewhere.covered) == ("HMP Example", None, True)
    plain = facts()
    assert counted(plain, [evening], DosePart.MORNING, *METHADONE, TODAY).given is None
    assert counted(plain, [evening], DosePart.WHOLE, *METHADONE, TODAY).given == given_elsewhere


def test_the_next_dose_is_the_nearest_of_ours_and_what_is_covered() -> None:
    tomorrow, sooner = NOW + DAY, NOW + DAY - timedelta(hours=3)
    known = facts(next_at=tomorrow)
    assert counted(known, [covered(-1)], DosePart.WHOLE, *METHADONE, TODAY).next_at == tomorrow
    assert counted(known, [covered(-1, at=sooner)], DosePart.WHOLE, *METHADONE, TODAY).next_at == sooner
    assert counted(facts(), [covered(0)], DosePart.WHOLE, *METHADONE, TODAY).next_at is None


def test_the_hour_of_a_former_day_is_that_of_the_last_that_acts_alike_and_whose_hour_is_known() -> None:
    days = [covered(1, at=NOW - DAY), covered(2, at=NOW - 2 * DAY), covered(1), covered(0, at=NOW)]
    assert counted(facts(), days, DosePart.WHOLE, *METHADONE, TODAY).before_at == NOW - DAY
    assert counted(facts(), days[2:], DosePart.WHOLE, *METHADONE, TODAY).before_at is None
    naltrexone = [covered(1, at=NOW - DAY, medicine=Medicine.NALTREXONE, form=Form.TABLET)]
    assert counted(facts(), naltrexone, DosePart.WHOLE, *METHADONE, TODAY).before_at is None


def test_what_is_covered_since_the_order_began_counts_for_its_steps() -> None:
    order = running(starts_on=TODAY - 3 * DAY)
    days = [covered(4), covered(3), covered(0), covered(-1)]
    parts = [
        TakenPart(
            day=each.day, part=each.part, amount_mg=each.amount_mg, at=None, medicine=each.medicine, form=each.form
        )
        for each in days[1:3]
    ]
    assert list(parts_of(days, order, TODAY)) == parts
    assert counted(facts(order), days, DosePart.WHOLE, *METHADONE, TODAY).taken_since == tuple(parts)
    assert counted(facts(), days, DosePart.WHOLE, *METHADONE, TODAY).order is not None
    without = counted(
        facts().__class__(order=None, given=None, last=None, held=None, allowed=None, freed_by=None),
        days,
        DosePart.WHOLE,
        *METHADONE,
        TODAY,
    )
    assert without.taken_since == ()


def test_the_last_day_of_every_covered_product_acts() -> None:
    found = acting_of(
        [covered(5), covered(2), covered(3), covered(-1), covered(9, product="methadone_solution_1")], TODAY
    )
    assert {(each.product, each.on) for each in found} == {
        (None, TODAY - 2 * DAY),
        ("methadone_solution_1", TODAY - 9 * DAY),
    }


def test_a_morning_without_an_order_stays_as_it_is() -> None:
    plain = Morning(record=record(), orders=(), given=(), last=None, held=None, allowed=None)
    assert counted_in(plain, [covered(0)], TODAY) is plain


@given(st.sets(st.integers(0, 9)), st.integers(1, 9))
def test_missed_are_the_scheduled_days_since_the_last_that_anybody_vouches_for(
    days: set[int], own_days_ago: int
) -> None:
    order = running()
    plain = Morning(record=record(), orders=(order,), given=(), last=taken(own_days_ago), held=None, allowed=None)
    found = counted_in(plain, [covered(each) for each in sorted(days)], TODAY)
    without = days_without(found.last, TODAY, found.orders, found.record)
    last = min({own_days_ago} | days)
    assert len(without.missed) == max(last - 1, 0)
