"""The keyworker: whom a client knows best here, besides whoever is responsible; one at a time, from when to when.

A keyworker answers for nothing by that and stands in for nobody. They see the client as long as they are it and are a
counsellor of the programme. It ends when another is named, when somebody ends it, at its planned end, or with the
episode (UK practice names a keyworker for everybody in treatment; that there is one at most is a product convention).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Protocol

from caseload.domain.access import Act
from caseload.domain.caseload.episode import Episode
from caseload.domain.errors import Conflict, Faults, NotFound
from caseload.domain.ids import ClientId, EpisodeId, KeyworkerId, ProgrammeId, StaffId
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff

LONGEST = timedelta(days=3660)
LONGEST_REASON = 500


class KeyworkEnded(StrEnum):
    """Why somebody stopped being a client's keyworker before the planned end."""

    ANOTHER = "another"
    """Another keyworker was named."""
    ENDED = "ended"
    DISCHARGED = "discharged"


class KeyworkerUnknown(NotFound):
    """No such keyworker of this client within your reach."""

    def __init__(self) -> None:
        super().__init__("Read the client's keyworkers and use one of their identifiers.")


class KeyworkOver(Conflict):
    """They are not the client's keyworker any more."""

    def __init__(self) -> None:
        super().__init__("There is nothing left to end.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyworker:
    """Somebody is a client's keyworker."""

    id: KeyworkerId
    client: ClientId
    episode: EpisodeId
    staff: StaffId
    starts_at: datetime
    until_at: datetime | None
    """When it is to end by itself."""
    reason: str
    recorded_by: StaffId
    recorded_at: datetime
    ended_at: datetime | None = None
    """When it was ended before that."""
    ended_by: StaffId | None = None
    ended_why: KeyworkEnded | None = None

    def is_one(self, at: datetime) -> bool:
        """Whether they are the client's keyworker at that moment."""
        ends = [each for each in (self.until_at, self.ended_at) if each is not None]
        return self.starts_at <= at and all(at < each for each in ends)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyworkerNamed(Event):
    """A client has a keyworker, or another one."""

    name: ClassVar[str] = "caseload.keyworker_named"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyworkerEnded(Event):
    """Somebody is a client's keyworker no more."""

    name: ClassVar[str] = "caseload.keyworker_ended"


class Keyworkers(Protocol):
    """The keyworkers that are kept."""

    async def counsels_in(self, staff: StaffId, programme: ProgrammeId, *, at: datetime) -> bool:
        """See `Responsibilities.counsels_in`."""
        ...

    async def keyworkers_of(self, client: ClientId, /) -> Sequence[Keyworker]:
        """Of a client, the latest first."""
        ...

    async def add_keyworker(self, new: Keyworker) -> None:
        """Keep it; `CaseloadMoved` when another is named at the same moment."""
        ...

    async def end_keywork(self, ending: Keyworker, why: KeyworkEnded, *, by: StaffId, now: datetime) -> None:
        """Keep that it ends now; `KeyworkOver` on a race."""
        ...


async def name_keyworker(
    episode: Episode,
    staff: StaffId,
    reason: str,
    *,
    until_at: datetime | None,
    as_id: KeyworkerId,
    by: Staff,
    now: datetime,
    caseloads: Keyworkers,
    journal: Journal,
) -> Keyworker:
    """Name a client's keyworker from now on; whoever is it until then is it no more, without a moment of two.

    Raises `NotPermitted`, `Invalid`, `CaseloadMoved`.
    """
    by.require(Act.HAND_OVER, episode.programme)
    standing = next((each for each in await caseloads.keyworkers_of(episode.client) if each.is_one(now)), None)
    faults = Faults()
    _check_reason(reason, faults)
    faults.check(when=until_at is not None and until_at <= now, where="until_at", problem="must lie in the future")
    faults.check(
        when=until_at is not None and until_at - now > LONGEST, where="until_at", problem="must lie within ten years"
    )
    faults.check(when=staff == episode.responsible, where="staff_id", problem="is responsible already")
    faults.check(
        when=standing is not None and standing.staff == staff, where="staff_id", problem="is the keyworker already"
    )
    if not await caseloads.counsels_in(staff, episode.programme, at=now):
        faults.add("staff_id", "must be somebody who is a counsellor in this programme now")
    faults.raise_if_any()
    if standing is not None:
        await caseloads.end_keywork(standing, KeyworkEnded.ANOTHER, by=by.id, now=now)
        journal.tell(KeyworkerEnded(client=episode.client, records=(standing.id,), facts={"why": "another"}))
    new = Keyworker(
        id=as_id,
        client=episode.client,
        episode=episode.id,
        staff=staff,
        starts_at=now,
        until_at=until_at,
        reason=reason.strip(),
        recorded_by=by.id,
        recorded_at=now,
    )
    await caseloads.add_keyworker(new)
    journal.tell(KeyworkerNamed(client=episode.client, records=(new.id,), facts={"staff": str(staff)}))
    return new


async def end_keywork(
    wanted: KeyworkerId, episode: Episode, *, by: Staff, now: datetime, caseloads: Keyworkers, journal: Journal
) -> None:
    """Somebody is a client's keyworker no more. Raises `NotPermitted`, `KeyworkerUnknown`, `KeyworkOver`."""
    by.require(Act.HAND_OVER, episode.programme)
    found = next((each for each in await caseloads.keyworkers_of(episode.client) if each.id == wanted), None)
    if found is None:
        raise KeyworkerUnknown
    if not found.is_one(now):
        raise KeyworkOver
    await caseloads.end_keywork(found, KeyworkEnded.ENDED, by=by.id, now=now)
    journal.tell(KeyworkerEnded(client=episode.client, records=(found.id,), facts={"why": "ended"}))


def _check_reason(reason: str, faults: Faults) -> None:
    faults.check(
        when=not 0 < len(reason.strip()) <= LONGEST_REASON,
        where="reason",
        problem=f"must have 1 to {LONGEST_REASON} characters",
    )
