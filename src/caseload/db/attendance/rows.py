"""From rows to the domain's words and back, for every statement about sessions."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Row

from caseload.domain.attendance import (
    Booking,
    Cancellation,
    CancelledBy,
    Line,
    Register,
    Session,
    SessionKind,
    Status,
    Wanted,
)
from caseload.domain.ids import ClientId, ProgrammeId, SeriesId, StaffId, TherapySessionId


def session_of(
    row: Row[*tuple[Any, ...]],
    facilitators: Iterable[StaffId],
    roster: Iterable[Booking],
    register: Register | None,
    waiting: Iterable[ClientId],
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


def register_of(row: Row[*tuple[Any, ...]], lines: Iterable[Line]) -> Register:
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
