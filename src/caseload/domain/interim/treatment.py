"""An interim treatment, what is said of it since, what can be wrong with it, and where it is kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Final, Protocol

from caseload.domain.errors import Conflict, NotFound
from caseload.domain.ids import ClientId, EpisodeId, InterimId, StaffId
from caseload.domain.journal import Event
from caseload.domain.taken_back import TakenBack

A_DAY: Final = timedelta(days=1)
READ_AGAIN: Final = "Read the client's interim treatments again."


class Ended(StrEnum):
    """How an interim treatment ended."""

    COMPREHENSIVE = "comprehensive"
    """The client goes on in comprehensive treatment."""
    TRANSFERRED = "transferred"
    LEFT = "left"


class InterimUnknown(NotFound):
    """No such interim treatment of this client within your reach."""


class NoInterimHere(Conflict):
    """The profile of this programme knows no interim treatment."""


class InterimRunning(Conflict):
    """Another interim treatment of this client covers some of these days."""


class InterimDaysUsed(Conflict):
    """No day of interim treatment is left to this client."""


class InterimSettled(Conflict):
    """This was said of the interim treatment before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """What somebody says of the beginning."""

    started_on: date
    """Its first local day, day 1."""
    elsewhere: str | None = None
    """The programme where it was, when it was not here."""
    last_on: date | None = None
    """Its last day, of one elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What one version says of the plan for how the client goes on afterwards."""

    version: int = 1
    made_on: date | None
    """None where the version before was wrong and there is no plan."""
    made_by: str | None
    """The name of who made it."""
    reason: str | None = None
    """Why the version before was wrong; None in the first."""
    recorded_by: StaffId
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """The last day, and how it ended."""

    last_on: date
    how: Ended
    recorded_by: StaffId
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class InterimTreatment:
    """One interim treatment of a client, and what was said of it since."""

    id: InterimId
    client: ClientId
    number: int
    """Counted from one for each client, with those taken back."""
    episode: EpisodeId | None
    """None of one elsewhere."""
    begun: Begun
    recorded_by: StaffId
    recorded_at: datetime
    left_on: date | None = None
    """The last day of an episode that has ended."""
    plans: tuple[Plan, ...] = ()
    """What was said of the plan for going on, the first version first."""
    end: End | None = None
    taken_back: TakenBack | None = None

    @property
    def plan(self) -> Plan | None:
        """What the newest version says of the plan; None where nothing was said."""
        return self.plans[-1] if self.plans else None

    @property
    def last_on(self) -> date | None:
        """Its last day: as was said, or on which the client left; None while it runs."""
        said = (self.begun.last_on, self.end.last_on if self.end is not None else None, self.left_on)
        return min((each for each in said if each is not None), default=None)

    def days_until(self, day: date, after: date) -> int:
        """How many of its days lie after one day, and up to and including another."""
        last = min(day, self.last_on or day)
        return max(0, (last - max(self.begun.started_on, after + A_DAY)).days + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """An interim treatment that runs in a programme, with those before it."""

    given_name: str
    family_name: str
    treatment: InterimTreatment
    all_of_client: Sequence[InterimTreatment]
    screened_on: Sequence[date]


@dataclass(frozen=True, slots=True, kw_only=True)
class InterimBegun(Event):
    """An interim treatment was recorded."""

    name: ClassVar[str] = "interim.begun"


@dataclass(frozen=True, slots=True, kw_only=True)
class InterimPlanned(Event):
    """How a client goes on after an interim treatment was recorded."""

    name: ClassVar[str] = "interim.planned"


@dataclass(frozen=True, slots=True, kw_only=True)
class InterimPlanCorrected(Event):
    """What was recorded of that plan was put right."""

    name: ClassVar[str] = "interim.plan_corrected"


@dataclass(frozen=True, slots=True, kw_only=True)
class InterimEnded(Event):
    """An interim treatment was recorded as ended."""

    name: ClassVar[str] = "interim.ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class InterimTakenBack(Event):
    """An interim treatment was taken back."""

    name: ClassVar[str] = "interim.taken_back"


class Interims(Protocol):
    """What is kept of interim treatment. A second of the same kind is refused by its key with `InterimSettled`."""

    async def begin(self, new: InterimTreatment, /) -> None:
        """Keep one; `InterimRunning` when another of the same number was kept meanwhile."""
        ...

    async def add_plan(self, of: InterimTreatment, plan: Plan, /) -> None:
        """Keep a version of how the client goes on."""
        ...

    async def add_end(self, of: InterimTreatment, end: End, /) -> None:
        """Keep its last day."""
        ...

    async def add_taken_back(self, wrong: InterimTreatment, taken_back: TakenBack, /) -> None:
        """Keep that it was a mistake."""
        ...
