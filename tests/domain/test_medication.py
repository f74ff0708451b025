"""Medicines, amounts and orders: what can be ordered, and how an order stands on a day."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseload.domain.access import Act, Holding, Role
from caseload.domain.errors import Faults, Invalid, NotPermitted
from caseload.domain.ids import ClientId, OrderId, ProgrammeId, StaffId, new_id
from caseload.domain.medication import MedicationRecord, Order, Standing, Wish, check_milligrams, milligrams
from caseload.domain.medication.ordering import require_answer
from caseload.domain.medicines import FORMS, DosePart, Form, Medicine, check_form
from caseload.domain.people import Staff
from caseload.domain.profiles.selected import Selected

TODAY = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
WHOLE = {DosePart.WHOLE: Decimal(60)}
HOME, AWAY = ProgrammeId(UUID(int=1)), ProgrammeId(UUID(int=2))


def order(**changed: Any) -> Order:
    """A signed daily order of 60 mg of methadone from today on."""
    order_id = OrderId(new_id())
    made = Order(
        id=order_id,
        chain=order_id,
        version=1,
        replaces=None,
        client=ClientId(UUID(int=9)),
        programme=HOME,
        medicine=Medicine.METHADONE,
        form=Form.ORAL_SOLUTION,
        strength_mg=Decimal(1),
        amounts_mg=WHOLE,
        every_days=1,
        starts_on=TODAY,
        ends_on=None,
        supervised=True,
        note="",
        written_by=StaffId(UUID(int=7)),
        written_at=NOW,
        signed_at=NOW,
    )
    return replace(made, **changed)


def wish(**changed: Any) -> Wish:
    made = Wish(
        medicine=Medicine.METHADONE,
        form=Form.ORAL_SOLUTION,
        strength_mg=Decimal(1),
        amounts_mg=WHOLE,
        every_days=1,
        starts_on=TODAY,
        ends_on=None,
        supervised=True,
        note="",
    )
    return replace(made, **changed)


@pytest.mark.parametrize("text", ["0.001", "1", "32.5", "60.125", "9999"])
def test_an_amount_in_milligrams_is_kept_to_three_decimals(text: str) -> None:
    assert milligrams(Decimal(text)) == Decimal(text)
    assert milligrams(Decimal(text)).as_tuple().exponent == -3


@pytest.mark.parametrize("text", ["0", "-1", "0.0001", "9999.001", "1E+30", "1E-30", "NaN", "Infinity", "-Infinity"])
def test_what_is_no_amount_is_refused_with_its_field(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        milligrams(Decimal(text), "amounts_mg.whole")
    assert refused.value.faults[0].field == "amounts_mg.whole"


@given(st.decimals(allow_nan=True, allow_infinity=True))
def test_any_decimal_is_either_refused_or_fits_the_column(value: Decimal) -> None:
    faults = Faults()
    check_milligrams(value, "amount_mg", faults)
    if not faults.found:
        assert Decimal(0) < milligrams(value) <= Decimal(9999)


def test_a_medicine_exists_only_in_its_forms() -> None:
    check_form(Medicine.METHADONE, Form.ORAL_SOLUTION)
    with pytest.raises(Invalid, match="methadone is not made as sublingual_film"):
        check_form(Medicine.METHADONE, Form.SUBLINGUAL_FILM)
    assert set(FORMS) == set(Medicine)


@pytest.mark.parametrize(
    ("one", "other", "meets"),
    [
        (DosePart.WHOLE, DosePart.WHOLE, True),
        (DosePart.WHOLE, DosePart.MORNING, True),
        (DosePart.EVENING, DosePart.WHOLE, True),
        (DosePart.MORNING, DosePart.EVENING, False),
        (DosePart.MORNING, DosePart.MORNING, True),
    ],
)
def test_the_whole_day_meets_each_of_its_parts(one: DosePart, other: DosePart, meets: bool) -> None:  # noqa: FBT001  drawn by hypothesis, by name
    assert one.meets(other) is meets


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"form": Form.SUBLINGUAL_FILM}, "form"),
        ({"strength_mg": Decimal(0)}, "strength_mg"),
        ({"amounts_mg": {}}, "amounts_mg"),
        ({"amounts_mg": {**WHOLE, DosePart.MORNING: Decimal(10)}}, "amounts_mg"),
        ({"amounts_mg": {DosePart.MORNING: Decimal("0.0001")}}, "amounts_mg.morning"),
        (
            {
                "medicine": Medicine.NALTREXONE,
                "form": Form.EXTENDED_RELEASE_INJECTION,
                "amounts_mg": {DosePart.MORNING: Decimal(380)},
                "no_opioid_known": "Asked: none.",
            },
            "amounts_mg",
        ),
        ({"every_days": 0}, "every_days"),
        ({"every_days": 93}, "every_days"),
        ({"starts_on": TODAY - DAY}, "starts_on"),
        ({"starts_on": TODAY + 367 * DAY}, "starts_on"),
        ({"ends_on": TODAY - DAY}, "ends_on"),
        ({"note": "x" * 4001}, "note"),
    ],
)
def test_what_nobody_can_mean_cannot_be_ordered(changed: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        wish(**changed).check(today=TODAY)
    assert {fault.field for fault in refused.value.faults} == {field}


def test_everything_wrong_with_an_order_is_said_at_once() -> None:
    with pytest.raises(Invalid) as refused:
        wish(amounts_mg={}, every_days=0, starts_on=TODAY - DAY).check(today=TODAY)
    assert [fault.field for fault in refused.value.faults] == ["amounts_mg", "every_days", "starts_on"]


def test_an_ordinary_order_can_be_written() -> None:
    wish(ends_on=TODAY, amounts_mg={DosePart.MORNING: Decimal(30), DosePart.EVENING: Decimal(30)}).check(today=TODAY)


@pytest.mark.parametrize(
    ("changed", "day", "standing"),
    [
        ({"signed_at": None}, TODAY, Standing.DRAFT),
        ({"signed_at": NOW + DAY}, TODAY, Standing.DRAFT),
        ({}, TODAY - DAY, Standing.NOT_BEGUN),
        ({}, TODAY, Standing.IN_FORCE),
        ({}, TODAY + 1000 * DAY, Standing.IN_FORCE),
        ({"ends_on": TODAY + DAY}, TODAY + DAY, Standing.IN_FORCE),
        ({"ends_on": TODAY + DAY}, TODAY + 2 * DAY, Standing.ENDED),
        ({"stopped_at": NOW}, TODAY, Standing.STOPPED),
        ({"stopped_at": NOW + timedelta(seconds=1)}, TODAY, Standing.IN_FORCE),
        ({"replaced_at": NOW, "replaced_from": TODAY + DAY}, TODAY, Standing.IN_FORCE),
        ({"replaced_at": NOW, "replaced_from": TODAY + DAY}, TODAY + DAY, Standing.REPLACED),
        ({"replaced_at": NOW + DAY, "replaced_from": TODAY}, TODAY, Standing.IN_FORCE),
    ],
)
def test_an_order_stands_as_what_happened_until_then_says(
    changed: dict[str, object], day: date, standing: Standing
) -> None:
    assert order(**changed).standing(day, NOW) is standing


def test_a_spoken_order_counts_until_the_last_instant_of_its_deadline_and_again_once_it_is_signed() -> None:
    spoken = order(verbal_by=StaffId(UUID(int=3)), countersign_by=NOW, signed_at=None)
    late = NOW + timedelta(microseconds=1)
    assert [spoken.is_overdue(at) for at in (NOW, late)] == [False, True]
    signed = replace(spoken, signed_at=NOW + DAY)
    assert [signed.is_overdue(at) for at in (NOW, late, NOW + DAY - timedelta(microseconds=1), NOW + DAY)] == [
        False,
        True,
        True,
        False,
    ]


@pytest.mark.parametrize(("every_days", "scheduled"), [(1, [0, 1, 2, 3]), (2, [0, 2]), (3, [0, 3])])
def test_an_order_asks_for_a_dose_every_so_many_days_from_its_first(every_days: int, scheduled: list[int]) -> None:
    asked = order(every_days=every_days)
    assert [number for number in range(4) if asked.is_scheduled(TODAY + number * DAY)] == scheduled


def test_an_order_covers_a_day_when_it_was_signed_by_its_end_and_not_stopped_until_then() -> None:
    late_evening = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)
    assert order(signed_at=late_evening).covers(TODAY, "Europe/London")
    assert not order(signed_at=late_evening).covers(TODAY, "Europe/Berlin")  # half past midnight there
    assert not order(stopped_at=late_evening).covers(TODAY, "Europe/London")
    assert order(stopped_at=late_evening + DAY).covers(TODAY, "Europe/London")


@pytest.mark.parametrize(
    ("changed", "starts", "ends", "overlaps"),
    [
        ({}, 5, None, True),
        ({"ends_on": TODAY + 4 * DAY}, 5, None, False),
        ({"ends_on": TODAY + 5 * DAY}, 5, None, True),
        ({"starts_on": TODAY + 8 * DAY}, 5, 7, False),
        ({"starts_on": TODAY + 7 * DAY}, 5, 7, True),
        ({"replaced_from": TODAY + 5 * DAY}, 5, None, False),
        ({"replaced_from": TODAY + 6 * DAY}, 5, None, True),
        ({"replaced_from": TODAY + 9 * DAY, "ends_on": TODAY + 4 * DAY}, 5, None, False),
    ],
)
def test_orders_overlap_when_both_would_be_in_force_on_a_day(
    changed: dict[str, object],
    starts: int,
    ends: int | None,
    overlaps: bool,  # noqa: FBT001  a parameter of the test, given by name
) -> None:
    ends_on = None if ends is None else TODAY + ends * DAY
    assert order(**changed).overlaps(TODAY + starts * DAY, ends_on) is overlaps


def record(**changed: Any) -> MedicationRecord:
    made = MedicationRecord(
        client=ClientId(UUID(int=9)), programme=HOME, time_zone="Europe/London", profiles=Selected("UK")
    )
    return replace(made, **changed)


def staff(*holdings: tuple[Role, ProgrammeId]) -> Staff:
    return Staff(
        id=StaffId(new_id()),
        user_name="nora",
        printed_name="Nora Quill",
        session=None,
        holdings=tuple(Holding(role=role, programme=programme) for role, programme in holdings),
    )


@pytest.mark.parametrize(
    ("instant", "zone", "day"),
    [
        ("2026-11-22T23:59:59+00:00", "Europe/London", "2026-11-22"),
        ("2026-11-23T00:00:00+00:00", "Europe/London", "2026-11-23"),
        ("2026-06-22T23:00:00+00:00", "Europe/London", "2026-06-23"),  # summer time: midnight is an hour earlier
        ("2026-10-25T00:30:00+00:00", "Europe/London", "2026-10-25"),  # the hour that happens twice, first
        ("2026-10-25T01:30:00+00:00", "Europe/London", "2026-10-25"),  # and again
        ("2026-03-29T00:59:59+00:00", "Europe/London", "2026-03-29"),  # before the hour that does not exist
        ("2026-03-29T01:00:00+00:00", "Europe/London", "2026-03-29"),  # and after
        ("2026-11-01T05:30:00+00:00", "America/New_York", "2026-11-01"),
        ("2026-11-02T04:59:59+00:00", "America/New_York", "2026-11-01"),  # a day of 25 hours
        ("2026-03-09T03:59:59+00:00", "America/New_York", "2026-03-08"),  # a day of 23 hours
        ("2026-10-03T13:59:59+00:00", "Australia/Sydney", "2026-10-03"),
        ("2026-10-03T14:00:00+00:00", "Australia/Sydney", "2026-10-04"),
    ],
)
def test_the_dosing_day_is_the_local_date_at_home(instant: str, zone: str, day: str) -> None:
    assert record(time_zone=zone).day_of(datetime.fromisoformat(instant)) == date.fromisoformat(day)


def test_a_guest_is_dosed_where_they_are_hosted_and_by_the_people_there() -> None:
    guest = record(host=AWAY)
    assert guest.place(staff((Role.NURSE, AWAY)), Act.RECORD_DOSE) == AWAY
    assert guest.place(staff((Role.NURSE, HOME)), Act.RECORD_DOSE) == HOME
    with pytest.raises(NotPermitted):
        guest.place(staff((Role.COUNSELLOR, AWAY)), Act.RECORD_DOSE)


def test_nobody_acts_at_home_without_a_role_there() -> None:
    with pytest.raises(NotPermitted):
        record().place(staff((Role.NURSE, AWAY)), Act.RECORD_DOSE)


def test_naltrexone_that_was_written_down_before_anybody_had_to_ask_is_not_signed() -> None:
    old = order(medicine=Medicine.NALTREXONE, form=Form.TABLET, signed_at=None)
    with pytest.raises(Invalid) as refused:
        require_answer(old)
    assert refused.value.faults[0].field == "last_opioid_on"
    for answered in ({"last_opioid_on": TODAY}, {"no_opioid_known": "Asked: none."}):
        require_answer(replace(old, **answered))
    require_answer(order())
