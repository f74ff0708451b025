"""A client at a glance: who they are, where they stand, and what wants attention, for whoever may see the client."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from caseload.domain.access import Reach
from caseload.domain.caseload import LevelOfCare
from caseload.domain.client import Identity
from caseload.domain.ids import ClientId, EpisodeId, OrderId, ProgrammeId, StaffId
from caseload.domain.merge import Merge


@dataclass(frozen=True, slots=True, kw_only=True)
class InCare:
    """The open episode, and who answers for the client now."""

    episode: EpisodeId
    admitted_on: date
    level: LevelOfCare
    responsible: StaffId
    responsible_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OnMedication:
    """An order that is signed and neither stopped nor replaced nor ended, and what is known of the last dose."""

    order: OrderId
    medicine: str
    form: str
    beside: str | None
    """Another medicine that is ordered beside it."""
    held: bool
    """A hold is in force: nothing may be given until a prescriber clears it."""
    last_dose_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A client at a glance."""

    client: ClientId
    programme: ProgrammeId
    programme_name: str
    identity: Identity
    version: int
    care: InCare | None
    """None outside an episode of care."""
    medication: OnMedication | None
    overdue_check_ins: int
    next_check_in_at: datetime | None
    merges: Sequence[tuple[Merge, bool]] = ()
    """Registrations that are, may be or were taken for this client's, each with whether the other one may be seen, too."""


class Summaries(Protocol):
    """Where summaries are read."""

    async def of(self, wanted: ClientId, *, reach: Reach) -> Summary:
        """The client at a glance; `ClientUnknown` outside the reach."""
        ...
