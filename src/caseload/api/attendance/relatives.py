"""Relatives at sessions over HTTP: their places, and whether they may come in."""

from uuid import UUID

from litestar import Response
from litestar.params import FromPath, JSONBody

from caseload.api.attendance.shown import SessionOut, changed, sessions_of
from caseload.api.consent.wire import CheckWire
from caseload.api.route import searching, writing
from caseload.api.wire import Wire
from caseload.api.work import TheKey, TheWork, client_within
from caseload.db.attendance import Sessions
from caseload.db.family import Families
from caseload.domain.access import Act
from caseload.domain.attendance import CancelledBy, ComesAs, Session
from caseload.domain.attendance.seating import ask_at_the_door, call_off_seat, seat, seat_of
from caseload.domain.ids import RelatedPersonId, RelativePlaceId, TherapySessionId, new_id


class RelativeIn(Wire, frozen=True, kw_only=True):
    """Somebody around a client who is to come to a session."""

    client_id: UUID
    """On whose list they are."""
    person_id: UUID
    comes_as: ComesAs
    others_agreed: bool = False
    """Every other client who is expected or waits there has been asked, and agrees to be met."""


class RelativeCancellationIn(Wire, frozen=True, kw_only=True):
    """A relative's place that is called off."""

    cancelled_by: CancelledBy
    """`client` also where the relative did."""
    reason: str


class AtTheDoorIn(Wire, frozen=True, kw_only=True):
    """Who stands at the door, and how you made sure of it."""

    check: CheckWire | None = None
    """Without it nobody is let in who comes with a client."""


class AtTheDoorOut(Wire, frozen=True, kw_only=True):
    """Whether a relative may come in now. Why not is for those to read who see the client's consents."""

    place_id: UUID
    may_come_in: bool
    advice: str | None
    """What to do or say instead, or what to keep to."""
    notice: str | None
    """What must be said to them before the session (42 CFR 2.32)."""
    rule: str
    rules_version: str


@writing("/sessions/{session_id:uuid}/relatives", act=Act.PLAN_SESSION, name="seat_relative")
async def seat_relative(
    session_id: FromPath[UUID], data: JSONBody[RelativeIn], work: TheWork, key: TheKey
) -> Response[SessionOut]:
    """Put somebody from a client's list on the roster: with the client, by their consent, or in their own right."""

    async def do(sessions: Sessions, session: Session) -> None:
        client = await client_within(work, data.client_id, Act.SEE_FAMILY)
        person = await Families(work.connection, work.journal).get(RelatedPersonId(data.person_id), client=client.id)
        await seat(
            session,
            person,
            data.comes_as,
            as_id=RelativePlaceId(new_id()),
            client=client,
            by=work.by,
            now=work.now,
            sessions=sessions,
            journal=work.journal,
            others_agreed=data.others_agreed,
        )

    return await changed(work, key, session_id, do)


@writing(
    "/sessions/{session_id:uuid}/relatives/{place_id:uuid}/cancellation", act=Act.PLAN_SESSION, name="call_off_relative"
)
async def call_off_relative(
    session_id: FromPath[UUID],
    place_id: FromPath[UUID],
    data: JSONBody[RelativeCancellationIn],
    work: TheWork,
    key: TheKey,
) -> Response[SessionOut]:
    """Call off a relative's place before the register is taken, with who did and why."""
    place = RelativePlaceId(place_id)

    async def do(sessions: Sessions, session: Session) -> None:
        seat_of(session, place, among=await sessions.relatives(session, by=work.by, act=Act.PLAN_SESSION))
        await call_off_seat(
            session,
            place,
            cancelled_by=data.cancelled_by,
            reason=data.reason,
            by=work.by,
            now=work.now,
            sessions=sessions,
            journal=work.journal,
        )

    return await changed(work, key, session_id, do)


@searching(
    "/sessions/{session_id:uuid}/relatives/{place_id:uuid}/door",
    act=Act.TAKE_REGISTER,
    name="ask_at_the_door",
    problems=(404,),
)
async def ask_relative_in(
    session_id: FromPath[UUID], place_id: FromPath[UUID], data: JSONBody[AtTheDoorIn], work: TheWork
) -> AtTheDoorOut:
    """May this relative come in now? For whoever leads the session; question and answer go into the log."""
    sessions, place = sessions_of(work), RelativePlaceId(place_id)
    session = await sessions.get(TherapySessionId(session_id), by=work.by, act=Act.TAKE_REGISTER)
    theirs = seat_of(session, place)
    answer = ask_at_the_door(
        session,
        theirs,
        None if data.check is None else data.check.read(),
        door=await sessions.door([theirs.client], of=session.programme),
        by=work.by,
        now=work.now,
        journal=work.journal,
    )
    return AtTheDoorOut(
        place_id=place,
        may_come_in=answer.allowed,
        advice=answer.advice,
        notice=answer.notice,
        rule=answer.rule,
        rules_version=answer.rules_version,
    )
