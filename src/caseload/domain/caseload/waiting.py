"""The waiting list of a programme: whoever is known there and is in nobody's care, until somebody says otherwise.

Nobody has to be put on it to be on it. Whoever was registered and never admitted waits, and stands first until somebody
has looked and said how urgent it is; so a client without a counsellor is on a list, always. After a discharge a client
waits when somebody says so.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Final, Protocol

from caseload.domain.access import Act
from caseload.domain.caseload.episode import AlreadyInCare
from caseload.domain.caseload.responsibility import LATE
from caseload.domain.errors import Conflict, Faults, NotFound
from caseload.domain.ids import ClientId, ProgrammeId, StaffId
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff

LONGEST_REASON: Final = 500
LONGEST_WAIT: Final = timedelta(days=3660)


class Priority(StrEnum):
    """How urgent an admission is. What makes it so is the programme's to say, and stands in the reason."""

    URGENT = "urgent"
    SOON = "soon"
    ROUTINE = "routine"


class Left(StrEnum):
    """Why somebody does not wait any more, without having been admitted."""

    ELSEWHERE = "elsewhere"
    DECLINED = "declined"
    UNREACHABLE = "unreachable"
    OTHER = "other"


class NotWaiting(NotFound):
    """This client does not wait within your reach."""

    def __init__(self) -> None:
        super().__init__("Read the waiting list of the programme again.")


class WaitingMoved(Conflict):
    """Somebody else said something about this client's waiting at the same moment."""

    def __init__(self) -> None:
        super().__init__("Read the waiting list of the programme again.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What somebody said of a client's waiting; the newest counts until the next admission."""

    client: ClientId
    since: datetime | None
    """When they asked; with the priority."""
    priority: Priority | None
    left: Left | None
    """Why they do not wait any more; instead of the priority."""
    reason: str
    recorded_by: StaffId
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """One line of the waiting list."""

    client: ClientId
    given_name: str
    family_name: str
    birth_date: date
    since: datetime
    """When they asked, or were registered where nobody said."""
    priority: Priority | None
    """None: nobody has said anything yet, so the line stands first."""
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientListed(Event):
    """Somebody said of a client that they wait, and how urgent it is."""

    name: ClassVar[str] = "waiting_list.client_listed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientLeft(Event):
    """A client does not wait any more."""

    name: ClassVar[str] = "waiting_list.client_left"


class WaitingList(Protocol):
    """Who waits, as it is kept."""

    async def is_in_care(self, client: ClientId) -> bool:
        """Whether the client has an open episode."""
        ...

    async def add_word(self, new: Word) -> None:
        """Keep it as the newest; `WaitingMoved` on a race."""
        ...


async def list_client(
    client: ClientId,
    home: ProgrammeId,
    priority: Priority,
    reason: str,
    *,
    since: datetime,
    by: Staff,
    now: datetime,
    waiting: WaitingList,
    journal: Journal,
) -> None:
    """Say that a client waits, since when, how urgent it is and why; what was said before is kept and does not count.

    Raises `NotPermitted`, `Invalid`, `AlreadyInCare`, `WaitingMoved`.
    """
    by.require(Act.ADMIT, home)
    faults = Faults()
    _check_reason(reason, faults)
    faults.check(when=since > now + LATE, where="since", problem="must not lie in the future")
    faults.check(when=since < now - LONGEST_WAIT, where="since", problem="must lie within ten years")
    faults.raise_if_any()
    if await waiting.is_in_care(client):
        raise AlreadyInCare("Whoever is in care does not wait.")
    word = Word(
        client=client,
        since=min(since, now),
        priority=priority,
        left=None,
        reason=reason.strip(),
        recorded_by=by.id,
        recorded_at=now,
    )
    await waiting.add_word(word)
    journal.tell(ClientListed(client=client, records=(client,), facts={"priority": priority.value}))


async def unlist_client(
    line: Waits,
    home: ProgrammeId,
    why: Left,
    reason: str,
    *,
    by: Staff,
    now: datetime,
    waiting: WaitingList,
    journal: Journal,
) -> None:
    """Say that a client does not wait any more, and why. Raises `NotPermitted`, `Invalid`, `WaitingMoved`."""
    by.require(Act.ADMIT, home)
    faults = Faults()
    _check_reason(reason, faults)
    faults.raise_if_any()
    word = Word(
        client=line.client,
        since=None,
        priority=None,
        left=why,
        reason=reason.strip(),
        recorded_by=by.id,
        recorded_at=now,
    )
    await waiting.add_word(word)
    journal.tell(ClientLeft(client=line.client, records=(line.client,), facts={"why": why.value}))


def _check_reason(reason: str, faults: Faults) -> None:
    faults.check(
        when=not 0 < len(reason.strip()) <= LONGEST_REASON,
        where="reason",
        problem=f"must have 1 to {LONGEST_REASON} characters",
    )
