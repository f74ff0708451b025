"""The phase of treatment within an episode: said by whoever treats, from a local day on, with its reason.

Besides the level of care, which says how much care somebody gets, the phase says what it is about. Nothing follows from
it by itself: it is shown, and counted in the programme's dashboard. The words are a product convention after the phases of
treatment with methadone or buprenorphine (SAMHSA TIP 63: induction, stabilisation, maintenance, tapering).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar, Protocol

from caseload.domain.access import Act
from caseload.domain.caseload.episode import FURTHEST_AHEAD, Episode, LevelOfCare, NoOpenEpisode
from caseload.domain.errors import Faults
from caseload.domain.ids import EpisodeId, StaffId
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff

LONGEST_REASON = 500


class Phase(StrEnum):
    """What treatment is about."""

    INDUCTION = "induction"
    STABILISATION = "stabilisation"
    MAINTENANCE = "maintenance"
    TAPERING = "tapering"
    AFTERCARE = "aftercare"


@dataclass(frozen=True, slots=True, kw_only=True)
class InPhase:
    """From which day on an episode is in a phase, until the next one begins or the episode ends."""

    episode: EpisodeId
    phase: Phase
    from_on: date
    reason: str
    recorded_by: StaffId
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelHeld:
    """From which day on an episode is at a level of care."""

    episode: EpisodeId
    level: LevelOfCare
    from_on: date
    until_on: date | None
    """The last day, where another level follows or the episode has ended."""
    recorded_by: StaffId
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseBegun(Event):
    """An episode entered another phase of treatment."""

    name: ClassVar[str] = "episode.phase_begun"


class Phases(Protocol):
    """The phases that are kept."""

    async def phases_of(self, episode: EpisodeId, /) -> Sequence[InPhase]:
        """Of an episode, the latest first."""
        ...

    async def add_phase(self, new: InPhase) -> None:
        """Keep it; `CaseloadMoved` when one of that day is kept already."""
        ...


async def begin_phase(
    episode: Episode,
    phase: Phase,
    reason: str,
    *,
    on: date,
    by: Staff,
    now: datetime,
    phases: Phases,
    journal: Journal,
) -> InPhase:
    """Say that an open episode is in another phase from a local day on; what it was in before stays in the history.

    Raises `NotPermitted`, `NoOpenEpisode`, `Invalid`, `CaseloadMoved`.
    """
    by.require(Act.ADMIT, episode.programme)
    if episode.ends_at is not None:
        raise NoOpenEpisode("The episode has ended; admit the client again to start a new one.")
    faults = Faults()
    faults.check(
        when=not 0 < len(reason.strip()) <= LONGEST_REASON,
        where="reason",
        problem=f"must have 1 to {LONGEST_REASON} characters",
    )
    faults.check(when=on < episode.admitted_on, where="from_on", problem="must not be before the admission")
    faults.check(when=on > (now + FURTHEST_AHEAD).date(), where="from_on", problem="must lie within a year")
    standing = next((each for each in await phases.phases_of(episode.id) if each.from_on <= on), None)
    faults.check(
        when=standing is not None and standing.phase is phase and standing.from_on < on,
        where="phase",
        problem="is the one that the episode is in by then",
    )
    faults.raise_if_any()
    new = InPhase(
        episode=episode.id, phase=phase, from_on=on, reason=reason.strip(), recorded_by=by.id, recorded_at=now
    )
    await phases.add_phase(new)
    journal.tell(PhaseBegun(client=episode.client, records=(episode.id,), facts={"phase": phase.value}))
    return new
