"""Signing a note: its author, then a supervisor where the programme asks; or sending it back with a reason."""

from dataclasses import replace
from datetime import datetime

from caseload.domain.access import Act
from caseload.domain.attendance.rules import SessionRules
from caseload.domain.errors import Faults
from caseload.domain.journal import Journal
from caseload.domain.note.note import (
    LONGEST_REASON,
    Note,
    NoteCoSigned,
    NoteMoved,
    NoteNamesOthers,
    Notes,
    NoteSentBack,
    NoteSigned,
    NoteStanding,
    NoteVoided,
    NotYourNote,
    OwnNote,
    SentBack,
    SignedAs,
)
from caseload.domain.people import Proof, Staff
from caseload.domain.signature import Meaning, sign, signing_role


async def sign_note(
    note: Note,
    version: int,
    *,
    names_confirmed: bool,
    rules: SessionRules,
    by: Staff,
    proof: Proof,
    now: datetime,
    notes: Notes,
    journal: Journal,
) -> Note:
    """Sign the newest version of one's own note, as it was displayed.

    One that names somebody else of the group is signed only when its author says that it may: a warning, which is kept
    with the signature. Where the programme asks, the note of whoever is no supervisor there then waits for one.
    Raises `NotPermitted`, `NotYourNote`, `NoteVoided`, `NoteMoved`, `NoteNamesOthers`, and what `sign` raises.
    """
    role = signing_role(by, Act.WRITE_NOTE, note.programme)
    if by.id != note.author:
        raise NotYourNote
    _require_newest(note, version, standing=NoteStanding.DRAFT)
    if note.newest.sent_back is not None:
        raise NoteMoved(version=version, standing="sent_back")
    named = (await notes.names_around(note)).named_in(note.newest.text)
    if named and not names_confirmed:
        raise NoteNamesOthers(
            "Write it without their names, or confirm that these words are none.", people=named, version=version
        )
    made = sign(note.as_signed(note.newest), by=by, role=role, meaning=Meaning.AUTHORED, proof=proof, now=now)
    waits = rules.notes_co_signed and not by.may_in(Act.CO_SIGN_NOTE, note.programme)
    standing = NoteStanding.WAITS if waits else NoteStanding.SIGNED
    await notes.add_signature(note, made, signed_as=SignedAs.AUTHOR, names_others=bool(named), standing=standing)
    journal.tell(NoteSigned(client=note.client, records=(note.id, made.id), facts={"version": version}))
    signed = replace(note.newest, signed_at=now)
    return replace(note, standing=standing, versions=(*note.versions[:-1], signed))


async def co_sign_note(
    note: Note, version: int, *, by: Staff, proof: Proof, now: datetime, notes: Notes, journal: Journal
) -> Note:
    """Sign a version after its author, who is somebody else.

    Raises `NotPermitted`, `OwnNote`, `NoteVoided`, `NoteMoved`, and what `sign` raises.
    """
    role = signing_role(by, Act.CO_SIGN_NOTE, note.programme)
    if by.id == note.author:
        raise OwnNote
    _require_newest(note, version, standing=NoteStanding.WAITS)
    made = sign(note.as_signed(note.newest), by=by, role=role, meaning=Meaning.REVIEWED, proof=proof, now=now)
    await notes.add_signature(
        note, made, signed_as=SignedAs.CO_SIGNER, names_others=False, standing=NoteStanding.SIGNED
    )
    journal.tell(NoteCoSigned(client=note.client, records=(note.id, made.id), facts={"version": version}))
    signed = replace(note.newest, co_signed_by=by.id, co_signed_at=now)
    return replace(note, standing=NoteStanding.SIGNED, versions=(*note.versions[:-1], signed))


async def send_back(
    note: Note, version: int, reason: str, *, by: Staff, now: datetime, notes: Notes, journal: Journal
) -> Note:
    """Do not countersign a version, and say why: its author writes the next one.

    Raises `NotPermitted`, `OwnNote`, `NoteVoided`, `NoteMoved`, `Invalid`.
    """
    by.require(Act.CO_SIGN_NOTE, note.programme)
    if by.id == note.author:
        raise OwnNote
    _require_newest(note, version, standing=NoteStanding.WAITS)
    faults = Faults()
    faults.check(
        when=not 0 < len(reason.strip()) <= len(reason) <= LONGEST_REASON,
        where="reason",
        problem=f"say why, in at most {LONGEST_REASON} characters",
    )
    faults.raise_if_any()
    back = SentBack(reason=reason, by=by.id, at=now)
    await notes.add_sent_back(note, back)
    journal.tell(NoteSentBack(client=note.client, records=(note.id,), facts={"version": version}))
    newest = replace(note.newest, sent_back=back)
    return replace(note, standing=NoteStanding.DRAFT, versions=(*note.versions[:-1], newest))


def _require_newest(note: Note, version: int, *, standing: NoteStanding) -> None:
    if note.voided is not None:
        raise NoteVoided
    if note.newest.number != version or note.standing is not standing:
        raise NoteMoved(version=note.newest.number, standing=note.standing.value)
