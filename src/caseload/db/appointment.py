"""Appointments of a day in PostgreSQL: places in sessions and check-ins in person, with who has arrived."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    Text,
    bindparam,
    exists,
    func,
    insert,
    literal,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.access import reach_of, within_reach
from caseload.db.tables.appointment import arrival
from caseload.db.tables.attendance import (
    therapy_session,
    therapy_session_booking,
    therapy_session_cancellation,
    therapy_session_facilitator,
)
from caseload.db.tables.base import INSTANT
from caseload.db.tables.caseload import client, client_identity, responsibility
from caseload.db.tables.checkin import check_in_waiting
from caseload.db.tables.people import staff
from caseload.domain.access import Reach
from caseload.domain.appointment import AlreadyArrived, Appointment, AppointmentUnknown, Arrival, Occasion
from caseload.domain.checkin import Mode
from caseload.domain.ids import ClientId, ProgrammeId
from caseload.domain.journal import Journal

_AT = bindparam("reach_at", type_=INSTANT)

_leaders = (
    select(func.array_agg(aggregate_order_by(staff.c.printed_name, staff.c.printed_name)))
    .join(therapy_session_facilitator, therapy_session_facilitator.c.staff_id == staff.c.id)
    .where(therapy_session_facilitator.c.session_id == therapy_session.c.id)
    .scalar_subquery()
)
_PLACES = (
    select(
        therapy_session.c.id,
        literal(Occasion.SESSION.value, Text()).label("occasion"),
        therapy_session_booking.c.client_id,
        therapy_session.c.programme_id,
        therapy_session.c.starts_at,
        _leaders.label("with_whom"),
    )
    .join(therapy_session_booking, therapy_session_booking.c.session_id == therapy_session.c.id)
    .where(
        ~exists().where(
            therapy_session_cancellation.c.session_id == therapy_session_booking.c.session_id,
            therapy_session_cancellation.c.client_id == therapy_session_booking.c.client_id,
        )
    )
)
_counsellor = (
    select(func.array_agg(staff.c.printed_name))
    .join(responsibility, responsibility.c.counsellor_id == staff.c.id)
    .where(responsibility.c.client_id == check_in_waiting.c.client_id, responsibility.c.period.op("@>")(_AT))
    .scalar_subquery()
)
_CHECK_INS = select(
    check_in_waiting.c.check_in_id.label("id"),
    literal(Occasion.CHECK_IN.value, Text()).label("occasion"),
    check_in_waiting.c.client_id,
    check_in_waiting.c.programme_id,
    check_in_waiting.c.due_at.label("starts_at"),
    _counsellor.label("with_whom"),
).where(check_in_waiting.c.mode == Mode.IN_PERSON)


def _appointments(of_places: Sequence[ColumnElement[bool]], of_check_ins: Sequence[ColumnElement[bool]]) -> Any:
    found = union_all(_PLACES.where(*of_places), _CHECK_INS.where(*of_check_ins)).subquery("found")
    identity = (
        select(client_identity.c.given_name, client_identity.c.family_name, client_identity.c.birth_date)
        .where(client_identity.c.client_id == found.c.client_id)
        .order_by(client_identity.c.version.desc())
        .limit(1)
        .lateral("identity")
    )
    last = (
        select(arrival.c.arrived_at, arrival.c.version)
        .where(arrival.c.appointment_id == found.c.id, arrival.c.client_id == found.c.client_id)
        .order_by(arrival.c.version.desc())
        .limit(1)
        .lateral("last")
    )
    return (
        select(
            *found.c,
            identity.c.given_name,
            identity.c.family_name,
            identity.c.birth_date,
            last.c.arrived_at,
            last.c.version,
        )
        .select_from(
            found.join(client, client.c.id == found.c.client_id).join(identity, true()).outerjoin(last, true())
        )
        .where(within_reach())
    )


_FIRST, _LAST = bindparam("first", type_=INSTANT), bindparam("last", type_=INSTANT)
OF_DAY: Select[*tuple[Any, ...]] = (
    _appointments(
        (
            therapy_session.c.programme_id == bindparam("programme"),
            therapy_session.c.starts_at >= _FIRST,
            therapy_session.c.starts_at < _LAST,
        ),
        (
            check_in_waiting.c.programme_id == bindparam("programme"),
            check_in_waiting.c.due_at >= _FIRST,
            check_in_waiting.c.due_at < _LAST,
        ),
    )
    .order_by("starts_at", "family_name", "given_name", "id")
    .limit(bindparam("limit"))
)
_COMING: Select[*tuple[Any, ...]] = (
    _appointments(
        (
            therapy_session_booking.c.client_id == bindparam("client"),
            therapy_session.c.starts_at >= _FIRST,
        ),
        (
            check_in_waiting.c.client_id == bindparam("client"),
            check_in_waiting.c.due_at >= _FIRST,
        ),
    )
    .order_by("starts_at", "id")
    .limit(bindparam("limit"))
)
_ONE: Select[*tuple[Any, ...]] = _appointments(
    (
        therapy_session.c.id == bindparam("appointment"),
        therapy_session_booking.c.client_id == bindparam("client"),
    ),
    (
        check_in_waiting.c.check_in_id == bindparam("appointment"),
        check_in_waiting.c.client_id == bindparam("client"),
    ),
)


class Appointments:
    """The appointments within a reach, and their arrivals. Satisfies `domain.appointment.Arrivals`."""

    def __init__(self, connection: AsyncConnection, journal: Journal, *, now: datetime) -> None:
        self._connection = connection
        self._journal = journal
        self._now = now

    async def of_day(
        self, programme: ProgrammeId, *, first: datetime, last: datetime, reach: Reach, limit: int
    ) -> Sequence[Appointment]:
        """Who is expected in a programme from `first` to before `last`, by time and name."""
        given = {"programme": programme, "first": first, "last": last, "limit": limit}
        rows = await self._connection.execute(OF_DAY, {**given, **reach_of(reach, at=self._now)})
        return [self._seen(row) for row in rows]

    async def coming(self, of: ClientId, *, reach: Reach, limit: int) -> Sequence[Appointment]:
        """One client's appointments from now on, the next first."""
        given = {"client": of, "first": self._now, "limit": limit}
        rows = await self._connection.execute(_COMING, {**given, **reach_of(reach, at=self._now)})
        return [self._seen(row) for row in rows]

    async def get(self, appointment: UUID, *, of: ClientId, reach: Reach) -> Appointment:
        """One client's appointment; or `AppointmentUnknown`."""
        given = {"appointment": appointment, "client": of}
        row = (await self._connection.execute(_ONE, {**given, **reach_of(reach, at=self._now)})).first()
        if row is None:
            raise AppointmentUnknown("Look at the list of the day again.")
        return self._seen(row)

    def _seen(self, row: Row[*tuple[Any, ...]]) -> Appointment:
        self._journal.saw(ClientId(row.client_id), "appointment")
        return Appointment(
            id=row.id,
            occasion=Occasion(row.occasion),
            client=ClientId(row.client_id),
            programme=ProgrammeId(row.programme_id),
            given_name=row.given_name,
            family_name=row.family_name,
            birth_date=row.birth_date,
            starts_at=row.starts_at,
            with_whom=tuple(row.with_whom or ()),
            arrived_at=row.arrived_at,
            arrival_version=row.version or 0,
        )

    async def add(self, new: Arrival, /) -> None:
        """See `domain.appointment.Arrivals.add`."""
        is_session = new.occasion is Occasion.SESSION
        try:
            await self._connection.execute(
                insert(arrival).values(
                    session_id=new.appointment if is_session else None,
                    check_in_id=None if is_session else new.appointment,
                    client_id=new.client,
                    version=new.version,
                    arrived_at=new.arrived_at,
                    recorded_by=new.recorded_by,
                    recorded_at=new.recorded_at,
                )
            )
        except IntegrityError as raced:
            raise AlreadyArrived("Somebody else recorded it at the same moment.") from raced
