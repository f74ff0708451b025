"""Excused days, messages and photographs in PostgreSQL."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, Text, Uuid, any_, bindparam, exists, insert, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.direct import Named
from caseload.db.tables.people import staff
from caseload.db.tables.window import excusal, excusal_end, photograph, window_message, window_message_cleared
from caseload.domain.ids import ClientId, ExcusalId, MessageId, PhotographId, ProgrammeId, StaffId
from caseload.domain.journal import Journal
from caseload.domain.window import (
    Absence,
    Excusal,
    ExcusalEnded,
    ExcusalUnknown,
    ExcuseEnd,
    ExcuseReason,
    Message,
    MessageCleared,
    MessageUnknown,
    Photograph,
    Place,
)

KIND: Final = "window"
"""What the journal calls what the window is told."""

_EXCUSALS = (
    select(
        excusal.c.id,
        excusal.c.client_id,
        excusal.c.programme_id,
        excusal.c.reason,
        excusal.c.first_on,
        excusal.c.last_on,
        excusal.c.told_by,
        excusal.c.note,
        excusal.c.recorded_by,
        excusal.c.recorded_at,
        excusal_end.c.last_on.label("ended_on"),
        excusal_end.c.reason.label("end_reason"),
        excusal_end.c.recorded_by.label("ended_by"),
        excusal_end.c.recorded_at.label("ended_at"),
    )
    .select_from(excusal.outerjoin(excusal_end, excusal_end.c.excusal_id == excusal.c.id))
    .where(excusal.c.client_id == bindparam("client"))
)
EXCUSALS = _EXCUSALS.order_by(excusal.c.first_on.desc(), excusal.c.id.desc())
_ONE_EXCUSAL = _EXCUSALS.where(excusal.c.id == bindparam("excusal"))

_MESSAGES = (
    select(
        window_message.c.id,
        window_message.c.client_id,
        window_message.c.programme_id,
        window_message.c.text,
        window_message.c.left_by,
        staff.c.printed_name,
        window_message.c.left_at,
        window_message.c.places,
        window_message_cleared.c.cleared_by,
        window_message_cleared.c.cleared_at,
    )
    .select_from(
        window_message.join(staff, staff.c.id == window_message.c.left_by).outerjoin(
            window_message_cleared, window_message_cleared.c.message_id == window_message.c.id
        )
    )
    .where(window_message.c.client_id == any_(bindparam("clients", type_=ARRAY(Uuid()))))
)
IS_OPEN = ~exists().where(window_message_cleared.c.message_id == window_message.c.id)
MESSAGES = _MESSAGES.where(window_message_cleared.c.message_id.is_(None)).order_by(window_message.c.id)
EVERY_MESSAGE = (
    _MESSAGES.where(window_message.c.id < bindparam("after"))
    .order_by(window_message.c.id.desc())
    .limit(bindparam("limit"))
)
MESSAGES_AT = MESSAGES.where(bindparam("place", type_=Text()) == any_(window_message.c.places))
_ONE_MESSAGE = _MESSAGES.where(window_message.c.id == bindparam("message"))

PHOTOGRAPHS = (
    select(
        photograph.c.id,
        photograph.c.client_id,
        photograph.c.taken_on,
        photograph.c.kept_where,
        photograph.c.recorded_by,
        photograph.c.recorded_at,
    )
    .where(photograph.c.client_id == bindparam("client"))
    .order_by(photograph.c.id.desc())
)

_ADD_EXCUSAL, _ADD_END = insert(excusal), insert(excusal_end)
_ADD_MESSAGE, _CLEAR = insert(window_message), insert(window_message_cleared)
_ADD_PHOTOGRAPH = insert(photograph)


class WindowRecords:
    """Satisfies the ports of `domain.window`. Whoever asks has been let through to the client before."""

    def __init__(self, connection: AsyncConnection, journal: Journal) -> None:
        self._connection = connection
        self._journal = journal

    async def excusals_of(self, client: ClientId) -> Sequence[Excusal]:
        """Every excusal of a client, the last first."""
        rows = (await self._connection.execute(EXCUSALS, {"client": client})).all()
        self._journal.saw(client, KIND)
        return [_excusal(row) for row in rows]

    async def excusal(self, wanted: ExcusalId, *, of: ClientId) -> Excusal:
        """See `domain.window.Excusals.excusal`."""
        row = (await self._connection.execute(_ONE_EXCUSAL, {"client": of, "excusal": wanted})).first()
        if row is None:
            raise ExcusalUnknown("Read the excusals of the client.")
        self._journal.saw(of, KIND)
        return _excusal(row)

    async def add_excusal(self, new: Excusal) -> None:
        """See `domain.window.Excusals.add_excusal`."""
        await self._connection.execute(
            _ADD_EXCUSAL,
            {
                "id": new.id,
                "client_id": new.client,
                "programme_id": new.programme,
                "reason": new.absence.reason,
                "first_on": new.absence.first_on,
                "last_on": new.absence.last_on,
                "told_by": new.absence.told_by,
                "note": new.absence.note,
                "recorded_by": new.recorded_by,
                "recorded_at": new.recorded_at,
            },
        )

    async def end_excusal(self, ended: ExcusalId, end: ExcuseEnd) -> None:
        """See `domain.window.Excusals.end_excusal`."""
        try:
            await self._connection.execute(
                _ADD_END,
                {
                    "excusal_id": ended,
                    "last_on": end.last_on,
                    "reason": end.reason,
                    "recorded_by": end.recorded_by,
                    "recorded_at": end.recorded_at,
                },
            )
        except IntegrityError as raced:
            raise ExcusalEnded("Read it again; for other days make another.") from raced

    async def messages_of(self, client: ClientId) -> Sequence[Message]:
        """The messages that nobody has seen to, the oldest first."""
        rows = (await self._connection.execute(MESSAGES, {"clients": [client]})).mappings().all()
        self._journal.saw(client, KIND)
        return [message_of(row) for row in rows]

    async def every_message_of(self, client: ClientId, *, after: UUID, limit: int) -> Sequence[Message]:
        """Every message about a client, the newest first, with who has seen to it."""
        given = {"clients": [client], "after": after, "limit": limit}
        rows = (await self._connection.execute(EVERY_MESSAGE, given)).mappings().all()
        self._journal.saw(client, KIND)
        return [message_of(row) for row in rows]

    async def messages_at(self, place: Place, clients: Sequence[ClientId]) -> Sequence[Message]:
        """What nobody has seen to that is for a place, about any of these clients, the oldest first."""
        if not clients:
            return []
        given = {"clients": list(clients), "place": place}
        found = [message_of(row) for row in (await self._connection.execute(MESSAGES_AT, given)).mappings()]
        for each in found:
            self._journal.saw(each.client, KIND)
        return found

    async def message(self, wanted: MessageId, *, of: ClientId) -> Message:
        """See `domain.window.Messages.message`."""
        row = (await self._connection.execute(_ONE_MESSAGE, {"clients": [of], "message": wanted})).mappings().first()
        if row is None:
            raise MessageUnknown("Read the messages of the client.")
        self._journal.saw(of, KIND)
        return message_of(row)

    async def add_message(self, new: Message) -> None:
        """See `domain.window.Messages.add_message`."""
        await self._connection.execute(
            _ADD_MESSAGE,
            {
                "id": new.id,
                "client_id": new.client,
                "programme_id": new.programme,
                "text": new.text,
                "places": sorted(new.places),
                "left_by": new.left_by,
                "left_at": new.left_at,
            },
        )

    async def clear_message(self, wanted: MessageId, *, by: StaffId, at: Any) -> None:
        """See `domain.window.Messages.clear_message`."""
        try:
            await self._connection.execute(_CLEAR, {"message_id": wanted, "cleared_by": by, "cleared_at": at})
        except IntegrityError as raced:
            raise MessageCleared("Read the messages of the client again.") from raced

    async def photographs_of(self, client: ClientId) -> Sequence[Photograph]:
        """Every record of a photograph, the newest, which counts, first."""
        rows = (await self._connection.execute(PHOTOGRAPHS, {"client": client})).all()
        self._journal.saw(client, "identity")
        return [
            Photograph(
                id=PhotographId(row.id),
                client=ClientId(row.client_id),
                taken_on=row.taken_on,
                kept_where=row.kept_where,
                recorded_by=StaffId(row.recorded_by),
                recorded_at=row.recorded_at,
            )
            for row in rows
        ]

    async def add_photograph(self, new: Photograph) -> None:
        """See `domain.window.Photographs.add_photograph`."""
        await self._connection.execute(
            _ADD_PHOTOGRAPH,
            {
                "id": new.id,
                "client_id": new.client,
                "taken_on": new.taken_on,
                "kept_where": new.kept_where,
                "recorded_by": new.recorded_by,
                "recorded_at": new.recorded_at,
            },
        )


def _excusal(row: Row[*tuple[Any, ...]]) -> Excusal:
    return Excusal(
        id=ExcusalId(row.id),
        client=ClientId(row.client_id),
        programme=ProgrammeId(row.programme_id),
        absence=Absence(
            reason=ExcuseReason(row.reason),
            first_on=row.first_on,
            last_on=row.last_on,
            told_by=row.told_by,
            note=row.note,
        ),
        recorded_by=StaffId(row.recorded_by),
        recorded_at=row.recorded_at,
        end=None
        if row.ended_on is None
        else ExcuseEnd(
            last_on=row.ended_on,
            reason=row.end_reason,
            recorded_by=StaffId(row.ended_by),
            recorded_at=row.ended_at,
        ),
    )


def message_of(row: Named) -> Message:
    """The message in a row."""
    return Message(
        id=MessageId(row["id"]),
        client=ClientId(row["client_id"]),
        programme=ProgrammeId(row["programme_id"]),
        text=row["text"],
        left_by=StaffId(row["left_by"]),
        printed_name=row["printed_name"],
        left_at=row["left_at"],
        places=frozenset(Place(each) for each in row["places"]),
        cleared_by=None if row["cleared_by"] is None else StaffId(row["cleared_by"]),
        cleared_at=row["cleared_at"],
    )
