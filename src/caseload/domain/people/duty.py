"""Shifts on duty: for their length a counsellor sees everybody of the programme, and no longer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Final, Protocol

from caseload.domain.access import Act, Role
from caseload.domain.errors import Conflict, Faults, NotFound
from caseload.domain.ids import ProgrammeId, ShiftId, StaffId
from caseload.domain.journal import Event, Journal
from caseload.domain.people.accounts import NotYourself
from caseload.domain.people.staff import Staff

LONGEST_SHIFT: Final = timedelta(hours=24)


class ShiftUnknown(NotFound):
    """No such shift."""

    def __init__(self) -> None:
        super().__init__("Ask for the shifts of the programme and use one of their identifiers.")


class ShiftAlreadyCancelled(Conflict):
    """This shift has been cancelled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """Somebody is on duty in a programme, from when to when."""

    id: ShiftId
    staff: StaffId
    programme: ProgrammeId
    starts_at: datetime
    ends_at: datetime
    cancelled_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftPlanned(Event):
    """Somebody will be on duty."""

    name: ClassVar[str] = "duty.shift_planned"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftCancelled(Event):
    """A shift does not take place, or ended early."""

    name: ClassVar[str] = "duty.shift_cancelled"


class Shifts(Protocol):
    """The shifts that are kept."""

    async def holds(self, staff: StaffId, role: Role, programme: ProgrammeId, *, at: datetime) -> bool:
        """Whether this person holds the role in the programme at that moment, and works here."""
        ...

    async def add(self, shift: Shift, *, by: StaffId, at: datetime) -> None:
        """Keep it."""
        ...

    async def get(self, shift: ShiftId) -> Shift:
        """The shift, or `ShiftUnknown`."""
        ...

    async def cancel(self, shift: Shift, *, by: StaffId, at: datetime) -> None:
        """Keep the cancellation; `ShiftAlreadyCancelled`."""
        ...

    async def between(self, programme: ProgrammeId, *, since: datetime, until: datetime) -> Sequence[Shift]:
        """Shifts of the programme that touch the time between, by their start."""
        ...


async def plan_shift(shift: Shift, *, by: Staff, now: datetime, shifts: Shifts, journal: Journal) -> None:
    """Put a counsellor on duty. Raises `NotYourself`, `NotPermitted`, `Invalid`."""
    by.require(Act.PLAN_DUTY, shift.programme)
    if shift.staff == by.id:
        raise NotYourself
    faults = Faults()
    faults.check(when=shift.ends_at <= shift.starts_at, where="ends_at", problem="must be after the start")
    faults.check(when=shift.ends_at <= now, where="ends_at", problem="must lie in the future")
    faults.check(
        when=shift.ends_at - shift.starts_at > LONGEST_SHIFT, where="ends_at", problem="a shift lasts a day at most"
    )
    begins = max(shift.starts_at, now)
    if not await shifts.holds(shift.staff, Role.COUNSELLOR, shift.programme, at=begins):
        faults.add("staff_id", "must be somebody who is a counsellor in this programme then")
    faults.raise_if_any()
    await shifts.add(shift, by=by.id, at=now)
    journal.tell(ShiftPlanned(records=(shift.staff, shift.id), facts={"programme": str(shift.programme)}))


async def cancel_shift(shift_id: ShiftId, *, by: Staff, now: datetime, shifts: Shifts, journal: Journal) -> None:
    """End a shift now, or call it off. Raises `ShiftUnknown`, `NotPermitted`, `ShiftAlreadyCancelled`."""
    shift = await shifts.get(shift_id)
    by.require(Act.PLAN_DUTY, shift.programme)
    if shift.cancelled_at is not None:
        raise ShiftAlreadyCancelled("There is nothing left to cancel.")
    await shifts.cancel(shift, by=by.id, at=now)
    journal.tell(ShiftCancelled(records=(shift.staff, shift.id)))
