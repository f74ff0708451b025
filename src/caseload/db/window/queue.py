"""The dosing queue in PostgreSQL: what is due to everybody, and beside it, for all of them at once, what the window is told."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

from sqlalchemy import Date, Uuid, any_, bindparam, func, or_, select
from sqlalchemy.dialects.postgresql import ARRAY, distinct_on

from caseload.db.direct import Direct
from caseload.db.dosing import DosingDays
from caseload.db.tables.before_dose import dose_not_given
from caseload.db.tables.caseload import client_identifier
from caseload.db.tables.people import staff
from caseload.db.tables.window import excusal, excusal_end, photograph, window_message
from caseload.db.window.kept import IS_OPEN, KIND, message_of
from caseload.domain.access import Act
from caseload.domain.client import IdentifierKind
from caseload.domain.dosing import NotGivenReason
from caseload.domain.ids import ClientId, ExcusalId
from caseload.domain.medicines import DosePart
from caseload.domain.people import Staff
from caseload.domain.window import Excused, ExcuseReason, Group, Line, NotGivenToday, Told, Waiting, WindowDay, queue_of

_CLIENTS = any_(bindparam("clients", type_=ARRAY(Uuid())))
_DAY = bindparam("day", type_=Date())

CHART_NUMBERS = (
    select(client_identifier.c.client_id, func.min(client_identifier.c.value).label("value"))
    .where(client_identifier.c.client_id == _CLIENTS, client_identifier.c.kind == IdentifierKind.CHART.value)
    .group_by(client_identifier.c.client_id)
)
NEWEST_PHOTOGRAPHS = (
    select(photograph.c.client_id, photograph.c.taken_on)
    .where(photograph.c.client_id == _CLIENTS)
    .ext(distinct_on(photograph.c.client_id))
    .order_by(photograph.c.client_id, photograph.c.id.desc())
)
EXCUSED = (
    select(
        excusal.c.client_id,
        excusal.c.id,
        excusal.c.reason,
        excusal.c.first_on,
        func.coalesce(excusal_end.c.last_on, excusal.c.last_on).label("last_on"),
    )
    .select_from(excusal.outerjoin(excusal_end, excusal_end.c.excusal_id == excusal.c.id))
    .where(
        excusal.c.client_id == _CLIENTS,
        excusal.c.first_on <= _DAY,
        or_(
            func.coalesce(excusal_end.c.last_on, excusal.c.last_on).is_(None),
            func.coalesce(excusal_end.c.last_on, excusal.c.last_on) >= _DAY,
        ),
    )
    .order_by(excusal.c.id)
)
OPEN_MESSAGES = (
    select(
        window_message.c.id,
        window_message.c.client_id,
        window_message.c.programme_id,
        window_message.c.text,
        window_message.c.left_by,
        staff.c.printed_name,
        window_message.c.left_at,
    )
    .select_from(window_message.join(staff, staff.c.id == window_message.c.left_by))
    .where(window_message.c.client_id == _CLIENTS, IS_OPEN)
    .order_by(window_message.c.id)
)
NOT_GIVEN_ON = (
    select(
        dose_not_given.c.client_id,
        dose_not_given.c.part,
        dose_not_given.c.reason,
        dose_not_given.c.recorded_at,
    )
    .where(dose_not_given.c.client_id == _CLIENTS, dose_not_given.c.dosing_day == _DAY)
    .order_by(dose_not_given.c.recorded_at)
)


_CHART_NUMBERS, _NEWEST_PHOTOGRAPHS, _EXCUSED, _OPEN_MESSAGES, _NOT_GIVEN_ON = (
    Direct(statement, anywhere=True)
    for statement in (CHART_NUMBERS, NEWEST_PHOTOGRAPHS, EXCUSED, OPEN_MESSAGES, NOT_GIVEN_ON)
)


class Queues(DosingDays):
    """Reads the dosing queue of a programme."""

    async def queue(self, at: WindowDay, *, by: Staff, act: Act) -> Mapping[Group, Sequence[Line]]:
        """Everybody of a programme, and its guests, to whom something is due on a day, each in their group."""
        due = await self.due_in(at.programme, at.day, by=by, act=act)
        told = await self._told([each.client for each in due], at.day)
        for each in due:
            self._journal.saw(each.client, KIND)
        return queue_of(
            at,
            [
                Waiting(
                    client=each.client,
                    home=each.home,
                    given_name=each.given_name,
                    family_name=each.family_name,
                    birth_date=each.birth_date,
                    due=each.due,
                )
                for each in due
            ],
            told,
        )

    async def _told(self, clients: Sequence[ClientId], day: date) -> Mapping[ClientId, Told]:
        given = {"clients": list(clients), "day": day}
        found: dict[ClientId, Told] = defaultdict(Told)
        numbers = {row["client_id"]: row["value"] for row in await _CHART_NUMBERS.all(self._connection, given)}
        dates = {row["client_id"]: row["taken_on"] for row in await _NEWEST_PHOTOGRAPHS.all(self._connection, given)}
        for who in clients:
            found[who] = Told(chart_number=numbers.get(who), photograph_on=dates.get(who))
        for row in await _EXCUSED.all(self._connection, given):
            who = ClientId(row["client_id"])
            excused = Excused(
                excusal=ExcusalId(row["id"]),
                reason=ExcuseReason(row["reason"]),
                first_on=row["first_on"],
                last_on=row["last_on"],
            )
            found[who] = replace(found[who], excused=excused)
        for row in await _OPEN_MESSAGES.all(self._connection, given):
            message = message_of(row)
            before = found[message.client]
            found[message.client] = replace(before, messages=(*before.messages, message))
        for row in await _NOT_GIVEN_ON.all(self._connection, given):
            who = ClientId(row["client_id"])
            each = NotGivenToday(
                part=DosePart(row["part"]), reason=NotGivenReason(row["reason"]), recorded_at=row["recorded_at"]
            )
            found[who] = replace(found[who], not_given=(*found[who].not_given, each))
        return found
