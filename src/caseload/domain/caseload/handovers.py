"""The handovers of a client as they stand, and the cancelling of one that is planned before its moment comes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Protocol
from uuid import UUID

from caseload.domain.access import Act
from caseload.domain.caseload.episode import Episode
from caseload.domain.caseload.responsibility import Responsibility
from caseload.domain.errors import Conflict, NotFound
from caseload.domain.ids import ClientId, ProgrammeId, StaffId
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff


class HandoverUnknown(NotFound):
    """No such handover of this client."""

    def __init__(self) -> None:
        super().__init__("Read the client's handovers and use one of their identifiers.")


class HandoverTookPlace(Conflict):
    """This handover has taken place."""

    def __init__(self) -> None:
        super().__init__("What has been is not cancelled. Hand the client over again.")


class NobodyUntilThen(Conflict):
    """Whoever would stay responsible is no counsellor here by then."""

    def __init__(self) -> None:
        super().__init__("Hand the client over to somebody else before that moment instead of cancelling.")


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoverCancelled(Event):
    """A handover that was planned does not take place."""

    name: ClassVar[str] = "caseload.handover_cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Handovers:
    """Who has answered for a client from when on, and who will by what is planned."""

    client: ClientId
    version: int
    """Grows with every handover and every cancelling."""
    periods: Sequence[Responsibility]
    """The newest first. The first of an episode is its admission."""

    def planned(self, wanted: UUID, now: datetime) -> tuple[Responsibility, Responsibility]:
        """A handover that is still to come, and the responsibility that it would end.

        Raises `HandoverUnknown`, `HandoverTookPlace`.
        """
        found = next((each for each in self.periods if each.id == wanted), None)
        if found is None:
            raise HandoverUnknown
        if found.since <= now:
            raise HandoverTookPlace
        return found, next(each for each in self.periods if each.until == found.since)


class TakesBack(Protocol):
    """The handovers that are kept."""

    async def counsels_in(self, staff: StaffId, programme: ProgrammeId, *, at: datetime) -> bool:
        """See `Responsibilities.counsels_in`."""
        ...

    async def take_back(self, planned: Responsibility, former: Responsibility, *, by: StaffId, now: datetime) -> None:
        """Keep what was planned as taken back, and let the former responsibility last until what comes after it.

        `CaseloadMoved` on a race.
        """
        ...


async def cancel_handover(
    wanted: UUID,
    episode: Episode,
    handovers: Handovers,
    *,
    by: Staff,
    now: datetime,
    caseloads: TakesBack,
    journal: Journal,
) -> None:
    """Cancel a handover that is planned for later: whoever is responsible until then stays so.

    Raises `NotPermitted`, `HandoverUnknown`, `HandoverTookPlace`, `NobodyUntilThen`, and `CaseloadMoved` when somebody
    else handed over at the same moment.
    """
    by.require(Act.HAND_OVER, episode.programme)
    planned, former = handovers.planned(wanted, now)
    if not await caseloads.counsels_in(former.counsellor, episode.programme, at=planned.since):
        raise NobodyUntilThen
    await caseloads.take_back(planned, former, by=by.id, now=now)
    who = {"to": str(planned.counsellor), "stays": str(former.counsellor)}
    journal.tell(HandoverCancelled(client=episode.client, records=(planned.id,), facts={**who}))
