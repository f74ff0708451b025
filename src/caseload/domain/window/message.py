"""Messages to whoever sees a client next: at the window, as their counsellor, or leading a group they come to.

A message says where it is to be seen, and stands at each of those places until somebody at one of them has seen to it.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Final, Protocol

from caseload.domain.errors import Conflict, Faults, NotFound
from caseload.domain.ids import ClientId, MessageId, ProgrammeId, StaffId
from caseload.domain.journal import Event, Journal
from caseload.domain.medication.record import check_reason
from caseload.domain.people import Staff


class Place(StrEnum):
    """Who sees a client next."""

    WINDOW = "window"
    """Whoever gives the next dose."""
    COUNSELLOR = "counsellor"
    """Whoever answers for the client, or stands in."""
    GROUP = "group"
    """Whoever leads the next session."""


AT_THE_WINDOW: Final = frozenset({Place.WINDOW})


class MessageElsewhere(Conflict):
    """This message is for somebody at another place."""


class MessageUnknown(NotFound):
    """There is no such message within your reach."""


class MessageCleared(Conflict):
    """Somebody has seen to this message already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What whoever sees a client next should know. It stays until somebody clears it."""

    id: MessageId
    client: ClientId
    programme: ProgrammeId
    text: str
    left_by: StaffId
    printed_name: str
    """Of whoever left it."""
    left_at: datetime
    places: frozenset[Place] = AT_THE_WINDOW
    cleared_by: StaffId | None = None
    """Who has seen to it; None while nobody has."""
    cleared_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageLeft(Event):
    """Somebody left a message for the window."""

    name: ClassVar[str] = "window_message.left"


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageSeen(Event):
    """The window has seen to a message."""

    name: ClassVar[str] = "window_message.cleared"


class Messages(Protocol):
    """The messages that are kept."""

    async def add_message(self, message: Message, /) -> None:
        """Keep a message."""
        ...

    async def message(self, wanted: MessageId, /, *, of: ClientId) -> Message:
        """One message of a client; raises `MessageUnknown`."""
        ...

    async def clear_message(self, wanted: MessageId, /, *, by: StaffId, at: datetime) -> None:
        """Keep that it has been seen to; raises `MessageCleared`."""
        ...


async def leave_message(
    client: ClientId,
    programme: ProgrammeId,
    text: str,
    *,
    as_id: MessageId,
    by: Staff,
    now: datetime,
    messages: Messages,
    journal: Journal,
    places: frozenset[Place] = AT_THE_WINDOW,
) -> Message:
    """Leave a message for whoever sees the client next at one of the places. It stops nothing; raises `Invalid`."""
    faults = Faults()
    check_reason(text, faults, "text")
    faults.check(when=not places, where="places", problem="say who is to see it")
    faults.raise_if_any()
    message = Message(
        id=as_id,
        client=client,
        programme=programme,
        text=text,
        left_by=by.id,
        printed_name=by.printed_name,
        left_at=now,
        places=places,
    )
    await messages.add_message(message)
    journal.tell(MessageLeft(client=client, records=(message.id,)))
    return message


async def clear_message(
    wanted: MessageId,
    client: ClientId,
    *,
    at: Place = Place.WINDOW,
    by: Staff,
    now: datetime,
    messages: Messages,
    journal: Journal,
) -> None:
    """Say at a place that a message has been seen to. Raises `MessageUnknown`, `MessageElsewhere`, `MessageCleared`."""
    message = await messages.message(wanted, of=client)
    if at not in message.places:
        raise MessageElsewhere("Whoever it is for clears it.", places=sorted(message.places))
    await messages.clear_message(message.id, by=by.id, at=now)
    journal.tell(MessageSeen(client=client, records=(message.id,)))
