"""Appointments as they are kept: arrivals in versions, and the day's list from its indexes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, insert, text, update
from sqlalchemy.exc import IntegrityError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.access import reach_of
from caseload.db.appointment import OF_DAY, Appointments
from caseload.db.checkin import Plans
from caseload.db.tables.appointment import arrival
from caseload.domain.access import Act, Role
from caseload.domain.appointment import AlreadyArrived, AppointmentUnknown, arrive, take_back
from caseload.domain.checkin import Mode, plan_check_ins
from caseload.domain.ids import PlanId, ProgrammeId, new_id
from caseload.domain.people import Staff
from tests.factories import clients, people
from tests.factories.checkin import MORNING, Remembered, terms
from tests.factories.clients import InCare
from tests.factories.explain import plan_of

pytestmark = pytest.mark.anyio

NINE = MORNING + timedelta(hours=1)
DAY = (datetime(2026, 6, 1, 4, tzinfo=UTC), datetime(2026, 6, 2, 4, tzinfo=UTC))


class Desk:
    """A programme's desk, and a client who is expected at nine."""

    def __init__(self, connection: AsyncConnection, programme: ProgrammeId, staff: Staff, client: InCare) -> None:
        self.connection = connection
        self.programme = programme
        self.staff = staff
        self.client = client
        self.journal = Remembered()

    @property
    def appointments(self) -> Appointments:
        return Appointments(self.connection, self.journal, now=NINE)

    async def day(self) -> Any:
        reach = self.staff.reach(Act.SEE_APPOINTMENTS)
        return await self.appointments.of_day(self.programme, first=DAY[0], last=DAY[1], reach=reach, limit=50)


@pytest.fixture
async def desk(connection: AsyncConnection) -> Desk:
    programme = await people.programme(connection, time_zone="America/New_York", profile="US")
    robin = await people.staff(connection, printed_name="Robin Ashdown", holds=[(Role.COUNSELLOR, programme)])
    client = await clients.in_care(connection, programme=programme, counsellor=robin.id)
    await plan_check_ins(
        client.episode,
        terms(mode=Mode.IN_PERSON),
        as_id=PlanId(new_id()),
        by=robin,
        now=MORNING,
        plans=Plans(connection, Remembered(), now=MORNING),
        journal=Remembered(),
    )
    staff = await people.staff(connection, holds=[(Role.FRONT_DESK, programme)])
    return Desk(connection, programme, staff, client)


async def test_an_arrival_is_read_back_and_can_be_taken_back(desk: Desk) -> None:
    (expected,) = await desk.day()
    assert (expected.starts_at, expected.with_whom, expected.arrived_at) == (NINE, ("Robin Ashdown",), None)
    common: dict[str, Any] = {
        "by": desk.staff,
        "now": NINE,
        "arrivals": desk.appointments,
        "journal": desk.journal,
    }

    await arrive(expected, arrived_at=NINE, **common)
    (here,) = await desk.day()
    await take_back(here, **common)
    (gone,) = await desk.day()

    assert (here.arrived_at, here.arrival_version) == (NINE, 1)
    assert (gone.arrived_at, gone.arrival_version) == (None, 2)


async def test_the_same_version_of_an_arrival_is_kept_once(desk: Desk) -> None:
    (expected,) = await desk.day()
    arrival_now = await arrive(
        expected, arrived_at=NINE, by=desk.staff, now=NINE, arrivals=desk.appointments, journal=desk.journal
    )

    with pytest.raises(AlreadyArrived):
        await desk.appointments.add(arrival_now)


async def test_outside_the_reach_there_is_no_appointment(desk: Desk) -> None:
    (expected,) = await desk.day()
    elsewhere = await people.programme(desk.connection)
    stranger = await people.staff(desk.connection, holds=[(Role.FRONT_DESK, elsewhere)])
    reach = stranger.reach(Act.SEE_APPOINTMENTS)

    assert await desk.appointments.of_day(desk.programme, first=DAY[0], last=DAY[1], reach=reach, limit=50) == []
    with pytest.raises(AppointmentUnknown):
        await desk.appointments.get(expected.id, of=expected.client, reach=reach)


@pytest.mark.parametrize("how", ["update", "delete"])
async def test_the_service_can_neither_change_nor_remove_an_arrival(desk: Desk, how: str) -> None:
    statement = delete(arrival) if how == "delete" else update(arrival).values(arrived_at=None)

    with pytest.raises(ProgrammingError, match="permission denied"):
        await desk.connection.execute(statement)


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"arrived_at": NINE + timedelta(hours=1)}, "not_in_the_future"),
        ({"arrived_at": None}, "first_says_when"),
        ({"version": 0}, "version"),
    ],
)
async def test_an_arrival_that_contradicts_itself_cannot_be_kept(
    desk: Desk, values: dict[str, Any], constraint: str
) -> None:
    (expected,) = await desk.day()
    usual = {"version": 1, "arrived_at": NINE, "recorded_by": desk.staff.id, "recorded_at": NINE}

    with pytest.raises(IntegrityError, match=f"arrival_{constraint}_check"):
        await desk.connection.execute(
            insert(arrival).values(check_in_id=expected.id, client_id=expected.client, **{**usual, **values})
        )


async def test_the_days_list_walks_no_table_that_grows(desk: Desk) -> None:
    given = {
        "programme": desk.programme,
        "first": DAY[0],
        "last": DAY[1],
        "limit": 50,
        **reach_of(replace(desk.staff).reach(Act.SEE_APPOINTMENTS), at=NINE),
    }
    await desk.connection.execute(text("set local enable_seqscan = off"))

    plan = await plan_of(desk.connection, OF_DAY, given)

    walked = [line for line in plan if "Seq Scan" in line and " on staff" not in line]
    assert walked == [], "\n".join(plan)
