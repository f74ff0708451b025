"""Waits after too many failures to sign in: who has to wait, and lifting it."""

from datetime import datetime
from uuid import UUID

from litestar import Router
from litestar.params import FromPath

from caseload.api.route import reading, writing
from caseload.api.wire import Wire
from caseload.api.work import TheKey, TheWork, nothing_more
from caseload.db.idempotency import Kept
from caseload.db.people.accounts import Accounts
from caseload.db.people.lockouts import LockOuts
from caseload.domain import people as domain
from caseload.domain.access import Act
from caseload.domain.ids import StaffId
from caseload.request.idempotency import once
from caseload.request.work import Work


class LockOutOut(Wire, frozen=True, kw_only=True):
    """Somebody who must wait before they may try again."""

    staff_id: UUID
    user_name: str
    printed_name: str
    failures: int
    until: datetime


class LockOutsOut(Wire, frozen=True, kw_only=True):
    """Everybody who must wait, the longest wait first."""

    items: list[LockOutOut]


@reading("/lock-outs", act=Act.LIFT_LOCKOUT, name="list_lockouts", problems=())
async def list_lockouts(work: TheWork) -> LockOutsOut:
    """Everybody of your programmes who must wait before they may try to sign in again."""
    running = await _lockouts(work).running()
    return LockOutsOut(
        items=[
            LockOutOut(
                staff_id=each.staff,
                user_name=each.user_name,
                printed_name=each.printed_name,
                failures=each.failures,
                until=each.until,
            )
            for each in running
            if each.is_within(work.by)
        ]
    )


@writing("/staff/{staff_id:uuid}/lock-out/lift", act=Act.LIFT_LOCKOUT, name="lift_lockout", status=204)
async def lift_lockout(staff_id: FromPath[UUID], work: TheWork, key: TheKey) -> None:
    """Let somebody try again at once. Nobody lifts their own."""

    async def lift() -> None:
        account = await Accounts(work.connection).get(StaffId(staff_id), at=work.now)
        await domain.lift(account, by=work.by, lockouts=_lockouts(work), journal=work.journal)

    await once(work, key, Kept(status=204, resource=staff_id), do=lift, again=nothing_more)


def _lockouts(work: Work) -> LockOuts:
    return LockOuts(work.connection, work.service.door.accounts_of, now=work.now)


router = Router("/", route_handlers=[list_lockouts, lift_lockout], tags=["Lock-outs"])
