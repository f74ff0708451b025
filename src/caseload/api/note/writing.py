"""Writing notes over HTTP: begun, changed version by version, voided."""

from uuid import UUID

from litestar import Response
from litestar.params import FromPath, JSONBody

from caseload.api.attendance.shown import sessions_of
from caseload.api.note.store import notes, shown
from caseload.api.note.wire import NoteChangeIn, NoteIn, NoteOut, NoteVoidingIn
from caseload.api.route import writing
from caseload.api.work import IfMatch, TheKey, TheWork, require_version
from caseload.db.attendance.rules import RulesOfSessions
from caseload.db.idempotency import Kept
from caseload.domain import note as domain
from caseload.domain.access import Act
from caseload.domain.ids import ClientId, NoteId, TherapySessionId, new_id
from caseload.domain.note import Note
from caseload.request.idempotency import once


@writing("/sessions/{session_id:uuid}/notes", act=Act.WRITE_NOTE, name="write_note")
async def write_note(
    session_id: FromPath[UUID], data: JSONBody[NoteIn], work: TheWork, key: TheKey
) -> Response[NoteOut]:
    """Begin a note about a session: about one client of it, or about what concerns everybody. Only you see the draft."""
    store, new = notes(work), NoteId(new_id())

    async def write() -> Note:
        wanted = TherapySessionId(session_id)
        session = await sessions_of(work).get(wanted, by=work.by, act=Act.WRITE_NOTE)
        rules, _ = await RulesOfSessions(work.connection).rules_of(session.programme)
        return await domain.write_note(
            session,
            None if data.client_id is None else ClientId(data.client_id),
            data.kind,
            data.text,
            as_id=new,
            rules=rules,
            by=work.by,
            now=work.now,
            notes=store,
            journal=work.journal,
        )

    async def again(kept: Kept) -> Note:
        return await store.get(NoteId(kept.resource), by=work.by, act=Act.WRITE_NOTE)

    return await shown(work, await once(work, key, Kept(status=201, resource=new), do=write, again=again), 201)


@writing(
    "/notes/{note_id:uuid}", act=Act.WRITE_NOTE, name="change_note", method="PUT", status=200, problems=(404, 412, 428)
)
async def change_note(
    note_id: FromPath[UUID], data: JSONBody[NoteChangeIn], work: TheWork, if_match: IfMatch = None
) -> Response[NoteOut]:
    """Write the next version of your own note: a draft until you sign it. What was signed before counts until then."""
    store = notes(work)
    note = await store.hold(NoteId(note_id), by=work.by, act=Act.WRITE_NOTE)
    require_version(if_match, note.newest.number)
    rules, _ = await RulesOfSessions(work.connection).rules_of(note.programme)
    changed = await domain.change_note(
        note,
        data.text,
        data.reason,
        version=note.newest.number,
        rules=rules,
        by=work.by,
        now=work.now,
        notes=store,
        journal=work.journal,
    )
    return await shown(work, changed)


@writing("/notes/{note_id:uuid}/voiding", act=Act.SEE_NOTES, name="void_note")
async def void_note(
    note_id: FromPath[UUID], data: JSONBody[NoteVoidingIn], work: TheWork, key: TheKey
) -> Response[NoteOut]:
    """End a note that should not have been, with the reason. It stays readable to whoever could read it."""
    store, wanted = notes(work), NoteId(note_id)

    async def void() -> Note:
        note = await store.hold(wanted, by=work.by, act=Act.SEE_NOTES)
        return await domain.void_note(note, data.reason, by=work.by, now=work.now, notes=store, journal=work.journal)

    async def again(kept: Kept) -> Note:
        return await store.get(NoteId(kept.resource), by=work.by, act=Act.SEE_NOTES)

    return await shown(work, await once(work, key, Kept(status=201, resource=wanted), do=void, again=again), 201)
