"""Relatives who come to every session of a series: placed once, with a place of their own in each session that is still to come.

Each place lives for itself afterwards, as each session does: one is called off without the others, one moves with its session, and at
each session's door the consent is asked for anew. What a session cannot take is left out and said; asking again fills in what has
become possible since.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar

from caseload.domain.access import Act
from caseload.domain.attendance.lines import check_text
from caseload.domain.attendance.register import CancelledBy
from caseload.domain.attendance.relative import ComesAs, RelativeCancellation, RelativePlace
from caseload.domain.attendance.seating import (
    KNOWN_BY_SIGHT,
    InTheWay,
    NoSuchSeat,
    RelativeCalledOff,
    faults_of,
    in_the_way,
    place_of,
    require_let_in,
)
from caseload.domain.attendance.session import OthersNotAsked, Session
from caseload.domain.attendance.waiting import Waits, move_up
from caseload.domain.client import Client
from caseload.domain.errors import Conflict, Faults
from caseload.domain.family import RelatedPerson
from caseload.domain.ids import RelatedPersonId, RelativePlaceId, SeriesId, new_id
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff


class NothingToCome(Conflict):
    """No session of this series is still to come."""

    def __init__(self) -> None:
        super().__init__("Plan another series, or put them on the roster of a session that has taken place.")


class SeatedNowhere(Conflict):
    """No session of this series has a place for this person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RelativeSeatedInSeries(Event):
    """Somebody around a client was put on the rosters of a series."""

    name: ClassVar[str] = "series.relative_booked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Regular:
    """One session of a series, as far as one relative is concerned."""

    session: Session
    place: RelativePlace | None
    in_the_way: InTheWay | None
    """Why there is no place; None where there is."""


def regular(
    to_come: Sequence[Session], person: RelatedPerson, comes_as: ComesAs, *, others_agreed: bool
) -> Sequence[Regular]:
    """Where somebody is placed of the sessions to come, and why not elsewhere, as it stands now."""
    found: list[Regular] = []
    for session in to_come:
        place = next((each for each in session.relatives if each.person == person.id), None)
        way = None
        if place is None:
            way = in_the_way(session, person, comes_as, others_agreed=others_agreed) or InTheWay.NOTHING_ALLOWS
        found.append(Regular(session=session, place=place, in_the_way=way))
    return found


async def seat_in_series(
    series: SeriesId,
    to_come: Sequence[Session],
    person: RelatedPerson,
    comes_as: ComesAs,
    *,
    client: Client,
    by: Staff,
    now: datetime,
    sessions: Waits,
    journal: Journal,
    others_agreed: bool = False,
) -> Sequence[Session]:
    """Put somebody from a client's list on the rosters of all sessions to come, which are held, as far as each can take them.

    What `seat` asks for each is asked for each, for the moment at which it begins. Raises `NotPermitted`, `Invalid`, `NothingToCome`,
    `NothingLetsThemIn`, `OthersNotAsked` or `SeatedNowhere`; then nobody is seated anywhere.
    """
    if not to_come:
        raise NothingToCome
    by.require(Act.PLAN_SESSION, to_come[0].programme)
    faults_of(to_come[0], client).raise_if_any()
    ways = [in_the_way(session, person, comes_as, others_agreed=others_agreed) for session in to_come]
    free = [session for session, way in zip(to_come, ways, strict=True) if way is None]
    if not free and InTheWay.OTHERS_NOT_ASKED in ways:
        raise OthersNotAsked
    if not free:
        raise SeatedNowhere(
            "Read its sessions: they have a place there already, or each is full, or the client is not expected."
        )
    door = await sessions.door([client.id], of=free[0].programme)
    places = [place_of(person, comes_as, as_id=RelativePlaceId(new_id()), client=client, by=by, now=now) for _ in free]
    moments = [session.wanted.starts_at for session in free]
    answers = door.answers(places[0], KNOWN_BY_SIGHT, moments=moments, journal=journal)
    if not any(answer.allowed for answer in answers):
        require_let_in(door.for_whoever_leads(answers[0], at=now))
    seated: dict[object, Session] = {}
    for session, place, answer in zip(free, places, answers, strict=True):
        if answer.allowed:
            await sessions.add_relatives(session.id, [place])
            seated[session.id] = replace(session, relatives=(*session.relatives, place))
    facts: dict[str, str | int] = {"as": comes_as.value, "sessions": len(seated), "of": len(to_come)}
    facts["others_agreed"] = int(others_agreed)
    journal.tell(RelativeSeatedInSeries(client=client.id, records=(series, person.id), facts=facts))
    return [seated.get(session.id, session) for session in to_come]


async def call_off_in_series(
    series: SeriesId,
    to_come: Sequence[Session],
    person: RelatedPersonId,
    *,
    cancelled_by: CancelledBy,
    reason: str,
    by: Staff,
    now: datetime,
    sessions: Waits,
    journal: Journal,
) -> Sequence[Session]:
    """Call off every place of a relative in the sessions to come, which are held. Whoever waits longest moves up in each.

    Raises `NotPermitted`, `Invalid` or `NoSuchSeat`.
    """
    faults = Faults()
    faults.check(when=not reason.strip(), where="reason", problem="say why it was called off")
    check_text(faults, "reason", reason)
    faults.raise_if_any()
    theirs = {
        session.id: place
        for session in to_come
        for place in session.relatives
        if place.person == person and place.cancellation is None
    }
    if not theirs:
        raise NoSuchSeat
    by.require(Act.PLAN_SESSION, to_come[0].programme)
    cancellation = RelativeCancellation(by=cancelled_by, reason=reason, recorded_by=by.id, recorded_at=now)
    after: list[Session] = []
    for session in to_come:
        place = theirs.get(session.id)
        if place is None:
            after.append(session)
            continue
        await sessions.add_relative_cancellation(place.id, cancellation)
        await move_up(session.id, by=by, now=now, sessions=sessions, journal=journal)
        called_off = replace(place, cancellation=cancellation)
        after.append(
            replace(session, relatives=tuple(called_off if each.id == place.id else each for each in session.relatives))
        )
    facts: dict[str, str | int] = {"by": cancelled_by.value, "sessions": len(theirs)}
    client = next(iter(theirs.values())).client
    journal.tell(RelativeCalledOff(client=client, records=(series, person), facts=facts))
    return after
