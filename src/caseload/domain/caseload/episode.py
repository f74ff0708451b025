"""Caseloads: episodes of care and who looks after whom.

One responsible counsellor at every moment of an episode: the database refuses two by an exclusion constraint and
none by a deferred check, so neither a race nor a mistake of ours can leave a client without anyone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Protocol
from uuid import UUID

from caseload.domain.access import Act, Reach
from caseload.domain.errors import Conflict, Fault, Faults, NotFound
from caseload.domain.ids import ClientId, EpisodeId, ProgrammeId, StaffId, new_id
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff
from caseload.domain.programme import Programme

EARLIEST_ADMISSION = datetime(1950, 1, 1, tzinfo=UTC)
"""Whoever was admitted before is nobody's client now: a slip of the keyboard."""
FURTHEST_AHEAD = timedelta(days=366)
LONGEST_COVER = timedelta(days=366)
LONGEST_NOTE = 4000


class Edition(StrEnum):
    """Whose levels of care: the same number means different things in different editions."""

    ASAM_4 = "asam_4"
    UK_MODALITY = "uk_modality"
    LOCAL = "local"


ASAM_4_LEVELS = frozenset({"1.0", "1.5", "1.7", "2.1", "2.5", "2.7", "3.1", "3.5", "3.7", "4", "RR"})
"""Levels of The ASAM Criteria, 4th edition (0.5 and 3.3 are gone); RR is a recovery residence."""


class DischargeReason(StrEnum):
    """Why an episode ended; the reasons of the US Treatment Episode Data Set."""

    COMPLETED = "completed"
    DROPPED_OUT = "dropped_out"
    TERMINATED = "terminated"
    TRANSFERRED = "transferred"
    INCARCERATED = "incarcerated"
    DIED = "died"
    OTHER = "other"


class AlreadyInCare(Conflict):
    """The client already has an open episode of care."""


class NoOpenEpisode(Conflict):
    """The client has no open episode of care."""


class CaseloadMoved(Conflict):
    """Somebody else changed who looks after this client at the same moment."""


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
        faults.check(
            when=self.edition is Edition.ASAM_4 and self.level not in ASAM_4_LEVELS,
            where="level_of_care.level",
            problem=f"the 4th edition knows {', '.join(sorted(ASAM_4_LEVELS))}",
        )
        return faults.found


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Responsibility:
    """One counsellor answers for one client from a moment on, until handed over or discharged."""

    id: UUID
    client: ClientId
    episode: EpisodeId
    counsellor: StaffId
    since: datetime
    note: str | None
    recorded_by: StaffId
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """Somebody stands in for the responsible counsellor, for a period that ends by itself."""

    id: UUID
    client: ClientId
    counsellor: StaffId
    starts_at: datetime
    ends_at: datetime
    reason: str
    recorded_by: StaffId
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OnCaseload:
    """One line of a caseload."""

    client: ClientId
    given_name: str
    family_name: str
    birth_date: date
    programme: ProgrammeId
    responsible: StaffId
    covering: bool
    admitted_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted(Event):
    """A client was admitted to an episode of care."""

    name: ClassVar[str] = "episode.admitted"


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedOver(Event):
    """Responsibility for a client passed to another counsellor."""

    name: ClassVar[str] = "caseload.handed_over"


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverArranged(Event):
    """Somebody covers a client for a period."""

    name: ClassVar[str] = "caseload.cover_arranged"


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelOfCareMoved(Event):
    """A client moved to another level of care."""

    name: ClassVar[str] = "episode.level_of_care_moved"


class Caseloads(Protocol):
    """The episodes and responsibilities that are kept."""

    async def open_episode(self, of: ClientId, *, reach: Reach, held: bool = False) -> Episode:
        """The open episode; `ClientUnknown` outside the reach, `NoOpenEpisode` when there is none.

        `held`: nobody discharges the client until the end of the work, for whoever adds something that a discharge
        would have to end.
        """
        ...

    async def last_episode(self, of: ClientId) -> Episode | None:
        """The newest episode, open or ended."""
        ...

    async def counsels_in(self, staff: StaffId, programme: ProgrammeId, *, at: datetime) -> bool:
        """Whether this person holds the role of counsellor in the programme at that moment."""
        ...

    async def add_episode(self, new: Episode, first: Responsibility) -> None:
        """Keep both; `AlreadyInCare` when another episode overlaps."""
        ...

    async def end_episode(
        self, ending: Episode, *, at: datetime, reason: DischargeReason, note: str | None, by: StaffId, now: datetime
    ) -> None:
        """Keep the discharge and end the episode, its responsibility and its covers; `CaseloadMoved` on a race.

        What was planned for later is taken back: kept as what it was, and counted nowhere.
        """
        ...

    async def pass_on(self, new: Responsibility) -> None:
        """End the responsibility of that moment at `since` and keep the new one, until the next that is planned.

        `CaseloadMoved` on a race, and when another begins at that very moment.
        """
        ...

    async def add_cover(self, new: Cover) -> None:
        """Keep a cover."""
        ...

    async def add_level(self, of: EpisodeId, level: LevelOfCare, *, on: date, by: StaffId, now: datetime) -> None:
        """Keep a move to another level of care; `CaseloadMoved` when one of that day is kept already."""
        ...


async def admit(
    client: ClientId,
    *,
    as_id: EpisodeId,
    programme: Programme,
    counsellor: StaffId,
    at: datetime,
    level: LevelOfCare,
    by: Staff,
    now: datetime,
    caseloads: Caseloads,
    journal: Journal,
) -> Episode:
    """Admit a client from `at` on, with a responsible counsellor from the first moment.

    A return after an earlier episode is a new episode that keeps the old one in view.
    Raises `NotPermitted`, `Invalid`, `AlreadyInCare`.
    """
    by.require(Act.ADMIT, programme.id)
    faults = Faults(list(level.faults()))
    faults.check(when=at > now, where="admitted_at", problem="an admission cannot lie in the future")
    faults.check(
        when=at < EARLIEST_ADMISSION,
        where="admitted_at",
        problem=f"must not lie before {EARLIEST_ADMISSION.date()}",
    )
    if not await caseloads.counsels_in(counsellor, programme.id, at=now):
        faults.add("counsellor_id", "must be somebody who is a counsellor in this programme now")
    faults.raise_if_any()
    former = await caseloads.last_episode(client)
    if former is not None and former.ends_at is None:
        raise AlreadyInCare("Discharge the client from the open episode first, or hand the client over.")
    episode = Episode(
        id=as_id,
        client=client,
        programme=programme.id,
        admitted_on=programme.today(at),
        starts_at=at,
        ends_at=None,
        level=level,
        responsible=counsellor,
        returns_from=former.id if former else None,
    )
    responsibility = Responsibility(
        id=new_id(),
        client=client,
        episode=episode.id,
        counsellor=counsellor,
        since=at,
        note=None,
        recorded_by=by.id,
        recorded_at=now,
    )
    await caseloads.add_episode(episode, responsibility)
    journal.tell(
        Admitted(client=client, records=(episode.id, responsibility.id), facts={"programme": str(programme.id)})
    )
    return episode


async def hand_over(
    episode: Episode,
    *,
    as_id: UUID,
    to: StaffId,
    at: datetime,
    note: str | None,
    by: Staff,
    now: datetime,
    caseloads: Caseloads,
    journal: Journal,
) -> Responsibility:
    """Pass responsibility to another counsellor from `at` on, without a moment in which nobody is responsible.

    A handover that is planned for later still takes place.
    Raises `NotPermitted`, `Invalid`, or `CaseloadMoved` when somebody else handed over at the same moment.
    """
    by.require(Act.HAND_OVER, episode.programme)
    faults = Faults()
    faults.check(when=to == episode.responsible, where="to", problem="is already responsible")
    faults.check(when=at < now - timedelta(minutes=5), where="effective_at", problem="must not lie in the past")
    faults.check(when=at > now + FURTHEST_AHEAD, where="effective_at", problem="must lie within a year")
    faults.check(when=note is not None and len(note) > LONGEST_NOTE, where="note", problem="is too long")
    if not await caseloads.counsels_in(to, episode.programme, at=at):
        faults.add("to", "must be somebody who is a counsellor in this programme then")
    faults.raise_if_any()
    responsibility = Responsibility(
        id=as_id,
        client=episode.client,
        episode=episode.id,
        counsellor=to,
        since=at,
        note=note,
        recorded_by=by.id,
        recorded_at=now,
    )
    await caseloads.pass_on(responsibility)
    journal.tell(HandedOver(client=episode.client, records=(responsibility.id,), facts={"to": str(to)}))
    return responsibility


async def arrange_cover(
    episode: Episode,
    *,
    as_id: UUID,
    counsellor: StaffId,
    starts_at: datetime,
    ends_at: datetime,
    reason: str,
    by: Staff,
    now: datetime,
    caseloads: Caseloads,
    journal: Journal,
) -> Cover:
    """Let somebody stand in for the responsible counsellor for a period; it ends by itself."""
    by.require(Act.HAND_OVER, episode.programme)
    faults = Faults()
    faults.check(when=counsellor == episode.responsible, where="counsellor_id", problem="is responsible already")
    faults.check(when=ends_at <= starts_at, where="ends_at", problem="must be after the start")
    faults.check(when=ends_at <= now, where="ends_at", problem="must lie in the future")
    faults.check(when=ends_at - starts_at > LONGEST_COVER, where="ends_at", problem="cover lasts a year at most")
    faults.check(when=not reason.strip(), where="reason", problem="say why the counsellor is covered")
    if not await caseloads.counsels_in(counsellor, episode.programme, at=max(starts_at, now)):
        faults.add("counsellor_id", "must be somebody who is a counsellor in this programme then")
    faults.raise_if_any()
    cover = Cover(
        id=as_id,
        client=episode.client,
        counsellor=counsellor,
        starts_at=starts_at,
        ends_at=ends_at,
        reason=reason,
        recorded_by=by.id,
        recorded_at=now,
    )
    await caseloads.add_cover(cover)
    journal.tell(CoverArranged(client=episode.client, records=(cover.id,), facts={"by": str(counsellor)}))
    return cover


async def move_level_of_care(
    episode: Episode,
    level: LevelOfCare,
    *,
    on: date,
    by: Staff,
    now: datetime,
    caseloads: Caseloads,
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
