"""Accounts, passwords and resets in PostgreSQL."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Row,
    Uuid,
    any_,
    bindparam,
    exists,
    func,
    insert,
    literal_column,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db import locks
from caseload.db.people.sessions import HAS_UNCONFIRMED_RESET
from caseload.db.tables.base import INSTANT
from caseload.db.tables.caseload import episode, responsibility
from caseload.db.tables.people import (
    password_reset,
    reset_confirmation,
    role_grant,
    staff,
    staff_deactivation,
    staff_password,
)
from caseload.db.tables.sign_in import sign_in_session
from caseload.domain.ids import ProgrammeId, ResetId, SessionId, StaffId
from caseload.domain.people import (
    Account,
    AlreadyConfirmed,
    AlreadyDeactivated,
    Password,
    PasswordJustChanged,
    Reset,
    ResetUnknown,
    SessionEnd,
    StaffUnknown,
    UserNameTaken,
)

_AT = bindparam("at", type_=INSTANT)
_FIRST = UUID(int=0)
_HELD = (
    select(func.array_agg(role_grant.c.programme_id).label("programmes"))
    .where(
        role_grant.c.staff_id == staff.c.id,
        ~func.isempty(role_grant.c.period),
        or_(func.upper_inf(role_grant.c.period), func.upper(role_grant.c.period) > _AT),
    )
    .correlate(staff)
    .lateral("held")
)
_ACCOUNTS = (
    select(
        staff.c.id,
        staff.c.user_name,
        staff.c.printed_name,
        staff.c.created_at,
        staff_deactivation.c.deactivated_at,
        HAS_UNCONFIRMED_RESET.label("suspended"),
        _HELD.c.programmes,
    )
    .select_from(
        staff.outerjoin(staff_deactivation, staff_deactivation.c.staff_id == staff.c.id).outerjoin(_HELD, true())
    )
    .where(staff.c.id != staff.c.created_by)
)
_ACCOUNT = _ACCOUNTS.where(staff.c.id == bindparam("staff"))
_NAMED = _ACCOUNTS.where(staff.c.user_name == bindparam("user_name"))
_PAGE = _ACCOUNTS.where(staff.c.id > bindparam("after")).order_by(staff.c.id).limit(bindparam("most"))

_PRINTED_NAMES = select(staff.c.id, staff.c.printed_name).where(
    staff.c.id == any_(bindparam("these", type_=ARRAY(Uuid())))
)

_DEACTIVATED = select(
    exists(select(staff_deactivation.c.staff_id).where(staff_deactivation.c.staff_id == bindparam("staff")))
)

_SINCE, _UNTIL = bindparam("since", type_=INSTANT), bindparam("until", type_=INSTANT)
_PROGRAMME = bindparam("programme", type_=Uuid())
_ANSWERS_FOR = (
    select(func.count(responsibility.c.client_id.distinct()))
    .join(episode, episode.c.id == responsibility.c.episode_id)
    .where(
        responsibility.c.counsellor_id == bindparam("staff"),
        responsibility.c.period.op("&&")(func.tstzrange(_SINCE, _UNTIL)),
        or_(_PROGRAMME.is_(None), episode.c.programme_id == _PROGRAMME),
    )
)

_NEWEST_PASSWORD = (
    select(
        staff_password.c.number,
        staff_password.c.hash,
        staff_password.c.set_by,
        staff_password.c.set_at,
        staff_password.c.one_time_until,
    )
    .where(staff_password.c.staff_id == bindparam("staff"))
    .order_by(staff_password.c.number.desc())
    .limit(literal_column("1"))
)

_RESETS = select(
    password_reset.c.id,
    password_reset.c.staff_id,
    password_reset.c.reset_by,
    password_reset.c.reset_at,
    reset_confirmation.c.confirmed_at,
).select_from(password_reset.outerjoin(reset_confirmation, reset_confirmation.c.reset_id == password_reset.c.id))
_RESET = _RESETS.where(password_reset.c.id == bindparam("reset"))
_UNCONFIRMED = _RESETS.where(reset_confirmation.c.reset_id.is_(None)).order_by(password_reset.c.reset_at)

_END_SESSIONS = (
    update(sign_in_session)
    .where(
        sign_in_session.c.staff_id == bindparam("staff"),
        sign_in_session.c.ended_at.is_(None),
        sign_in_session.c.id.is_distinct_from(bindparam("but")),
    )
    .values(ended_at=bindparam("at"), end_reason=bindparam("why"))
)


class Accounts:
    """Satisfies `domain.people.Accounts`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, staff: StaffId, *, at: datetime) -> Account:
        """See `domain.people.Accounts.get`."""
        row = (await self._connection.execute(_ACCOUNT, {"staff": staff, "at": at})).one_or_none()
        if row is None:
            raise StaffUnknown
        return _account(row)

    async def named(self, user_name: str, *, at: datetime) -> Account:
        """The account with this user name; `StaffUnknown`."""
        wanted = {"user_name": user_name.strip().lower(), "at": at}
        row = (await self._connection.execute(_NAMED, wanted)).one_or_none()
        if row is None:
            raise StaffUnknown
        return _account(row)

    async def page(self, *, after: StaffId | None, most: int, at: datetime) -> Sequence[Account]:
        """Accounts, open and closed, from the oldest on."""
        found = await self._connection.execute(_PAGE, {"after": after or _FIRST, "most": most, "at": at})
        return [_account(row) for row in found]

    async def printed_names(self, these: Collection[StaffId]) -> Mapping[StaffId, str]:
        """What people of the staff are called under a signature; a name is never changed."""
        found = await self._connection.execute(_PRINTED_NAMES, {"these": list(these)})
        return {StaffId(row.id): row.printed_name for row in found}

    async def hold_still(self, staff: StaffId, *, shared: bool = False) -> None:
        """See `domain.people.Accounts.hold_still`.

        `shared` for those who begin a session or give the person a client: they need not wait for one another. An
        advisory lock, because the service may not lock rows that it may not update.
        """
        await locks.hold(self._connection, f"staff {staff}", shared=shared)

    async def answers_for(
        self, staff: StaffId, *, programme: ProgrammeId | None, since: datetime, until: datetime | None
    ) -> int:
        """See `domain.people.Accounts.answers_for`."""
        wanted = {"staff": staff, "programme": programme, "since": since, "until": until}
        return int((await self._connection.execute(_ANSWERS_FOR, wanted)).scalar_one())

    async def add(self, account: Account, *, by: StaffId) -> None:
        """See `domain.people.Accounts.add`."""
        try:
            await self._connection.execute(
                insert(staff).values(
                    id=account.id,
                    user_name=account.user_name,
                    printed_name=account.printed_name,
                    created_at=account.created_at,
                    created_by=by,
                )
            )
        except IntegrityError as taken:
            raise UserNameTaken from taken

    async def deactivate(self, staff: StaffId, *, reason: str, by: StaffId, at: datetime) -> None:
        """See `domain.people.Accounts.deactivate`."""
        try:
            await self._connection.execute(
                insert(staff_deactivation).values(staff_id=staff, deactivated_at=at, deactivated_by=by, reason=reason)
            )
        except IntegrityError as twice:
            raise AlreadyDeactivated from twice

    async def is_deactivated(self, staff: StaffId) -> bool:
        """Whether the account is closed."""
        return bool((await self._connection.execute(_DEACTIVATED, {"staff": staff})).scalar_one())

    async def newest_password(self, staff: StaffId) -> Password | None:
        """See `domain.people.Accounts.newest_password`."""
        row = (await self._connection.execute(_NEWEST_PASSWORD, {"staff": staff})).one_or_none()
        if row is None:
            return None
        return Password(
            staff=staff,
            number=row.number,
            hash=row.hash,
            set_by=StaffId(row.set_by),
            set_at=row.set_at,
            one_time_until=row.one_time_until,
        )

    async def add_password(self, password: Password) -> None:
        """See `domain.people.Accounts.add_password`."""
        try:
            await self._connection.execute(
                insert(staff_password).values(
                    staff_id=password.staff,
                    number=password.number,
                    hash=password.hash,
                    set_by=password.set_by,
                    set_at=password.set_at,
                    one_time_until=password.one_time_until,
                )
            )
        except IntegrityError as raced:
            raise PasswordJustChanged from raced

    async def add_reset(self, reset: Reset) -> None:
        """See `domain.people.Accounts.add_reset`."""
        await self._connection.execute(
            insert(password_reset).values(
                id=reset.id, staff_id=reset.staff, reset_by=reset.reset_by, reset_at=reset.reset_at
            )
        )

    async def get_reset(self, reset: ResetId) -> Reset:
        """See `domain.people.Accounts.get_reset`."""
        row = (await self._connection.execute(_RESET, {"reset": reset})).one_or_none()
        if row is None:
            raise ResetUnknown
        return _reset(row)

    async def unconfirmed_resets(self) -> Sequence[Reset]:
        """See `domain.people.Accounts.unconfirmed_resets`."""
        return [_reset(row) for row in await self._connection.execute(_UNCONFIRMED)]

    async def confirm_reset(self, reset: Reset, *, by: StaffId, at: datetime) -> None:
        """See `domain.people.Accounts.confirm_reset`."""
        try:
            await self._connection.execute(
                insert(reset_confirmation).values(
                    reset_id=reset.id, staff_id=reset.staff, reset_by=reset.reset_by, confirmed_by=by, confirmed_at=at
                )
            )
        except IntegrityError as twice:
            raise AlreadyConfirmed from twice

    async def end_sessions(
        self, staff: StaffId, *, why: SessionEnd, at: datetime, but: SessionId | None = None
    ) -> None:
        """See `domain.people.Accounts.end_sessions`."""
        await self._connection.execute(_END_SESSIONS, {"staff": staff, "but": but, "at": at, "why": why})


def _account(row: Row[*tuple[Any, ...]]) -> Account:
    return Account(
        id=StaffId(row.id),
        user_name=row.user_name,
        printed_name=row.printed_name,
        created_at=row.created_at,
        deactivated_at=row.deactivated_at,
        suspended=row.suspended,
        where=frozenset(None if where is None else ProgrammeId(where) for where in row.programmes or ()),
    )


def _reset(row: Row[*tuple[Any, ...]]) -> Reset:
    return Reset(
        id=ResetId(row.id),
        staff=StaffId(row.staff_id),
        reset_by=StaffId(row.reset_by),
        reset_at=row.reset_at,
        confirmed=row.confirmed_at is not None,
    )
