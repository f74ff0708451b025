"""Appointments as the front desk sees them: who is expected on a day, and who has arrived. Nothing clinical.

An appointment is a client's place in a session or a check-in in person. The desk learns who, when and with whom; not
what for.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Protocol
from uuid import UUID

from caseload.domain.access import Act
from caseload.domain.errors import Conflict, Faults, NotFound
from caseload.domain.ids import ClientId, ProgrammeId, StaffId
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff

AROUND = timedelta(hours=12)
"""How far from an appointment somebody can arrive for it."""


class Occasion(StrEnum):
    """Where an appointment stands in the record. Never shown at the desk."""

    SESSION = "session"
    CHECK_IN = "check_in"


class AppointmentUnknown(NotFound):
    """No such appointment within your reach."""


class AlreadyArrived(Conflict):
    """The client's arrival has already been recorded."""


class NotArrived(Conflict):
    """No arrival has been recorded for this appointment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Appointment:
    """One client expected at one time."""

    id: UUID
    """Of the session or of the check-in."""
    occasion: Occasion
    client: ClientId
    programme: ProgrammeId
    given_name: str
    family_name: str
    birth_date: date
    starts_at: datetime
    with_whom: tuple[str, ...]
    """The printed names of whoever expects them."""
    arrived_at: datetime | None
    arrival_version: int
    """Of what has been said of the arrival; 0 where nothing has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """That a client arrived, or (without a time) that the version before was a mistake."""

    appointment: UUID
    occasion: Occasion
    client: ClientId
    version: int
    arrived_at: datetime | None
    recorded_by: StaffId
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientArrived(Event):
    """A client arrived for an appointment."""

    name: ClassVar[str] = "appointment.arrived"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrivalTakenBack(Event):
    """An arrival that had been recorded was taken back."""

    name: ClassVar[str] = "appointment.arrival_taken_back"


class Arrivals(Protocol):
    """The arrivals that are kept."""

    async def add(self, arrival: Arrival, /) -> None:
        """Keep it; `AlreadyArrived` when that version exists."""
        ...


async def arrive(
    appointment: Appointment, *, arrived_at: datetime, by: Staff, now: datetime, arrivals: Arrivals, journal: Journal
) -> Arrival:
    """Record that a client arrived. Raises `NotPermitted`, `Invalid`, or `AlreadyArrived` saying when."""
    by.require(Act.RECORD_ARRIVAL, appointment.programme)
    if appointment.arrived_at is not None:
        raise AlreadyArrived(
            "Take it back first if it was somebody else.", arrived_at=appointment.arrived_at.isoformat()
        )
    faults = Faults()
    faults.check(when=arrived_at > now, where="arrived_at", problem="must not lie in the future")
    faults.check(
        when=abs(appointment.starts_at - arrived_at) > AROUND,
        where="arrived_at",
        problem="must lie within 12 hours of the appointment",
    )
    faults.raise_if_any()
    arrival = _next(appointment, arrived_at=arrived_at, by=by, now=now)
    await arrivals.add(arrival)
    journal.tell(ClientArrived(client=appointment.client, records=(appointment.id,)))
    return arrival


async def take_back(
    appointment: Appointment, *, by: Staff, now: datetime, arrivals: Arrivals, journal: Journal
) -> Arrival:
    """Take back an arrival that was recorded by mistake; that it was stays readable. Raises `NotArrived`."""
    by.require(Act.RECORD_ARRIVAL, appointment.programme)
    if appointment.arrived_at is None:
        raise NotArrived("Look at the list of the day again.")
    arrival = _next(appointment, arrived_at=None, by=by, now=now)
    await arrivals.add(arrival)
    journal.tell(ArrivalTakenBack(client=appointment.client, records=(appointment.id,)))
    return arrival


def _next(appointment: Appointment, *, arrived_at: datetime | None, by: Staff, now: datetime) -> Arrival:
    return Arrival(
        appointment=appointment.id,
        occasion=appointment.occasion,
        client=appointment.client,
        version=appointment.arrival_version + 1,
        arrived_at=arrived_at,
        recorded_by=by.id,
        recorded_at=now,
    )
