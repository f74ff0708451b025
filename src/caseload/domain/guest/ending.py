"""Ending guest dosing before its last day. On its last day it ends by itself."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Final

from caseload.domain.access import Act
from caseload.domain.errors import Faults
from caseload.domain.guest.agreement import Guest, GuestEnd, GuestEnded, GuestOver, Guests
from caseload.domain.ids import GuestId
from caseload.domain.journal import Journal
from caseload.domain.medication import Direction
from caseload.domain.medication.record import check_reason
from caseload.domain.people import Staff
from caseload.domain.schedule import start_of_day
from caseload.domain.zones import zone_of

_ONE: Final = timedelta(days=1)


async def end_guest(
    wanted: GuestId,
    last_on: date,
    reason: str,
    *,
    became_ours: bool = False,
    by: Staff,
    now: datetime,
    guests: Guests,
    journal: Journal,
) -> Guest:
    """End guest dosing before its last day, say that it never was, or that a guest here stays with us.

    From the day after `last_on` the home programme gives again. Raises `GuestUnknown`, `GuestEnded`, `NotPermitted`,
    `Invalid`.
    """
    faults = Faults()
    check_reason(reason, faults)
    seen = await guests.guest(wanted, by=by, act=Act.ARRANGE_GUEST)
    record = await guests.lock(seen.client, by=by, act=Act.ARRANGE_GUEST)
    by.require(Act.ARRANGE_GUEST, record.programme)
    guest = await guests.guest(wanted, by=by, act=Act.ARRANGE_GUEST)
    if guest.end is not None:
        raise GuestEnded("Read the client's guest agreements again.", last_on=str(guest.end.last_on))
    said = guest.arrangement
    faults.check(
        when=not said.first_on - _ONE <= last_on <= said.last_on,
        where="last_on",
        problem="must be one of its days, or the day before the first if it never was; for more days arrange another",
    )
    faults.check(
        when=became_ours and said.direction is Direction.ELSEWHERE,
        where="became_ours",
        problem="is said of a guest here",
    )
    faults.raise_if_any()
    end = GuestEnd(last_on=last_on, reason=reason, became_ours=became_ours, recorded_by=by.id, recorded_at=now)
    await guests.end_guest(guest, end, stays_until=start_of_day(last_on + _ONE, zone_of(record.time_zone)))
    journal.tell(GuestOver(client=guest.client, records=(guest.id,), facts={"became_ours": str(became_ours).lower()}))
    return replace(guest, end=end)
