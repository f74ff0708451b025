"""Notes in PostgreSQL: kept version by version, under a lock on where each stands."""

from collections import defaultdict
from typing import Any

from sqlalchemy import Uuid, bindparam, case, insert, literal, null, or_, select, union, union_all, update
from sqlalchemy.exc import IntegrityError

from caseload.db.note.reading import NoteList
from caseload.db.signature import Signatures
from caseload.db.tables.attendance import therapy_session_booking, therapy_session_line
from caseload.db.tables.caseload import client_identity
from caseload.db.tables.family import related_person_version
from caseload.db.tables.note import (
    session_note,
    session_note_current,
    session_note_sent_back,
    session_note_signature,
    session_note_version,
    session_note_voided,
)
from caseload.db.tables.session_relative import session_relative
from caseload.domain.access import Act
from caseload.domain.attendance import ComesAs
from caseload.domain.ids import ClientId, NoteId, RelativePlaceId
from caseload.domain.note import Around, Note, NoteMoved, NoteStanding, NoteVersion, SentBack, SignedAs, Voided
from caseload.domain.people import Staff
from caseload.domain.signature import Signature

_HOLD = (
    select(session_note_current.c.note_id)
    .where(session_note_current.c.note_id == bindparam("note", type_=Uuid()))
    .with_for_update()
)
_STANDS = (
    update(session_note_current)
    .where(session_note_current.c.note_id == bindparam("note", type_=Uuid()))
    .values(version=bindparam("to_version"), standing=bindparam("to_standing"), sign_by=bindparam("to_sign_by"))
)
_SESSION = bindparam("session", type_=Uuid())
_THERE = union(
    *(
        select(there.c.client_id).where(there.c.session_id == _SESSION)
        for there in (therapy_session_booking, therapy_session_line)
    )
).subquery("there")
_ABOUT = bindparam("about", type_=Uuid())
_NOBODYS = null().cast(Uuid())
NAMES_AROUND = union_all(
    select(
        client_identity.c.client_id,
        _NOBODYS.label("place_id"),
        client_identity.c.given_name,
        client_identity.c.family_name,
    ).where(
        client_identity.c.client_id.in_(select(_THERE.c.client_id)),
        or_(_ABOUT.is_(None), client_identity.c.client_id != _ABOUT),
    ),
    select(
        case((session_relative.c.comes_as == ComesAs.WITH_CLIENT.value, session_relative.c.client_id)),
        session_relative.c.id,
        related_person_version.c.name,
        literal(""),
    )
    .join(related_person_version, related_person_version.c.person_id == session_relative.c.person_id)
    .where(session_relative.c.session_id == _SESSION, or_(_ABOUT.is_(None), session_relative.c.client_id != _ABOUT)),
)
"""Every name under which anybody of the group was ever known, but of whom the note is about.

Who came with a client is named with them: their name says who the client is. Whose relative came in their own right stays unsaid, and
their name belongs into no client's record all the same.
"""

_ADD, _ADD_VERSION, _ADD_CURRENT = insert(session_note), insert(session_note_version), insert(session_note_current)
_SIGN, _SEND_BACK, _VOID = insert(session_note_signature), insert(session_note_sent_back), insert(session_note_voided)


class Notes(NoteList, Signatures):
    """Satisfies `domain.note.Notes`."""

    async def hold(self, wanted: NoteId, *, by: Staff, act: Act) -> Note:
        """See `domain.note.Notes.hold`."""
        await self._connection.execute(_HOLD, {"note": wanted})
        return await self.get(wanted, by=by, act=act)

    async def names_around(self, note: Note) -> Around:
        """See `domain.note.Notes.names_around`. Nobody is shown by it: whoever is named, the text names already."""
        clients: dict[ClientId, set[str]] = defaultdict(set)
        relatives: dict[RelativePlaceId, set[str]] = defaultdict(set)
        for row in await self._connection.execute(NAMES_AROUND, {"session": note.session, "about": note.client}):
            called = {row.given_name, row.family_name}
            if row.client_id is None:
                relatives[RelativePlaceId(row.place_id)] |= called
            else:
                clients[ClientId(row.client_id)] |= called
        return Around(clients=clients, relatives=relatives)

    async def add_note(self, note: Note) -> None:
        """See `domain.note.Notes.add_note`."""
        await self._connection.execute(
            _ADD,
            {
                "id": note.id,
                "session_id": note.session,
                "client_id": note.client,
                "programme_id": note.programme,
                "kind": note.kind,
                "author_id": note.author,
            },
        )
        await self._connection.execute(_ADD_VERSION, _version(note, note.newest))
        await self._connection.execute(
            _ADD_CURRENT,
            {
                "note_id": note.id,
                "programme_id": note.programme,
                "author_id": note.author,
                "version": note.newest.number,
                "standing": note.standing,
                "sign_by": note.sign_by,
            },
        )

    async def add_version(self, changed: Note) -> None:
        """See `domain.note.Notes.add_version`."""
        try:
            await self._connection.execute(_ADD_VERSION, _version(changed, changed.newest))
        except IntegrityError as raced:
            raise NoteMoved from raced
        await self._stands(changed, changed.standing)

    async def add_signature(
        self, note: Note, signature: Signature, *, signed_as: SignedAs, names_others: bool, standing: NoteStanding
    ) -> None:
        """See `domain.note.Notes.add_signature`."""
        await self.add(signature)
        await self._connection.execute(
            _SIGN,
            {
                "note_id": note.id,
                "version": note.newest.number,
                "signed_as": signed_as,
                "author_id": note.author,
                "signed_by": signature.statement.signer,
                "signed_at": signature.statement.signed_at,
                "names_others": names_others,
                "signature_id": signature.id,
            },
        )
        await self._stands(note, standing)

    async def add_sent_back(self, note: Note, sent_back: SentBack) -> None:
        """See `domain.note.Notes.add_sent_back`."""
        await self._connection.execute(
            _SEND_BACK,
            {
                "note_id": note.id,
                "version": note.newest.number,
                "reason": sent_back.reason,
                "sent_back_by": sent_back.by,
                "sent_back_at": sent_back.at,
            },
        )
        await self._stands(note, NoteStanding.DRAFT)

    async def add_voided(self, note: Note, voided: Voided) -> None:
        """See `domain.note.Notes.add_voided`."""
        await self._connection.execute(
            _VOID,
            {"note_id": note.id, "reason": voided.reason, "voided_by": voided.by, "voided_at": voided.at},
        )
        await self._stands(note, NoteStanding.VOIDED)

    async def _stands(self, note: Note, standing: NoteStanding) -> None:
        given = {"note": note.id, "to_version": note.newest.number, "to_standing": standing, "to_sign_by": note.sign_by}
        await self._connection.execute(_STANDS, given)


def _version(note: Note, version: NoteVersion) -> dict[str, Any]:
    return {
        "note_id": note.id,
        "version": version.number,
        "text": version.text,
        "reason": version.reason,
        "written_at": version.written_at,
    }
