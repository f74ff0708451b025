"""Waiting lists of sessions over HTTP."""

from uuid import UUID

from litestar import Response
from litestar.params import FromPath, JSONBody

from caseload.api.attendance.sessions import BookingIn
from caseload.api.attendance.shown import SessionOut, changed
from caseload.api.route import writing
from caseload.api.wire import Wire
from caseload.api.work import TheKey, TheWork
from caseload.db.attendance import Sessions
from caseload.domain.access import Act
from caseload.domain.attendance import Session
from caseload.domain.attendance.waiting import wait, withdraw
from caseload.domain.errors import Fault, Invalid
from caseload.domain.ids import ClientId


class WithdrawalIn(Wire, frozen=True, kw_only=True):
    """Somebody who waits no more."""

    client_id: UUID


@writing("/sessions/{session_id:uuid}/waiting-list", act=Act.PLAN_SESSION, name="join_waiting_list")
async def join_waiting_list(
    session_id: FromPath[UUID], data: JSONBody[BookingIn], work: TheWork, key: TheKey
) -> Response[SessionOut]:
    """Put clients on the waiting list of a full session. Whoever has waited longest gets the next place."""

    async def join(sessions: Sessions, session: Session) -> None:
        if not data.clients:
            raise Invalid(Fault("clients", "name at least one client"))
        clients = [ClientId(each) for each in data.clients]
        await wait(
            session,
            clients,
            by=work.by,
            now=work.now,
            sessions=sessions,
            journal=work.journal,
            others_agreed=data.others_agreed,
        )

    return await changed(work, key, session_id, join)


@writing("/sessions/{session_id:uuid}/waiting-list/withdrawal", act=Act.PLAN_SESSION, name="leave_waiting_list")
async def leave_waiting_list(
    session_id: FromPath[UUID], data: JSONBody[WithdrawalIn], work: TheWork, key: TheKey
) -> Response[SessionOut]:
    """Take somebody off the waiting list."""

    async def leave(sessions: Sessions, session: Session) -> None:
        client = ClientId(data.client_id)
        await withdraw(session, client, by=work.by, now=work.now, sessions=sessions, journal=work.journal)

    return await changed(work, key, session_id, leave)
