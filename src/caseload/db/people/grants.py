"""Which roles are in force at a moment: one condition, for everybody who asks."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, Date, Integer, and_, cast, exists, func, literal_column, or_, select

from caseload.db.tables.people import (
    duty_shift,
    duty_shift_cancellation,
    registration_check,
    role_confirmation,
    role_grant,
    staff_deactivation,
)
from caseload.db.tables.programme import programme
from caseload.domain.access import CONFIRMED_BY_ANOTHER, Role
from caseload.domain.people.staff import COMMAND_LINE


def constants(roles: Collection[Role]) -> list[ColumnElement[str]]:
    """Roles as they stand in the statement's text, which so stays the same for every execution."""
    return [literal_column(f"'{role.value}'") for role in sorted(roles)]


def in_force(at: ColumnElement[datetime]) -> ColumnElement[bool]:
    """A row of `role_grant` counts at that moment: begun, neither ended nor revoked, confirmed and registered.

    A role that signs or confirms needs its confirmation, except an administrator made on the command line. A clinical
    role needs a registration that has not expired on that day in the programme; its newest check counts. Whether the
    person still works here is another question (`works_here`).
    """
    # A value and not EXISTS, which the planner may answer by reading every confirmation there is.
    confirmed_at = (
        select(role_confirmation.c.confirmed_at)
        .where(role_confirmation.c.grant_id == role_grant.c.id)
        .scalar_subquery()
    )
    expires_on = (
        select(registration_check.c.expires_on)
        .where(registration_check.c.registration_id == role_grant.c.registration_id)
        .order_by(registration_check.c.number.desc())
        .limit(literal_column("1", Integer()))
        .scalar_subquery()
    )
    today = (
        select(cast(func.timezone(programme.c.time_zone, at), Date))
        .where(programme.c.id == role_grant.c.programme_id)
        .scalar_subquery()
    )
    return and_(
        role_grant.c.period.op("@>")(at),
        or_(
            role_grant.c.role.not_in(constants(CONFIRMED_BY_ANOTHER)),
            and_(
                role_grant.c.role.in_(constants({Role.ADMINISTRATOR})),
                role_grant.c.granted_by == literal_column(f"'{COMMAND_LINE}'::uuid"),
            ),
            confirmed_at <= at,
        ),
        or_(role_grant.c.registration_id.is_(None), expires_on >= today),
    )


def works_here(at: ColumnElement[datetime]) -> ColumnElement[bool]:
    """The holder of a row of `role_grant` has an account that is open at that moment."""
    return ~exists(
        select(staff_deactivation.c.staff_id).where(
            staff_deactivation.c.staff_id == role_grant.c.staff_id, staff_deactivation.c.deactivated_at <= at
        )
    )


def on_duty(at: ColumnElement[datetime]) -> ColumnElement[bool]:
    """A shift of the holder of a row of `role_grant`, in its programme, is running at that moment."""
    return exists(
        select(duty_shift.c.id).where(
            duty_shift.c.staff_id == role_grant.c.staff_id,
            duty_shift.c.programme_id == role_grant.c.programme_id,
            duty_shift.c.period.op("@>")(at),
            ~exists(
                select(duty_shift_cancellation.c.shift_id).where(
                    duty_shift_cancellation.c.shift_id == duty_shift.c.id,
                    duty_shift_cancellation.c.cancelled_at <= at,
                )
            ),
        )
    )
