"""Stock by the rules alone: what an amount is, what puts a dose back, and what must be explained."""

from decimal import Decimal

import pytest

from caseload.domain.errors import Faults
from caseload.domain.ids import ContainerId, new_id
from caseload.domain.medicines import Form, Medicine
from caseload.domain.stock.taking import Line, put_back, taken_anew
from caseload.domain.stock.words import check_amount

ONE, TWO = ContainerId(new_id()), ContainerId(new_id())


def line(container: ContainerId | None, amount: str, form: Form = Form.ORAL_SOLUTION) -> Line:
    return Line(container=container, medicine=Medicine.METHADONE, form=form, amount_mg=Decimal(amount))


@pytest.mark.parametrize(
    ("amount", "problem"),
    [
        ("NaN", "must be a number"),
        ("Infinity", "must be a number"),
        ("-0.001", "more than zero"),
        ("0", "more than zero"),
        ("1000000000", "at most 999999999.999"),
        ("1.0001", "at most three decimals"),
        ("1E-4", "at most three decimals"),
        ("0.001", None),
        ("999999999.999", None),
        ("1E+3", None),
    ],
)
def test_an_amount_of_stock_is_milligrams_to_the_thousandth(amount: str, problem: str | None) -> None:
    faults = Faults()
    check_amount(Decimal(amount), "amount_mg", faults)
    if problem is None:
        assert faults.found == []
    else:
        [fault] = faults.found
        assert problem in fault.problem


def test_nothing_may_be_counted_but_not_less() -> None:
    faults = Faults()
    check_amount(Decimal(0), "counted_mg", faults, zero=True)
    assert faults.found == []
    check_amount(Decimal(-1), "counted_mg", faults, zero=True)
    assert "not be negative" in faults.found[0].problem


def test_what_is_put_back_is_what_is_still_taken_container_by_container() -> None:
    lines = [line(ONE, "-60"), line(ONE, "60"), line(ONE, "-40"), line(TWO, "-20"), line(None, "-5")]

    assert put_back(lines) == [line(ONE, "40"), line(TWO, "20"), line(None, "5")]
    assert put_back([*lines, *put_back(lines)]) == []


def test_an_amended_dose_is_taken_from_where_it_came_or_from_what_holds_the_other_form() -> None:
    first, concentrate = [line(ONE, "-60")], Form.ORAL_CONCENTRATE

    same = taken_anew(first, Medicine.METHADONE, Form.ORAL_SOLUTION, Decimal(50), TWO)
    other = taken_anew(first, Medicine.METHADONE, concentrate, Decimal(50), TWO)

    assert same == [line(ONE, "60"), line(ONE, "-50")]
    assert other == [line(ONE, "60"), line(TWO, "-50", concentrate)]
