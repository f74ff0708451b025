"""Signing notes over HTTP: by the author, by a supervisor where the programme asks, or sent back with a reason."""

from uuid import UUID

from litestar import Response
from litestar.params import FromPath, JSONBody

from caseload.api.note.store import notes, shown
from caseload.api.note.wire import NoteCoSignatureIn, NoteOut, NoteRejectionIn, NoteSignatureIn
from caseload.api.route import writing
from caseload.api.work import TheKey, TheWork
from caseload.db.attendance.rules import RulesOfSessions
from caseload.db.idempotency import Kept
from caseload.domain import note as domain
from caseload.domain.access import Act
from caseload.domain.ids import NoteId
from caseload.domain.note import Note
from caseload.request.idempotency import once
from caseload.request.sign_in import prove


@writing("/notes/{note_id:uuid}/signature", act=Act.WRITE_NOTE, name="sign_note", problems=(404, 429))
async def sign_note(
    note_id: FromPath[UUID], data: JSONBody[NoteSignatureIn], work: TheWork, key: TheKey
) -> Response[NoteOut]:
    """Sign your own note as it was displayed, with the password proved again.

    A note that names somebody else of the group is refused until you say that you have seen it.
    """
    proof = await prove(work, data.evidence())
    store, wanted = notes(work), NoteId(note_id)

    async def sign() -> Note:
        note = await store.hold(wanted, by=work.by, act=Act.WRITE_NOTE)
        rules, _ = await RulesOfSessions(work.connection).rules_of(note.programme)
        return await domain.sign_note(
            note,
            data.version,
            names_confirmed=data.names_confirmed,
            rules=rules,
            by=work.by,
            proof=proof,
            now=work.now,
            notes=store,
            journal=work.journal,
        )

    async def again(kept: Kept) -> Note:
        return await store.get(NoteId(kept.resource), by=work.by, act=Act.WRITE_NOTE)

    return await shown(work, await once(work, key, Kept(status=201, resource=wanted), do=sign, again=again), 201)


@writing("/notes/{note_id:uuid}/co-signature", act=Act.CO_SIGN_NOTE, name="co_sign_note", problems=(404, 429))
async def co_sign_note(
    note_id: FromPath[UUID], data: JSONBody[NoteCoSignatureIn], work: TheWork, key: TheKey
) -> Response[NoteOut]:
    """Sign a colleague's note after them, as it was displayed, with the password proved again."""
    proof = await prove(work, data.evidence())
    store, wanted = notes(work), NoteId(note_id)

    async def sign() -> Note:
        note = await store.hold(wanted, by=work.by, act=Act.CO_SIGN_NOTE)
        return await domain.co_sign_note(
            note, data.version, by=work.by, proof=proof, now=work.now, notes=store, journal=work.journal
        )

    async def again(kept: Kept) -> Note:
        return await store.get(NoteId(kept.resource), by=work.by, act=Act.CO_SIGN_NOTE)

    return await shown(work, await once(work, key, Kept(status=201, resource=wanted), do=sign, again=again), 201)


@writing("/notes/{note_id:uuid}/rejection", act=Act.CO_SIGN_NOTE, name="send_back_note", status=204)
async def send_back_note(note_id: FromPath[UUID], data: JSONBody[NoteRejectionIn], work: TheWork, key: TheKey) -> None:
    """Do not countersign a note, and say why: it goes back to its author, who writes the next version."""
    store, wanted = notes(work), NoteId(note_id)

    async def send() -> None:
        note = await store.hold(wanted, by=work.by, act=Act.CO_SIGN_NOTE)
        await domain.send_back(
            note, data.version, data.reason, by=work.by, now=work.now, notes=store, journal=work.journal
        )

    async def again(kept: Kept) -> None:
        await store.get(NoteId(kept.resource), by=work.by, act=Act.CO_SIGN_NOTE)

    await once(work, key, Kept(status=204, resource=wanted), do=send, again=again)
