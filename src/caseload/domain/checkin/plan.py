"""Plans of check-ins, and the check-ins that follow from them: what is kept.

A plan is a chain of versions. A change is a new version that says from which instant it replaces what was scheduled
before; what was already due, and whatever was already completed or missed, stays as it was.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from caseload.domain.checkin.terms import Terms
from caseload.domain.errors import Conflict, NotFound
from caseload.domain.ids import CheckInId, ClientId, PlanId, ProgrammeId, StaffId

LONGEST_NOTE = 4000


class PlanUnknown(NotFound):
    """No such check-in plan within your reach."""


class PlanChanged(Conflict):
    """The check-in plan has been changed since you read it."""


class PlanStopped(Conflict):
    """The check-in plan has been stopped."""


class StepUpGround(StrEnum):
    """Why a client is seen more often for a while (domain convention)."""

    RELAPSE = "relapse"
    MISSED_DOSES = "missed_doses"
    """Three or more, as it was escalated."""
    PRISON = "prison"
    """Back from prison."""
    HOSPITAL = "hospital"
    """Back from hospital."""
    OVERDOSE = "overdose"
    DOSE_CHANGE = "dose_change"
    """A daily dose that changed by more than a fifth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepUp:
    """That a version of a plan asks for more contact for a while, why, and what it goes back to by itself."""

    ground: StepUpGround
    occurred_on: date
    last_on: date
    """The last local day on which the client is seen more often."""
    base_version: int
    """The version that people decided, whose phases count again afterwards."""
    record: UUID | None
    """What it follows from: an escalation, excused days; None where somebody decided it."""
    rule: str
    """Profile, version and rule that say how often and for how long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanVersion:
    """What a plan said from one decision to the next."""

    version: int
    terms: Terms | None
    """What it asks for in its first phase; None where the decision was to stop."""
    later: tuple[Terms, ...] = ()
    """What it asks for in the phases that follow, each from the first day of its rule to the last."""
    step_up: StepUp | None = None
    """Set where its first phase is more contact for a while."""
    replaces_from: datetime
    """What earlier versions scheduled from this instant on no longer stands, unless it has been settled."""
    reason: str | None
    decided_by: StaffId
    decided_at: datetime

    @property
    def phases(self) -> tuple[Terms, ...]:
        """Everything it asks for, phase after phase; nothing once it is stopped."""
        return () if self.terms is None else (self.terms, *self.later)

    def phase_on(self, day: date) -> int:
        """Which phase, counted from 1, a day of its rules belongs to."""
        return max(1, sum(terms.rule.starts_on <= day for terms in self.phases))


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A plan as it stands: the version in force of one client's regular check-in."""

    id: PlanId
    client: ClientId
    programme: ProgrammeId
    version: PlanVersion
    scheduled_through: date
    """The last local day up to which its check-ins have been made; the day before its first where none have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckIn:
    """One check-in as a plan scheduled it. It never changes: what happens to it is kept beside it."""

    id: CheckInId
    plan: PlanId
    plan_version: int
    client: ClientId
    programme: ProgrammeId
    phase: int = 1
    """Which phase of that version scheduled it."""
    scheduled_on: date
    """The local day the rule named."""
    due_at: datetime
    grace_ends_at: datetime
    """The last instant at which it is not overdue."""
    made_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Replaced:
    """An open check-in that a new version of its plan withdraws."""

    check_in: CheckInId
    outcome_version: int
    """The number its outcome will have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduled:
    """What was made of a plan: its next check-ins, and up to which day they are."""

    plan: Plan
    check_ins: Sequence[CheckIn]
    through: date


class Plans(Protocol):
    """The plans that are kept."""

    async def add(self, plan: Plan) -> None:
        """Keep a new plan with its first version."""
        ...

    async def add_version(self, plan: Plan) -> None:
        """Keep the plan's new version; `PlanChanged` when that version exists."""
        ...

    async def open_from(self, plan: PlanId, moment: datetime) -> Sequence[Replaced]:
        """The plan's open check-ins that were scheduled for then or later, and have not been moved to earlier."""
        ...

    async def withdraw(self, check_ins: Sequence[Replaced], *, reason: str, by: StaffId, now: datetime) -> None:
        """Keep that these have been withdrawn, and no longer wait."""
        ...

    async def settled_days(self, plan: PlanId, *, since: date) -> frozenset[date]:
        """The local days from then on for which a check-in of the plan has been completed or missed."""
        ...

    async def closed_days(self, programme: ProgrammeId, /, *, since: date) -> frozenset[date]:
        """The days from then on on which a programme is closed."""
        ...

    async def schedule(self, scheduled: Sequence[Scheduled], /) -> None:
        """Keep the check-ins of these plans, waiting, and up to which day each plan is scheduled."""
        ...

    async def held_of(self, client: ClientId, /) -> Sequence[Plan]:
        """The client's plans, also those that have been stopped, held."""
        ...

    async def behind(self, day: date, *, at_most: int) -> Sequence[Plan]:
        """Running plans that are not scheduled up to that day, held; those another piece of work holds are left out."""
        ...
