"""A session as somebody sees it: its times, its roster, who waits, its register."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

from litestar import Response

from caseload.api.attendance.wire import RegisterOut
from caseload.api.wire import Wire
from caseload.api.work import etag
from caseload.db.attendance import Name, Sessions
from caseload.db.idempotency import Kept
from caseload.db.window import WindowRecords
from caseload.domain.access import Act
from caseload.domain.attendance import Booking, CancelledBy, ComesAs, RelativePlace, Session, SessionKind
from caseload.domain.attendance.clash import ClientClash
from caseload.domain.ids import ClientId, RelativePlaceId, TherapySessionId
from caseload.domain.note import named_in
from caseload.domain.window import Message, Place
from caseload.request.idempotency import RequestKey, once
from caseload.request.work import Work


class PlaceOut(Wire, frozen=True, kw_only=True):
    """One client's place on the roster."""

    client_id: UUID
    given_name: str
    family_name: str
    booked_at: datetime
    cancelled_by: CancelledBy | None
    cancellation_reason: str | None

    @classmethod
    def of(cls, booking: Booking, name: Name) -> "PlaceOut":
        """From the domain."""
        cancellation = booking.cancellation
        return cls(
            client_id=booking.client,
            given_name=name.given_name,
            family_name=name.family_name,
            booked_at=booking.booked_at,
            cancelled_by=None if cancellation is None else cancellation.by,
            cancellation_reason=None if cancellation is None else cancellation.reason,
        )


class RelativePlaceOut(Wire, frozen=True, kw_only=True):
    """A relative's place on the roster."""

    id: UUID
    name: str
    comes_as: ComesAs
    client_id: UUID | None
    """With whom they come; of whoever comes in their own right it stays unsaid whose relative they are."""
    booked_at: datetime
    cancelled_by: CancelledBy | None
    """Who called it off, or the place of the client with whom they come."""
    cancellation_reason: str | None

    @classmethod
    def of(cls, place: RelativePlace, session: Session) -> "RelativePlaceOut":
        """From the domain."""
        return cls(
            id=place.id,
            name=place.name,
            comes_as=place.comes_as,
            client_id=place.client if place.comes_as is ComesAs.WITH_CLIENT else None,
            booked_at=place.booked_at,
            cancelled_by=session.called_off_by(place),
            cancellation_reason=None if place.cancellation is None else place.cancellation.reason,
        )


class WaitingPlaceOut(Wire, frozen=True, kw_only=True):
    """Somebody who waits for a place."""

    client_id: UUID
    given_name: str
    family_name: str


class ClientClashOut(Wire, frozen=True, kw_only=True):
    """Somebody who is expected at another session at the same time."""

    client_id: UUID
    session_id: UUID
    starts_at: datetime
    ends_at: datetime


class SessionLineOut(Wire, frozen=True, kw_only=True):
    """A session on the list of a day, without anybody's name."""

    id: UUID
    programme_id: UUID
    kind: SessionKind
    title: str
    starts_at: datetime
    ends_at: datetime
    facilitators: list[UUID]
    place: str | None
    link: str | None
    series_id: UUID | None
    series_on: date | None
    """Which day of its series it stands for."""
    moved_to: UUID | None
    """The session that takes place instead of it."""
    capacity: int | None
    expected: int
    """How many clients' places have not been called off."""
    relatives_expected: int
    """How many relatives' places have not; they take places of the capacity, too."""
    register_version: int
    """0 where no register has been taken."""

    @classmethod
    def of(cls, session: Session) -> "SessionLineOut":
        """From the domain."""
        wanted = session.wanted
        return cls(
            id=session.id,
            programme_id=session.programme,
            kind=wanted.kind,
            title=wanted.title,
            starts_at=wanted.starts_at,
            ends_at=wanted.ends_at,
            facilitators=list(wanted.facilitators),
            place=wanted.place,
            link=wanted.link,
            series_id=session.series,
            series_on=session.series_on,
            moved_to=session.moved_to,
            capacity=wanted.capacity,
            expected=len(session.expected),
            relatives_expected=len(session.relatives_expected),
            register_version=session.register.version if session.register else 0,
        )


class GroupMessageOut(Wire, frozen=True, kw_only=True):
    """What whoever leads the session should know of somebody who is expected."""

    id: UUID
    client_id: UUID
    text: str
    left_by: str
    """The printed name."""
    left_at: datetime


class SessionOut(Wire, frozen=True, kw_only=True):
    """A session with those of its roster and register whom you may see."""

    session: SessionLineOut
    roster: list[PlaceOut]
    relatives: list[RelativePlaceOut]
    waiting: list[WaitingPlaceOut]
    """In the order in which places come free for them."""
    clashes: list[ClientClashOut]
    """Of a session that is to be held: who is expected elsewhere at the same time. A warning."""
    register: RegisterOut | None
    messages: list[GroupMessageOut]
    """Until somebody has seen to them: of a session that is to be held, about those who are expected."""
    note_names: list[UUID]
    """Whom of the group the common note of the register seems to name: it should name nobody, so correct it."""
    note_relatives: list[UUID]
    """Whose place of the relatives the common note seems to name: correct it, too."""


def sessions_of(work: Work) -> Sessions:
    """The sessions, in this piece of work."""
    return Sessions(work.connection, work.journal, now=work.now)


async def changed(
    work: Work,
    key: RequestKey | None,
    wanted: UUID,
    do: Callable[[Sessions, Session], Awaitable[object]],
    *,
    act: Act = Act.PLAN_SESSION,
    version: int | None = None,
) -> Response[SessionOut]:
    """Hold a session, change it once, and show it as it stands then; a retry is shown it as it stands by now."""
    sessions, session = sessions_of(work), TherapySessionId(wanted)

    async def change() -> Session:
        await do(sessions, await sessions.hold(session, by=work.by, act=act))
        return await sessions.get(session, by=work.by, act=act)

    async def again(kept: Kept) -> Session:
        return await sessions.get(TherapySessionId(kept.resource), by=work.by, act=act)

    made = Kept(status=201, resource=session, version=version)
    return await shown(work, await once(work, key, made, do=change, again=again), 201)


async def shown(work: Work, session: Session, status: int) -> Response[SessionOut]:
    """The session as this person may see it."""
    names = await sessions_of(work).names(session, by=work.by, act=Act.SEE_SESSIONS)
    beside = await sessions_of(work).relatives(session, by=work.by, act=Act.SEE_SESSIONS)
    held = session.register is not None or session.wanted.ends_at <= work.now
    elsewhere: Sequence[ClientClash] = [] if held else await sessions_of(work).elsewhere(session)
    told: Sequence[Message] = []
    if not held:
        told = await WindowRecords(work.connection, work.journal).messages_at(Place.GROUP, list(names))
    out = SessionOut(
        session=SessionLineOut.of(session),
        roster=[PlaceOut.of(each, names[each.client]) for each in session.roster if each.client in names],
        relatives=[RelativePlaceOut.of(each, session) for each in beside.values()],
        waiting=[
            WaitingPlaceOut(client_id=each, given_name=names[each].given_name, family_name=names[each].family_name)
            for each in session.waiting
            if each in names
        ],
        clashes=[
            ClientClashOut(
                client_id=each.client, session_id=each.session, starts_at=each.starts_at, ends_at=each.ends_at
            )
            for each in elsewhere
            if each.client in names
        ],
        register=None if session.register is None else RegisterOut.of(session.register, only=names, beside=beside),
        messages=[
            GroupMessageOut(
                id=each.id, client_id=each.client, text=each.text, left_by=each.printed_name, left_at=each.left_at
            )
            for each in told
        ],
        note_names=_named(session, names),
        note_relatives=_relatives_named(session, beside),
    )
    return Response(out, status_code=status, headers={"ETag": etag(out.session.register_version)})


def _named(session: Session, names: Mapping[ClientId, Name]) -> list[UUID]:
    """Whom the common note of its register names, of those who are shown."""
    if session.register is None or session.register.note is None:
        return []
    called = {client: (name.given_name, name.family_name) for client, name in names.items()}
    return sorted(named_in(session.register.note, called))


def _relatives_named(session: Session, beside: Mapping[RelativePlaceId, RelativePlace]) -> list[UUID]:
    """Which relatives the common note of its register names, of those who are shown."""
    if session.register is None or session.register.note is None:
        return []
    return sorted(named_in(session.register.note, {place.id: (place.name,) for place in beside.values()}))
