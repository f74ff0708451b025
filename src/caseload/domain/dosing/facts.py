"""What the rules need to know of one dose: what is about to be given, and what the record says."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from caseload.domain.dosing.at_home import AtHome
from caseload.domain.dosing.away import Away
from caseload.domain.dosing.injecting import Delivery, Injected, Injecting
from caseload.domain.dosing.missed import Taken
from caseload.domain.dosing.suspected import UnderAnother
from caseload.domain.ids import ClientId, CorrectionId, DecisionId, HoldId, OrderId, StationId
from caseload.domain.medication import Acting, GuestDays, Order, Step
from caseload.domain.medicines import DosePart, Form, Medicine
from caseload.domain.profiles.around import IdentifiedBy


@dataclass(frozen=True, slots=True, kw_only=True)
class Giving:
    """What is about to be given, or has been given."""

    client: ClientId
    order: OrderId | None
    medicine: Medicine
    form: Form
    amount_mg: Decimal
    part: DosePart
    given_at: datetime
    supervised: bool
    less_reason: str | None = None
    amount_ml: Decimal | None = None
    """As it was measured, where somebody says it: it must agree with the milligrams by the order's concentration."""
    station: StationId | None = None
    """Where it is given, for the stock: its open container is what the dose takes from."""
    injecting: Injecting | None = None
    """Of an injection: where it is given, and what delivered for this client it is."""
    identified_by: IdentifiedBy | None = None
    """How whoever gives it made sure who it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlreadyGiven:
    """A dose that already takes this part of the day."""

    dose: UUID
    part: DosePart
    given_at: datetime | None
    given_by: str | None
    """The printed name of the colleague, for the one who stands at the other window; None where a source tells of it."""
    source: str | None = None
    """Whose record tells of a brought-in dose, or who says that it was taken."""
    covered: bool = False
    """No dose of ours: another source says that it was taken, and somebody here verified it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A hold that is in force."""

    hold: HoldId
    reason: str
    raised_at: datetime
    order: UUID | None = None
    """The order at which it is aimed."""
    on_day: date | None = None
    """The day at whose dose it is aimed."""
    part: DosePart | None = None
    """The part of that day; None for all of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """A prescriber's decision for this day that no dose has used yet."""

    decision: DecisionId
    at_most_mg: Decimal | None
    last_taken_on: date | None
    """The last dose when it was decided: it clears the gap that began there and no other."""
    medicine: Medicine | None = None
    """The medicine that it is about; None for a decision about days of more than one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenPart:
    """A dose that was taken since an order began, for its steps."""

    day: date
    part: DosePart
    amount_mg: Decimal
    at: datetime | None
    came_back: bool = False
    """It was vomited: nobody can say that it was taken in full."""
    medicine: Medicine | None = None
    """None where it is not asked: nothing else is ordered beside it."""
    form: Form | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lately:
    """A dose that was taken in the last days, for gaps that repeat themselves."""

    day: date
    amount_mg: Decimal
    """Nothing where it came back."""
    decided: bool
    """Whether a prescriber decided about it: the days until then are settled.

    One that broke a rule counts as decided, because it holds the next until a prescriber has decided.
    """
    medicine: Medicine | None = None
    """None where it is not asked: nothing else is ordered beside it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """How somebody saw the client before a dose of a day."""

    day: date
    at: datetime
    is_well: bool
    """Alert, and not intoxicated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepWaits:
    """A step up whose day has come and which has not taken effect."""

    step: Step
    stays: Step
    not_in_full: tuple[date, ...]
    """Days since the last step on which a dose was missed or partial."""
    observed: bool
    """Whether the client was seen well before the dose of the day."""
    opens_on: date
    """Before this day it does not count: its own, or as many days later as the step before it was late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything the rules need to know, read after the client's medication record was locked."""

    order: Order | None
    given: AlreadyGiven | None
    last: Taken | None
    held: Held | None
    allowed: Allowed | None
    freed_by: CorrectionId | None
    """The last correction "not given" of an ordinary dose of this part of the day."""
    earlier: Sequence[Order] = ()
    """Signed orders since the last dose; read only when there are days to explain."""
    beside: Sequence[Acting] = ()
    """The last day of every product taken lately; read only when something of another kind may be among them."""
    answered: frozenset[str] = frozenset()
    """The rules of the profile that the prescriber answered as the order was signed; read with `beside`."""
    taken_since: Sequence[TakenPart] = ()
    """What was taken since the order began; read only when a step of it has come."""
    observed: Sequence[Observed] = ()
    """What was seen before doses since the order began; read with `taken_since`."""
    step_waits: StepWaits | None = None
    """The step that has come and not taken effect, once the facts are those of the day's step."""
    lately: Sequence[Lately] = ()
    """What was taken in the last days; read only when a gap or a partial dose is among them."""
    away: Sequence[Away] = ()
    """Days away from treatment since the last dose; read only where one is missing."""
    injected: Sequence[Injected] = ()
    """The injections of the last months, the newest first; read only for another one."""
    delivery: Delivery | None = None
    """What was delivered for this client by name, where that is given."""
    at_home: Sequence[AtHome] = ()
    """What the client holds, or has taken, at home for this part of the day."""
    together: Sequence[Order] = ()
    """The client's orders, where any two stood beside each other; read only with `beside`."""
    of_another: Sequence[TakenPart] = ()
    """What was taken around the day of the medicine that is ordered beside; read with `together`."""
    before_at: datetime | None = None
    """When the last dose of a former day was given; read only where `last` is of the day itself."""
    guests: Sequence[GuestDays] = ()
    """The agreements that make the client a guest; read only where there are any."""
    under_another: Sequence[UnderAnother] = ()
    """What registrations took that may be this client's; read only where somebody says so."""
    next_at: datetime | None = None
    """When the next dose of a later day was given; only for what lies on a former day."""
