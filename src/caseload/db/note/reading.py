"""Which notes somebody reads: their own, and of others what was signed, as far as the reach and the kind of note go.

A progress note is read by whoever sees its client, and of one who was transferred away by the programme that keeps it; a common one by whoever leads the session or sees a client of it. A
counselling note is read by its author, and by a supervisor while it waits for one and once they have signed it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, Uuid, all_, and_, any_, bindparam, exists, or_, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.access import CLOSED, reach_of, within_reach
from caseload.db.note.rows import NOTES, notes_of
from caseload.db.tables.attendance import (
    therapy_session_booking,
    therapy_session_facilitator,
    therapy_session_line,
)
from caseload.db.tables.caseload import client
from caseload.db.tables.note import session_note, session_note_current, session_note_signature
from caseload.domain.access import Act, may_in
from caseload.domain.ids import ClientId, NoteId, ProgrammeId, TherapySessionId
from caseload.domain.journal import Journal
from caseload.domain.note import KIND, Note, NoteKind, NoteStanding, NoteUnknown, SignedAs
from caseload.domain.people import Staff

_READER: Final = bindparam("reader", type_=Uuid())
_HERE: Final = bindparam("here", type_=ARRAY(Uuid()))
_CO_SIGNS_IN: Final = bindparam("co_signs_in", type_=ARRAY(Uuid()))

_EVERYONE_IN: Final = bindparam("reach_everyone_in", type_=ARRAY(Uuid()))

_about = client.alias("about")
_member = client.alias("member")
_signed_by_author: Final = exists().where(
    session_note_signature.c.note_id == session_note.c.id, session_note_signature.c.signed_as == SignedAs.AUTHOR
)
_waits_for_them: Final = and_(
    session_note_current.c.standing == NoteStanding.WAITS, session_note.c.programme_id == any_(_CO_SIGNS_IN)
)
_signed_by_them: Final = exists().where(
    session_note_signature.c.note_id == session_note.c.id,
    session_note_signature.c.signed_as == SignedAs.CO_SIGNER,
    session_note_signature.c.signed_by == _READER,
)
_of_their_client: Final = exists(
    select(_about.c.id)
    .where(_about.c.id == session_note.c.client_id, within_reach(_about, kept_in=session_note.c.programme_id))
    .correlate(session_note)
)
_of_their_session: Final = and_(
    session_note.c.client_id.is_(None),
    or_(
        session_note.c.programme_id == any_(_EVERYONE_IN),
        exists().where(
            therapy_session_facilitator.c.session_id == session_note.c.session_id,
            therapy_session_facilitator.c.staff_id == _READER,
        ),
        *(
            exists(
                select(_member.c.id)
                .join(there, there.c.client_id == _member.c.id)
                .where(there.c.session_id == session_note.c.session_id, within_reach(_member))
                .correlate(session_note)
            )
            for there in (therapy_session_booking, therapy_session_line)
        ),
    ),
)
_is_open: Final = or_(session_note.c.client_id.is_(None), session_note.c.client_id != all_(CLOSED))
"""Who is not named does not read of a restricted client, not even what they wrote of them before."""
READS: Final = and_(
    session_note.c.programme_id == any_(_HERE),
    _is_open,
    or_(
        session_note.c.author_id == _READER,
        and_(
            _signed_by_author,
            or_(
                and_(session_note.c.kind == NoteKind.PROGRESS, or_(_of_their_client, _of_their_session)),
                _waits_for_them,
                _signed_by_them,
            ),
        ),
    ),
)
"""A row of `NOTES` is read by the person whose parameters come with the statement."""

_ONE = NOTES.where(session_note.c.id == bindparam("note", type_=Uuid()), READS)
_OF_SESSION = NOTES.where(session_note.c.session_id == bindparam("session", type_=Uuid()), READS).order_by(
    session_note.c.id
)
_OF_CLIENT = (
    NOTES.where(session_note.c.client_id == bindparam("client", type_=Uuid()), READS)
    .order_by(session_note.c.id.desc())
    .limit(bindparam("limit"))
)
_OF_CLIENT_NEXT = _OF_CLIENT.where(session_note.c.id < bindparam("after", type_=Uuid()))
_DRAFTS = (
    NOTES.where(
        session_note_current.c.author_id == _READER,
        session_note_current.c.standing == NoteStanding.DRAFT,
        session_note.c.programme_id == any_(_HERE),
        _is_open,
    )
    .order_by(session_note_current.c.sign_by, session_note_current.c.note_id)
    .limit(bindparam("limit"))
)
_WAITING = (
    NOTES.where(
        session_note_current.c.programme_id == any_(_CO_SIGNS_IN),
        session_note_current.c.standing == NoteStanding.WAITS,
        session_note_current.c.author_id != _READER,
        _is_open,
    )
    .order_by(session_note_current.c.sign_by, session_note_current.c.note_id)
    .limit(bindparam("limit"))
)


class NoteList:
    """Reads notes, and says whom it showed."""

    def __init__(self, connection: AsyncConnection, journal: Journal, *, now: datetime) -> None:
        self._connection = connection
        self._journal = journal
        self._now = now

    async def get(self, wanted: NoteId, *, by: Staff, act: Act) -> Note:
        """One note that this person reads; or `NoteUnknown`."""
        found = await self._read(_ONE, {"note": wanted}, by=by, act=act)
        if not found:
            raise NoteUnknown
        return found[0]

    async def of_session(self, session: TherapySessionId, *, by: Staff) -> Sequence[Note]:
        """The notes of a session that this person reads, oldest first."""
        return await self._read(_OF_SESSION, {"session": session}, by=by, act=Act.SEE_NOTES)

    async def of_client(self, of: ClientId, *, by: Staff, after: UUID | None, limit: int) -> Sequence[Note]:
        """The notes about a client that this person reads, newest first."""
        given = {"client": of, "limit": limit}
        if after is None:
            return await self._read(_OF_CLIENT, given, by=by, act=Act.SEE_NOTES)
        return await self._read(_OF_CLIENT_NEXT, {**given, "after": after}, by=by, act=Act.SEE_NOTES)

    async def drafts(self, *, by: Staff, limit: int) -> Sequence[Note]:
        """What this person has written and not signed, the first deadline first."""
        return await self._read(_DRAFTS, {"limit": limit}, by=by, act=Act.WRITE_NOTE)

    async def waiting(self, *, by: Staff, limit: int) -> Sequence[Note]:
        """What waits for a supervisor where this person is one, never their own; the first deadline first."""
        return await self._read(_WAITING, {"limit": limit}, by=by, act=Act.CO_SIGN_NOTE)

    async def _read(self, statement: Any, asked: dict[str, Any], *, by: Staff, act: Act) -> Sequence[Note]:
        given = {**asked, **parameters(by, act), **reach_of(by.reach(act), at=self._now)}
        rows: Sequence[Row[*tuple[Any, ...]]] = (await self._connection.execute(statement, given)).all()
        found = await notes_of(self._connection, rows)
        for note in found:
            if note.client is not None:
                self._journal.saw(note.client, KIND)
        return found


def parameters(by: Staff, act: Act) -> dict[str, Any]:
    """The parameters of `READS` beside the reach: who reads, where a role lets them, and where they countersign."""
    return {"reader": by.id, "here": _programmes(by, act), "co_signs_in": _programmes(by, Act.CO_SIGN_NOTE)}


def _programmes(by: Staff, act: Act) -> list[ProgrammeId]:
    held = {each.programme for each in by.holdings if each.programme is not None}
    return sorted(each for each in held if may_in(by.holdings, act, each))
