"""Relatives at a session of family or of education: with a client, or in their own right.

Whoever comes with a client hears what is said to them, so the client has allowed it before (42 CFR 2.31; in the United
Kingdom by explicit consent). Whoever comes in their own right learns in general, is told nothing about anybody, and needs
nobody's consent (NHS England, "Sharing information with unpaid carers"): whose relative they are stays unsaid.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from caseload.domain.attendance.register import CancelledBy
from caseload.domain.consent import Recipient
from caseload.domain.ids import ClientId, RelatedPersonId, RelativePlaceId, StaffId


class ComesAs(StrEnum):
    """In what right a relative comes to a session."""

    WITH_CLIENT = "with_client"
    """Sits there together with the client, who has consented to it."""
    IN_OWN_RIGHT = "in_own_right"
    """Learns, or is supported, for themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RelativeCancellation:
    """A relative's place that was called off before the session."""

    by: CancelledBy
    """`client` also where the relative did."""
    reason: str
    recorded_by: StaffId
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RelativePlace:
    """The place of somebody from a client's list on the roster of a session."""

    id: RelativePlaceId
    client: ClientId
    """On whose list they are. Said of nobody who comes in their own right."""
    person: RelatedPersonId
    name: str
    """As the client's list has it now."""
    comes_as: ComesAs
    booked_by: StaffId
    booked_at: datetime
    cancellation: RelativeCancellation | None = None

    @property
    def asker(self) -> Recipient:
        """As a consent names them."""
        return Recipient(person=self.person)
