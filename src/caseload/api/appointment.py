"""The front desk over HTTP: who is expected today, and who has arrived. Identity and times, nothing clinical."""

from datetime import date, datetime
from uuid import UUID

from litestar import Response, Router
from litestar.params import FromPath, JSONBody

from caseload.api.attendance.sessions import On, day_of
from caseload.api.route import reading, writing
from caseload.api.wire import Instant, Wire
from caseload.api.work import TheKey, TheWork, nothing_more
from caseload.db.appointment import Appointments
from caseload.db.idempotency import Kept
from caseload.domain import appointment as domain
from caseload.domain.access import Act
from caseload.domain.appointment import Appointment
from caseload.domain.ids import ClientId, ProgrammeId
from caseload.request.idempotency import once
from caseload.request.work import Work

MOST = 1000
"""Lines of one day."""


class ArrivalIn(Wire, frozen=True, kw_only=True):
    """A client who has arrived for an appointment."""

    client_id: UUID
    arrived_at: Instant | None = None
    """Now when left out."""


class ArrivalTakenBackIn(Wire, frozen=True, kw_only=True):
    """A client who had not arrived after all."""

    client_id: UUID


class AppointmentOut(Wire, frozen=True, kw_only=True):
    """One client expected at one time."""

    id: UUID
    client_id: UUID
    given_name: str
    family_name: str
    birth_date: date
    starts_at: datetime
    with_whom: list[str]
    arrived_at: datetime | None

    @classmethod
    def of(cls, appointment: Appointment) -> "AppointmentOut":
        """From the domain, without what it is for."""
        return cls(
            id=appointment.id,
            client_id=appointment.client,
            given_name=appointment.given_name,
            family_name=appointment.family_name,
            birth_date=appointment.birth_date,
            starts_at=appointment.starts_at,
            with_whom=list(appointment.with_whom),
            arrived_at=appointment.arrived_at,
        )


class AppointmentsOut(Wire, frozen=True, kw_only=True):
    """The appointments of a day, by time and name."""

    items: list[AppointmentOut]


def _appointments(work: Work) -> Appointments:
    return Appointments(work.connection, work.journal, now=work.now)


@reading("/programmes/{programme_id:uuid}/appointments", act=Act.SEE_APPOINTMENTS, name="list_appointments")
async def list_appointments(programme_id: FromPath[UUID], work: TheWork, on: On = None) -> AppointmentsOut:
    """Who is expected on a programme's day, and who has arrived."""
    first, last = await day_of(work, ProgrammeId(programme_id), on, Act.SEE_APPOINTMENTS)
    found = await _appointments(work).of_day(
        ProgrammeId(programme_id), first=first, last=last, reach=work.by.reach(Act.SEE_APPOINTMENTS), limit=MOST
    )
    return AppointmentsOut(items=[AppointmentOut.of(each) for each in found])


@writing("/appointments/{appointment_id:uuid}/arrivals", act=Act.RECORD_ARRIVAL, name="record_arrival")
async def record_arrival(
    appointment_id: FromPath[UUID], data: JSONBody[ArrivalIn], work: TheWork, key: TheKey
) -> Response[AppointmentOut]:
    """Record that a client has arrived."""
    appointments = _appointments(work)

    async def arrive() -> None:
        await domain.arrive(
            await _one(work, appointment_id, data.client_id),
            arrived_at=data.arrived_at or work.now,
            by=work.by,
            now=work.now,
            arrivals=appointments,
            journal=work.journal,
        )

    await once(work, key, Kept(status=201, resource=appointment_id), do=arrive, again=nothing_more)
    return Response(AppointmentOut.of(await _one(work, appointment_id, data.client_id)), status_code=201)


@writing("/appointments/{appointment_id:uuid}/arrivals-taken-back", act=Act.RECORD_ARRIVAL, name="take_back_arrival")
async def take_back_arrival(
    appointment_id: FromPath[UUID], data: JSONBody[ArrivalTakenBackIn], work: TheWork, key: TheKey
) -> Response[AppointmentOut]:
    """Take back an arrival that was recorded by mistake; that it was stays in the record."""

    async def take_back() -> None:
        await domain.take_back(
            await _one(work, appointment_id, data.client_id),
            by=work.by,
            now=work.now,
            arrivals=_appointments(work),
            journal=work.journal,
        )

    await once(work, key, Kept(status=201, resource=appointment_id), do=take_back, again=nothing_more)
    return Response(AppointmentOut.of(await _one(work, appointment_id, data.client_id)), status_code=201)


async def _one(work: Work, appointment_id: UUID, client_id: UUID) -> Appointment:
    return await _appointments(work).get(
        appointment_id, of=ClientId(client_id), reach=work.by.reach(Act.RECORD_ARRIVAL)
    )


router = Router("/", route_handlers=[list_appointments, record_arrival, take_back_arrival], tags=["Front desk"])
