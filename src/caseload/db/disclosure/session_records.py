"""What the record says of a client's sessions, as it may leave: signed progress notes that name nobody else."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Uuid, any_, bindparam, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.tables.attendance import therapy_session
from caseload.db.tables.note import session_note, session_note_current, session_note_signature
from caseload.domain.ids import NoteId
from caseload.domain.note import Note, NoteKind, NoteStanding, SignedAs

_HELD: Final = (
    select(session_note.c.id, therapy_session.c.starts_at, session_note_signature.c.names_others)
    .join(therapy_session, therapy_session.c.id == session_note.c.session_id)
    .join(session_note_current, session_note_current.c.note_id == session_note.c.id)
    .join(
        session_note_signature,
        (session_note_signature.c.note_id == session_note.c.id)
        & (session_note_signature.c.version == session_note_current.c.version)
        & (session_note_signature.c.signed_as == SignedAs.AUTHOR),
    )
    .where(session_note.c.id == any_(bindparam("wanted", type_=ARRAY(Uuid()))))
)


async def session_records(connection: AsyncConnection, notes: Sequence[Note]) -> Sequence[tuple[datetime, str | None]]:
    """When each session was and what its note says, in the order of the notes: nothing of one that names somebody else.

    Counselling notes are no session records (42 CFR 2.11), and neither is what is not signed yet or was voided.
    """
    standing = [each for each in notes if each.kind is NoteKind.PROGRESS and each.standing is NoteStanding.SIGNED]
    rows: Any = await connection.execute(_HELD, {"wanted": [each.id for each in standing]})
    held: Mapping[NoteId, Any] = {NoteId(row.id): row for row in rows}
    return [(held[each.id].starts_at, None if held[each.id].names_others else each.newest.text) for each in standing]
