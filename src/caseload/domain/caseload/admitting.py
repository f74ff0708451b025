"""Admission: the beginning of an episode, with a responsible counsellor from its first moment."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar, Protocol

from caseload.domain.access import Act
from caseload.domain.caseload.episode import AlreadyInCare, Episode, Episodes, LevelOfCare
from caseload.domain.caseload.responsibility import Responsibilities, Responsibility
from caseload.domain.errors import Faults
from caseload.domain.ids import ClientId, EpisodeId, StaffId, new_id
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff
from caseload.domain.programme import Programme

EARLIEST_ADMISSION = datetime(1950, 1, 1, tzinfo=UTC)
"""Whoever was admitted before is nobody's client now: a slip of the keyboard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted(Event):
    """A client was admitted to an episode of care."""

    name: ClassVar[str] = "episode.admitted"


class Caseloads(Episodes, Responsibilities, Protocol):
    """The episodes and responsibilities that are kept."""

    async def add_episode(self, new: Episode, first: Responsibility) -> None:
        """Keep both; `AlreadyInCare` when another episode overlaps."""
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
