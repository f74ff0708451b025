"""What waits about a restricted client while nobody named is there: owed by the supervisors, who are not told of whom.

Whoever is named sees what waits in their own lists. Only where nobody of them can be expected to look, a supervisor or
medical director is told that something waits, since when, and whom to call: not of whom it is, nor what it says.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from caseload.domain.ids import ClientId, RestrictionId, StaffId


class ObligationKind(StrEnum):
    """What waits."""

    ESCALATION = "escalation"
    """Nobody has acknowledged it, and nobody named is on a shift or on call."""
    CHECK_IN = "check_in"
    """It is overdue, and everybody named is away or has left."""
    CARE_TASK = "care_task"
    """It is due, and everybody named is away or has left."""
    NOT_NAMED = "not_named"
    """Whoever answers for the client now is not named, and does not see them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unattended:
    """How a restricted client stands at a moment: what waits since when, and who is there."""

    restriction: RestrictionId
    client: ClientId
    since: datetime
    """When the restriction began."""
    named: tuple[StaffId, ...]
    """Who is named now."""
    is_anybody_there: bool
    """Somebody named works here and is not away."""
    is_anybody_on_duty: bool
    """Somebody named is on a shift or on call."""
    is_answering_named: bool
    """Nobody answers for the client, or somebody who does is named."""
    escalated_at: datetime | None
    """The first escalation that nobody has acknowledged."""
    check_in_overdue_since: datetime | None
    care_task_due_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Obligation:
    """Something about a restricted client that a supervisor must see to."""

    restriction: RestrictionId
    client: ClientId
    """For the log alone."""
    kind: ObligationKind
    since: datetime
    named: tuple[StaffId, ...]


def owed(found: Unattended) -> Iterator[Obligation]:
    """What a supervisor owes this client now."""
    if found.escalated_at is not None and not found.is_anybody_on_duty:
        yield _obligation(found, ObligationKind.ESCALATION, found.escalated_at)
    if not found.is_anybody_there:
        if found.check_in_overdue_since is not None:
            yield _obligation(found, ObligationKind.CHECK_IN, found.check_in_overdue_since)
        if found.care_task_due_at is not None:
            yield _obligation(found, ObligationKind.CARE_TASK, found.care_task_due_at)
    if not found.is_answering_named:
        yield _obligation(found, ObligationKind.NOT_NAMED, found.since)


def _obligation(found: Unattended, kind: ObligationKind, since: datetime) -> Obligation:
    return Obligation(restriction=found.restriction, client=found.client, kind=kind, since=since, named=found.named)
