"""How programmes hold their sessions, in PostgreSQL."""

from datetime import datetime

from sqlalchemy import bindparam, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.tables.note import programme_session_rules
from caseload.domain.attendance.rules import SessionRules, SessionRulesRaced, usual_rules
from caseload.domain.ids import ProgrammeId, StaffId
from caseload.domain.schedule import Weekday

_NEWEST = (
    select(
        programme_session_rules.c.version,
        programme_session_rules.c.week_starts_on,
        programme_session_rules.c.group_places,
        programme_session_rules.c.notes_co_signed,
        programme_session_rules.c.sign_within_hours,
    )
    .where(programme_session_rules.c.programme_id == bindparam("programme"))
    .order_by(programme_session_rules.c.version.desc())
    .limit(1)
)
_ADD = insert(programme_session_rules)


class RulesOfSessions:
    """Satisfies `domain.attendance.rules.RulesOfSessions`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def rules_of(self, programme: ProgrammeId) -> tuple[SessionRules, int]:
        """See `domain.attendance.rules.RulesOfSessions.rules_of`."""
        row = (await self._connection.execute(_NEWEST, {"programme": programme})).first()
        if row is None:
            return usual_rules(), 0
        rules = SessionRules(
            week_starts_on=Weekday(row.week_starts_on),
            group_places=row.group_places,
            notes_co_signed=row.notes_co_signed,
            sign_within_hours=row.sign_within_hours,
        )
        return rules, row.version

    async def add_rules(
        self, programme: ProgrammeId, rules: SessionRules, *, version: int, by: StaffId, now: datetime
    ) -> None:
        """See `domain.attendance.rules.RulesOfSessions.add_rules`."""
        try:
            await self._connection.execute(
                _ADD,
                {
                    "programme_id": programme,
                    "version": version,
                    "week_starts_on": rules.week_starts_on,
                    "group_places": rules.group_places,
                    "notes_co_signed": rules.notes_co_signed,
                    "sign_within_hours": rules.sign_within_hours,
                    "recorded_by": by,
                    "recorded_at": now,
                },
            )
        except IntegrityError as raced:
            raise SessionRulesRaced("Read them again, and say once more what you mean.") from raced
