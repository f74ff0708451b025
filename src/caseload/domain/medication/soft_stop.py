"""One rule that asks before an order is signed, what the record says then, and how all of them are said at once."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from caseload.domain.errors import Conflict
from caseload.domain.medication.beside import Acting
from caseload.domain.medication.order import Order
from caseload.domain.medication.record import MedicationRecord
from caseload.domain.profiles import Profile
from caseload.domain.profiles.said import SaidBy


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftStop:
    """One rule that asks, with the facts it asks about."""

    said: SaidBy
    facts: dict[str, object] = field(default_factory=dict[str, object])


class OrderNeedsConfirmation(Conflict):
    """The profile asks for a reason before this order counts."""

    def __init__(self, stops: Sequence[SoftStop], rules: Profile) -> None:
        super().__init__(
            " ".join(stop.said.says for stop in stops) + " Sign again with a reason for each rule.",
            rule=stops[0].said.rule,
            rules=[
                {
                    "rule": stop.said.rule,
                    "says": stop.said.says,
                    "policy": f"{stop.said.rule} of {rules.label}",
                    "facts": stop.facts,
                }
                for stop in stops
            ],
            profile=rules.label,
        )
        self.rules = tuple(stop.said.rule for stop in stops)


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """What the record says before an order is signed."""

    record: MedicationRecord
    orders: Sequence[Order]
    """The client's other orders that were signed."""
    given: Sequence[Acting]
    """The last day of every product that was taken lately."""
    today: date


def text(amount: Decimal) -> str:
    """An amount as people write it, without zeros behind it."""
    return f"{amount.normalize():f}"
