"""Relatives who come to every session of a series over HTTP: placed once, and called off once."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from uuid import UUID

from litestar.params import FromPath, JSONBody

from caseload.api.attendance.relatives import RelativeIn
from caseload.api.attendance.shown import sessions_of
from caseload.api.route import writing
from caseload.api.wire import Wire
from caseload.api.work import TheKey, TheWork, client_within
from caseload.db.family import Families
from caseload.db.idempotency import Kept
from caseload.domain.access import Act
from caseload.domain.attendance import CancelledBy, ComesAs, Session
from caseload.domain.attendance.regulars import Regular, call_off_in_series, regular, seat_in_series
from caseload.domain.attendance.seating import InTheWay
from caseload.domain.client import Client
from caseload.domain.family import RelatedPerson
from caseload.domain.ids import RelatedPersonId, SeriesId
from caseload.request.idempotency import RequestKey, once
from caseload.request.work import Work


class RelativeOffSeriesIn(Wire, frozen=True, kw_only=True):
    """A relative who comes to a series no more."""

    client_id: UUID
    """On whose list they are."""
    person_id: UUID
    cancelled_by: CancelledBy
    """`client` also where the relative did."""
    reason: str


class RegularOut(Wire, frozen=True, kw_only=True):
    """One session of the series that is still to come, as far as the relative is concerned."""

    session_id: UUID
    starts_at: datetime
    place_id: UUID | None
    cancelled_by: CancelledBy | None
    """Who called the place off, where there was one."""
    in_the_way: InTheWay | None
    """Why there is no place. Ask again when that has changed: what has become possible is filled in."""

    @classmethod
    def of(cls, each: Regular) -> "RegularOut":
        """From the domain."""
        place = each.place
        return cls(
            session_id=each.session.id,
            starts_at=each.session.wanted.starts_at,
            place_id=None if place is None else place.id,
            cancelled_by=None if place is None else each.session.called_off_by(place),
            in_the_way=each.in_the_way,
        )


class RegularsOut(Wire, frozen=True, kw_only=True):
    """The sessions of a series that are still to come, in order."""

    series_id: UUID
    items: list[RegularOut]


Change = Callable[[Sequence[Session], RelatedPerson, Client], Awaitable[Sequence[Session]]]


@writing("/session-series/{series_id:uuid}/relatives", act=Act.PLAN_SESSION, name="seat_relative_in_series")
async def seat_relative_in_series(
    series_id: FromPath[UUID], data: JSONBody[RelativeIn], work: TheWork, key: TheKey
) -> RegularsOut:
    """Put somebody from a client's list on the roster of every session to come that can take them; the answer says which cannot.

    Each session's door asks for the consent anew, and each place can be called off by itself.
    """

    async def do(to_come: Sequence[Session], person: RelatedPerson, client: Client) -> Sequence[Session]:
        return await seat_in_series(
            SeriesId(series_id),
            to_come,
            person,
            data.comes_as,
            client=client,
            by=work.by,
            now=work.now,
            sessions=sessions_of(work),
            journal=work.journal,
            others_agreed=data.others_agreed,
        )

    def of(to_come: Sequence[Session], person: RelatedPerson) -> Sequence[Regular]:
        return regular(to_come, person, data.comes_as, others_agreed=data.others_agreed)

    return await _changed(work, key, SeriesId(series_id), data.client_id, data.person_id, do, of)


@writing(
    "/session-series/{series_id:uuid}/relatives/cancellation",
    act=Act.PLAN_SESSION,
    name="call_off_relative_in_series",
)
async def call_off_relative_in_series(
    series_id: FromPath[UUID], data: JSONBody[RelativeOffSeriesIn], work: TheWork, key: TheKey
) -> RegularsOut:
    """Call off every place of a relative in the sessions of a series that are still to come, with who did and why."""

    async def do(to_come: Sequence[Session], person: RelatedPerson, _: Client) -> Sequence[Session]:
        return await call_off_in_series(
            SeriesId(series_id),
            to_come,
            person.id,
            cancelled_by=data.cancelled_by,
            reason=data.reason,
            by=work.by,
            now=work.now,
            sessions=sessions_of(work),
            journal=work.journal,
        )

    def of(to_come: Sequence[Session], person: RelatedPerson) -> Sequence[Regular]:
        found = regular(to_come, person, ComesAs.IN_OWN_RIGHT, others_agreed=True)
        return [each for each in found if each.place is not None]

    return await _changed(work, key, SeriesId(series_id), data.client_id, data.person_id, do, of)


async def _changed(
    work: Work,
    key: RequestKey | None,
    series: SeriesId,
    client_id: UUID,
    person_id: UUID,
    do: Change,
    of: Callable[[Sequence[Session], RelatedPerson], Sequence[Regular]],
) -> RegularsOut:
    """Change it once, and show it as it stands; a retry is shown it as it stands by then."""
    sessions = sessions_of(work)

    async def theirs() -> tuple[Sequence[Session], RelatedPerson, Client]:
        to_come = await sessions.hold_to_come(series, by=work.by, act=Act.PLAN_SESSION)
        client = await client_within(work, client_id, Act.SEE_FAMILY)
        person = await Families(work.connection, work.journal).get(RelatedPersonId(person_id), client=client.id)
        return to_come, person, client

    async def change() -> Sequence[Regular]:
        to_come, person, client = await theirs()
        return of(await do(to_come, person, client), person)

    async def again(_: Kept) -> Sequence[Regular]:
        to_come, person, _client = await theirs()
        return of(to_come, person)

    found = await once(work, key, Kept(status=201, resource=series), do=change, again=again)
    return RegularsOut(series_id=series, items=[RegularOut.of(each) for each in found])
