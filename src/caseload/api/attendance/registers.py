"""Registers over HTTP: taken in one call, corrected by a new version."""

from uuid import UUID

from litestar import Response
from litestar.params import FromPath, JSONBody

from caseload.api.attendance.shown import SessionOut, changed, sessions_of, shown
from caseload.api.attendance.wire import RegisterCorrectionIn, RegisterIn, RegisterOut
from caseload.api.route import reading, writing
from caseload.api.wire import Wire
from caseload.api.work import IfMatch, TheKey, TheWork, require_version
from caseload.db.attendance import Sessions
from caseload.domain import attendance as domain
from caseload.domain.access import Act
from caseload.domain.attendance import Session
from caseload.domain.ids import TherapySessionId


class RegistersOut(Wire, frozen=True, kw_only=True):
    """Every version of a register, oldest first; the last one counts."""

    items: list[RegisterOut]


@writing("/sessions/{session_id:uuid}/register", act=Act.TAKE_REGISTER, name="take_register")
async def take_register(
    session_id: FromPath[UUID], data: JSONBody[RegisterIn], work: TheWork, key: TheKey
) -> Response[SessionOut]:
    """Take the register of everybody in one call; whoever takes it second learns when it was taken."""

    async def take(sessions: Sessions, session: Session) -> None:
        await domain.take_register(
            session, data.read(session), by=work.by, now=work.now, sessions=sessions, journal=work.journal
        )

    return await changed(work, key, session_id, take, act=Act.TAKE_REGISTER, version=1)


@writing(
    "/sessions/{session_id:uuid}/register",
    act=Act.TAKE_REGISTER,
    name="correct_register",
    method="PUT",
    status=200,
    problems=(404, 412, 428),
)
async def correct_register(
    session_id: FromPath[UUID], data: JSONBody[RegisterCorrectionIn], work: TheWork, if_match: IfMatch = None
) -> Response[SessionOut]:
    """Correct a register: the next version, whole, with its reason; the former ones stay readable."""
    sessions, wanted = sessions_of(work), TherapySessionId(session_id)
    session = await sessions.hold(wanted, by=work.by, act=Act.TAKE_REGISTER)
    version = session.register.version if session.register else 0
    require_version(if_match, version)
    await domain.correct_register(
        session,
        data.read(session),
        reason=data.reason,
        version=version,
        by=work.by,
        now=work.now,
        sessions=sessions,
        journal=work.journal,
    )
    return await shown(work, await sessions.get(wanted, by=work.by, act=Act.TAKE_REGISTER), 200)


@reading("/sessions/{session_id:uuid}/registers", act=Act.SEE_SESSIONS, name="list_registers")
async def list_registers(session_id: FromPath[UUID], work: TheWork) -> RegistersOut:
    """Every version of the register, with the lines you may see."""
    sessions = sessions_of(work)
    session = await sessions.get(TherapySessionId(session_id), by=work.by, act=Act.SEE_SESSIONS)
    registers, seen = await sessions.registers(session, by=work.by, act=Act.SEE_SESSIONS)
    beside = await sessions.relatives(session, by=work.by, act=Act.SEE_SESSIONS)
    return RegistersOut(items=[RegisterOut.of(each, only=seen, beside=beside) for each in registers])
