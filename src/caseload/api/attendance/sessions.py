"""Sessions and their rosters over HTTP."""

from datetime import date, datetime, timedelta
from typing import Annotated
from uuid import UUID

from litestar import Response
from litestar.params import FromPath, JSONBody, QueryParameter

from caseload.api.attendance.shown import SessionLineOut, SessionOut, changed, sessions_of, shown
from caseload.api.pages import USUAL, After, Limit, Page
from caseload.api.route import reading, writing
from caseload.api.wire import Instant, Wire
from caseload.api.work import TheKey, TheWork
from caseload.db.attendance import Sessions
from caseload.db.attendance.rules import RulesOfSessions
from caseload.db.idempotency import Kept
from caseload.db.programme import Programmes
from caseload.domain import attendance as domain
from caseload.domain.access import Act
from caseload.domain.attendance import CancelledBy, Session, SessionKind, Wanted
from caseload.domain.errors import Fault, Invalid
from caseload.domain.ids import ClientId, ProgrammeId, StaffId, TherapySessionId, new_id
from caseload.domain.schedule import EARLIEST, LATEST, start_of_day
from caseload.request.idempotency import once
from caseload.request.work import Work

On = Annotated[
    date | None, QueryParameter(name="on", required=False, description="The programme's local day; today if left out.")
]


class SessionIn(Wire, frozen=True, kw_only=True):
    """A session, and who is expected at it as far as that is known."""

    kind: SessionKind
    title: str
    starts_at: Instant
    ends_at: Instant
    facilitators: tuple[UUID, ...] = ()
    """Who leads it; you when left out."""
    capacity: int | None = None
    place: str | None = None
    """The room."""
    link: str | None = None
    """Where those come who take part from afar."""
    clients: tuple[UUID, ...] = ()
    clashes_agreed: bool = False
    """You have been told that the room or somebody who leads it is taken, and mean it."""


class BookingIn(Wire, frozen=True, kw_only=True):
    """Clients to be put on a roster."""

    clients: tuple[UUID, ...]
    others_agreed: bool = False
    """Where relatives of somebody else come: these have been asked, and agree to be met."""


class PlaceCancellationIn(Wire, frozen=True, kw_only=True):
    """A place that is called off."""

    client_id: UUID
    cancelled_by: CancelledBy
    reason: str


@writing("/programmes/{programme_id:uuid}/sessions", act=Act.PLAN_SESSION, name="plan_session")
async def plan_session(
    programme_id: FromPath[UUID], data: JSONBody[SessionIn], work: TheWork, key: TheKey
) -> Response[SessionOut]:
    """Plan a session, with those who are expected; it may also be one that has taken place unplanned."""
    sessions, new = sessions_of(work), TherapySessionId(new_id())

    async def plan() -> Session:
        programme = await Programmes(work.connection).get(ProgrammeId(programme_id))
        rules, _ = await RulesOfSessions(work.connection).rules_of(programme.id)
        await domain.plan_session(
            Wanted(
                kind=data.kind,
                title=data.title,
                starts_at=data.starts_at,
                ends_at=data.ends_at,
                facilitators=tuple(StaffId(each) for each in data.facilitators) or (work.by.id,),
                capacity=data.capacity,
                place=data.place,
                link=data.link,
            ),
            [ClientId(each) for each in data.clients],
            as_id=new,
            programme=programme.id,
            rules=rules,
            clashes_agreed=data.clashes_agreed,
            by=work.by,
            now=work.now,
            sessions=sessions,
            journal=work.journal,
        )
        return await sessions.get(new, by=work.by, act=Act.PLAN_SESSION)

    async def again(kept: Kept) -> Session:
        return await sessions.get(TherapySessionId(kept.resource), by=work.by, act=Act.PLAN_SESSION)

    return await shown(work, await once(work, key, Kept(status=201, resource=new), do=plan, again=again), 201)


@reading("/programmes/{programme_id:uuid}/sessions", act=Act.SEE_SESSIONS, name="list_sessions")
async def list_sessions(
    programme_id: FromPath[UUID], work: TheWork, on: On = None, after: After = None, limit: Limit = USUAL
) -> Page[SessionLineOut]:
    """The sessions of a programme's day, in order, without names."""
    first, last = await day_of(work, ProgrammeId(programme_id), on, Act.SEE_SESSIONS)
    found = await sessions_of(work).of_programme(
        ProgrammeId(programme_id),
        first=first,
        last=last,
        after=None if after is None else TherapySessionId(after),
        limit=limit,
    )
    items = [SessionLineOut.of(each) for each in found]
    return Page(items=items, next=items[-1].id if len(items) == limit else None)


@reading("/sessions/{session_id:uuid}", act=Act.SEE_SESSIONS, name="read_session")
async def read_session(session_id: FromPath[UUID], work: TheWork) -> Response[SessionOut]:
    """One session with its roster and its register, as far as you may see them."""
    found = await sessions_of(work).get(TherapySessionId(session_id), by=work.by, act=Act.SEE_SESSIONS)
    return await shown(work, found, 200)


@writing("/sessions/{session_id:uuid}/bookings", act=Act.PLAN_SESSION, name="book_places")
async def book_places(
    session_id: FromPath[UUID], data: JSONBody[BookingIn], work: TheWork, key: TheKey
) -> Response[SessionOut]:
    """Put clients within your reach on the roster."""

    async def book(sessions: Sessions, session: Session) -> None:
        if not data.clients:
            raise Invalid(Fault("clients", "name at least one client"))
        clients = [ClientId(each) for each in data.clients]
        await domain.book(
            session,
            clients,
            by=work.by,
            now=work.now,
            sessions=sessions,
            journal=work.journal,
            others_agreed=data.others_agreed,
        )

    return await changed(work, key, session_id, book)


@writing("/sessions/{session_id:uuid}/cancellations", act=Act.PLAN_SESSION, name="cancel_place")
async def cancel_place(
    session_id: FromPath[UUID], data: JSONBody[PlaceCancellationIn], work: TheWork, key: TheKey
) -> Response[SessionOut]:
    """Call off one client's place before the register is taken, with who did and why."""

    async def cancel(sessions: Sessions, session: Session) -> None:
        await domain.cancel(
            session,
            ClientId(data.client_id),
            cancelled_by=data.cancelled_by,
            reason=data.reason,
            by=work.by,
            now=work.now,
            sessions=sessions,
            journal=work.journal,
        )

    return await changed(work, key, session_id, cancel)


async def day_of(work: Work, programme_id: ProgrammeId, on: date | None, act: Act) -> tuple[datetime, datetime]:
    """When a local day of a programme begins and ends, for whoever has a role there that allows the act."""
    programme = await Programmes(work.connection).get(programme_id)
    work.by.require(act, programme_id)
    day = programme.today(work.now) if on is None else on
    if not EARLIEST <= day <= LATEST:
        raise Invalid(Fault("on", f"must be from {EARLIEST} to {LATEST}"))
    return start_of_day(day, programme.zone), start_of_day(day + timedelta(days=1), programme.zone)
