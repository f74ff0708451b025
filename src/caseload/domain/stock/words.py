"""The words of the stock: what containers there are, what happens to what is in them, and why books and shelf differ."""

from decimal import Decimal
from enum import StrEnum
from typing import Final

from caseload.domain.errors import Faults

MOST_MG: Final = Decimal("999999999.999")
"""The most that one container can hold on paper."""
LONGEST_TEXT: Final = 4000
_THOUSANDTHS: Final = Decimal("0.001")


class ContainerKind(StrEnum):
    """What medicine is kept in."""

    BOTTLE = "bottle"
    """As it came from the supplier: one lot, one date of expiry."""
    DISPENSER = "dispenser"
    """A pump or jug that is filled by pouring from bottles; one filling, closed when it is empty and cleaned."""


class ReceiptKind(StrEnum):
    """How medicine came into the books."""

    DELIVERY = "delivery"
    """From a supplier."""
    FIRST_INVENTORY = "first_inventory"
    """It was there already when the books were opened (21 CFR 1304.11(b))."""


class EntryKind(StrEnum):
    """What a line of the ledger is. Only the sign of its amount says whether medicine came or went."""

    RECEIVED = "received"
    POURED_OUT = "poured_out"
    POURED_IN = "poured_in"
    DOSE = "dose"
    PUT_BACK = "put_back"
    """A dose, or its place in the books, was put right: what it had taken is back, as a line of its own."""
    TAKE_HOME = "take_home"
    TAKE_HOME_BACK = "take_home_back"
    """A unit came back full. The line of its waste stands beside it: nobody is given it again."""
    WASTE = "waste"
    WASTE_WITHDRAWN = "waste_withdrawn"
    VARIANCE = "variance"
    """What a count by two people found more or less than the books."""


class WasteKind(StrEnum):
    """Why medicine is gone that nobody took."""

    SPILL = "spill"
    LEFT_OVER = "left_over"
    """What was left of a dose or in a container."""
    EXPIRED = "expired"
    DAMAGED = "damaged"
    RETURNED = "returned"
    """Brought back by a client and destroyed; it is never given to anybody else."""


class Verdict(StrEnum):
    """How a record of waste was settled."""

    WITNESSED = "witnessed"
    WITHDRAWN = "withdrawn"
    """It was recorded by mistake, and nobody had witnessed it."""


class Cause(StrEnum):
    """Why a count differs from the books."""

    OVERFILL = "overfill"
    """The supplier fills a little more than the label says."""
    MEASURING = "measuring"
    """Within what the measure can tell."""
    EVAPORATION = "evaporation"
    NOT_RECORDED = "not_recorded"
    """Something was given, poured or spilled and is not, or not yet, in the record."""
    WRONG_CONTAINER = "wrong_container"
    LOSS_OR_THEFT = "loss_or_theft"
    NOT_KNOWN = "not_known"


class LossKind(StrEnum):
    """What a loss is taken for."""

    THEFT = "theft"
    LOSS = "loss"


class LossStep(StrEnum):
    """What the authority must be sent about a loss."""

    NOTICE = "notice"
    FORM = "form"


class Moment(StrEnum):
    """When on its day an inventory was taken (21 CFR 1304.11(a))."""

    OPENING = "opening"
    CLOSE = "close"


def check_amount(value: Decimal, where: str, faults: Faults, *, zero: bool = False) -> None:
    """Add a fault unless the value is an amount of stock in milligrams, to the thousandth."""
    if not value.is_finite():
        faults.add(where, "must be a number of milligrams")
    elif value < 0 or (value == 0 and not zero):
        faults.add(where, "must not be negative" if zero else "must be more than zero")
    elif value > MOST_MG:
        faults.add(where, f"must be at most {MOST_MG} mg")
    elif value != value.quantize(_THOUSANDTHS):
        faults.add(where, "must have at most three decimals of a milligram")


def check_text(value: str, where: str, faults: Faults, *, most: int = LONGEST_TEXT) -> None:
    """Add a fault unless the text says something and can be kept."""
    faults.check(when=not value.strip(), where=where, problem="must say something")
    faults.check(when=len(value) > most, where=where, problem=f"at most {most} characters")
