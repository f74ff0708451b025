"""Notes about groups of the last weeks: signed, countersigned, sent back, and one that nobody has signed yet."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from caseload.db.attendance.rules import RulesOfSessions
from caseload.db.note import Notes
from caseload.demo.telling.stage import Stage
from caseload.domain.attendance import Session, SessionRules, set_session_rules
from caseload.domain.attendance.register import WAS_THERE
from caseload.domain.attendance.rules import usual_rules
from caseload.domain.ids import ClientId, NoteId, new_id
from caseload.domain.note import (
    Note,
    NoteKind,
    NoteStanding,
    change_note,
    co_sign_note,
    send_back,
    sign_note,
    write_note,
)
from caseload.domain.people import Staff
from caseload.request.work import Work

TOLD_DAYS: Final = 21
"""Of groups of longer ago nobody has written."""
NOT_YET_DAYS: Final = 5
"""Of those since then the supervisor has not countersigned what was written."""
AN_HOUR: Final = timedelta(hours=1)

COMMON: Final = (
    "Which situations are hard at the weekend, and what each of us does instead. Breathing exercise at the end."
)
ABOUT_ONE: Final = (
    "Came on time and spoke freely about the quarrel at home. Wants to go to the swimming pool again; "
    "agreed to call on Friday."
)
FOR_ONESELF: Final = "What was said about the father comes back in each meeting. To be looked at with the supervisor."
TOO_SHORT: Final = "Was there."


@dataclass(frozen=True, slots=True, kw_only=True)
class Noting:
    """Writes the notes of one programme."""

    stage: Stage
    work: Work

    async def hold_sessions(self) -> SessionRules:
        """The supervisor says that notes are countersigned here."""
        rules = replace(usual_rules(), notes_co_signed=True)
        await set_session_rules(
            rules,
            version=0,
            programme=self.stage.programme.id,
            by=self.stage.team.supervisor,
            now=self.stage.moment(TOLD_DAYS, 7),
            kept=RulesOfSessions(self.work.connection),
            journal=self.work.journal,
        )
        return rules

    async def tell(self, session: Session, ago: int, *, leader: Staff, rules: SessionRules) -> None:
        """The notes about one group: a common one, one about a client, one for oneself, and one that says too little."""
        there = (
            sorted(line.client for line in session.register.lines if line.status in WAS_THERE)
            if session.register
            else []
        )
        common = await self._written(session, None, COMMON, leader, rules)
        if not there or ago <= NOT_YET_DAYS // 2:
            return
        waits = await self._signed(session, common, leader, rules)
        first = await self._signed(
            session, await self._written(session, there[0], ABOUT_ONE, leader, rules), leader, rules
        )
        if ago <= NOT_YET_DAYS:
            return
        for note in (waits, first):
            await self._co_signed(session, note)
        apart = await self._written(session, there[0], FOR_ONESELF, leader, rules, kind=NoteKind.COUNSELLING)
        await self._co_signed(session, await self._signed(session, apart, leader, rules))
        short = await self._signed(
            session, await self._written(session, there[-1], TOO_SHORT, leader, rules), leader, rules
        )
        await self._put_right(session, short, leader, rules)

    async def _written(
        self,
        session: Session,
        client: ClientId | None,
        text: str,
        leader: Staff,
        rules: SessionRules,
        kind: NoteKind = NoteKind.PROGRESS,
    ) -> Note:
        now = session.wanted.ends_at + timedelta(minutes=20)
        return await write_note(
            session,
            client,
            kind,
            text,
            as_id=NoteId(new_id()),
            rules=rules,
            by=leader,
            now=now,
            notes=self._notes,
            journal=self.work.journal,
        )

    async def _signed(self, session: Session, note: Note, leader: Staff, rules: SessionRules) -> Note:
        now = session.wanted.ends_at + AN_HOUR
        return await sign_note(
            note,
            note.newest.number,
            names_confirmed=True,
            rules=rules,
            by=leader,
            proof=self.stage.proof(leader, now),
            now=now,
            notes=self._notes,
            journal=self.work.journal,
        )

    async def _co_signed(self, session: Session, note: Note) -> None:
        if note.standing is NoteStanding.SIGNED:
            return
        supervisor, now = self.stage.team.supervisor, session.wanted.ends_at + 15 * AN_HOUR
        await co_sign_note(
            note,
            note.newest.number,
            by=supervisor,
            proof=self.stage.proof(supervisor, now),
            now=now,
            notes=self._notes,
            journal=self.work.journal,
        )

    async def _put_right(self, session: Session, short: Note, leader: Staff, rules: SessionRules) -> None:
        """Sent back by the supervisor, and written again: it has not been signed since."""
        if short.standing is NoteStanding.SIGNED:
            return
        back = await send_back(
            short,
            short.newest.number,
            "How was it, and what was agreed?",
            by=self.stage.team.supervisor,
            now=session.wanted.ends_at + 15 * AN_HOUR,
            notes=self._notes,
            journal=self.work.journal,
        )
        await change_note(
            back,
            "Was there and said little; slept badly all week. Agreed to see the nurse about it on Monday.",
            "The supervisor asked how it was.",
            version=back.newest.number,
            rules=rules,
            by=leader,
            now=session.wanted.ends_at + 16 * AN_HOUR,
            notes=self._notes,
            journal=self.work.journal,
        )

    @property
    def _notes(self) -> Notes:
        return Notes(self.work.connection, self.work.journal, now=self.work.now)
