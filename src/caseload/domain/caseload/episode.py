"""Episodes of care: from admission to discharge, at which level of care."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Protocol

from caseload.domain.access import Act, Reach
from caseload.domain.caseload.levels import Edition, known_levels, name_of
from caseload.domain.errors import Conflict, Fault, Faults, NotFound
from caseload.domain.ids import ClientId, EpisodeId, ProgrammeId, StaffId
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff

FURTHEST_AHEAD = timedelta(days=366)
LONGEST_NOTE = 4000


class DischargeReason(StrEnum):
    """Why an episode ended; the reasons of the US Treatment Episode Data Set, and that nobody left."""

    COMPLETED = "completed"
    DROPPED_OUT = "dropped_out"
    TERMINATED = "terminated"
    TRANSFERRED = "transferred"
    INCARCERATED = "incarcerated"
    DIED = "died"
    REGISTERED_TWICE = "registered_twice"
    """The client stays in care under another registration; no rate counts this episode."""
    OTHER = "other"


class AlreadyInCare(Conflict):
    """The client already has an open episode of care."""


class NoOpenEpisode(Conflict):
    """The client has no open episode of care."""


class EpisodeUnknown(NotFound):
    """No such episode within your reach."""

    def __init__(self) -> None:
        super().__init__("Check the identifier. If you should see this client, ask the supervisor of the programme.")


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelOfCare:
    """A level of care with the edition that names it."""

    edition: Edition
    level: str

    def faults(self) -> Sequence[Fault]:
        """What is wrong with it."""
        faults = Faults()
        faults.check(when=not 0 < len(self.level) <= 80, where="level_of_care.level", problem="name the level of care")
        said = known_levels().editions[self.edition]
        faults.check(
            when=said.complete and self.level not in said.levels,
            where="level_of_care.level",
            problem=f"{said.name} knows {', '.join(said.levels)}",
        )
        return faults.found

    @property
    def name(self) -> str | None:
        """What its edition calls it; None where the programme says it in its own words."""
        return name_of(self.edition, self.level)


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """From admission to discharge."""

    id: EpisodeId
    client: ClientId
    programme: ProgrammeId
    admitted_on: date
    starts_at: datetime
    ends_at: datetime | None
    level: LevelOfCare
    responsible: StaffId | None
    """The responsible counsellor now, or at the end of the episode."""
    returns_from: EpisodeId | None
    discharge_reason: DischargeReason | None = None
    discharge_note: str | None = None
    discharge_recorded_at: datetime | None = None
    """When we were told of the discharge; it took effect at `ends_at`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelOfCareMoved(Event):
    """A client moved to another level of care."""

    name: ClassVar[str] = "episode.level_of_care_moved"


class Episodes(Protocol):
    """The episodes that are kept."""

    async def open_episode(self, of: ClientId, *, reach: Reach, held: bool = False) -> Episode:
        """The open episode; `ClientUnknown` outside the reach, `NoOpenEpisode` when there is none.

        `held`: nobody discharges the client until the end of the work, for whoever adds something that a discharge
        would have to end.
        """
        ...

    async def last_episode(self, of: ClientId) -> Episode | None:
        """The newest episode, open or ended."""
        ...

    async def end_episode(
        self, ending: Episode, *, at: datetime, reason: DischargeReason, note: str | None, by: StaffId, now: datetime
    ) -> None:
        """Keep the discharge and end the episode, its responsibility and its covers; `CaseloadMoved` on a race.

        What was planned for later is taken back: kept as what it was, and counted nowhere.
        """
        ...

    async def add_level(self, of: EpisodeId, level: LevelOfCare, *, on: date, by: StaffId, now: datetime) -> None:
        """Keep a move to another level of care; `CaseloadMoved` when one of that day is kept already."""
        ...


async def move_level_of_care(
    episode: Episode,
    level: LevelOfCare,
    *,
    on: date,
    by: Staff,
    now: datetime,
    caseloads: Episodes,
    journal: Journal,
) -> None:
    """Move an open episode to another level of care from a local date on; the former level stays in the history.

    One that begins later is kept now and in force from its day on.
    """
    by.require(Act.ADMIT, episode.programme)
    if episode.ends_at is not None:
        raise NoOpenEpisode("The episode has ended; admit the client again to start a new one.")
    faults = Faults(list(level.faults()))
    faults.check(when=on < episode.admitted_on, where="from_on", problem="must not be before the admission")
    faults.check(when=on > (now + FURTHEST_AHEAD).date(), where="from_on", problem="must lie within a year")
    faults.raise_if_any()
    await caseloads.add_level(episode.id, level, on=on, by=by.id, now=now)
    journal.tell(LevelOfCareMoved(client=episode.client, records=(episode.id,), facts={"level": level.level}))
