"""From rows to the domain's words and back, for every statement about sessions."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Row

from caseload.domain.attendance import (
    Booking,
    Cancellation,
    CancelledBy,
    ComesAs,
    Line,
    Register,
    RelativeCancellation,
    RelativeLine,
    RelativePlace,
    Session,
    SessionKind,
    Status,
    Wanted,
)
from caseload.domain.consent import CheckMethod, IdentityCheck
from caseload.domain.ids import (
    ClientId,
    ConsentId,
    ProgrammeId,
    RelatedPersonId,
    RelativePlaceId,
    SeriesId,
    StaffId,
    TherapySessionId,
    new_id,
)


def session_of(
    row: Row[*tuple[Any, ...]],
    facilitators: Iterable[StaffId],
    roster: Iterable[Booking],
    register: Register | None,
    waiting: Iterable[ClientId],
    relatives: Iterable[RelativePlace],
) -> Session:
    """The session of this row, with what belongs to it."""
    return Session(
        id=TherapySessionId(row.id),
        programme=ProgrammeId(row.programme_id),
        wanted=Wanted(
            kind=SessionKind(row.kind),
            title=row.title,
            starts_at=row.starts_at,
            ends_at=row.ends_at,
            facilitators=tuple(facilitators),
            capacity=row.capacity,
            place=row.place,
            link=row.link,
        ),
        planned_by=StaffId(row.planned_by),
        planned_at=row.planned_at,
        roster=tuple(roster),
        register=register,
        waiting=tuple(waiting),
        relatives=tuple(relatives),
        series=None if row.series_id is None else SeriesId(row.series_id),
        series_on=row.series_on,
        moved_to=None if row.to_session_id is None else TherapySessionId(row.to_session_id),
    )


def booking_of(row: Row[*tuple[Any, ...]]) -> Booking:
    """The place on a roster of this row, and whether it was called off."""
    return Booking(
        client=ClientId(row.client_id),
        booked_by=StaffId(row.booked_by),
        booked_at=row.booked_at,
        cancellation=None
        if row.cancelled_by is None
        else Cancellation(
            client=ClientId(row.client_id),
            by=CancelledBy(row.cancelled_by),
            reason=row.reason,
            recorded_by=StaffId(row.recorded_by),
            recorded_at=row.recorded_at,
        ),
    )


def register_of(row: Row[*tuple[Any, ...]], lines: Iterable[Line], relatives: Iterable[RelativeLine]) -> Register:
    """The version of a register of this row, with its lines."""
    return Register(
        session=TherapySessionId(row.session_id),
        version=row.version,
        started_at=row.started_at,
        ended_at=row.ended_at,
        lines=tuple(lines),
        note=row.note,
        reason=row.reason,
        taken_by=StaffId(row.taken_by),
        taken_at=row.taken_at,
        relatives=tuple(relatives),
    )


def line_of(row: Row[*tuple[Any, ...]]) -> Line:
    """The line of a register of this row."""
    return Line(
        client=ClientId(row.client_id),
        status=Status(row.status),
        late_minutes=row.late_minutes,
        left_early_minutes=row.left_early_minutes,
        walk_in=row.walk_in,
        note=row.note,
    )


def line_values(register: Register) -> Iterable[dict[str, Any]]:
    """The columns of a register's lines."""
    for number, line in enumerate(register.lines):
        yield {
            "session_id": register.session,
            "version": register.version,
            "client_id": line.client,
            "number": number,
            "status": line.status,
            "late_minutes": line.late_minutes,
            "left_early_minutes": line.left_early_minutes,
            "minutes": register.minutes(line),
            "walk_in": line.walk_in,
            "note": line.note,
        }


def relative_place_of(row: Row[*tuple[Any, ...]]) -> RelativePlace:
    """The place of a relative of this row, and whether it was called off."""
    return RelativePlace(
        id=RelativePlaceId(row.id),
        client=ClientId(row.client_id),
        person=RelatedPersonId(row.person_id),
        name=row.name,
        comes_as=ComesAs(row.comes_as),
        booked_by=StaffId(row.booked_by),
        booked_at=row.booked_at,
        cancellation=None
        if row.cancelled_by is None
        else RelativeCancellation(
            by=CancelledBy(row.cancelled_by),
            reason=row.reason,
            recorded_by=StaffId(row.recorded_by),
            recorded_at=row.recorded_at,
        ),
    )


def relative_line_of(row: Row[*tuple[Any, ...]]) -> RelativeLine:
    """The line of a relative of this row."""
    return RelativeLine(
        place=RelativePlaceId(row.place_id),
        status=Status(row.status),
        late_minutes=row.late_minutes,
        left_early_minutes=row.left_early_minutes,
        check=None
        if row.check_method is None
        else IdentityCheck(method=CheckMethod(row.check_method), detail=row.check_detail),
        in_spite_because=row.in_spite_because,
        note=row.note,
        consent=None if row.consent_id is None else ConsentId(row.consent_id),
    )


def relative_line_values(
    register: Register, places: Mapping[RelativePlaceId, RelativePlace]
) -> Iterable[dict[str, Any]]:
    """The columns of a register's lines of relatives."""
    for number, line in enumerate(register.relatives):
        place, check = places[line.place], line.check
        yield {
            "session_id": register.session,
            "version": register.version,
            "place_id": line.place,
            "client_id": place.client,
            "comes_as": place.comes_as,
            "number": number,
            "status": line.status,
            "late_minutes": line.late_minutes,
            "left_early_minutes": line.left_early_minutes,
            "minutes": register.minutes(line),
            "check_method": None if check is None else check.method,
            "check_detail": None if check is None else check.detail,
            "consent_id": line.consent,
            "in_spite_because": line.in_spite_because,
            "note": line.note,
            "told_id": new_id() if place.comes_as is ComesAs.WITH_CLIENT and register.minutes(line) else None,
        }
