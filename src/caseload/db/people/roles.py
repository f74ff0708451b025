"""Roles and registrations in PostgreSQL."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Date, Row, bindparam, cast, func, insert, literal_column, or_, select, true
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.failures import violated
from caseload.db.people.grants import constants
from caseload.db.tables.base import INSTANT
from caseload.db.tables.people import registration, registration_check, role_confirmation, role_grant, role_revocation
from caseload.db.tables.programme import programme as programme_table
from caseload.domain.access import CONFIRMED_BY_ANOTHER, Role
from caseload.domain.ids import GrantId, ProgrammeId, RegistrationId, StaffId
from caseload.domain.people import (
    COMMAND_LINE,
    AdministratorsStayApart,
    AlreadyConfirmed,
    AlreadyRevoked,
    Grant,
    GrantUnknown,
    Registration,
    RegistrationTaken,
    RegistrationUnknown,
    RoleAlreadyHeld,
)
from caseload.domain.programme import ProgrammeUnknown

_REFUSALS: Final = {
    "role_grant_administrator_apart_from_clinic": AdministratorsStayApart,
    "role_grant_once_at_a_time": RoleAlreadyHeld,
    "role_grant_programme_id_fkey": ProgrammeUnknown,
}

_GRANTS = select(
    role_grant.c.id,
    role_grant.c.staff_id,
    role_grant.c.role,
    role_grant.c.programme_id,
    role_grant.c.starts_at,
    role_grant.c.ends_at,
    role_grant.c.granted_by,
    role_grant.c.granted_at,
    role_grant.c.registration_id,
    role_grant.c.revoked_at,
    role_confirmation.c.confirmed_by,
).select_from(role_grant.outerjoin(role_confirmation, role_confirmation.c.grant_id == role_grant.c.id))
_GRANT = _GRANTS.where(role_grant.c.id == bindparam("grant"))
_OF = _GRANTS.where(role_grant.c.staff_id == bindparam("staff")).order_by(
    role_grant.c.granted_at.desc(), role_grant.c.id.desc()
)
_AT = bindparam("at", type_=INSTANT)
_TODAY = select(cast(func.timezone(programme_table.c.time_zone, _AT), Date)).where(
    programme_table.c.id == bindparam("programme")
)
_WAITING = _GRANTS.where(
    role_grant.c.role.in_(constants(CONFIRMED_BY_ANOTHER)),
    role_confirmation.c.grant_id.is_(None),
    or_(role_grant.c.role.not_in(constants({Role.ADMINISTRATOR})), role_grant.c.granted_by != COMMAND_LINE),
    ~func.isempty(role_grant.c.period),
    or_(func.upper_inf(role_grant.c.period), func.upper(role_grant.c.period) > _AT),
).order_by(role_grant.c.granted_at, role_grant.c.id)

_NEWEST_CHECK = (
    select(registration_check.c.number.label("checks"), registration_check.c.expires_on)
    .where(registration_check.c.registration_id == registration.c.id)
    .order_by(registration_check.c.number.desc())
    .limit(literal_column("1"))
    .lateral("newest")
)
_REGISTRATIONS = select(
    registration.c.id,
    registration.c.staff_id,
    registration.c.body,
    registration.c.number,
    _NEWEST_CHECK.c.checks,
    _NEWEST_CHECK.c.expires_on,
).select_from(registration.join(_NEWEST_CHECK, true()))
_REGISTRATION = _REGISTRATIONS.where(registration.c.id == bindparam("registration"))
_REGISTRATIONS_OF = _REGISTRATIONS.where(registration.c.staff_id == bindparam("staff")).order_by(registration.c.id)


class Roles:
    """Satisfies `domain.people.Roles`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def of(self, staff: StaffId) -> Sequence[Grant]:
        """See `domain.people.Roles.of`."""
        return [_grant(row) for row in await self._connection.execute(_OF, {"staff": staff})]

    async def waiting(self, *, at: datetime) -> Sequence[Grant]:
        """See `domain.people.Roles.waiting`."""
        return [_grant(row) for row in await self._connection.execute(_WAITING, {"at": at})]

    async def get(self, grant: GrantId) -> Grant:
        """See `domain.people.Roles.get`."""
        row = (await self._connection.execute(_GRANT, {"grant": grant})).one_or_none()
        if row is None:
            raise GrantUnknown
        return _grant(row)

    async def add(self, grant: Grant) -> None:
        """See `domain.people.Roles.add`."""
        try:
            await self._connection.execute(
                insert(role_grant).values(
                    id=grant.id,
                    staff_id=grant.staff,
                    programme_id=grant.programme,
                    role=grant.role,
                    starts_at=grant.starts_at,
                    ends_at=grant.ends_at,
                    granted_by=grant.granted_by,
                    granted_at=grant.granted_at,
                    registration_id=grant.registration,
                )
            )
        except IntegrityError as error:
            refusal = _REFUSALS.get(violated(error))
            if refusal is None:
                raise
            raise refusal from error

    async def confirm(self, grant: Grant, *, by: StaffId, at: datetime) -> None:
        """See `domain.people.Roles.confirm`."""
        try:
            await self._connection.execute(
                insert(role_confirmation).values(
                    grant_id=grant.id,
                    staff_id=grant.staff,
                    granted_by=grant.granted_by,
                    confirmed_by=by,
                    confirmed_at=at,
                )
            )
        except IntegrityError as twice:
            raise AlreadyConfirmed from twice

    async def revoke(self, grant: Grant, *, reason: str, by: StaffId, at: datetime) -> None:
        """See `domain.people.Roles.revoke`."""
        try:
            await self._connection.execute(
                insert(role_revocation).values(
                    grant_id=grant.id, staff_id=grant.staff, revoked_by=by, revoked_at=at, reason=reason
                )
            )
        except IntegrityError as twice:
            raise AlreadyRevoked from twice

    async def today_in(self, programme: ProgrammeId, *, at: datetime) -> date:
        """See `domain.people.Roles.today_in`."""
        found = (await self._connection.execute(_TODAY, {"programme": programme, "at": at})).scalar_one_or_none()
        if found is None:
            raise ProgrammeUnknown
        return found

    async def registrations_of(self, staff: StaffId) -> Sequence[Registration]:
        """See `domain.people.Roles.registrations_of`."""
        return [_registration(row) for row in await self._connection.execute(_REGISTRATIONS_OF, {"staff": staff})]

    async def get_registration(self, wanted: RegistrationId) -> Registration:
        """See `domain.people.Roles.get_registration`."""
        row = (await self._connection.execute(_REGISTRATION, {"registration": wanted})).one_or_none()
        if row is None:
            raise RegistrationUnknown
        return _registration(row)

    async def add_registration(self, new: Registration, *, by: StaffId, at: datetime) -> None:
        """See `domain.people.Roles.add_registration`."""
        try:
            await self._connection.execute(
                insert(registration).values(
                    id=new.id, staff_id=new.staff, body=new.body, number=new.number, recorded_at=at, recorded_by=by
                )
            )
        except IntegrityError as taken:
            raise RegistrationTaken from taken
        await self.add_check(new, by=by, at=at)

    async def add_check(self, checked: Registration, *, by: StaffId, at: datetime) -> None:
        """See `domain.people.Roles.add_check`."""
        await self._connection.execute(
            insert(registration_check).values(
                registration_id=checked.id,
                number=checked.checks,
                staff_id=checked.staff,
                expires_on=checked.expires_on,
                checked_at=at,
                checked_by=by,
            )
        )


def _grant(row: Row[*tuple[Any, ...]]) -> Grant:
    return Grant(
        id=GrantId(row.id),
        staff=StaffId(row.staff_id),
        role=Role(row.role),
        programme=None if row.programme_id is None else ProgrammeId(row.programme_id),
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        granted_by=StaffId(row.granted_by),
        granted_at=row.granted_at,
        registration=None if row.registration_id is None else RegistrationId(row.registration_id),
        confirmed_by=None if row.confirmed_by is None else StaffId(row.confirmed_by),
        revoked_at=row.revoked_at,
    )


def _registration(row: Row[*tuple[Any, ...]]) -> Registration:
    return Registration(
        id=RegistrationId(row.id),
        staff=StaffId(row.staff_id),
        body=row.body,
        number=row.number,
        expires_on=row.expires_on,
        checks=row.checks,
    )
