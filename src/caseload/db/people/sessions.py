"""Sessions: found by the digest of their token, noted as used in bulk, ended for good."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    Uuid,
    bindparam,
    distinct,
    exists,
    func,
    literal_column,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.direct import Direct, Named
from caseload.db.people.grants import in_force, on_duty
from caseload.db.periods import running
from caseload.db.tables.base import INSTANT
from caseload.db.tables.caseload import client, guest_stay
from caseload.db.tables.glass import glass
from caseload.db.tables.people import (
    password_reset,
    registration,
    reset_confirmation,
    role_grant,
    staff,
    staff_deactivation,
)
from caseload.db.tables.restriction import restriction, restriction_naming
from caseload.db.tables.sign_in import sign_in_session
from caseload.domain.access import NOBODY_APART, Apart, BrokenGlass, Holding, Role
from caseload.domain.ids import ClientId, GlassId, ProgrammeId, SessionId, StaffId
from caseload.domain.people.sessions import Session, SessionEnd
from caseload.domain.people.staff import Staff

_NOW = bindparam("now", type_=INSTANT)

_HELD = (
    select(
        func.array_agg(role_grant.c.role).label("roles"),
        func.array_agg(role_grant.c.programme_id).label("programmes"),
        func.array_agg(on_duty(_NOW)).label("on_duty"),
        func.string_agg(
            distinct(registration.c.body + literal_column("' '") + registration.c.number), literal_column("', '")
        ).label("registration"),
    )
    .select_from(role_grant.outerjoin(registration, registration.c.id == role_grant.c.registration_id))
    .where(role_grant.c.staff_id == staff.c.id, in_force(_NOW))
    .correlate(staff)
    .lateral("held")
)

_named = (
    exists()
    .where(
        restriction_naming.c.restriction_id == restriction.c.id,
        restriction_naming.c.staff_id == staff.c.id,
        running(restriction_naming.c.period, _NOW),
    )
    .correlate(restriction, staff)
)
# A handful of rows in a whole clinic, so that every request can ask for all of them; and never a join, whose plan
# might read every client there is to find those few.
_HOME = select(client.c.programme_id).where(client.c.id == restriction.c.client_id).scalar_subquery()
_HOST = (
    select(guest_stay.c.host_programme_id)
    .where(guest_stay.c.client_id == restriction.c.client_id, running(guest_stay.c.period, _NOW))
    .limit(literal_column("9", Integer()))
    .lateral("host")
)
_RESTRICTED = (
    select(
        func.array_agg(restriction.c.client_id).label("clients"),
        func.array_agg(_HOME).label("homes"),
        func.array_agg(_HOST.c.host_programme_id).label("hosts"),
        func.array_agg(_named).label("named"),
    )
    .select_from(restriction.outerjoin(_HOST, true()))
    .where(restriction.c.ended_at.is_(None), running(restriction.c.period, _NOW))
    .correlate(staff)
    .lateral("restricted")
)

_GLASS = (
    select(glass.c.id.label("glass_id"), glass.c.client_id.label("glass_client"), glass.c.until_at.label("glass_until"))
    .where(
        glass.c.staff_id == staff.c.id,
        glass.c.until_at > _NOW,
        glass.c.starts_at <= _NOW,
        glass.c.ended_at.is_(None),
    )
    .correlate(staff)
    .limit(literal_column("1", Integer()))
    .lateral("glass_broken")
)

HAS_UNCONFIRMED_RESET = exists(
    select(password_reset.c.id).where(
        password_reset.c.staff_id == staff.c.id,
        ~exists(select(reset_confirmation.c.reset_id).where(reset_confirmation.c.reset_id == password_reset.c.id)),
    )
)
"""Of a row of `staff`: somebody reset the password and nobody has confirmed who asked for it."""

IS_DEACTIVATED = exists(select(staff_deactivation.c.staff_id).where(staff_deactivation.c.staff_id == staff.c.id))
"""Of a row of `staff`: the account is closed."""

MOST_AT_ONCE: Final = 16
"""Sessions that one statement finds."""


def by_tokens(many: int) -> Select[*tuple[Any, ...]]:
    """The sessions of that many tokens, who holds each, and the roles in force for them.

    A parameter for each and no array, whose length PostgreSQL would plan for anew each time.
    """
    return (
        select(
            sign_in_session.c.token_digest,
            sign_in_session.c.id.label("session_id"),
            sign_in_session.c.last_used_at,
            sign_in_session.c.expires_at,
            sign_in_session.c.ended_at,
            staff.c.id.label("staff_id"),
            staff.c.user_name,
            staff.c.printed_name,
            IS_DEACTIVATED.label("deactivated"),
            HAS_UNCONFIRMED_RESET.label("suspended"),
            _HELD.c.roles,
            _HELD.c.programmes,
            _HELD.c.on_duty,
            _HELD.c.registration,
            _RESTRICTED.c.clients,
            _RESTRICTED.c.homes,
            _RESTRICTED.c.hosts,
            _RESTRICTED.c.named,
            *_GLASS.c,
        )
        .select_from(
            sign_in_session.join(staff, staff.c.id == sign_in_session.c.staff_id)
            .outerjoin(_HELD, true())
            .outerjoin(_RESTRICTED, true())
            .outerjoin(_GLASS, true())
        )
        .where(sign_in_session.c.token_digest.in_([bindparam(f"digest_{number}") for number in range(many)]))
    )


_BY_TOKENS: Final = {many: Direct(by_tokens(many), anywhere=True) for many in (1, 4, MOST_AT_ONCE)}


def who_works_here(staff_id: ColumnElement[UUID]) -> Select[*tuple[Any, ...]]:
    """Somebody whose account is open, with the roles and restrictions in force for them: what `staff_of` reads."""
    return (
        select(
            staff.c.id.label("staff_id"),
            staff.c.user_name,
            staff.c.printed_name,
            HAS_UNCONFIRMED_RESET.label("suspended"),
            _HELD.c.roles,
            _HELD.c.programmes,
            _HELD.c.on_duty,
            _HELD.c.registration,
            _RESTRICTED.c.clients,
            _RESTRICTED.c.homes,
            _RESTRICTED.c.hosts,
            _RESTRICTED.c.named,
        )
        .select_from(staff.outerjoin(_HELD, true()).outerjoin(_RESTRICTED, true()))
        .where(staff.c.id == staff_id, ~IS_DEACTIVATED)
    )


_WHO: Final = who_works_here(bindparam("staff", type_=Uuid()))


async def who_is(connection: AsyncConnection, wanted: StaffId, *, now: datetime) -> Staff | None:
    """Somebody with the roles in force for them, outside any session; None when their account is closed."""
    row = (await connection.execute(_WHO, {"staff": wanted, "now": now})).mappings().first()
    return None if row is None else staff_of(row, session=None)


async def find_sessions(
    connection: AsyncConnection, digests: Sequence[bytes], *, now: datetime
) -> Mapping[bytes, Session]:
    """The sessions of those tokens, at most `MOST_AT_ONCE`, by digest: one statement, whatever the number of roles."""
    many = next(each for each in _BY_TOKENS if each >= len(digests))
    given: dict[str, Any] = {f"digest_{number}": digest for number, digest in enumerate(digests)}
    given |= {f"digest_{number}": digests[0] for number in range(len(digests), many)}
    rows = await _BY_TOKENS[many].all(connection, {**given, "now": now})
    return {row["token_digest"]: session_of(row) for row in rows}


def session_of(row: Named) -> Session:
    """What a row of `by_tokens` says."""
    session = SessionId(row["session_id"])
    return Session(
        id=session,
        staff=staff_of(row, session=session, broken=_glass(row)),
        last_used_at=row["last_used_at"],
        expires_at=row["expires_at"],
        ended_at=row["ended_at"],
        deactivated=row["deactivated"],
    )


def staff_of(row: Named, *, session: SessionId | None, broken: BrokenGlass | None = None) -> Staff:
    """Who stands in a row, with the roles in force for them; whom they have opened is opened in a session alone."""
    return Staff(
        id=StaffId(row["staff_id"]),
        user_name=row["user_name"],
        printed_name=row["printed_name"],
        session=session,
        holdings=_holdings(row["roles"], row["programmes"], row["on_duty"]),
        may_sign=not row["suspended"],
        registration=row["registration"],
        apart=NOBODY_APART if row["clients"] is None and broken is None else _apart(row, broken),
    )


def _apart(row: Named, broken: BrokenGlass | None) -> Apart:
    """Restricted clients, each with every programme that has or hosts them, whether this person is named; and their glass."""
    lists = (row["clients"], row["homes"], row["hosts"], row["named"])
    rows = [] if row["clients"] is None else list(zip(*lists, strict=True))
    named = frozenset(ClientId(each) for each, _, _, is_named in rows if is_named)
    closed = [
        (ClientId(each), ProgrammeId(where))
        for each, home, host, is_named in rows
        for where in (home, host)
        if where is not None and not is_named
    ]
    return Apart(closed=tuple(dict.fromkeys(closed)), named=named, glass=broken)


def _glass(row: Named) -> BrokenGlass | None:
    if row["glass_id"] is None:
        return None
    return BrokenGlass(id=GlassId(row["glass_id"]), client=ClientId(row["glass_client"]), until=row["glass_until"])


def _holdings(
    roles: Sequence[str] | None, programmes: Sequence[UUID | None], on_duty: Sequence[bool]
) -> tuple[Holding, ...]:
    if roles is None:
        return ()
    return tuple(
        Holding(role=Role(role), programme=None if where is None else ProgrammeId(where), on_duty=running)
        for role, where, running in zip(roles, programmes, on_duty, strict=True)
    )


_SEEN = (
    func.unnest(bindparam("ids", type_=ARRAY(Uuid())), bindparam("times", type_=ARRAY(INSTANT)))
    .table_valued("id", "at")
    .render_derived(name="seen")
)
_OPEN = (
    select(sign_in_session.c.id, _SEEN.c.at)
    .join(_SEEN, _SEEN.c.id == sign_in_session.c.id)
    .where(sign_in_session.c.ended_at.is_(None))
    .with_for_update(skip_locked=True, of=sign_in_session)
    .cte("open")
)
_NOTE_USE = (
    update(sign_in_session)
    .where(sign_in_session.c.id == _OPEN.c.id)
    .values(last_used_at=func.greatest(sign_in_session.c.last_used_at, _OPEN.c.at))
)


async def note_use(connection: AsyncConnection, seen: Mapping[SessionId, datetime]) -> None:
    """Write down when these sessions were last in use. One that somebody is ending just now is left alone."""
    await connection.execute(_NOTE_USE, {"ids": list(seen), "times": list(seen.values())})


_END = (
    update(sign_in_session)
    .where(sign_in_session.c.id == bindparam("session"), sign_in_session.c.ended_at.is_(None))
    .values(ended_at=bindparam("at", type_=INSTANT), end_reason=bindparam("why"))
)


async def end_session(connection: AsyncConnection, session: SessionId, *, why: SessionEnd, at: datetime) -> None:
    """End one session, if it is still open."""
    await connection.execute(_END, {"session": session, "at": at, "why": why})
