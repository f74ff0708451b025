"""Downtime sheets as they were entered, and what the record says already of what stands on them."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import date, datetime
from typing import Any, Final, Never
from uuid import UUID

from sqlalchemy import Row, Uuid, and_, bindparam, column, false, func, insert, or_, select
from sqlalchemy.dialects.postgresql import ARRAY

from caseload.db.access import reach_of, within_reach
from caseload.db.dosing.past import NOT_GIVEN_OF_DAYS, SEEN_OF_DAYS
from caseload.db.dosing.rows import not_given_of
from caseload.db.dosing.steps import pre_dose_of
from caseload.db.medication.record import KIND
from caseload.db.people.grants import constants, in_force, works_here
from caseload.db.tables.base import INSTANT
from caseload.db.tables.caseload import client
from caseload.db.tables.downtime import downtime_entry, downtime_line
from caseload.db.tables.people import role_grant, staff
from caseload.db.takehome.units import TakeHomes
from caseload.db.window.doses import VOMITED_OF, LostDoses
from caseload.db.window.spills import SPILLS_OF_DAY, spilled_of
from caseload.domain.access import MAY, Act
from caseload.domain.dosing import Charted, NotGiven, PreDose
from caseload.domain.downtime import Answer, DowntimeEntryUnknown, Entered, Found, Hand, Outcome, What
from caseload.domain.ids import ClientId, DoseId, DowntimeId, ProgrammeId, StaffId
from caseload.domain.people import Staff
from caseload.domain.window import Spilled

_asked = (
    func.unnest(bindparam("named", type_=ARRAY(Uuid())), bindparam("moments", type_=ARRAY(INSTANT)))
    .table_valued(column("staff_id", Uuid()), column("moment", INSTANT))
    .render_derived(name="asked")
)
_gives = and_(
    role_grant.c.staff_id == _asked.c.staff_id,
    role_grant.c.programme_id == bindparam("programme", type_=Uuid()),
    role_grant.c.role.in_(constants(MAY[Act.RECORD_DOSE])),
)
HANDS: Final = (
    select(
        _asked.c.staff_id,
        _asked.c.moment,
        func.coalesce(func.bool_or(and_(in_force(_asked.c.moment), works_here(_asked.c.moment))), false()).label(
            "may_give"
        ),
    )
    .select_from(_asked.join(staff, staff.c.id == _asked.c.staff_id).outerjoin(role_grant, _gives))
    .group_by(_asked.c.staff_id, _asked.c.moment)
)
_ENTRY = select(
    downtime_entry.c.id,
    downtime_entry.c.programme_id,
    downtime_entry.c.day,
    downtime_entry.c.reason,
    downtime_entry.c.recorded_by,
    downtime_entry.c.recorded_at,
).where(downtime_entry.c.id == bindparam("entry"))
LINES: Final = (
    select(
        downtime_line.c.line,
        downtime_line.c.what,
        downtime_line.c.outcome,
        downtime_line.c.client_id,
        downtime_line.c.written_by,
        downtime_line.c.observed_by,
        downtime_line.c.record_id,
        downtime_line.c.rules,
        downtime_line.c.found_by,
        downtime_line.c.found_at,
        downtime_line.c.says,
    )
    .select_from(downtime_line.outerjoin(client, client.c.id == downtime_line.c.client_id))
    .where(downtime_line.c.entry_id == bindparam("entry"), or_(downtime_line.c.client_id.is_(None), within_reach()))
)
_ADD_ENTRY, _ADD_LINES = insert(downtime_entry), insert(downtime_line)
_IN_ORDER: Final = list(What)


class _Undone(Exception):
    """What was done is undone."""


class Sheets(LostDoses, TakeHomes):
    """Satisfies `domain.downtime.Sheets`."""

    @asynccontextmanager
    async def aside(self) -> AsyncGenerator[None]:
        """See `domain.downtime.Sheets.aside`."""
        async with self._connection.begin_nested():
            yield

    @asynccontextmanager
    async def undone(self) -> AsyncGenerator[None]:
        """Undo whatever is done inside: for whoever wants to see how it would end."""
        try:
            async with self._connection.begin_nested():
                yield
                _undo()
        except _Undone:
            return

    async def hands(
        self, named: Sequence[tuple[StaffId, datetime]], programme: ProgrammeId
    ) -> Mapping[tuple[StaffId, datetime], Hand]:
        """See `domain.downtime.Sheets.hands`."""
        given = {
            "named": [who for who, _ in named],
            "moments": [at for _, at in named],
            "programme": programme,
        }
        rows = (await self._connection.execute(HANDS, given)).all()
        return {(StaffId(row.staff_id), row.moment): Hand(may_give=row.may_give) for row in rows}

    async def doses_since(self, wanted: ClientId, day: date, *, by: Staff) -> Sequence[Charted]:
        """See `domain.downtime.Sheets.doses_since`."""
        return await self.recent(wanted, since=day, by=by, act=Act.RECORD_DOSE)

    async def not_given_on(self, wanted: ClientId, day: date) -> Sequence[NotGiven]:
        """See `domain.downtime.Sheets.not_given_on`."""
        given = {"client": wanted, "since": day, "until": day}
        return [not_given_of(row) for row in (await self._connection.execute(NOT_GIVEN_OF_DAYS, given)).all()]

    async def seen_on(self, wanted: ClientId, day: date) -> Sequence[PreDose]:
        """See `domain.downtime.Sheets.seen_on`."""
        given = {"client": wanted, "since": day, "until": day}
        return [pre_dose_of(row) for row in (await self._connection.execute(SEEN_OF_DAYS, given)).all()]

    async def spills_on(self, wanted: ClientId, day: date) -> Sequence[Spilled]:
        """See `domain.downtime.Sheets.spills_on`."""
        given = {"client": wanted, "day": day}
        return [spilled_of(row) for row in (await self._connection.execute(SPILLS_OF_DAY, given)).all()]

    async def vomited_of(self, dose: DoseId) -> Found | None:
        """See `domain.downtime.Sheets.vomited_of`."""
        row = (await self._connection.execute(VOMITED_OF, {"dose": dose})).first()
        return None if row is None else Found(record=row.id, by=StaffId(row.recorded_by), at=row.recorded_at)

    async def add_entry(self, entered: Entered) -> None:
        """See `domain.downtime.Sheets.add_entry`."""
        await self._connection.execute(
            _ADD_ENTRY,
            {
                "id": entered.id,
                "programme_id": entered.programme,
                "day": entered.day,
                "reason": entered.reason,
                "recorded_by": entered.entered_by,
                "recorded_at": entered.entered_at,
            },
        )
        await self._connection.execute(_ADD_LINES, [_values(each, entered.id) for each in entered.answers])

    async def entered(self, wanted: DowntimeId, *, by: Staff, act: Act) -> Entered:
        """A sheet as it was entered, with the lines of clients within reach; raises `DowntimeEntryUnknown`."""
        row = (await self._connection.execute(_ENTRY, {"entry": wanted})).first()
        if row is None or not by.may_in(act, ProgrammeId(row.programme_id)):
            raise DowntimeEntryUnknown
        given = {"entry": wanted, **reach_of(by.reach(act), at=self._now)}
        answers = [_answer(each) for each in (await self._connection.execute(LINES, given)).all()]
        for each in answers:
            if each.client is not None:
                self._journal.saw(each.client, KIND)
        return Entered(
            id=wanted,
            programme=ProgrammeId(row.programme_id),
            day=row.day,
            reason=row.reason,
            entered_by=StaffId(row.recorded_by),
            entered_at=row.recorded_at,
            answers=tuple(sorted(answers, key=lambda each: (each.line, _IN_ORDER.index(each.what)))),
        )


def _undo() -> Never:
    raise _Undone


def _values(answer: Answer, entry: DowntimeId) -> dict[str, Any]:
    found = answer.found
    return {
        "entry_id": entry,
        "line": answer.line,
        "what": answer.what,
        "outcome": answer.outcome,
        "client_id": answer.client,
        "written_by": answer.written_by,
        "observed_by": answer.observed_by,
        "record_id": answer.record,
        "rules": list(answer.rules),
        "found_by": found.by if found is not None else None,
        "found_at": found.at if found is not None else None,
        "says": answer.says,
    }


def _answer(row: Row[*tuple[Any, ...]]) -> Answer:
    return Answer(
        line=row.line,
        what=What(row.what),
        outcome=Outcome(row.outcome),
        client=ClientId(row.client_id) if row.client_id is not None else None,
        written_by=_staff(row.written_by),
        observed_by=_staff(row.observed_by),
        record=row.record_id,
        rules=tuple(row.rules),
        found=None if row.found_at is None else Found(record=row.record_id, by=StaffId(row.found_by), at=row.found_at),
        says=row.says,
    )


def _staff(named: UUID | None) -> StaffId | None:
    return None if named is None else StaffId(named)
