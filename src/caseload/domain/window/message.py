"""Messages to the window: what whoever gives the next dose should know, until somebody has seen to it."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Protocol

from caseload.domain.errors import Conflict, Faults, NotFound
from caseload.domain.ids import ClientId, MessageId, ProgrammeId, StaffId
from caseload.domain.journal import Event, Journal
from caseload.domain.medication.record import check_reason
from caseload.domain.people import Staff


class MessageUnknown(NotFound):
    """There is no such message within your reach."""


class MessageCleared(Conflict):
    """Somebody has seen to this message already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What the window should know of a client. It stays in the queue until somebody clears it."""

    id: MessageId
    client: ClientId
    programme: ProgrammeId
    text: str
    left_by: StaffId
    printed_name: str
    """Of whoever left it."""
    left_at: datetime


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
) -> Message:
    """Leave a message for whoever gives the client's next dose. It stops nothing; raises `Invalid`."""
    faults = Faults()
    check_reason(text, faults, "text")
    faults.raise_if_any()
    message = Message(
        id=as_id,
        client=client,
        programme=programme,
        text=text,
        left_by=by.id,
        printed_name=by.printed_name,
        left_at=now,
    )
    await messages.add_message(message)
    journal.tell(MessageLeft(client=client, records=(message.id,)))
    return message


async def clear_message(
    wanted: MessageId, client: ClientId, *, by: Staff, now: datetime, messages: Messages, journal: Journal
) -> None:
    """Say that a message has been seen to. Raises `MessageUnknown`, `MessageCleared`."""
    message = await messages.message(wanted, of=client)
    await messages.clear_message(message.id, by=by.id, at=now)
    journal.tell(MessageSeen(client=client, records=(message.id,)))
