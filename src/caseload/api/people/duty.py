"""Shifts on duty."""

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from litestar import Router
from litestar.params import FromPath, JSONBody, QueryParameter

from caseload.api.route import reading, writing
from caseload.api.wire import Instant, Wire
from caseload.api.work import TheKey, TheWork, nothing_more
from caseload.db.idempotency import Kept
from caseload.db.people.shifts import Shifts
from caseload.domain import people as domain
from caseload.domain.access import Act
from caseload.domain.ids import ProgrammeId, ShiftId, StaffId, new_id
from caseload.domain.people import Shift
from caseload.request.idempotency import once

AHEAD = timedelta(days=14)
BACK = timedelta(days=1)


class ShiftIn(Wire, frozen=True, kw_only=True):
    """A counsellor on duty."""

    staff_id: UUID
    programme_id: UUID
    starts_at: Instant
    ends_at: Instant
    """A day after the start at most."""


class ShiftOut(Wire, frozen=True, kw_only=True):
    """A shift on duty."""

    id: UUID
    staff_id: UUID
    programme_id: UUID
    starts_at: datetime
    ends_at: datetime
    cancelled_at: datetime | None

    @classmethod
    def of(cls, shift: Shift) -> "ShiftOut":
        """From the domain."""
        return cls(
            id=shift.id,
            staff_id=shift.staff,
            programme_id=shift.programme,
            starts_at=shift.starts_at,
            ends_at=shift.ends_at,
            cancelled_at=shift.cancelled_at,
        )


class ShiftsOut(Wire, frozen=True, kw_only=True):
    """Shifts of a programme from yesterday to two weeks ahead, by their start."""

    items: list[ShiftOut]


InProgramme = Annotated[UUID, QueryParameter(name="programme_id", description="The programme.")]


@writing("/duty-shifts", act=Act.PLAN_DUTY, name="plan_shift", problems=())
async def plan_shift(data: JSONBody[ShiftIn], work: TheWork, key: TheKey) -> ShiftOut:
    """Put a counsellor on duty: for the length of the shift they see everybody of the programme."""
    shifts = Shifts(work.connection)
    new = Shift(
        id=ShiftId(new_id()),
        staff=StaffId(data.staff_id),
        programme=ProgrammeId(data.programme_id),
        starts_at=data.starts_at,
        ends_at=data.ends_at,
    )

    async def plan() -> Shift:
        await domain.plan_shift(new, by=work.by, now=work.now, shifts=shifts, journal=work.journal)
        return new

    async def again(kept: Kept) -> Shift:
        return await shifts.get(ShiftId(kept.resource))

    return ShiftOut.of(await once(work, key, Kept(status=201, resource=new.id), do=plan, again=again))


@reading("/duty-shifts", act=Act.PLAN_DUTY, name="list_shifts", problems=())
async def list_shifts(programme_id: InProgramme, work: TheWork) -> ShiftsOut:
    """Shifts of a programme from yesterday to two weeks ahead."""
    work.by.require(Act.PLAN_DUTY, ProgrammeId(programme_id))
    found = await Shifts(work.connection).between(
        ProgrammeId(programme_id), since=work.now - BACK, until=work.now + AHEAD
    )
    return ShiftsOut(items=[ShiftOut.of(shift) for shift in found])


@writing("/duty-shifts/{shift_id:uuid}/cancellation", act=Act.PLAN_DUTY, name="cancel_shift", status=204)
async def cancel_shift(shift_id: FromPath[UUID], work: TheWork, key: TheKey) -> None:
    """Call a shift off, or end it now."""

    async def call_off() -> None:
        await domain.cancel_shift(
            ShiftId(shift_id), by=work.by, now=work.now, shifts=Shifts(work.connection), journal=work.journal
        )

    await once(work, key, Kept(status=204, resource=shift_id), do=call_off, again=nothing_more)


router = Router("/", route_handlers=[plan_shift, list_shifts, cancel_shift], tags=["Duty"])
