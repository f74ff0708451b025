"""Arrivals at the desk: once, not in the future, not for another day, and taken back when it was somebody else."""

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

import pytest

from caseload.domain.access import Role
from caseload.domain.appointment import (
    AlreadyArrived,
    Appointment,
    Arrival,
    NotArrived,
    Occasion,
    arrive,
    take_back,
)
from caseload.domain.errors import Invalid, NotPermitted
from caseload.domain.ids import ClientId, ProgrammeId, new_id
from tests.factories.checkin import Remembered, counsellor

pytestmark = pytest.mark.anyio

TEN = datetime(2026, 6, 1, 14, tzinfo=UTC)
PROGRAMME = ProgrammeId(new_id())
DESK = counsellor(PROGRAMME, role=Role.FRONT_DESK)
ADA = Appointment(
    id=new_id(),
    occasion=Occasion.SESSION,
    client=ClientId(new_id()),
    programme=PROGRAMME,
    given_name="Ada",
    family_name="Lindqvist",
    birth_date=date(1984, 2, 29),
    starts_at=TEN,
    with_whom=("Robin Ashdown",),
    arrived_at=None,
    arrival_version=0,
)


@dataclass
class Kept:
    """Arrivals in memory."""

    arrivals: list[Arrival] = field(default_factory=list[Arrival])

    async def add(self, arrival: Arrival, /) -> None:
        self.arrivals.append(arrival)


async def come(appointment: Appointment = ADA, *, at: datetime = TEN, now: datetime = TEN) -> Kept:
    kept = Kept()
    await arrive(appointment, arrived_at=at, by=DESK, now=now, arrivals=kept, journal=Remembered())
    return kept


async def test_an_arrival_is_kept_and_told() -> None:
    kept, journal = Kept(), Remembered()

    await arrive(ADA, arrived_at=TEN, by=DESK, now=TEN, arrivals=kept, journal=journal)

    (arrival,) = kept.arrivals
    assert (arrival.version, arrival.arrived_at, arrival.recorded_by) == (1, TEN, DESK.id)
    assert [(event.name, event.client) for event in journal.events] == [("appointment.arrived", ADA.client)]


@pytest.mark.parametrize("at", [TEN + timedelta(seconds=1), TEN - timedelta(hours=12, seconds=1)])
async def test_nobody_arrives_in_the_future_or_half_a_day_off(at: datetime) -> None:
    with pytest.raises(Invalid, match="arrived_at"):
        await come(at=at)


async def test_whoever_has_arrived_does_not_arrive_again() -> None:
    with pytest.raises(AlreadyArrived) as refused:
        await come(replace(ADA, arrived_at=TEN, arrival_version=1))
    assert refused.value.facts["arrived_at"] == TEN.isoformat()


async def test_an_arrival_taken_back_leaves_room_for_the_right_one() -> None:
    kept, journal = Kept(), Remembered()
    here = replace(ADA, arrived_at=TEN, arrival_version=1)

    await take_back(here, by=DESK, now=TEN, arrivals=kept, journal=journal)
    again = await come(replace(ADA, arrival_version=2))

    assert [(each.version, each.arrived_at) for each in kept.arrivals + again.arrivals] == [(2, None), (3, TEN)]
    assert journal.events[0].name == "appointment.arrival_taken_back"
    with pytest.raises(NotArrived):
        await take_back(ADA, by=DESK, now=TEN, arrivals=kept, journal=journal)


async def test_arrivals_are_for_the_desk_of_the_programme() -> None:
    elsewhere = counsellor(ProgrammeId(new_id()), role=Role.FRONT_DESK)

    with pytest.raises(NotPermitted):
        await arrive(ADA, arrived_at=TEN, by=elsewhere, now=TEN, arrivals=Kept(), journal=Remembered())
    with pytest.raises(NotPermitted):
        await take_back(ADA, by=elsewhere, now=TEN, arrivals=Kept(), journal=Remembered())
