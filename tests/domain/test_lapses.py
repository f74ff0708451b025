"""Titration, and gaps that repeat themselves: the pure rules at their boundaries."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from caseload.domain.dosing import DaysWithout, Lately, Taken, days_without
from caseload.domain.dosing.lapses import in_titration, look_back, repeated_gaps
from caseload.domain.medication import Order, Step, treatment_begun
from caseload.domain.medicines import DosePart, Form, Medicine
from caseload.domain.profiles import Profile, profile_on
from tests.domain.test_dosing import record, running, taken
from tests.domain.test_medication import DAY, NOW, TODAY, order


def begun(days_ago: int, **changed: Any) -> Order:
    at = NOW - days_ago * DAY
    return order(**{"starts_on": TODAY - days_ago * DAY, "written_at": at, "signed_at": at, **changed})


def missed(days_ago: int, ordered: Order) -> DaysWithout:
    return days_without(taken(days_ago), TODAY, [ordered], record())


def told(ordered: Order, *, last: int = 2, **changed: Any) -> list[str]:
    found = in_titration(missed(last, ordered), ordered, [ordered], record(**changed), TODAY)
    return [refusal.policy for refusal in found]


@pytest.mark.parametrize(("days", "says"), [(13, ["uk.titration of UK-1"]), (14, [])])
def test_titration_ends_with_its_last_day(days: int, says: list[str]) -> None:
    assert told(begun(days)) == says


def test_nobody_is_told_where_nothing_was_missed_or_the_medicine_is_not_titrated() -> None:
    assert told(begun(3), last=1) == []
    naltrexone = begun(3, medicine=Medicine.NALTREXONE, form=Form.TABLET)
    assert told(naltrexone) == []
    assert in_titration(missed(2, begun(3)), None, [], record(), TODAY) == []


@pytest.mark.parametrize(("history_days_ago", "says"), [(18, []), (19, ["uk.titration of UK-1"])])
def test_a_treatment_that_history_began_is_not_new(history_days_ago: int, says: list[str]) -> None:
    """Six days after the last that history tells of, a treatment begins anew; after five it goes on."""
    assert told(begun(13), history_until=TODAY - history_days_ago * DAY) == says


def test_a_step_up_still_to_come_when_the_first_dose_was_missed_is_titration() -> None:
    up = {DosePart.WHOLE: Decimal(70)}
    assert told(begun(99, steps=(Step(from_on=TODAY - DAY, amounts_mg=up),))) != []
    assert told(begun(99, steps=(Step(from_on=TODAY - 2 * DAY, amounts_mg=up),))) == []
    down = {DosePart.WHOLE: Decimal(50)}
    assert told(begun(99, steps=(Step(from_on=TODAY + DAY, amounts_mg=down),))) == []


def test_a_medicine_that_the_profile_never_begins_anew_has_one_treatment() -> None:
    rules = profile_on("UK", TODAY)
    ordered = begun(3, medicine=Medicine.BUPRENORPHINE, form=Form.SUBLINGUAL_TABLET)
    assert treatment_begun(ordered, [ordered], record(), rules) == TODAY - 3 * DAY
    assert treatment_begun(ordered, [ordered], record(history_until=TODAY - 900 * DAY), rules) == date.min


# Repeated gaps


def lately(*days_ago: int, amount_mg: str = "60", decided: bool = False) -> list[Lately]:
    return [Lately(day=TODAY - each * DAY, amount_mg=Decimal(amount_mg), decided=decided) for each in days_ago]


def asked(found: list[Lately], *, ordered: Order | None = None, last: int = 1) -> list[dict[str, object]]:
    ordered = ordered or running()
    without = days_without(taken(last), TODAY, [ordered], record())
    return [each.facts for each in repeated_gaps(without, found, ordered, [ordered], record(), TODAY)]


def test_three_gaps_of_seven_days_ask_and_two_do_not() -> None:
    [facts] = asked(lately(7, 5, 3, 1))
    assert facts["missed_days"] == [str(TODAY - each * DAY) for each in (6, 4, 2)]
    assert asked(lately(7, 5, 3, 2, 1)) == []


def test_the_run_since_the_last_dose_is_the_ladders_alone() -> None:
    assert asked(lately(7, 6, 5, 4), last=4) == []
    assert len(asked(lately(7, 5, 4), last=4)) == 1


def test_a_partial_dose_is_less_than_the_least_that_was_asked() -> None:
    [facts] = asked([*lately(7, 6, 5, 4), *lately(3, 2, 1, amount_mg="59.999")])
    assert (facts["missed_days"], facts["partial_days"]) == ([], [str(TODAY - each * DAY) for each in (3, 2, 1)])
    up = Step(from_on=TODAY - 3 * DAY, amounts_mg={DosePart.WHOLE: Decimal(80)})
    assert asked(lately(7, 6, 5, 4, 3, 2, 1), ordered=running(steps=(up,))) == [], "the step may have waited"
    two = [*lately(7, 6, 5, 4, 3, 2, 1, amount_mg="30"), *lately(7, 6, 5, 4, 3, 2, 1, amount_mg="30")]
    assert asked(two) == [], "the parts of a day are one day"


def test_what_a_prescriber_decided_about_is_settled() -> None:
    assert asked([*lately(7, 1), *lately(3, decided=True)]) == []
    assert len(asked([*lately(7, 1), *lately(5, decided=True)])) == 1


def test_days_without_an_order_or_between_its_own_or_of_an_injection_are_no_gaps() -> None:
    assert asked(lately(7, 5, 3, 1), ordered=running(every_days=2, starts_on=TODAY - 101 * DAY)) == []
    assert asked(lately(7), ordered=begun(1)) == []
    depot = running(medicine=Medicine.BUPRENORPHINE, form=Form.EXTENDED_RELEASE_INJECTION)
    assert asked(lately(7), ordered=depot) == []


def silent(_name: str, day: date) -> Profile:
    """The UK profile without what stands beside its rungs."""
    rules = profile_on("UK", day)
    bare = tuple(msgspec.structs.replace(ladder, titration=None, repeated=None) for ladder in rules.missed_doses)
    return msgspec.structs.replace(rules, missed_doses=bare)


def test_a_profile_that_is_silent_asks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("caseload.domain.profiles.selected.profile_on", silent)
    assert asked(lately(7, 5, 3, 1)) == []
    assert told(begun(3)) == []
    assert look_back(record(gaps_until=TODAY), taken(1), running(), TODAY) is None


@pytest.mark.parametrize(
    ("noted_days_ago", "last_days_ago", "looks"), [(None, 1, False), (None, 2, True), (8, 1, False), (7, 1, True)]
)
def test_the_last_days_are_read_only_where_something_irregular_is_among_them(
    noted_days_ago: int | None, last_days_ago: int, *, looks: bool
) -> None:
    until = None if noted_days_ago is None else TODAY - noted_days_ago * DAY
    since = look_back(record(gaps_until=until), taken(last_days_ago), running(), TODAY)
    assert since == (TODAY - timedelta(days=7) if looks else None)


def test_of_an_order_in_parts_the_last_days_are_always_read_and_without_an_order_or_a_dose_never() -> None:
    split = running(amounts_mg={DosePart.MORNING: Decimal(40), DosePart.EVENING: Decimal(20)})
    last: Taken | None = taken(1)
    assert look_back(record(), last, split, TODAY) is not None
    assert look_back(record(gaps_until=TODAY), None, running(), TODAY) is None
    assert look_back(record(gaps_until=TODAY), last, None, TODAY) is None
    assert repeated_gaps(missed(1, running()), lately(1), None, [], replace(record()), TODAY) == []
