"""Notes as they are read: one statement for the notes and one for their versions, whoever asks."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, Uuid, and_, any_, bindparam, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.tables.note import (
    session_note,
    session_note_current,
    session_note_sent_back,
    session_note_signature,
    session_note_version,
    session_note_voided,
)
from caseload.domain.ids import ClientId, NoteId, ProgrammeId, StaffId, TherapySessionId
from caseload.domain.note import Note, NoteKind, NoteStanding, NoteVersion, SentBack, SignedAs, Voided
from caseload.domain.signature import Version

WANTED: Final = bindparam("wanted", type_=ARRAY(Uuid()))

NOTES: Final = (
    select(
        session_note.c.id,
        session_note.c.session_id,
        session_note.c.client_id,
        session_note.c.programme_id,
        session_note.c.kind,
        session_note.c.author_id,
        session_note_current.c.standing,
        session_note_current.c.sign_by,
        session_note_voided.c.reason,
        session_note_voided.c.voided_by,
        session_note_voided.c.voided_at,
    )
    .select_from(session_note)
    .join(session_note_current, session_note_current.c.note_id == session_note.c.id)
    .outerjoin(session_note_voided, session_note_voided.c.note_id == session_note.c.id)
)
THESE: Final = NOTES.where(session_note.c.id == any_(WANTED))

_author, _co_signer = session_note_signature.alias("author"), session_note_signature.alias("co_signer")
VERSIONS: Final = (
    select(
        session_note_version.c.note_id,
        session_note_version.c.version,
        session_note_version.c.text,
        session_note_version.c.reason,
        session_note_version.c.written_at,
        _author.c.signed_at,
        _co_signer.c.signed_by.label("co_signed_by"),
        _co_signer.c.signed_at.label("co_signed_at"),
        session_note_sent_back.c.reason.label("sent_back"),
        session_note_sent_back.c.sent_back_by,
        session_note_sent_back.c.sent_back_at,
    )
    .select_from(session_note_version)
    .outerjoin(
        _author,
        and_(
            _author.c.note_id == session_note_version.c.note_id,
            _author.c.version == session_note_version.c.version,
            _author.c.signed_as == SignedAs.AUTHOR,
        ),
    )
    .outerjoin(
        _co_signer,
        and_(
            _co_signer.c.note_id == session_note_version.c.note_id,
            _co_signer.c.version == session_note_version.c.version,
            _co_signer.c.signed_as == SignedAs.CO_SIGNER,
        ),
    )
    .outerjoin(
        session_note_sent_back,
        and_(
            session_note_sent_back.c.note_id == session_note_version.c.note_id,
            session_note_sent_back.c.version == session_note_version.c.version,
        ),
    )
    .where(session_note_version.c.note_id == any_(WANTED))
    .order_by(session_note_version.c.note_id, session_note_version.c.version)
)


async def notes_of(connection: AsyncConnection, rows: Sequence[Row[*tuple[Any, ...]]]) -> Sequence[Note]:
    """The notes of these rows of `NOTES`, with every version."""
    if not rows:
        return []
    versions: dict[UUID, list[NoteVersion]] = defaultdict(list)
    for row in await connection.execute(VERSIONS, {"wanted": [row.id for row in rows]}):
        versions[row.note_id].append(_version(row))
    return [_note(row, versions[row.id]) for row in rows]


async def notes_named(connection: AsyncConnection, wanted: Sequence[UUID]) -> Sequence[Version]:
    """Every version of these notes as it is signed, whoever asks: for the verifier of signatures."""
    rows = (await connection.execute(THESE, {"wanted": list(wanted)})).all()
    return [note.as_signed(version) for note in await notes_of(connection, rows) for version in note.versions]


def _note(row: Row[*tuple[Any, ...]], versions: Sequence[NoteVersion]) -> Note:
    voided = None
    if row.voided_at is not None:
        voided = Voided(reason=row.reason, by=StaffId(row.voided_by), at=row.voided_at)
    return Note(
        id=NoteId(row.id),
        session=TherapySessionId(row.session_id),
        client=None if row.client_id is None else ClientId(row.client_id),
        programme=ProgrammeId(row.programme_id),
        kind=NoteKind(row.kind),
        author=StaffId(row.author_id),
        standing=NoteStanding(row.standing),
        sign_by=row.sign_by,
        versions=tuple(versions),
        voided=voided,
    )


def _version(row: Row[*tuple[Any, ...]]) -> NoteVersion:
    back = None
    if row.sent_back_at is not None:
        back = SentBack(reason=row.sent_back, by=StaffId(row.sent_back_by), at=row.sent_back_at)
    return NoteVersion(
        number=row.version,
        text=row.text,
        reason=row.reason,
        written_at=row.written_at,
        signed_at=row.signed_at,
        co_signed_by=None if row.co_signed_by is None else StaffId(row.co_signed_by),
        co_signed_at=row.co_signed_at,
        sent_back=back,
    )
