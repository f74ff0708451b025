"""A counsellor's day as it is read: whose it is, which day it is where they work, and who has arrived."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.appointment import Appointments
from caseload.db.attendance import Sessions
from caseload.db.care_task import KeptCareTasks
from caseload.db.caseload.day import CounsellorDay, Day
from caseload.db.checkin import OverdueCheckIns, Plans
from caseload.db.tables.attendance import therapy_session_moved
from caseload.db.tables.caseload_acts import handover_offer
from caseload.db.tables.escalation import escalation, escalation_open
from caseload.domain.access import Act, Role
from caseload.domain.appointment import arrive
from caseload.domain.attendance import CancelledBy, SessionKind, Wanted, cancel, plan_session
from caseload.domain.attendance.rules import usual_rules
from caseload.domain.attendance.session import Session
from caseload.domain.care_task import CareTask
from caseload.domain.caseload.day import Matter
from caseload.domain.checkin import Mode, plan_check_ins
from caseload.domain.ids import CareTaskId, ClientId, PlanId, ProgrammeId, TherapySessionId, new_id
from caseload.domain.people import Staff
from tests.factories import clients, people
from tests.factories.checkin import MORNING, Remembered, daily, terms
from tests.factories.clients import InCare

pytestmark = pytest.mark.anyio

DAY, HOUR, TICK = timedelta(days=1), timedelta(hours=1), timedelta(microseconds=1)
MIDNIGHT = MORNING - 8 * HOUR
"""When the Monday began in New York."""


@dataclass
class Desk:
    """Two counsellors of a programme in New York."""

    connection: AsyncConnection
    programme: ProgrammeId
    robin: Staff
    kim: Staff

    async def client(self, *, of: Staff | None = None, **named: Any) -> InCare:
        return await clients.in_care(
            self.connection, programme=self.programme, counsellor=(of or self.robin).id, **named
        )

    async def planned(self, client: InCare, *, days_ago: int = 0) -> None:
        """Every day at nine, from some days ago on."""
        then = MORNING - days_ago * DAY
        await plan_check_ins(
            client.episode,
            terms(daily(starts_on=then.date()), mode=Mode.IN_PERSON),
            as_id=PlanId(new_id()),
            by=self.robin,
            now=then,
            plans=Plans(self.connection, Remembered(), now=then),
            journal=Remembered(),
        )

    async def session(self, *on_roster: ClientId, by: Staff | None = None, **wanted: Any) -> Session:
        leader = by or self.robin
        usual: dict[str, Any] = {
            "kind": SessionKind.GROUP,
            "title": "Relapse prevention",
            "starts_at": MORNING + HOUR,
            "ends_at": MORNING + 2 * HOUR,
            "facilitators": (leader.id,),
        }
        supervisor = await people.staff(self.connection, holds=[(Role.SUPERVISOR, self.programme)])
        return await plan_session(
            Wanted(**{**usual, **wanted}),
            on_roster,
            as_id=TherapySessionId(new_id()),
            programme=self.programme,
            rules=usual_rules(),
            clashes_agreed=True,
            by=supervisor,
            now=MORNING - 30 * DAY,
            sessions=Sessions(self.connection, Remembered(), now=MORNING - 30 * DAY),
            journal=Remembered(),
        )

    async def day(self, of: Staff | None = None, *, at: Any = MORNING, journal: Remembered | None = None) -> Day:
        return await CounsellorDay(self.connection, journal or Remembered(), now=at).of(of or self.robin)


@pytest.fixture
async def desk(connection: AsyncConnection) -> Desk:
    programme = await people.programme(connection, time_zone="America/New_York", profile="US")
    robin, kim = [await people.staff(connection, holds=[(Role.COUNSELLOR, programme)]) for _ in range(2)]
    return Desk(connection, programme, robin, kim)


def matters(found: Day) -> list[Matter]:
    return [line.matter for line in found.lines]


async def test_what_is_overdue_is_the_overdue_list_and_its_count(desk: Desk) -> None:
    ada = await desk.client()
    await desk.planned(ada, days_ago=5)

    found = await desk.day()

    lists = OverdueCheckIns(desk.connection, Remembered(), now=MORNING)
    reach = desk.robin.reach(Act.SEE_CHECK_INS)
    listed = await lists.of_counsellor(desk.robin.id, reach=reach, after=None, limit=50)
    late = [line for line in found.lines if line.matter is Matter.OVERDUE_CHECK_IN]
    assert [(line.record, line.at, line.why) for line in late] == [
        (one.overdue.check_in, one.overdue.since, one.overdue.why) for one in listed
    ]
    assert found.overdue == len(late) == await lists.count_of_counsellor(desk.robin.id, reach=reach) > 0


async def test_the_day_is_that_of_the_plan_and_ends_at_its_midnight(desk: Desk) -> None:
    """Nine o'clock of each day in New York, with one day of grace."""
    ada = await desk.client()
    await desk.planned(ada)

    async def seen(at: Any) -> list[Any]:
        return [
            (line.at - MIDNIGHT, "before" in line.why)
            for line in (await desk.day(at=at)).lines
            if line.matter is Matter.CHECK_IN
        ]

    today, tomorrow = (9 * HOUR, False), (DAY + 9 * HOUR, False)
    assert await seen(MIDNIGHT - TICK) == []
    assert await seen(MIDNIGHT) == [today]
    assert await seen(MIDNIGHT + DAY - TICK) == [today]
    assert await seen(MIDNIGHT + DAY) == [(9 * HOUR, True), tomorrow]


async def test_who_leads_a_session_sees_everybody_and_a_colleague_their_own_clients(desk: Desk) -> None:
    ada, ben, cleo = await desk.client(), await desk.client(of=desk.kim), await desk.client(of=desk.kim)
    session = await desk.session(ada.id, ben.id, cleo.id)
    appointments = Appointments(desk.connection, Remembered(), now=MORNING)
    expected = await appointments.get(session.id, of=ben.id, reach=desk.kim.reach(Act.SEE_APPOINTMENTS))
    await arrive(expected, arrived_at=MORNING, by=desk.kim, now=MORNING, arrivals=appointments, journal=Remembered())
    await cancel(
        session,
        cleo.id,
        cancelled_by=CancelledBy.CLIENT,
        reason="Ill",
        by=desk.robin,
        now=MORNING,
        sessions=Sessions(desk.connection, Remembered(), now=MORNING),
        journal=Remembered(),
    )
    journal = Remembered()

    led, other = await desk.day(journal=journal), await desk.day(desk.kim)

    (line,) = led.lines
    assert {(each.client, each.arrived_at) for each in line.expected} == {(ada.id, None), (ben.id, MORNING)}
    assert (line.leads, line.why) == (True, "You lead it, it is to come: 1 of 2 have arrived.")
    assert set(journal.seen) == {(ada.id, "session"), (ben.id, "session")}
    (line,) = other.lines
    assert (line.leads, [each.client for each in line.expected]) == (False, [ben.id])
    over = await desk.day(at=session.wanted.ends_at)
    assert matters(over) == [Matter.REGISTER]
    assert matters(await desk.day(desk.kim, at=session.wanted.ends_at)) == []
    assert matters(await desk.day(at=MIDNIGHT - TICK)) == [], "it is a session of the next day"


async def test_a_session_that_was_moved_and_one_in_another_programme_are_not_of_this_day(desk: Desk) -> None:
    ada = await desk.client()
    moved, instead = (
        await desk.session(ada.id),
        await desk.session(starts_at=MORNING + 3 * DAY, ends_at=MORNING + 3 * DAY + HOUR),
    )
    await desk.connection.execute(
        insert(therapy_session_moved).values(
            session_id=moved.id,
            to_session_id=instead.id,
            reason="The room is wet.",
            recorded_by=desk.robin.id,
            recorded_at=MORNING,
        )
    )
    elsewhere = Desk(desk.connection, await people.programme(desk.connection), desk.robin, desk.kim)
    # Granted there as well; but who asks is signed in with the role in the first programme alone.
    await people.grant(desk.connection, to=desk.robin.id, role=Role.COUNSELLOR, programme=elsewhere.programme)
    await elsewhere.session((await elsewhere.client()).id)

    assert matters(await desk.day()) == []


async def test_a_cover_brings_a_client_onto_the_day_and_takes_them_off_again(desk: Desk) -> None:
    ben = await desk.client(of=desk.kim, given_name="Ben")
    await desk.planned(ben)
    await clients.cover(desk.connection, ben.id, counsellor=desk.robin.id, starts_at=MORNING, ends_at=MORNING + HOUR)

    (line,) = (await desk.day()).lines

    assert line.about is not None
    assert (line.about.client, line.about.given_name, line.about.covering) == (ben.id, "Ben", True)
    assert (await desk.day(at=MORNING - TICK)).lines == []
    assert (await desk.day(at=MORNING + HOUR)).lines == []


async def test_an_open_escalation_and_an_offer_stand_in_the_day_of_whom_they_concern(desk: Desk) -> None:
    ada, ben = await desk.client(), await desk.client(of=desk.kim)
    recorded = {"recorded_by": desk.kim.id, "recorded_at": MORNING}
    raised, offer = new_id(), new_id()
    await desk.connection.execute(
        insert(escalation).values(
            id=raised, client_id=ada.id, programme_id=desk.programme, ground="overdose", said="Found.", **recorded
        )
    )
    await desk.connection.execute(insert(escalation_open).values(escalation_id=raised, programme_id=desk.programme))
    await desk.connection.execute(
        insert(handover_offer).values(
            id=offer,
            client_id=ben.id,
            episode_id=ben.episode.id,
            programme_id=desk.programme,
            to_id=desk.robin.id,
            effective_at=MORNING,
            **recorded,
        )
    )
    journal = Remembered()

    found = await desk.day(journal=journal)

    assert [(line.matter, line.record) for line in found.lines] == [
        (Matter.ESCALATION, raised),
        (Matter.OFFER, offer),
    ]
    assert set(journal.seen) == {(ada.id, "escalation"), (ben.id, "caseload")}
    assert (await desk.day(desk.kim)).lines == []


async def test_care_tasks_stand_in_the_day_by_the_local_days_on_which_they_are_due(desk: Desk) -> None:
    ada, ben = await desk.client(), await desk.client(of=desk.kim)
    kept = KeptCareTasks(desk.connection, Remembered(), now=MORNING)
    for client, days in ((ada, 8), (ada, 0), (ada, 3), (ben, 0), (ada, -2)):
        await kept.add(
            CareTask(
                id=CareTaskId(new_id()),
                client=client.id,
                programme=desk.programme,
                says=f"In {days} days.",
                for_staff=desk.kim.id,
                due_at=MORNING + timedelta(days=days),
                raised_by=desk.kim.id,
                raised_at=MORNING - timedelta(days=3),
            )
        )
    journal = Remembered()

    found = await desk.day(journal=journal)

    assert [(line.band.value, line.title) for line in found.lines] == [
        ("late", "In -2 days."),
        ("today", "In 0 days."),
        ("this_week", "In 3 days."),
        ("deferred", "In 8 days."),
    ]
    assert set(journal.seen) == {(ada.id, "care_task")}
    assert [line.title for line in (await desk.day(desk.kim)).lines] == ["In 0 days."]


async def test_whoever_is_no_counsellor_here_any_more_sees_nothing_of_it(desk: Desk) -> None:
    ada = await desk.client()
    await desk.planned(ada, days_ago=3)
    await desk.session(ada.id)
    gone = Staff(id=desk.robin.id, user_name="x", printed_name="x", session=None, holdings=())

    found = await desk.day(gone)

    assert (found.lines, found.overdue) == ([], 0)
