"""The dosing queue in PostgreSQL: what is due to everybody, and beside it, for all of them at once, what the window is told."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy import Date, Text, Uuid, any_, bindparam, func, literal_column, or_, select
from sqlalchemy.dialects.postgresql import ARRAY, distinct_on

from caseload.db.dosing import DosingDays
from caseload.db.dosing.remembered import Remembered
from caseload.db.flag import FLAGS, HEARTS, shown_of
from caseload.db.flag import KIND as FLAG
from caseload.db.tables.before_dose import dose_not_given
from caseload.db.tables.caseload import client_identifier
from caseload.db.tables.people import staff
from caseload.db.tables.window import excusal, excusal_end, photograph, window_message
from caseload.db.together import Together, aligned, rows
from caseload.db.window.kept import IS_OPEN, KIND
from caseload.domain.access import Act
from caseload.domain.client import IdentifierKind
from caseload.domain.dosing import NotGivenReason
from caseload.domain.flag import NO_FLAGS
from caseload.domain.ids import ClientId, ExcusalId
from caseload.domain.medicines import DosePart
from caseload.domain.people import Staff
from caseload.domain.window import (
    Excused,
    ExcuseReason,
    Group,
    Line,
    Message,
    NotGivenToday,
    Place,
    Seen,
    Told,
    WindowDay,
    line_of,
    queue_of,
)

_CLIENTS = any_(bindparam("clients", type_=ARRAY(Uuid())))
_DAY = bindparam("day", type_=Date())

CHART_NUMBERS = (
    select(client_identifier.c.client_id, func.min(client_identifier.c.value).label("value"))
    .where(client_identifier.c.client_id == _CLIENTS, client_identifier.c.kind == IdentifierKind.CHART.value)
    .group_by(client_identifier.c.client_id)
)
NEWEST_PHOTOGRAPHS = (
    select(photograph.c.client_id, photograph.c.taken_on.label("value"))
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
        window_message.c.client_id.label("client"),
        window_message.c.programme_id.label("programme"),
        window_message.c.text,
        window_message.c.left_by,
        staff.c.printed_name,
        window_message.c.left_at,
    )
    .select_from(window_message.join(staff, staff.c.id == window_message.c.left_by))
    .where(
        window_message.c.client_id == _CLIENTS,
        literal_column(f"'{Place.WINDOW.value}'", Text()) == any_(window_message.c.places),
        IS_OPEN,
    )
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


class _ExcusedRow(msgspec.Struct, frozen=True):
    client_id: UUID
    id: UUID
    reason: ExcuseReason
    first_on: date
    last_on: date | None


class _NotGivenRow(msgspec.Struct, frozen=True):
    client_id: UUID
    part: DosePart
    reason: NotGivenReason
    recorded_at: datetime


_NUMBERS: Final = aligned("numbers", CHART_NUMBERS, str)
_PHOTOGRAPHS: Final = aligned("photographs", NEWEST_PHOTOGRAPHS, date)
_EXCUSED: Final = rows("excused", EXCUSED, _ExcusedRow)
_MESSAGES: Final = rows("messages", OPEN_MESSAGES, Message)
_NOT_GIVEN: Final = rows("not_given", NOT_GIVEN_ON, _NotGivenRow)
TOLD: Final = Together(_NUMBERS, _PHOTOGRAPHS, _EXCUSED, _MESSAGES, _NOT_GIVEN, FLAGS, HEARTS)
"""What the window is told of many clients."""

_LINES: Final = Remembered(line_of)


def _remembered(seen: Seen) -> Line:
    return _LINES.of(seen[1].client, seen)


class Queues(DosingDays):
    """Reads the dosing queue of a programme."""

    async def queue(self, at: WindowDay, *, by: Staff, act: Act) -> Mapping[Group, Sequence[Line]]:
        """Everybody of a programme, and its guests, to whom something is due on a day, each in their group."""
        due = await self.due_in(at.programme, at.day, by=by, act=act)
        told = await self._told(list(dict.fromkeys(each.client for each in due)), at.day)
        for each in due:
            self._journal.saw(each.client, KIND)
        return queue_of(at, due, told, _remembered)

    async def _told(self, clients: Sequence[ClientId], day: date) -> Mapping[ClientId, Told]:
        if not clients:
            return {}
        row = await TOLD.read(self._connection, {"clients": clients, "day": day})
        excused = {
            each.client_id: Excused(
                excusal=ExcusalId(each.id), reason=each.reason, first_on=each.first_on, last_on=each.last_on
            )
            for each in _EXCUSED.of(row)
        }
        messages: dict[UUID, list[Message]] = defaultdict(list)
        for message in _MESSAGES.of(row):
            messages[message.client].append(message)
        not_given: dict[UUID, list[NotGivenToday]] = defaultdict(list)
        for each in _NOT_GIVEN.of(row):
            today = NotGivenToday(part=each.part, reason=each.reason, recorded_at=each.recorded_at)
            not_given[each.client_id].append(today)
        see_first = shown_of(FLAGS.of(row), HEARTS.of(row), day)
        for who in see_first:
            self._journal.saw(who, FLAG)
        return {
            who: Told(
                chart_number=number,
                photograph_on=photograph_on,
                excused=excused.get(who),
                messages=messages.get(who, ()),
                not_given=not_given.get(who, ()),
                see_first=see_first.get(who, NO_FLAGS),
            )
            for who, number, photograph_on in zip(clients, _NUMBERS.of(row), _PHOTOGRAPHS.of(row), strict=True)
        }
