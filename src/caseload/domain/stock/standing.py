"""How the stock of a programme stands: what there is, what waits for a second person, and what must be explained."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from caseload.domain.ids import ClientId, ContainerId, DoseId
from caseload.domain.medicines import Form, Medicine
from caseload.domain.stock.container import Container, Made
from caseload.domain.stock.count import Count
from caseload.domain.stock.receiving import Station
from caseload.domain.stock.waste import Waste


class Wrong(StrEnum):
    """What must be explained, and by what."""

    BELOW_ZERO = "below_zero"
    """More was given or wasted than the books had: count it with a colleague."""
    FROM_NOWHERE = "from_nowhere"
    """A dose was recorded and no container fits: say whence it came."""
    NOT_EMPTY = "not_empty"
    """Something came or went after it was closed: a late entry; explain it in the next inventory."""
    EXPIRED_IN_USE = "expired_in_use"
    """A station takes doses from an expired container: put it away."""
    NOT_WITNESSED = "not_witnessed"
    """Waste has had no witness by the profile's deadline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unassigned:
    """What a dose took from no container that anybody has named."""

    dose: DoseId
    client: ClientId
    medicine: Medicine
    form: Form
    amount_mg: Decimal
    taken_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Discrepancy:
    """One thing that must be explained."""

    kind: Wrong
    amount_mg: Decimal
    container: ContainerId | None = None
    dose: DoseId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """The stock of a programme as it stands."""

    kept_from: date
    stations: Sequence[Station]
    containers: Sequence[Container]
    unwitnessed: Sequence[Waste]
    unconfirmed: Sequence[Count]
    unassigned: Sequence[Unassigned]

    def totals(self) -> Mapping[Made, Decimal]:
        """What there is of each medicine, form and strength, over all containers."""
        found: dict[Made, Decimal] = defaultdict(Decimal)
        for container in self.containers:
            found[container.made] += container.balance_mg
        return found

    def discrepancies(self, *, day: date, now: datetime) -> Sequence[Discrepancy]:
        """Everything that must be explained, worked out from the record each time it is asked."""
        found: list[Discrepancy] = []
        for container in self.containers:
            balance = container.balance_mg
            if balance < 0:
                found.append(Discrepancy(kind=Wrong.BELOW_ZERO, amount_mg=-balance, container=container.id))
            elif container.closed_at is not None:
                found.append(Discrepancy(kind=Wrong.NOT_EMPTY, amount_mg=balance, container=container.id))
            if container.station is not None and container.is_expired(day):
                found.append(Discrepancy(kind=Wrong.EXPIRED_IN_USE, amount_mg=balance, container=container.id))
        found += [
            Discrepancy(kind=Wrong.FROM_NOWHERE, amount_mg=each.amount_mg, dose=each.dose) for each in self.unassigned
        ]
        found += [
            Discrepancy(kind=Wrong.NOT_WITNESSED, amount_mg=each.amount_mg, container=each.container)
            for each in self.unwitnessed
            if each.witness_by < now
        ]
        return found
