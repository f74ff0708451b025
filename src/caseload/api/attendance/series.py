"""Series of sessions over HTTP: planned whole, and each session of one moved or called off by itself."""

from datetime import date, datetime, time, timedelta
from uuid import UUID

from litestar import Response
from litestar.params import FromPath, JSONBody

from caseload.api.attendance.shown import SessionLineOut, SessionOut, changed, sessions_of, shown
from caseload.api.checkin.terms import LocalTime
from caseload.api.route import reading, writing
from caseload.api.wire import Instant, Wire
from caseload.api.work import TheKey, TheWork
from caseload.db.attendance import Sessions
from caseload.db.attendance.rules import RulesOfSessions
from caseload.db.idempotency import Kept
from caseload.db.programme import Programmes
from caseload.domain import attendance as domain
from caseload.domain.access import Act
from caseload.domain.attendance import Session, SessionKind, Wanted
from caseload.domain.attendance.series import SeriesWanted
from caseload.domain.attendance.series import move_session as move
from caseload.domain.attendance.series import plan_series as plan
from caseload.domain.attendance.session import LONGEST
from caseload.domain.errors import Fault, Invalid
from caseload.domain.ids import ClientId, ProgrammeId, SeriesId, StaffId, TherapySessionId, new_id
from caseload.domain.schedule import Recurrence, Unit, Weekday, instant
from caseload.request.idempotency import once
from caseload.request.work import Work

LONGEST_MINUTES = LONGEST // timedelta(minutes=1)


class SeriesIn(Wire, frozen=True, kw_only=True):
    """A series, and who is expected at each session of it."""

    kind: SessionKind
    title: str
    every: int
    unit: Unit
    at: LocalTime
    """Local time of the programme; it stays when the clocks change."""
    starts_on: date
    ends_on: date
    """The last local day on which one may fall, two years after the first at most."""
    minutes: int
    weekday: Weekday | None = None
    month_day: int | None = None
    """29, 30 and 31 mean the last day of a month that is shorter."""
    facilitators: tuple[UUID, ...] = ()
    """Who leads it; you when left out."""
    capacity: int | None = None
    place: str | None = None
    link: str | None = None
    clients: tuple[UUID, ...] = ()
    clashes_agreed: bool = False


class SeriesOut(Wire, frozen=True, kw_only=True):
    """The sessions of a series in order, without anybody's name; one that was moved stands beside the one instead of it."""

    id: UUID
    items: list[SessionLineOut]


class MoveIn(Wire, frozen=True, kw_only=True):
    """When and where a session takes place instead; what is left out stays as it is."""

    starts_at: Instant
    ends_at: Instant
    reason: str
    facilitators: tuple[UUID, ...] = ()
    place: str | None = None
    link: str | None = None
    clashes_agreed: bool = False


class CallingOffIn(Wire, frozen=True, kw_only=True):
    """Why a session does not take place."""

    reason: str


@writing("/programmes/{programme_id:uuid}/session-series", act=Act.PLAN_SESSION, name="plan_series")
async def plan_series(programme_id: FromPath[UUID], data: JSONBody[SeriesIn], work: TheWork, key: TheKey) -> SeriesOut:
    """Plan a series: every session of it in one go, or none. Afterwards each lives for itself."""
    sessions, new = sessions_of(work), SeriesId(new_id())

    async def do() -> SeriesId:
        programme = await Programmes(work.connection).get(ProgrammeId(programme_id))
        rules, _ = await RulesOfSessions(work.connection).rules_of(programme.id)
        at = time.fromisoformat(data.at)
        rule = Recurrence(
            every=data.every,
            unit=data.unit,
            at=at,
            starts_on=data.starts_on,
            weekday=data.weekday,
            month_day=data.month_day,
            ends_on=data.ends_on,
        )
        if not 1 <= data.minutes <= LONGEST_MINUTES:
            raise Invalid(Fault("minutes", f"must be from 1 to {LONGEST_MINUTES}"))
        first = instant(datetime.combine(data.starts_on, at), programme.zone)
        each = Wanted(
            kind=data.kind,
            title=data.title,
            starts_at=first,
            ends_at=first + timedelta(minutes=data.minutes),
            facilitators=tuple(StaffId(each) for each in data.facilitators) or (work.by.id,),
            capacity=data.capacity,
            place=data.place,
            link=data.link,
        )
        clients = tuple(ClientId(each) for each in data.clients)
        await plan(
            SeriesWanted(each=each, rule=rule, clients=clients, clashes_agreed=data.clashes_agreed),
            as_id=new,
            programme=programme,
            rules=rules,
            by=work.by,
            now=work.now,
            sessions=sessions,
            journal=work.journal,
        )
        return new

    async def again(kept: Kept) -> SeriesId:
        return SeriesId(kept.resource)

    made = await once(work, key, Kept(status=201, resource=new), do=do, again=again)
    return await _series(work, made, Act.PLAN_SESSION)


@reading("/session-series/{series_id:uuid}", act=Act.SEE_SESSIONS, name="read_series")
async def read_series(series_id: FromPath[UUID], work: TheWork) -> SeriesOut:
    """The sessions of a series in order, without anybody's name."""
    return await _series(work, SeriesId(series_id), Act.SEE_SESSIONS)


@writing("/sessions/{session_id:uuid}/move", act=Act.PLAN_SESSION, name="move_session")
async def move_session(
    session_id: FromPath[UUID], data: JSONBody[MoveIn], work: TheWork, key: TheKey
) -> Response[SessionOut]:
    """Let another session take place instead, with everybody who is expected or waits; no other is touched."""
    sessions, new = sessions_of(work), TherapySessionId(new_id())

    async def do() -> Session:
        session = await sessions.hold(TherapySessionId(session_id), by=work.by, act=Act.PLAN_SESSION)
        rules, _ = await RulesOfSessions(work.connection).rules_of(session.programme)
        await move(
            session,
            session.wanted.moved(
                starts_at=data.starts_at,
                ends_at=data.ends_at,
                facilitators=tuple(StaffId(each) for each in data.facilitators),
                place=data.place,
                link=data.link,
            ),
            data.reason,
            as_id=new,
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

    return await shown(work, await once(work, key, Kept(status=201, resource=new), do=do, again=again), 201)


@writing("/sessions/{session_id:uuid}/calling-off", act=Act.TAKE_REGISTER, name="call_off_session")
async def call_off_session(
    session_id: FromPath[UUID], data: JSONBody[CallingOffIn], work: TheWork, key: TheKey
) -> Response[SessionOut]:
    """Call off a whole session as its provider: its register says so of everybody, and it counts against nobody."""

    async def do(sessions: Sessions, session: Session) -> None:
        await domain.call_off(session, data.reason, by=work.by, now=work.now, sessions=sessions, journal=work.journal)

    return await changed(work, key, session_id, do, act=Act.TAKE_REGISTER, version=1)


async def _series(work: Work, series: SeriesId, act: Act) -> SeriesOut:
    found = await sessions_of(work).of_series(series, by=work.by, act=act)
    return SeriesOut(id=series, items=[SessionLineOut.of(each) for each in found])
