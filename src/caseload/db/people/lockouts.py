"""Who cannot sign in for now after too many failures, and letting them try again."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    LargeBinary,
    Row,
    and_,
    bindparam,
    delete,
    func,
    select,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.people.sessions import IS_DEACTIVATED
from caseload.db.people.sign_in import ANY_DIGEST
from caseload.db.tables.base import INSTANT
from caseload.db.tables.people import role_grant, staff
from caseload.db.tables.sign_in import sign_in_failure
from caseload.domain.ids import ProgrammeId, StaffId
from caseload.domain.people import Account, LockOut

_ACCOUNT = bindparam("account", type_=LargeBinary())
_FORGET_ACCOUNT = delete(sign_in_failure).where(sign_in_failure.c.account_digest == _ACCOUNT)
_WAITING = (
    select(
        sign_in_failure.c.account_digest,
        func.max(sign_in_failure.c.blocked_until).label("until"),
        func.max(sign_in_failure.c.failures).label("failures"),
    )
    .where(
        sign_in_failure.c.blocked_until > bindparam("at", type_=INSTANT), sign_in_failure.c.account_digest != ANY_DIGEST
    )
    .group_by(sign_in_failure.c.account_digest)
)
_EVERYBODY = (
    select(
        staff.c.id,
        staff.c.user_name,
        staff.c.printed_name,
        func.array_agg(role_grant.c.programme_id).label("programmes"),
    )
    .select_from(
        staff.outerjoin(
            role_grant,
            and_(role_grant.c.staff_id == staff.c.id, role_grant.c.period.op("@>")(bindparam("at", type_=INSTANT))),
        )
    )
    .where(~IS_DEACTIVATED)
    .group_by(staff.c.id)
)


class LockOuts:
    """Satisfies `domain.people.LockOuts`. `accounts_of` gives the digests under which a person's failures count."""

    def __init__(
        self, connection: AsyncConnection, accounts_of: Callable[[StaffId, str], Sequence[bytes]], *, now: datetime
    ) -> None:
        self._connection = connection
        self._accounts_of = accounts_of
        self._now = now

    async def running(self) -> Sequence[LockOut]:
        """See `domain.people.LockOuts.running`."""
        waiting = {row.account_digest: row for row in await self._connection.execute(_WAITING, {"at": self._now})}
        if not waiting:
            return []
        found: list[LockOut] = []
        for person in await self._connection.execute(_EVERYBODY, {"at": self._now}):
            waits = [
                waiting[account]
                for account in self._accounts_of(StaffId(person.id), person.user_name)
                if account in waiting
            ]
            if waits:
                found.append(_lock_out(person, waits))
        return sorted(found, key=lambda lock_out: lock_out.until, reverse=True)

    async def forget(self, account: Account) -> None:
        """See `domain.people.LockOuts.forget`."""
        for digest in self._accounts_of(account.id, account.user_name):
            await self._connection.execute(_FORGET_ACCOUNT, {"account": digest})


def _lock_out(person: Row[*tuple[Any, ...]], waits: Sequence[Row[*tuple[Any, ...]]]) -> LockOut:
    return LockOut(
        staff=StaffId(person.id),
        user_name=person.user_name,
        printed_name=person.printed_name,
        failures=max(wait.failures for wait in waits),
        until=max(wait.until for wait in waits),
        where=frozenset(None if where is None else ProgrammeId(where) for where in person.programmes),
    )
