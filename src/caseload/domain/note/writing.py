"""Writing a note: a draft, its next versions, and the end of one that should not have been."""

from dataclasses import replace
from datetime import datetime, timedelta

from caseload.domain.access import Act
from caseload.domain.attendance import NotYourSession, Session, sees_everybody
from caseload.domain.attendance.rules import SessionRules
from caseload.domain.errors import Faults
from caseload.domain.ids import ClientId, NoteId
from caseload.domain.journal import Journal
from caseload.domain.note.note import (
    LONGEST_REASON,
    LONGEST_TEXT,
    Note,
    NoteChanged,
    NoteKind,
    NoteMoved,
    Notes,
    NoteStanding,
    NoteVersion,
    NoteVoided,
    NoteWasVoided,
    NoteWritten,
    NotYourNote,
    Voided,
)
from caseload.domain.people import Staff


async def write_note(
    session: Session,
    client: ClientId | None,
    kind: NoteKind,
    text: str,
    *,
    as_id: NoteId,
    rules: SessionRules,
    by: Staff,
    now: datetime,
    notes: Notes,
    journal: Journal,
) -> Note:
    """Begin a note about a session that has begun: about one client of it, or about what concerned everybody.

    It is a draft that only its author sees. Whoever may take the register may write one. Raises `NotPermitted`,
    `NotYourSession`, `Invalid`.
    """
    by.require(Act.WRITE_NOTE, session.programme)
    if not sees_everybody(session, by=by, act=Act.WRITE_NOTE):
        raise NotYourSession("Whoever led it writes its notes.")
    faults = Faults()
    faults.check(when=session.wanted.starts_at > now, where="session_id", problem="the session has not begun")
    faults.check(
        when=client is not None and client not in session.concerned,
        where="client_id",
        problem="is on neither the roster nor the register of this session",
    )
    _check_text(faults, text)
    faults.raise_if_any()
    note = Note(
        id=as_id,
        session=session.id,
        client=client,
        programme=session.programme,
        kind=kind,
        author=by.id,
        standing=NoteStanding.DRAFT,
        sign_by=session.wanted.ends_at + timedelta(hours=rules.sign_within_hours),
        versions=(NoteVersion(number=1, text=text, reason=None, written_at=now),),
    )
    await notes.add_note(note)
    journal.tell(NoteWritten(client=client, records=(note.id,), facts={"kind": kind.value}))
    return note


async def change_note(
    note: Note,
    text: str,
    reason: str | None,
    *,
    version: int,
    rules: SessionRules,
    by: Staff,
    now: datetime,
    notes: Notes,
    journal: Journal,
) -> Note:
    """Write the next version of one's own note: it is a draft until it is signed, and every version stays.

    Once a version was signed, the next one says why it replaces it; the signed one counts until the new one is signed.
    `version` is the one that the author read. Raises `NotPermitted`, `NotYourNote`, `NoteVoided`, `NoteMoved`, `Invalid`.
    """
    by.require(Act.WRITE_NOTE, note.programme)
    _require_open(note, by=by)
    if note.newest.number != version:
        raise NoteMoved(version=note.newest.number)
    faults = Faults()
    _check_text(faults, text)
    _check_reason(faults, reason, asked=bool(note.signed))
    faults.raise_if_any()
    written = NoteVersion(number=version + 1, text=text, reason=reason, written_at=now)
    changed = replace(
        note,
        standing=NoteStanding.DRAFT,
        sign_by=now + timedelta(hours=rules.sign_within_hours) if note.signed else note.sign_by,
        versions=(*note.versions, written),
    )
    await notes.add_version(changed)
    journal.tell(NoteChanged(client=note.client, records=(note.id,), facts={"version": written.number}))
    return changed


async def void_note(note: Note, reason: str, *, by: Staff, now: datetime, notes: Notes, journal: Journal) -> Note:
    """End a note that should not have been, with the reason: it counts for nothing, and stays readable to who read it.

    Its author may, and of a signed one whoever countersigns there. Raises `NotPermitted`, `NotYourNote`, `NoteVoided`,
    `Invalid`.
    """
    if by.id == note.author:
        by.require(Act.WRITE_NOTE, note.programme)
    elif not by.may_in(Act.CO_SIGN_NOTE, note.programme):
        raise NotYourNote
    if note.voided is not None:
        raise NoteVoided
    faults = Faults()
    _check_reason(faults, reason, asked=True)
    faults.raise_if_any()
    voided = Voided(reason=reason, by=by.id, at=now)
    await notes.add_voided(note, voided)
    journal.tell(NoteWasVoided(client=note.client, records=(note.id,), facts={"version": note.newest.number}))
    return replace(note, standing=NoteStanding.VOIDED, voided=voided)


def _require_open(note: Note, *, by: Staff) -> None:
    if by.id != note.author:
        raise NotYourNote
    if note.voided is not None:
        raise NoteVoided


def _check_text(faults: Faults, text: str) -> None:
    faults.check(
        when=not 0 < len(text.strip()) <= len(text) <= LONGEST_TEXT,
        where="text",
        problem=f"must have 1 to {LONGEST_TEXT} characters",
    )


def _check_reason(faults: Faults, reason: str | None, *, asked: bool) -> None:
    said = (reason or "").strip()
    faults.check(when=asked and not said, where="reason", problem="say why")
    faults.check(
        when=not asked and reason is not None, where="reason", problem="is for a note of which a version was signed"
    )
    faults.check(
        when=len(said) > LONGEST_REASON, where="reason", problem=f"must have at most {LONGEST_REASON} characters"
    )
