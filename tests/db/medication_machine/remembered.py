"""What happened, by those who did it: all that the oracle has to go by. Nothing here was read from a database."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from caseload.domain.dosing import Dose, Kind
from caseload.domain.dosing.past import Contents
from caseload.domain.ids import DoseId, HoldId, OrderId, StatementId, UnitId
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
    past: dict[datetime, Contents] = field(default_factory=dict[datetime, Contents])
    """What was known at a moment, as it was answered then."""

    def taken(self) -> list[Given]:
        return sorted((dose for dose in self.doses.values() if dose.taken), key=lambda dose: dose.at)

    def hours(self, *, but: DoseId | None = None) -> list[tuple[date, datetime]]:
        """The days and hours at which something was taken, as far as anybody knows the hour."""
        ours = [(dose.day, dose.at) for dose in self.taken() if dose.id != but]
        return ours + [(each.day, each.at) for each in self.said if each.at is not None]

    def days(self) -> Iterable[date]:
        """The days on which something was taken, here, at home or elsewhere."""
        yield from (dose.day for dose in self.taken())
        yield from (each.unit.for_on for each in self.units.values() if each.counts)
        yield from (each.day for each in self.said)

    def last_day(self, before: date) -> date | None:
        return max((day for day in self.days() if day < before), default=None)

    def at_home(self, day: date, part: DosePart) -> list[Unit]:
        """The units that cover a part of a day."""
        units = self.units.values()
        return [each for each in units if each.unit.for_on == day and each.unit.part.meets(part) and each.counts]
