"""Messages about a client to whoever sees them next: at the window, as counsellor, leading a group."""

from datetime import datetime
from uuid import UUID

import msgspec
from litestar.params import FromPath, JSONBody

from caseload.api.attendance.shown import sessions_of
from caseload.api.pages import USUAL, After, Limit, Page
from caseload.api.route import reading, writing
from caseload.api.window.store import records
from caseload.api.wire import Wire
from caseload.api.work import TheKey, TheWork, client_within, nothing_more
from caseload.db.idempotency import Kept
from caseload.db.versions import AFTER_ALL
from caseload.domain import window as domain
from caseload.domain.access import Act
from caseload.domain.ids import ClientId, MessageId, TherapySessionId, new_id
from caseload.domain.window import Message, MessageUnknown, Place
from caseload.request.idempotency import RequestKey, once
from caseload.request.work import Work


class MessageIn(Wire, frozen=True, kw_only=True):
    """What whoever sees the client next should know. It stops nothing: what must stop a dose is a hold."""

    text: str
    places: list[Place] = msgspec.field(default_factory=lambda: [Place.WINDOW])
    """Where it is to be seen; whoever is first to see to it at one of them clears it for all."""


class MessageOut(Wire, frozen=True, kw_only=True):
    """A message that nobody has seen to."""

    id: UUID
    text: str
    left_by: str
    """The printed name."""
    left_at: datetime

    @classmethod
    def of(cls, message: Message) -> "MessageOut":
        """From the domain."""
        return cls(id=message.id, text=message.text, left_by=message.printed_name, left_at=message.left_at)


class MessageKeptOut(Wire, frozen=True, kw_only=True):
    """A message, and who has seen to it."""

    id: UUID
    text: str
    places: list[Place]
    left_by: UUID
    left_by_name: str
    left_at: datetime
    cleared_by: UUID | None
    """Null while nobody has seen to it."""
    cleared_at: datetime | None

    @classmethod
    def of(cls, message: Message) -> "MessageKeptOut":
        """From the domain."""
        return cls(
            id=message.id,
            text=message.text,
            places=sorted(message.places),
            left_by=message.left_by,
            left_by_name=message.printed_name,
            left_at=message.left_at,
            cleared_by=message.cleared_by,
            cleared_at=message.cleared_at,
        )


class MessagesOut(Wire, frozen=True, kw_only=True):
    """The messages that nobody has seen to, the oldest first."""

    items: list[MessageOut]


@writing("/clients/{client_id:uuid}/window-messages", act=Act.TELL_WINDOW, name="leave_window_message")
async def leave_message(client_id: FromPath[UUID], data: JSONBody[MessageIn], work: TheWork, key: TheKey) -> MessageOut:
    """Leave a message for whoever sees the client next; it stands there until somebody has seen to it."""
    client = await client_within(work, client_id, Act.TELL_WINDOW)
    store, new = records(work), MessageId(new_id())

    async def leave() -> Message:
        return await domain.leave_message(
            client.id,
            client.programme,
            data.text,
            as_id=new,
            places=frozenset(data.places),
            by=work.by,
            now=work.now,
            messages=store,
            journal=work.journal,
        )

    async def again(kept: Kept) -> Message:
        return await store.message(MessageId(kept.resource), of=client.id)

    return MessageOut.of(await once(work, key, Kept(status=201, resource=new), do=leave, again=again))


@reading("/clients/{client_id:uuid}/window-messages", act=Act.TELL_WINDOW, name="list_window_messages")
async def list_messages(client_id: FromPath[UUID], work: TheWork) -> MessagesOut:
    """The messages about a client that nobody has seen to."""
    client = await client_within(work, client_id, Act.TELL_WINDOW)
    return MessagesOut(items=[MessageOut.of(each) for each in await records(work).messages_of(client.id)])


@writing(
    "/clients/{client_id:uuid}/window-messages/{message_id:uuid}/clearing",
    act=Act.RECORD_DOSE,
    name="clear_window_message",
    status=204,
)
async def clear_message(client_id: FromPath[UUID], message_id: FromPath[UUID], work: TheWork, key: TheKey) -> None:
    """Say at the window that a message has been seen to."""
    client = await client_within(work, client_id, Act.RECORD_DOSE)
    await _clear(work, key, MessageId(message_id), client.id, Place.WINDOW)


@reading("/clients/{client_id:uuid}/messages", act=Act.TELL_WINDOW, name="list_messages_of_client")
async def list_every_message(
    client_id: FromPath[UUID], work: TheWork, after: After = None, limit: Limit = USUAL
) -> Page[MessageKeptOut]:
    """Every message about a client, the newest first, with who has seen to it and when."""
    client = await client_within(work, client_id, Act.TELL_WINDOW)
    found = await records(work).every_message_of(client.id, after=after or AFTER_ALL, limit=limit)
    items = [MessageKeptOut.of(each) for each in found]
    return Page(items=items, next=items[-1].id if len(items) == limit else None)


@writing(
    "/clients/{client_id:uuid}/messages/{message_id:uuid}/clearing",
    act=Act.COMPLETE_CHECK_IN,
    name="clear_counsellor_message",
    status=204,
)
async def clear_counsellor_message(
    client_id: FromPath[UUID], message_id: FromPath[UUID], work: TheWork, key: TheKey
) -> None:
    """Say as whoever counsels the client that a message for them has been seen to."""
    client = await client_within(work, client_id, Act.COMPLETE_CHECK_IN)
    await _clear(work, key, MessageId(message_id), client.id, Place.COUNSELLOR)


@writing(
    "/sessions/{session_id:uuid}/messages/{message_id:uuid}/clearing",
    act=Act.TAKE_REGISTER,
    name="clear_group_message",
    status=204,
)
async def clear_group_message(
    session_id: FromPath[UUID], message_id: FromPath[UUID], work: TheWork, key: TheKey
) -> None:
    """Say in a session that a message about somebody on its roster has been seen to."""
    session = await sessions_of(work).get(TherapySessionId(session_id), by=work.by, act=Act.TAKE_REGISTER)
    shown = await sessions_of(work).names(session, by=work.by, act=Act.TAKE_REGISTER)
    found = await records(work).messages_at(Place.GROUP, list(shown))
    about = next((each.client for each in found if each.id == message_id), None)
    if about is None:
        raise MessageUnknown("Read the session for the messages about those who are expected.")
    await _clear(work, key, MessageId(message_id), about, Place.GROUP)


async def _clear(work: Work, key: RequestKey | None, wanted: MessageId, client: ClientId, at: Place) -> None:
    async def clear() -> None:
        await domain.clear_message(
            wanted, client, at=at, by=work.by, now=work.now, messages=records(work), journal=work.journal
        )

    await once(work, key, Kept(status=204, resource=wanted), do=clear, again=nothing_more)
