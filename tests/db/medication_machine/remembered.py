"""What happened, by those who did it: all that the oracle has to go by. Nothing here was read from a database."""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from caseload.domain.dosing import Dose, Kind
from caseload.domain.dosing.past import Contents
from caseload.domain.ids import DeliveryId, DoseId, GuestId, HoldId, OrderId, StatementId, UnitId
from caseload.domain.medication import Aim, Order
from caseload.domain.medicines import DosePart
from caseload.domain.takehome import TakeHomeDecision, TakeHomeUnit


class Look(StrEnum):
    """Where the newest version of a dose stands with the second clinician."""

    WAITS = "waits"
    SIGNED = "signed"
    SENT_BACK = "sent back"


@dataclass
class Given:
    """A dose of ours."""

    dose: Dose
    """Its newest version."""
    taken: bool = True
    look: Look = Look.WAITS
    came_back: bool = False
    lost_at_most: Decimal | None = None
    """What may be given in its place, as was decided last; 0 when a clinician decided to leave it."""
    replaced_by: DoseId | None = None

    @property
    def id(self) -> DoseId:
        return self.dose.id

    @property
    def day(self) -> date:
        return self.dose.dosing_day

    @property
    def at(self) -> datetime:
        assert self.dose.given_at is not None
        return self.dose.given_at

    @property
    def ordinary(self) -> bool:
        return self.dose.kind is Kind.ORDINARY


@dataclass
class Unit:
    """A unit that was taken home."""

    unit: TakeHomeUnit
    taken: bool | None = None
    """What somebody said of it."""
    full: bool = False

    @property
    def counts(self) -> bool:
        """Its day is one with medicine until somebody says that it was not taken."""
        return self.taken is not False


@dataclass(frozen=True)
class Said:
    """What a source said of one day that it was taken."""

    statement: StatementId
    day: date
    at: datetime | None
    amount_mg: Decimal


@dataclass(frozen=True)
class Seen:
    """How somebody saw the client before a dose."""

    day: date
    at: datetime
    is_well: bool


@dataclass
class Delivered:
    """An injection for this client alone."""

    strength_mg: Decimal
    received_on: date
    used_by: DoseId | None = None


@dataclass
class Away:
    """Days on which the client is a guest of another programme."""

    first_on: date
    last_on: date


@dataclass
class Visit:
    """Days on which the client, whom another programme treats, is our guest."""

    first_on: date
    last_on: date
    amount_mg: Decimal
    """What the home programme has confirmed for a day, of methadone solution."""
    holds_on: frozenset[date]
    """Days for which home has handed out a dose."""
    orders: set[OrderId] = field(default_factory=set[OrderId])
    """What was signed for it."""

    def covers(self, day: date) -> bool:
        return self.first_on <= day <= self.last_on


@dataclass
class Remembered:
    """What happened."""

    orders: list[Order] = field(default_factory=list[Order])
    countersigned: dict[OrderId, datetime] = field(default_factory=dict[OrderId, datetime])
    stopped: dict[OrderId, datetime] = field(default_factory=dict[OrderId, datetime])
    doses: dict[DoseId, Given] = field(default_factory=dict[DoseId, Given])
    holds: dict[HoldId, Aim] = field(default_factory=dict[HoldId, Aim])
    """Those in force, with what they are aimed at."""
    allowed: list[tuple[date, date | None]] = field(default_factory=list[tuple[date, date | None]])
    """Days for which a prescriber decided, with the last day with medicine when they did."""
    units: dict[UnitId, Unit] = field(default_factory=dict[UnitId, Unit])
    decision: TakeHomeDecision | None = None
    """About taking home, the newest."""
    suspended: bool = False
    said: list[Said] = field(default_factory=list[Said])
    """What counts now of what others said."""
    unverified: dict[StatementId, list[Said]] = field(default_factory=dict[StatementId, list[Said]])
    seen: list[Seen] = field(default_factory=list[Seen])
    closed: set[date] = field(default_factory=set[date])
    """Days on which the window is closed."""
    delivered: dict[DeliveryId, Delivered] = field(default_factory=dict[DeliveryId, Delivered])
    """What a pharmacy delivered for this client by name."""
    away: dict[GuestId, Away] = field(default_factory=dict[GuestId, Away])
    visits: dict[GuestId, Visit] = field(default_factory=dict[GuestId, Visit])
    """From outside, since they last stayed with us: they are nobody's but theirs who confirmed them."""
    past: dict[datetime, Contents] = field(default_factory=dict[datetime, Contents])
    """What was known at a moment, as it was answered then."""

    def taken(self) -> list[Given]:
        return sorted((dose for dose in self.doses.values() if dose.taken), key=lambda dose: dose.at)

    def at_home(self, day: date, part: DosePart) -> list[Unit]:
        """The units that cover a part of a day."""
        units = self.units.values()
        return [each for each in units if each.unit.for_on == day and each.unit.part.meets(part) and each.counts]
