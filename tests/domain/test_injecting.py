"""When an injection may come again: counted from the last one of its own medicine."""

from decimal import Decimal

from caseload.domain.dosing.injecting import Injected, InjectionStanding, next_injection
from caseload.domain.medicines import DosePart, Form, Medicine
from tests.domain.test_medication import DAY, TODAY, order

SUBLOCADE = order(
    medicine=Medicine.BUPRENORPHINE,
    form=Form.EXTENDED_RELEASE_INJECTION,
    strength_mg=Decimal(300),
    amounts_mg={DosePart.WHOLE: Decimal(300)},
    every_days=28,
    product="sublocade_300",
    starts_on=TODAY,
)


def given(days_ago: int, medicine: Medicine) -> Injected:
    return Injected(day=TODAY - days_ago * DAY, medicine=medicine, site=None)


def test_what_another_medicine_was_injected_as_tells_nothing_of_the_window() -> None:
    """Naltrexone in between makes the buprenorphine of two months ago no less overdue, and its own first one no later."""
    both = [given(27, Medicine.NALTREXONE), given(55, Medicine.BUPRENORPHINE)]
    assert next_injection(SUBLOCADE, both) == next_injection(SUBLOCADE, both[1:])
    assert next_injection(SUBLOCADE, both).standing(TODAY) is InjectionStanding.OVERDUE
    assert next_injection(SUBLOCADE, both[:1]) == next_injection(SUBLOCADE, [])
