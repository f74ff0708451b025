"""Who looks after whom: the responsible counsellor, handing over, and standing in for a while.

One responsible counsellor at every moment of an episode: the database refuses two by an exclusion constraint and
none by a deferred check, so neither a race nor a mistake of ours can leave a client without anyone.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import ClassVar, Protocol
from uuid import UUID

from caseload.domain.access import Act
from caseload.domain.caseload.episode import FURTHEST_AHEAD, LONGEST_NOTE, Episode
from caseload.domain.errors import Conflict, Faults
from caseload.domain.ids import AbsenceId, ClientId, EpisodeId, HandoverId, ProgrammeId, StaffId
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff

LONGEST_COVER = timedelta(days=366)
LATE = timedelta(minutes=5)
"""How far the clock of whoever asks may be behind: what lies no further back means now."""


class CaseloadMoved(Conflict):
    """Somebody else changed who looks after this client at the same moment."""


class AlreadyCovered(Conflict):
    """Somebody stands in for this client at that time already."""

    def __init__(self) -> None:
        super().__init__("Arrange it for another time, or hand the client over.")


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
    until: datetime | None = None
    """The next handover, or the discharge; None while neither is known."""
    handover: HandoverId | None = None
    """The call by which it was handed over together with others."""


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
    absence: AbsenceId | None = None
    """The absence that it belongs to, which covers everybody on a caseload."""


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
    """Somebody else is responsible, and this one stands in."""
    keyworking: bool
    """This one is the keyworker, and neither responsible nor standing in."""
    admitted_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedOver(Event):
    """Responsibility for a client passed to another counsellor."""

    name: ClassVar[str] = "caseload.handed_over"


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverArranged(Event):
    """Somebody covers a client for a period."""

    name: ClassVar[str] = "caseload.cover_arranged"


class Responsibilities(Protocol):
    """The responsibilities and covers that are kept."""

    async def counsels_in(self, staff: StaffId, programme: ProgrammeId, *, at: datetime) -> bool:
        """Whether this person holds the role of counsellor in the programme at that moment.

        For whoever is about to make them answer for a client: until the end of the work nobody takes the role away or
        closes the account, and what was taken away meanwhile counts as taken away.
        """
        ...

    async def pass_on(self, new: Responsibility) -> None:
        """End the responsibility of that moment at `since` and keep the new one, until the next that is planned.

        `CaseloadMoved` on a race, and when another begins at that very moment.
        """
        ...

    async def add_cover(self, new: Cover) -> None:
        """Keep a cover; `AlreadyCovered` where another that is no absence's lies at the same time."""
        ...


def check_handover(at: datetime, note: str | None, *, now: datetime, faults: Faults) -> None:
    """Add a fault for a moment and a note that no handover can have."""
    faults.check(when=at < now - LATE, where="effective_at", problem="must not lie in the past")
    faults.check(when=at > now + FURTHEST_AHEAD, where="effective_at", problem="must lie within a year")
    faults.check(when=note is not None and len(note) > LONGEST_NOTE, where="note", problem="is too long")


def check_cover(starts_at: datetime, ends_at: datetime, reason: str, *, now: datetime, faults: Faults) -> None:
    """Add a fault for everything that cannot be the time and the reason of somebody standing in."""
    faults.check(when=ends_at <= starts_at, where="ends_at", problem="must be after the start")
    faults.check(when=ends_at <= now, where="ends_at", problem="must lie in the future")
    faults.check(when=ends_at - starts_at > LONGEST_COVER, where="ends_at", problem="cover lasts a year at most")
    faults.check(when=not reason.strip(), where="reason", problem="say why the counsellor is covered")


async def require_possible(
    episode: Episode, to: StaffId, at: datetime, note: str | None, *, now: datetime, caseloads: Responsibilities
) -> None:
    """Raise `Invalid` with everything because of which a client cannot be handed over so."""
    faults = Faults()
    faults.check(when=to == episode.responsible, where="to", problem="is already responsible")
    check_handover(at, note, now=now, faults=faults)
    if not await caseloads.counsels_in(to, episode.programme, at=at):
        faults.add("to", "must be somebody who is a counsellor in this programme then")
    faults.raise_if_any()


async def hand_over(
    episode: Episode,
    *,
    as_id: UUID,
    to: StaffId,
    at: datetime,
    note: str | None,
    by: Staff,
    now: datetime,
    caseloads: Responsibilities,
    journal: Journal,
) -> Responsibility:
    """Pass responsibility to another counsellor from `at` on, without a moment in which nobody is responsible.

    Whether the counsellor is asked first is `offering.hand_over_or_offer`'s to say. A handover that is planned for later still takes place.
    Raises `NotPermitted`, `Invalid`, or `CaseloadMoved` when somebody else handed over at the same moment.
    """
    by.require(Act.HAND_OVER, episode.programme)
    await require_possible(episode, to, at, note, now=now, caseloads=caseloads)
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
    caseloads: Responsibilities,
    journal: Journal,
) -> Cover:
    """Let somebody stand in for the responsible counsellor for a period; it ends by itself.

    One at a time, besides the cover of an absence. Raises `NotPermitted`, `Invalid`, `AlreadyCovered`.
    """
    by.require(Act.HAND_OVER, episode.programme)
    faults = Faults()
    faults.check(when=counsellor == episode.responsible, where="counsellor_id", problem="is responsible already")
    check_cover(starts_at, ends_at, reason, now=now, faults=faults)
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
