"""Messages to the window about a client."""

from datetime import datetime
from uuid import UUID

from litestar.params import FromPath, JSONBody

from caseload.api.route import reading, writing
from caseload.api.window.store import records
from caseload.api.wire import Wire
from caseload.api.work import TheKey, TheWork, client_within, nothing_more
from caseload.db.idempotency import Kept
from caseload.domain import window as domain
from caseload.domain.access import Act
from caseload.domain.ids import MessageId, new_id
from caseload.domain.window import Message
from caseload.request.idempotency import once


class MessageIn(Wire, frozen=True, kw_only=True):
    """What whoever gives the next dose should know. It stops nothing: what must stop a dose is a hold."""

    text: str


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


class MessagesOut(Wire, frozen=True, kw_only=True):
    """The messages that nobody has seen to, the oldest first."""

    items: list[MessageOut]


@writing("/clients/{client_id:uuid}/window-messages", act=Act.TELL_WINDOW, name="leave_window_message")
async def leave_message(client_id: FromPath[UUID], data: JSONBody[MessageIn], work: TheWork, key: TheKey) -> MessageOut:
    """Leave a message for the window; it stands in the queue until somebody there has seen to it."""
    client = await client_within(work, client_id, Act.TELL_WINDOW)
    store, new = records(work), MessageId(new_id())

    async def leave() -> Message:
        return await domain.leave_message(
            client.id,
            client.programme,
            data.text,
            as_id=new,
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
    wanted = MessageId(message_id)

    async def clear() -> None:
        await domain.clear_message(
            wanted, client.id, by=work.by, now=work.now, messages=records(work), journal=work.journal
        )

    await once(work, key, Kept(status=204, resource=wanted), do=clear, again=nothing_more)
