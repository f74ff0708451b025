"""What the record knows that may explain a finding."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Integer,
    Table,
    Text,
    Uuid,
    any_,
    bindparam,
    column,
    exists,
    false,
    func,
    literal_column,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.tables.attendance import therapy_session, therapy_session_booking, therapy_session_facilitator
from caseload.db.tables.base import INSTANT
from caseload.db.tables.caseload import client, client_identity, cover, keyworker, responsibility
from caseload.db.tables.checkin import check_in
from caseload.db.tables.dosing import dose
from caseload.db.tables.medication import medication_order
from caseload.db.tables.people import duty_shift, duty_shift_cancellation, role_grant, staff, staff_deactivation
from caseload.db.tables.restriction import restriction, restriction_naming
from caseload.db.tables.sign_in import sign_in_session
from caseload.domain.access import Role
from caseload.domain.ids import ClientId, ProgrammeId, StaffId
from caseload.domain.oversight import NamedFor, OpenAccount, RestrictedWhile, Shift, Span, Trace
from caseload.domain.people import COMMAND_LINE

_wanted = (
    func.unnest(
        bindparam("staff", type_=ARRAY(Uuid())),
        bindparam("clients", type_=ARRAY(Uuid())),
        bindparam("since", type_=ARRAY(INSTANT)),
        bindparam("until", type_=ARRAY(INSTANT)),
        bindparam("near_since", type_=ARRAY(INSTANT)),
        bindparam("near_until", type_=ARRAY(INSTANT)),
    )
    .table_valued(
        column("staff", Uuid()),
        column("client", Uuid()),
        column("since", INSTANT),
        column("until", INSTANT),
        column("near_since", INSTANT),
        column("near_until", INSTANT),
        with_ordinality="place",
        name="wanted",
    )
    .render_derived()
)
_AROUND = func.tstzrange(_wanted.c.since, _wanted.c.until)
_NEAR = func.tstzrange(_wanted.c.near_since, _wanted.c.near_until)


def _found(about: Table, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """A row about the wanted client."""
    return exists().where(about.c.client_id == _wanted.c.client, *conditions).correlate(_wanted)


def _at_work(programme: ColumnElement[UUID]) -> ColumnElement[bool]:
    """The wanted person worked at this programme's window or desk then: in any role but a counsellor's."""
    return exists().where(
        role_grant.c.staff_id == _wanted.c.staff,
        role_grant.c.programme_id == programme,
        role_grant.c.role != literal_column(f"'{Role.COUNSELLOR}'", Text()),
        role_grant.c.period.op("&&")(_NEAR),
    )


def _booked(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """A session for which the wanted client was booked, where these hold."""
    return (
        exists()
        .where(
            therapy_session_booking.c.client_id == _wanted.c.client,
            therapy_session.c.id == therapy_session_booking.c.session_id,
            *conditions,
        )
        .correlate(_wanted)
    )


def _client(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """The wanted client, where these hold."""
    return exists().where(client.c.id == _wanted.c.client, *conditions).correlate(_wanted)


_LINKED = select(_wanted.c.place).where(
    or_(
        _found(
            responsibility, responsibility.c.counsellor_id == _wanted.c.staff, responsibility.c.period.op("&&")(_AROUND)
        ),
        _found(cover, cover.c.counsellor_id == _wanted.c.staff, cover.c.period.op("&&")(_AROUND)),
        _found(keyworker, keyworker.c.staff_id == _wanted.c.staff, keyworker.c.period.op("&&")(_AROUND)),
        _found(
            dose,
            or_(dose.c.recorded_by == _wanted.c.staff, dose.c.given_by == _wanted.c.staff),
            dose.c.recorded_at.between(_wanted.c.since, _wanted.c.until),
        ),
        _found(
            medication_order,
            medication_order.c.written_by == _wanted.c.staff,
            medication_order.c.written_at.between(_wanted.c.since, _wanted.c.until),
        ),
        _client(
            client.c.registered_by == _wanted.c.staff,
            client.c.recorded_at.between(_wanted.c.since, _wanted.c.until),
        ),
        # Led the session.
        _booked(
            therapy_session_facilitator.c.session_id == therapy_session.c.id,
            therapy_session_facilitator.c.staff_id == _wanted.c.staff,
            therapy_session.c.starts_at.between(_wanted.c.since, _wanted.c.until),
        ),
        # Was on duty in the client's programme.
        _client(
            duty_shift.c.programme_id == client.c.programme_id,
            duty_shift.c.staff_id == _wanted.c.staff,
            duty_shift.c.period.op("&&")(_NEAR),
        ),
        # Worked where the client was expected.
        _booked(
            therapy_session.c.starts_at.between(_wanted.c.near_since, _wanted.c.near_until),
            _at_work(therapy_session.c.programme_id),
        ),
        _found(
            check_in,
            check_in.c.due_at.between(_wanted.c.near_since, _wanted.c.near_until),
            _at_work(check_in.c.programme_id),
        ),
        _found(
            dose,
            dose.c.recorded_at.between(_wanted.c.near_since, _wanted.c.near_until),
            _at_work(dose.c.programme_id),
        ),
    )
)

_pair = (
    func.unnest(bindparam("staff", type_=ARRAY(Uuid())), bindparam("clients", type_=ARRAY(Uuid())))
    .table_valued(column("staff", Uuid()), column("client", Uuid()), with_ordinality="place", name="pair")
    .render_derived()
)
_WHOLE = func.lower(staff.c.printed_name) == client_identity.c.whole_name
_LAST_NAME = func.lower(client_identity.c.family_name)
_ALIKE = (
    select(_pair.c.place, func.bool_or(_WHOLE).label("whole"))
    .join(staff, staff.c.id == _pair.c.staff)
    .join(client_identity, client_identity.c.client_id == _pair.c.client)
    .where(
        or_(
            func.right(func.lower(staff.c.printed_name), func.length(_LAST_NAME) + literal_column("1", Integer()))
            == literal_column("' '", Text()) + _LAST_NAME,
            func.lower(staff.c.printed_name) == _LAST_NAME,
        )
    )
    .group_by(_pair.c.place)
)

_SHIFTS = (
    select(
        duty_shift.c.staff_id,
        func.lower(duty_shift.c.period).label("starts_at"),
        func.least(func.upper(duty_shift.c.period), duty_shift_cancellation.c.cancelled_at).label("ends_at"),
    )
    .outerjoin(duty_shift_cancellation, duty_shift_cancellation.c.shift_id == duty_shift.c.id)
    .where(
        duty_shift.c.period.op("&&")(
            func.tstzrange(bindparam("since", type_=INSTANT), bindparam("until", type_=INSTANT))
        )
    )
)

# A restriction always names somebody.
_RESTRICTED = (
    select(
        restriction.c.client_id,
        func.lower(restriction.c.period).label("since"),
        func.upper(restriction.c.period).label("until"),
        restriction_naming.c.staff_id,
        func.lower(restriction_naming.c.period).label("named_since"),
        func.upper(restriction_naming.c.period).label("named_until"),
    )
    .join(restriction_naming, restriction_naming.c.restriction_id == restriction.c.id)
    .where(
        restriction.c.period.op("&&")(
            func.tstzrange(bindparam("since", type_=INSTANT), bindparam("until", type_=INSTANT))
        )
    )
)

_HELD_THERE = or_(
    bindparam("anywhere"),
    exists()
    .where(
        role_grant.c.staff_id == staff.c.id,
        role_grant.c.programme_id == any_(bindparam("programmes", type_=ARRAY(Uuid()))),
    )
    .correlate(staff),
)
_ROLES = (
    select(
        func.count().label("held"),
        func.coalesce(func.bool_or(func.upper_inf(role_grant.c.period)), false()).label("endless"),
        func.max(func.upper(role_grant.c.period)).label("until"),
    )
    .where(role_grant.c.staff_id == staff.c.id, ~func.isempty(role_grant.c.period))
    .correlate(staff)
    .lateral("roles")
)
_USED = (
    select(func.max(sign_in_session.c.last_used_at).label("at"))
    .where(sign_in_session.c.staff_id == staff.c.id)
    .correlate(staff)
    .lateral("used")
)
_OPEN_ACCOUNTS = (
    select(staff.c.id, staff.c.created_at, _USED.c.at, _ROLES.c.held, _ROLES.c.endless, _ROLES.c.until)
    .select_from(staff.join(_ROLES, true()).join(_USED, true()))
    .where(
        staff.c.id != literal_column(f"'{COMMAND_LINE}'::uuid", Uuid()),
        ~exists().where(staff_deactivation.c.staff_id == staff.c.id).correlate(staff),
        _HELD_THERE,
    )
)
_CLOSED_ACCOUNTS = (
    select(staff_deactivation.c.staff_id, staff_deactivation.c.deactivated_at)
    .join(staff, staff.c.id == staff_deactivation.c.staff_id)
    .where(_HELD_THERE)
)


class Grounds:
    """Satisfies `domain.oversight.Grounds`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def linked(self, opened: Sequence[Trace], *, days: int, programme_days: int) -> frozenset[int]:
        """See `domain.oversight.Grounds.linked`."""
        if not opened:
            return frozenset()
        around, near = timedelta(days=days), timedelta(days=programme_days)
        rows = await self._connection.execute(
            _LINKED,
            {
                "staff": [trace.actor for trace in opened],
                "clients": [trace.client for trace in opened],
                "since": [trace.first_at - around for trace in opened],
                "until": [trace.last_at + around for trace in opened],
                "near_since": [trace.first_at - near for trace in opened],
                "near_until": [trace.last_at + near for trace in opened],
            },
        )
        return frozenset(place - 1 for (place,) in rows)

    async def alike(self, opened: Sequence[Trace]) -> Mapping[int, bool]:
        """See `domain.oversight.Grounds.alike`."""
        given = {"staff": [trace.actor for trace in opened], "clients": [trace.client for trace in opened]}
        return {place - 1: whole for place, whole in await self._connection.execute(_ALIKE, given)}

    async def shifts(self, span: Span) -> Sequence[Shift]:
        """See `domain.oversight.Grounds.shifts`."""
        rows = await self._connection.execute(_SHIFTS, {"since": span.since, "until": span.until})
        return [Shift(staff=StaffId(row.staff_id), starts_at=row.starts_at, ends_at=row.ends_at) for row in rows]

    async def restricted(self, span: Span) -> Sequence[RestrictedWhile]:
        """See `domain.oversight.Grounds.restricted`."""
        named: defaultdict[tuple[UUID, datetime, datetime | None], list[NamedFor]] = defaultdict(list)
        for row in await self._connection.execute(_RESTRICTED, {"since": span.since, "until": span.until}):
            of = named[row.client_id, row.since, row.until]
            of.append(NamedFor(staff=StaffId(row.staff_id), since=row.named_since, until=row.named_until))
        return [
            RestrictedWhile(client=ClientId(client_id), since=since, until=until, named=tuple(who))
            for (client_id, since, until), who in named.items()
        ]

    async def open_accounts(self, *, programmes: Iterable[ProgrammeId] | None) -> Sequence[OpenAccount]:
        """See `domain.oversight.Grounds.open_accounts`."""
        return [
            OpenAccount(
                staff=StaffId(row.id),
                created_at=row.created_at,
                last_used_at=row.at,
                role_until=None if row.endless else row.until,
                ever_held=row.held > 0,
            )
            for row in await self._connection.execute(_OPEN_ACCOUNTS, _somewhere(programmes))
        ]

    async def closed_accounts(self, programmes: Iterable[ProgrammeId] | None) -> Mapping[StaffId, datetime]:
        """See `domain.oversight.Grounds.closed_accounts`."""
        rows = await self._connection.execute(_CLOSED_ACCOUNTS, _somewhere(programmes))
        return {StaffId(staff_id): closed_at for staff_id, closed_at in rows}


def _somewhere(programmes: Iterable[ProgrammeId] | None) -> dict[str, object]:
    return {"anywhere": programmes is None, "programmes": sorted(programmes or ())}
