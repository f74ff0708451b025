"""Reading notes over HTTP: one, its versions and signatures, those of a session and those about a client."""

from uuid import UUID

from litestar import Response
from litestar.params import FromPath

from caseload.api.attendance.shown import sessions_of
from caseload.api.note.store import notes, shown
from caseload.api.note.wire import NoteOut, NotesOut, NoteVersionOut, NoteVersionsOut
from caseload.api.pages import USUAL, After, Limit, Page
from caseload.api.route import reading
from caseload.api.signature import SignatureShownOut, SignaturesOut
from caseload.api.work import TheWork, client_within
from caseload.db.signature import signatures_under
from caseload.domain.access import Act
from caseload.domain.ids import NoteId, TherapySessionId


@reading("/notes/{note_id:uuid}", act=Act.SEE_NOTES, name="read_note")
async def read_note(note_id: FromPath[UUID], work: TheWork) -> Response[NoteOut]:
    """One note, in the newest version that you may read."""
    return await shown(work, await notes(work).get(NoteId(note_id), by=work.by, act=Act.SEE_NOTES))


@reading("/notes/{note_id:uuid}/versions", act=Act.SEE_NOTES, name="list_note_versions")
async def list_note_versions(note_id: FromPath[UUID], work: TheWork) -> NoteVersionsOut:
    """The versions of a note that you may read: your own all of them, a colleague's those that were signed."""
    note = await notes(work).get(NoteId(note_id), by=work.by, act=Act.SEE_NOTES)
    return NoteVersionsOut(items=[NoteVersionOut.of(each) for each in note.shown_to(work.by.id)])


@reading("/notes/{note_id:uuid}/signatures", act=Act.SEE_NOTES, name="list_note_signatures")
async def list_note_signatures(note_id: FromPath[UUID], work: TheWork) -> SignaturesOut:
    """Who signed which version of a note, with the exact text that was signed."""
    note = await notes(work).get(NoteId(note_id), by=work.by, act=Act.SEE_NOTES)
    found = await signatures_under(work.connection, [note.id])
    return SignaturesOut(items=[SignatureShownOut.of(each) for each in found])


@reading("/sessions/{session_id:uuid}/notes", act=Act.SEE_NOTES, name="list_session_notes")
async def list_session_notes(session_id: FromPath[UUID], work: TheWork) -> NotesOut:
    """The notes of a session that you may read: your own, the common ones, and those about clients within your reach."""
    session = await sessions_of(work).get(TherapySessionId(session_id), by=work.by, act=Act.SEE_NOTES)
    found = await notes(work).of_session(session.id, by=work.by)
    return NotesOut(items=[NoteOut.of(each, reader=work.by, now=work.now) for each in found])


@reading("/clients/{client_id:uuid}/notes", act=Act.SEE_NOTES, name="list_client_notes")
async def list_client_notes(
    client_id: FromPath[UUID], work: TheWork, after: After = None, limit: Limit = USUAL
) -> Page[NoteOut]:
    """The notes about a client that you may read, newest first. Counselling notes of colleagues are not among them."""
    client = await client_within(work, client_id, Act.SEE_NOTES)
    found = await notes(work).of_client(client.id, by=work.by, after=after, limit=limit)
    items = [NoteOut.of(each, reader=work.by, now=work.now) for each in found]
    return Page(items=items, next=items[-1].id if len(items) == limit else None)
