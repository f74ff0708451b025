"""Places for relatives in sessions of family and of education, and who of them may come in."""

from collections.abc import Container
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Final

from caseload.domain.access import Act
from caseload.domain.attendance.door import Door
from caseload.domain.attendance.lines import check_text
from caseload.domain.attendance.planning import SessionFull, require_open
from caseload.domain.attendance.register import CancelledBy
from caseload.domain.attendance.relative import ComesAs, RelativeCancellation, RelativePlace
from caseload.domain.attendance.session import (
    FOR_RELATIVES,
    AlreadyOnRoster,
    OthersNotAsked,
    RelativeComesAlone,
    Session,
    sees_everybody,
)
from caseload.domain.attendance.waiting import Waits, move_up
from caseload.domain.client import Client
from caseload.domain.consent import Answer, CheckMethod, IdentityCheck, check_asker
from caseload.domain.errors import Conflict, Faults, NotFound
from caseload.domain.family import RelatedPerson
from caseload.domain.ids import RelativePlaceId
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff

KNOWN_BY_SIGHT: Final = IdentityCheck(method=CheckMethod.IN_PERSON)
"""Whoever plans makes sure of nobody: that they will be known by sight is taken for granted until they stand there."""


class NothingLetsThemIn(Conflict):
    """Nothing allows this person to sit in the session with the client."""


class NoSuchSeat(NotFound):
    """No such relative is expected at the session."""

    def __init__(self) -> None:
        super().__init__("Read the session again for the relatives who are expected.")


class InTheWay(StrEnum):
    """Why a relative has no place in a session."""

    CLIENT_NOT_EXPECTED = "client_not_expected"
    """With whom they would come."""
    PLACED_BEFORE = "placed_before"
    """A place that was called off stays so."""
    CLIENT_EXPECTED = "client_expected"
    """Whom they would meet, coming in their own right."""
    FULL = "full"
    OTHERS_NOT_ASKED = "others_not_asked"
    """Other clients are expected or wait there, and nobody has said that they agree to be met."""
    NOTHING_ALLOWS = "nothing_allows"
    """No consent of the client's covers that session: one that has ended by then, or none."""


class RelativeSeated(Event):
    """Somebody around a client was put on the roster of a session."""

    name: ClassVar[str] = "session.relative_booked"


class RelativeCalledOff(Event):
    """A relative's place in a session was called off."""

    name: ClassVar[str] = "session.relative_cancelled"


async def seat(
    session: Session,
    person: RelatedPerson,
    comes_as: ComesAs,
    *,
    as_id: RelativePlaceId,
    client: Client,
    by: Staff,
    now: datetime,
    sessions: Waits,
    journal: Journal,
    others_agreed: bool = False,
) -> Session:
    """Put somebody from a client's list on the roster of a session that is held.

    With the client only beside them, and only by a consent that will be in force when it begins: who they are is made
    sure of at the door. In their own right only where the client is not expected. Raises `NotPermitted`, `Invalid`,
    `RosterClosed`, `SessionMoved`, `AlreadyOnRoster`, `RelativeComesAlone`, `NothingLetsThemIn`, `SessionFull`
    or `OthersNotAsked`: whom else they would see there has agreed to it.
    """
    by.require(Act.PLAN_SESSION, session.programme)
    require_open(session)
    way = in_the_way(session, person, comes_as, others_agreed=others_agreed)
    faults = faults_of(session, client)
    faults.check(
        when=way is InTheWay.CLIENT_NOT_EXPECTED,
        where="client_id",
        problem="is not expected at the session: put the client on its roster first",
    )
    faults.raise_if_any()
    _require_free(way)
    place = place_of(person, comes_as, as_id=as_id, client=client, by=by, now=now)
    door = await sessions.door([client.id], of=session.programme)
    answer = door.answer(place, KNOWN_BY_SIGHT, at=session.wanted.starts_at, journal=journal)
    require_let_in(door.for_whoever_leads(answer, at=now))
    await sessions.add_relatives(session.id, [place])
    facts: dict[str, str | int] = {"as": comes_as.value, "others_agreed": int(others_agreed)}
    journal.tell(RelativeSeated(client=client.id, records=(session.id, place.id), facts=facts))
    return replace(session, relatives=(*session.relatives, place))


def in_the_way(session: Session, person: RelatedPerson, comes_as: ComesAs, *, others_agreed: bool) -> InTheWay | None:
    """What keeps somebody from a place there, besides what the client has consented to; None where nothing does."""
    together, client = comes_as is ComesAs.WITH_CLIENT, person.client
    if together and client not in session.expected:
        return InTheWay.CLIENT_NOT_EXPECTED
    if any(place.person == person.id for place in session.relatives):
        return InTheWay.PLACED_BEFORE
    if not together and client in session.expected.union(session.waiting):
        return InTheWay.CLIENT_EXPECTED
    if session.heads >= session.wanted.places:
        return InTheWay.FULL
    others = session.expected.union(session.waiting) - {client}
    return InTheWay.OTHERS_NOT_ASKED if others and not others_agreed else None


def faults_of(session: Session, client: Client) -> Faults:
    """What is wrong with seating anybody around this client there."""
    faults = Faults()
    faults.check(
        when=session.wanted.kind not in FOR_RELATIVES,
        where="session_id",
        problem="relatives come to sessions of family and of education only",
    )
    faults.check(
        when=client.programme != session.programme, where="client_id", problem="is in the care of another programme"
    )
    return faults


def place_of(
    person: RelatedPerson, comes_as: ComesAs, *, as_id: RelativePlaceId, client: Client, by: Staff, now: datetime
) -> RelativePlace:
    """A new place of theirs."""
    return RelativePlace(
        id=as_id,
        client=client.id,
        person=person.id,
        name=person.details.name,
        comes_as=comes_as,
        booked_by=by.id,
        booked_at=now,
    )


def _require_free(way: InTheWay | None) -> None:
    if way is InTheWay.PLACED_BEFORE:
        raise AlreadyOnRoster("Nothing needs to be done; a place that was called off stays so.")
    if way is InTheWay.CLIENT_EXPECTED:
        raise RelativeComesAlone
    if way is InTheWay.FULL:
        raise SessionFull("Plan another, or ask who can come elsewhere.")
    if way is InTheWay.OTHERS_NOT_ASKED:
        raise OthersNotAsked


def require_let_in(answer: Answer) -> None:
    """Raise `NothingLetsThemIn` unless the answer allows it. Why not is for those to read who see the consents."""
    if not answer.allowed:
        raise NothingLetsThemIn(
            "Ask the client whether they may sit in sessions together, and record the consent (`joint_sessions`).",
            rule=answer.rule,
            rules_version=answer.rules_version,
        )


async def call_off_seat(
    session: Session,
    place: RelativePlaceId,
    *,
    cancelled_by: CancelledBy,
    reason: str,
    by: Staff,
    now: datetime,
    sessions: Waits,
    journal: Journal,
) -> Session:
    """Call off a relative's place before the register is taken. Whoever waits longest moves up.

    Raises `NotPermitted`, `Invalid`, `RosterClosed`, `SessionMoved` or `NoSuchSeat`.
    """
    by.require(Act.PLAN_SESSION, session.programme)
    faults = Faults()
    faults.check(when=not reason.strip(), where="reason", problem="say why it was called off")
    check_text(faults, "reason", reason)
    faults.raise_if_any()
    require_open(session)
    theirs = seat_of(session, place)
    if theirs.cancellation is not None:
        raise NoSuchSeat
    cancellation = RelativeCancellation(by=cancelled_by, reason=reason, recorded_by=by.id, recorded_at=now)
    await sessions.add_relative_cancellation(place, cancellation)
    journal.tell(RelativeCalledOff(client=theirs.client, records=(session.id, place), facts={"by": cancelled_by.value}))
    await move_up(session.id, by=by, now=now, sessions=sessions, journal=journal)
    called_off = replace(theirs, cancellation=cancellation)
    return replace(session, relatives=tuple(called_off if each.id == place else each for each in session.relatives))


def ask_at_the_door(
    session: Session,
    place: RelativePlace,
    check: IdentityCheck | None,
    *,
    door: Door,
    by: Staff,
    now: datetime,
    journal: Journal,
) -> Answer:
    """Whether a relative may come in now, as whoever takes the register may read it.

    Why not (a safety warning, what was agreed with the client, what has ended) is for those who see the client's consents. Raises `NotPermitted`, `Invalid`
    or `NoSuchSeat`.
    """
    by.require(Act.TAKE_REGISTER, session.programme)
    if not sees_everybody(session, by=by, act=Act.TAKE_REGISTER):
        raise NoSuchSeat
    faults = Faults()
    check_asker(check, place.asker, {person.id: person for person in door.around[place.client]}, faults)
    faults.raise_if_any()
    return door.for_whoever_leads(door.answer(place, check, at=now, journal=journal), at=now)


def seat_of(
    session: Session, wanted: RelativePlaceId, *, among: Container[RelativePlaceId] | None = None
) -> RelativePlace:
    """A relative's place in this session, where somebody is shown these only among them; or `NoSuchSeat`."""
    found = next((place for place in session.relatives if place.id == wanted), None)
    if found is None or (among is not None and wanted not in among):
        raise NoSuchSeat
    return found
