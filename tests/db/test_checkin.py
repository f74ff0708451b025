"""Check-ins as they are kept: what waits equals the facts, lists equal counts, and keys settle races."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.exc import IntegrityError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from caseload.db import calendar_feed
from caseload.db.access import reach_of
from caseload.db.caseload import Caseloads
from caseload.db.caseload.dashboard import Dashboards, When
from caseload.db.caseload.day import CounsellorDay
from caseload.db.checkin import (
    CheckIns,
    OverdueCheckIns,
    Plans,
    answers,
    changing,
    closing,
    facts,
    phases,
    plans,
    records,
    relapses,
    replaced,
    stepping,
)
from caseload.db.checkin import overdue as overdue_lists
from caseload.db.checkin.rows import WAITING, waiting_values
from caseload.db.outreach import KeptLadders, OverdueLadders
from caseload.db.summary import Summaries
from caseload.db.tables import checkin as tables
from caseload.db.tables import checkin_plan as plan_tables
from caseload.domain.access import Act, Role
from caseload.domain.caseload.day import Matter
from caseload.domain.checkin import (
    AlreadySettled,
    AskedBy,
    CheckInUnknown,
    Ended,
    Mode,
    Outcome,
    Overdue,
    Plan,
    PlanChanged,
    PlanUnknown,
    Record,
    Terms,
    change_plan,
    complete,
    explain,
    is_overdue,
    overdue,
    plan_check_ins,
    reschedule,
    schedule_ahead,
    stop_all,
    stop_plan,
    waiting,
)
from caseload.domain.client import ClientUnknown
from caseload.domain.ids import CheckInId, PlanId, ProgrammeId, StaffId, new_id
from caseload.domain.outreach import climb, ground_of
from caseload.domain.people import Staff, the_service
from caseload.domain.profiles.selected import Selected
from caseload.domain.programme import Programme
from caseload.domain.schedule import start_of_day
from tests.factories import clients, people
from tests.factories.checkin import MONDAY, MORNING, Remembered, daily, terms, weekly
from tests.factories.clients import InCare
from tests.factories.explain import generic_plan_of, plan_of, walks, walks_all_that_runs, walks_an_index
from tests.factories.stories import Story, Teller, planned_days, stories
from tests.shared_server import Addresses

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
NINE = MORNING + timedelta(hours=1)
HOUSE = Programme(
    id=ProgrammeId(new_id()), code="H", name="House", time_zone="America/New_York", profiles=Selected("US")
)


@dataclass
class Ward:
    """A programme, its counsellor, and a client in care: what each test begins with."""

    connection: AsyncConnection
    programme: ProgrammeId
    robin: Staff
    client: InCare
    journal: Remembered

    def plans(self, now: datetime) -> Plans:
        return Plans(self.connection, self.journal, now=now)

    def check_ins(self, now: datetime) -> CheckIns:
        return CheckIns(self.connection, self.journal, now=now)

    def lists(self, now: datetime) -> OverdueCheckIns:
        return OverdueCheckIns(self.connection, self.journal, now=now)

    async def plan(
        self,
        wanted: Terms | None = None,
        *,
        now: datetime = MORNING,
        client: InCare | None = None,
        by: Staff | None = None,
    ) -> Plan:
        by = by or self.robin
        made = await plan_check_ins(
            (client or self.client).episode,
            wanted or terms(),
            as_id=PlanId(new_id()),
            by=by,
            now=now,
            plans=self.plans(now),
            journal=self.journal,
        )
        return await self.plans(now).hold(made.id, reach=by.reach(Act.PLAN_CHECK_INS))

    async def records(self) -> Sequence[Record]:
        """The client's check-ins in the order in which they were scheduled."""
        found = await self.check_ins(MORNING).of_client(
            self.client.id, reach=self.robin.reach(Act.SEE_CHECK_INS), after=None, limit=10_000
        )
        return list(reversed(found))

    async def complete(self, record: Record, *, at: datetime, by: Staff | None = None) -> Outcome:
        return await complete(
            record.check_in.id,
            occurred_at=at,
            mode=Mode.TELEPHONE,
            note="Slept well.",
            by=by or self.robin,
            now=at,
            check_ins=self.check_ins(at),
            journal=self.journal,
        )

    async def overdue(
        self, *, now: datetime, of: StaffId | None = None, by: Staff | None = None, limit: int = 1000
    ) -> list[CheckInId]:
        lines = await self.lists(now).of_counsellor(
            of or self.robin.id,
            reach=(by or self.robin).reach(Act.SEE_CHECK_INS),
            after=None,
            limit=limit,
        )
        return [line.overdue.check_in for line in lines]


async def a_ward(connection: AsyncConnection) -> Ward:
    programme = await people.programme(connection, time_zone="America/New_York", profile="US")
    robin = await people.staff(connection, holds=[(Role.COUNSELLOR, programme)])
    return Ward(
        connection=connection,
        programme=programme,
        robin=robin,
        client=await clients.in_care(connection, programme=programme, counsellor=robin.id),
        journal=Remembered(),
    )


@pytest.fixture
async def ward(connection: AsyncConnection) -> Ward:
    return await a_ward(connection)


@dataclass
class InTables:
    """A shelf of the stories in the tables."""

    ward: Ward
    teller: Teller | None = None

    @property
    def now(self) -> datetime:
        assert self.teller is not None
        return self.teller.now

    @property
    def plans(self) -> Plans:
        return self.ward.plans(self.now)

    @property
    def check_ins(self) -> CheckIns:
        return self.ward.check_ins(self.now)

    async def all_plans(self) -> Sequence[Plan]:
        return await self.plans.of_client(self.ward.client.id, reach=self.ward.robin.reach(Act.PLAN_CHECK_INS))

    async def all_records(self) -> Sequence[Record]:
        return await self.ward.records()


# One definition.


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(story=stories(most=15))
async def test_list_count_and_explanation_agree_with_the_facts_whatever_happens(ward: Ward, story: Story) -> None:
    async with ward.connection.begin_nested() as nested:
        shelf = InTables(ward)
        teller = shelf.teller = Teller(
            shelf=shelf, episode=ward.client.episode, by=ward.robin, journal=ward.journal, now=story.starts_at
        )
        for step in story.steps:
            async with ward.connection.begin_nested():
                await teller.do(step)
        records = await shelf.all_records()
        assert len(planned_days(records)) == len(set(planned_days(records)))
        rows = (await ward.connection.execute(select(*WAITING))).mappings()
        derived = [waiting_values(one) for record in records if (one := waiting(record)) is not None]
        assert {row["check_in_id"]: dict(row) for row in rows} == {one["check_in_id"]: one for one in derived}
        for later in (timedelta(), 3 * DAY, 40 * DAY):
            await lists_agree(ward, records, now=teller.now + later)
        await nested.rollback()


async def lists_agree(ward: Ward, records: Sequence[Record], *, now: datetime) -> None:
    expected = overdue(records, now=now)
    lists, reach = ward.lists(now), ward.robin.reach(Act.SEE_CHECK_INS)
    lines = await lists.of_counsellor(ward.robin.id, reach=reach, after=None, limit=10_000)
    assert [line.overdue for line in lines] == expected
    assert await lists.count_of_counsellor(ward.robin.id, reach=reach) == len(expected)
    of_programme = await lists.of_programme(ward.programme, reach=reach, after=None, limit=10_000)
    assert [line.overdue for line in of_programme] == expected
    assert await lists.count_of_programme(ward.programme, reach=reach) == len(expected)
    load = await Caseloads(ward.connection, ward.journal, now=now).load(ward.robin.id, ward.programme)
    assert load is not None
    assert load.overdue == len(expected)
    await glances_agree(ward, expected, now=now)
    await ladder_agrees(ward, records, expected, now=now)


async def glances_agree(ward: Ward, expected: Sequence[Overdue], *, now: datetime) -> None:
    """The counsellor's day, the programme's dashboard and the client's summary show the same lines, or count them."""
    found = await CounsellorDay(ward.connection, ward.journal, now=now).of(ward.robin)
    shown = [line for line in found.lines if line.matter is Matter.OVERDUE_CHECK_IN]
    assert [(line.record, line.why, line.at) for line in shown] == [
        (each.check_in, each.why, each.since) for each in expected
    ]
    reach, today = ward.robin.reach(Act.SEE_CHECK_INS), HOUSE.today(now)
    midnight = start_of_day(today, HOUSE.zone)
    when = When(
        today=today, day=(midnight, midnight + DAY), first=today, last=today, week=(midnight - 7 * DAY, midnight)
    )
    at_a_glance = await Dashboards(ward.connection, ward.journal, now=now).of(ward.programme, when, reach=reach)
    summary = await Summaries(ward.connection, ward.journal, now=now).of(ward.client.id, reach=reach)
    assert (
        found.overdue,
        at_a_glance.overdue,
        [each.overdue for each in at_a_glance.loads],
        summary.overdue_check_ins,
    ) == (len(expected), len(expected), [len(expected)], len(expected))


async def ladder_agrees(ward: Ward, records: Sequence[Record], expected: Sequence[Overdue], *, now: datetime) -> None:
    """One ladder climbs, that of the longest overdue line; each line explains itself; and climbing changes no list."""
    late = {line.check_in: line for line in expected}
    for record in records:
        one = waiting(record)
        assert (one is not None and is_overdue(one, now=now)) is (record.check_in.id in late)
        assert one is None or record.check_in.id not in late or explain(one, now=now) == late[one.check_in]
    ladders = KeptLadders(ward.connection, ward.journal, now=now)
    ground = ground_of(HOUSE, frozenset(), now=now)
    climbers = await ladders.due(ward.programme, at_most=10)
    assert [each.check_in for each in climbers] in ([], [line.check_in for line in expected[:1]])
    for each in climbers:
        await climb(each, ground, by=the_service(), now=now, ladders=ladders, journal=ward.journal)
    assert await ladders.due(ward.programme, at_most=10) == []
    why = OverdueLadders(ward.connection, ward.journal, now=now)
    for line in expected[:2]:
        one = next(each for record in records if (each := waiting(record)) and each.check_in == line.check_in)
        ladder = await why.of(one, reach=ward.robin.reach(Act.SEE_CHECK_INS))
        assert ladder.behind == (None if line is expected[0] else expected[0].check_in)
        assert ladder.behind is not None or ladder.taken
        assert ladder.coming is None or ladder.coming.due_at > now
        assert all(step.due_at <= step.taken_at <= now for step in ladder.taken)


async def test_a_check_in_appears_on_the_list_the_moment_after_its_grace(ward: Ward) -> None:
    await ward.plan()

    assert await ward.overdue(now=NINE + DAY) == []
    assert len(await ward.overdue(now=NINE + DAY + timedelta(microseconds=1))) == 1


async def test_pages_follow_one_another_and_leave_nothing_out(ward: Ward) -> None:
    await ward.plan(terms(daily(), grace_days=0))
    await ward.plan(terms(daily(), grace_days=0))
    now = NINE + 10 * DAY
    whole = await ward.overdue(now=now)
    assert len(whole) == 20

    for of in ("counsellor", "programme"):
        seen: list[CheckInId] = []
        while len(seen) < 20:
            page = await next_page(ward, of, now=now, after=seen[-1] if seen else None)
            assert 0 < len(page) <= 3
            seen += page
        assert seen == whole
        assert await next_page(ward, of, now=now, after=seen[-1]) == []


async def next_page(ward: Ward, of: str, *, now: datetime, after: CheckInId | None) -> list[CheckInId]:
    lists, reach = ward.lists(now), ward.robin.reach(Act.SEE_CHECK_INS)
    lines = (
        await lists.of_counsellor(ward.robin.id, reach=reach, after=after, limit=3)
        if of == "counsellor"
        else await lists.of_programme(ward.programme, reach=reach, after=after, limit=3)
    )
    return [line.overdue.check_in for line in lines]


@pytest.mark.parametrize("meanwhile", ["completed", "moved on", "moved on and completed"])
async def test_the_next_page_leaves_nothing_out_when_the_last_line_has_gone(ward: Ward, meanwhile: str) -> None:
    await ward.plan(terms(daily(), grace_days=0))
    now = NINE + 10 * DAY
    whole = await ward.overdue(now=now)
    last = next(record for record in await ward.records() if record.check_in.id == whole[2])
    if "moved" in meanwhile:
        await reschedule(
            last.check_in.id,
            due_at=now + 5 * DAY,
            asked_by=AskedBy.PROVIDER,
            reason=None,
            by=ward.robin,
            now=now,
            check_ins=ward.check_ins(now),
            journal=ward.journal,
        )
    if "completed" in meanwhile:
        await ward.check_ins(now).add_outcomes(
            [
                Outcome(
                    check_in=last.check_in.id,
                    version=1,
                    ended=Ended.MISSED,
                    reason="Away",
                    recorded_by=ward.robin.id,
                    recorded_at=now,
                )
            ],
            [],
        )

    after = await next_page(ward, "counsellor", now=now, after=last.check_in.id)

    assert after == whole[3:6]


# Whose list.


async def test_the_list_holds_ones_own_and_covered_clients_and_nobody_elses(ward: Ward) -> None:
    connection = ward.connection
    sam = await people.staff(connection, holds=[(Role.COUNSELLOR, ward.programme)])
    others = [
        await clients.in_care(connection, programme=ward.programme, counsellor=sam.id, given_name=name)
        for name in ("Covered", "Not covered")
    ]
    await ward.plan()
    for other in others:
        await ward.plan(client=other, by=sam)
    now = NINE + 2 * DAY
    await clients.cover(connection, others[0].id, counsellor=ward.robin.id, starts_at=NINE, ends_at=now + MINUTE)

    lines = await ward.lists(now).of_counsellor(
        ward.robin.id, reach=ward.robin.reach(Act.SEE_CHECK_INS), after=None, limit=50
    )
    assert {line.given_name for line in lines} == {"Ada", "Covered"}
    later = await ward.lists(now + MINUTE).of_counsellor(
        ward.robin.id, reach=ward.robin.reach(Act.SEE_CHECK_INS), after=None, limit=50
    )
    assert {line.given_name for line in later} == {"Ada"}


async def test_somebody_elses_list_shows_only_whom_one_may_see(ward: Ward) -> None:
    sam = await people.staff(ward.connection, holds=[(Role.COUNSELLOR, ward.programme)])
    supervisor = await people.staff(ward.connection, holds=[(Role.SUPERVISOR, ward.programme)])
    elsewhere = await people.programme(ward.connection)
    stranger = await people.staff(ward.connection, holds=[(Role.SUPERVISOR, elsewhere)])
    await ward.plan()
    now = NINE + 2 * DAY

    assert len(await ward.overdue(now=now, by=supervisor)) == 1
    assert await ward.overdue(now=now, by=sam) == []
    assert await ward.overdue(now=now, by=stranger) == []
    assert await ward.lists(now).count_of_programme(ward.programme, reach=supervisor.reach(Act.SEE_CHECK_INS)) == 1
    for outsider in (sam, stranger):
        reach = outsider.reach(Act.SEE_CHECK_INS)
        assert await ward.lists(now).count_of_programme(ward.programme, reach=reach) == 0
        assert await ward.lists(now).count_of_counsellor(ward.robin.id, reach=reach) == 0


async def test_a_role_that_has_ended_in_the_programme_shows_nothing_even_of_ones_own(ward: Ward) -> None:
    await ward.plan()
    elsewhere = await people.programme(ward.connection)
    moved_on = Staff(
        id=ward.robin.id,
        user_name=ward.robin.user_name,
        printed_name=ward.robin.printed_name,
        session=None,
        holdings=(await people.staff(ward.connection, holds=[(Role.COUNSELLOR, elsewhere)])).holdings,
    )

    assert await ward.overdue(now=NINE + 2 * DAY, by=moved_on) == []


async def test_the_list_names_the_client_by_the_newest_identity_and_tells_the_journal(ward: Ward) -> None:
    await ward.plan()
    now = NINE + 2 * DAY
    ward.journal.seen.clear()
    await ward.connection.execute(
        text(
            "insert into clinic.client_identity (client_id, version, given_name, family_name, birth_date,"
            " birth_date_estimated, sex, reason, recorded_by, recorded_at)"
            " values (:client, 2, 'Ada', 'Nowak', '1984-02-29', false, 'unknown', 'Married', :by, :at)"
        ),
        {"client": ward.client.id, "by": ward.robin.id, "at": now},
    )

    (line,) = await ward.lists(now).of_counsellor(
        ward.robin.id, reach=ward.robin.reach(Act.SEE_CHECK_INS), after=None, limit=50
    )

    assert (line.given_name, line.family_name) == ("Ada", "Nowak")
    assert ward.journal.seen == [(ward.client.id, "check_in")]


async def test_outside_the_reach_there_is_nothing(ward: Ward) -> None:
    plan = await ward.plan()
    record = (await ward.records())[0]
    elsewhere = await people.programme(ward.connection)
    stranger = await people.staff(ward.connection, holds=[(Role.COUNSELLOR, elsewhere)])
    reach = stranger.reach(Act.SEE_CHECK_INS)

    with pytest.raises(PlanUnknown):
        await ward.plans(MORNING).hold(plan.id, reach=reach)
    with pytest.raises(PlanUnknown):
        await ward.plans(MORNING).get(plan.id, reach=reach)
    with pytest.raises(ClientUnknown):
        await ward.plans(MORNING).of_client(ward.client.id, reach=reach)
    with pytest.raises(CheckInUnknown):
        await ward.check_ins(MORNING).hold(record.check_in.id, reach=reach)
    with pytest.raises(CheckInUnknown):
        await ward.check_ins(MORNING).get(record.check_in.id, reach=reach)
    with pytest.raises(ClientUnknown):
        await ward.check_ins(MORNING).of_client(ward.client.id, reach=reach, after=None, limit=1)
    with pytest.raises(CheckInUnknown):
        await ward.complete(record, at=NINE, by=stranger)


# What is kept.


async def test_a_plan_is_read_back_as_it_was_kept_with_its_newest_version(ward: Ward) -> None:
    plan = await ward.plan()
    changed = await change_plan(
        plan,
        terms(daily(every=2, starts_on=MONDAY + DAY), grace_days=2, early_days=0, mode=Mode.IN_PERSON),
        reason="Relapse",
        by=ward.robin,
        now=NINE,
        plans=ward.plans(NINE),
        journal=ward.journal,
    )
    reach = ward.robin.reach(Act.SEE_CHECK_INS)

    (kept,) = await ward.plans(NINE).of_client(ward.client.id, reach=reach)

    assert kept.version == changed.version
    assert kept == await ward.plans(NINE).get(plan.id, reach=reach)


async def test_a_clients_check_ins_come_in_pages_latest_first(ward: Ward) -> None:
    await ward.plan(terms(daily(), grace_days=0))
    await ward.plan(terms(daily(), grace_days=0))
    whole = [record.check_in.id for record in reversed(await ward.records())]
    reach = ward.robin.reach(Act.SEE_CHECK_INS)

    seen: list[CheckInId] = []
    while len(seen) < len(whole):
        page = await ward.check_ins(MORNING).of_client(
            ward.client.id, reach=reach, after=seen[-1] if seen else None, limit=25
        )
        assert page
        seen += [record.check_in.id for record in page]

    assert seen == whole


async def test_a_discharge_stops_every_plan(ward: Ward) -> None:
    await ward.plan()
    await ward.plan(terms(daily()))

    for _ in range(2):
        await stop_all(
            ward.client.id,
            reason="Discharged",
            by=ward.robin,
            now=NINE,
            plans=ward.plans(NINE),
            journal=ward.journal,
        )

    assert (await ward.connection.execute(select(func.count()).select_from(tables.check_in_waiting))).scalar_one() == 0


async def test_the_same_version_of_a_plan_is_kept_once(ward: Ward) -> None:
    plan = await ward.plan()
    await stop_plan(
        plan, at=NINE, reason="Discharged", by=ward.robin, now=NINE, plans=ward.plans(NINE), journal=ward.journal
    )

    with pytest.raises(PlanChanged):
        await stop_plan(
            plan, at=NINE, reason="Discharged", by=ward.robin, now=NINE, plans=ward.plans(NINE), journal=ward.journal
        )


async def test_the_same_version_of_an_outcome_is_kept_once(ward: Ward) -> None:
    await ward.plan()
    first = (await ward.records())[0]
    outcome = await ward.complete(first, at=NINE)

    with pytest.raises(AlreadySettled):
        await ward.check_ins(NINE).add_outcomes([outcome], [])


async def test_scheduling_ahead_extends_what_is_behind_and_twice_changes_nothing(ward: Ward) -> None:
    await ward.plan(terms(daily()))
    await ward.plan(terms(weekly()))
    later = MORNING + 20 * DAY
    before = len(await ward.records())

    assert await schedule_ahead(now=later, plans=ward.plans(later), journal=ward.journal) == 2
    after = [record.check_in.id for record in await ward.records()]
    assert len(after) > before
    assert await schedule_ahead(now=later, plans=ward.plans(later), journal=ward.journal) == 0
    assert [record.check_in.id for record in await ward.records()] == after


@pytest.mark.parametrize(
    "table",
    [
        plan_tables.check_in_plan,
        plan_tables.check_in_plan_version,
        tables.check_in,
        tables.check_in_attempt,
        tables.check_in_move,
        tables.check_in_outcome,
    ],
    ids=lambda table: table.name,
)
@pytest.mark.parametrize("how", ["update", "delete"])
async def test_the_service_can_neither_change_nor_remove_a_fact(ward: Ward, table: Any, how: str) -> None:
    column = next(iter(table.primary_key))
    statement = delete(table) if how == "delete" else update(table).values({column: column})

    with pytest.raises(ProgrammingError, match="permission denied"):
        await ward.connection.execute(statement)


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"ended": "completed"}, "took_place"),
        ({"ended": "missed", "occurred_at": NINE, "mode": "text", "reason": "x"}, "took_place"),
        ({"ended": "missed"}, "says_why"),
        ({"ended": "missed", "reason": " "}, "says_why"),
        ({"ended": "overtaken"}, "overtaken"),
        ({"ended": "completed", "occurred_at": NINE + DAY, "mode": "text"}, "not_in_the_future"),
        ({"ended": "gone", "reason": "x"}, "ended"),
        ({"ended": "missed", "reason": "x", "version": 0}, "version"),
    ],
)
async def test_an_outcome_that_contradicts_itself_cannot_be_kept(
    ward: Ward, values: dict[str, Any], constraint: str
) -> None:
    await ward.plan()
    record = (await ward.records())[0]
    given = {
        "check_in_id": record.check_in.id,
        "version": 1,
        "recorded_by": ward.robin.id,
        "recorded_at": NINE,
        **values,
    }

    with pytest.raises(IntegrityError, match=f"check_in_outcome_{constraint}_check"):
        await ward.connection.execute(insert(tables.check_in_outcome).values(**given))


# Races, for which one must commit.


@pytest.fixture
async def committing(throwaway_database: Addresses) -> Any:
    engine = create_async_engine("postgresql+asyncpg://", connect_args={"dsn": throwaway_database.service})
    yield engine
    await engine.dispose()


async def settled_ward(engine: AsyncEngine) -> tuple[Ward, Plan, Sequence[Record]]:
    async with engine.begin() as connection:
        ward = await a_ward(connection)
        plan = await ward.plan()
        records = await ward.records()
    return ward, plan, records


async def test_of_two_counsellors_completing_one_check_in_the_second_learns_when_it_was_done(
    committing: AsyncEngine,
) -> None:
    ward, _, (first, *_) = await settled_ward(committing)

    async def once(minutes: int) -> Outcome:
        at = NINE + minutes * MINUTE
        async with committing.begin() as connection:
            return await complete(
                first.check_in.id,
                occurred_at=at,
                mode=Mode.TELEPHONE,
                note=None,
                by=ward.robin,
                now=at,
                check_ins=CheckIns(connection, ward.journal, now=at),
                journal=ward.journal,
            )

    for _ in range(10):
        ward, _, (first, *_) = await settled_ward(committing)
        results = await asyncio.gather(*(once(minutes) for minutes in range(4)), return_exceptions=True)
        (won,) = [result for result in results if isinstance(result, Outcome)]
        lost = [result for result in results if isinstance(result, AlreadySettled)]
        assert len(lost) == 3
        assert won.occurred_at is not None
        assert {error.facts["at"] for error in lost} == {won.occurred_at.isoformat()}


async def test_a_plan_changed_while_its_check_in_is_completed_leaves_one_truth(committing: AsyncEngine) -> None:
    async def change(ward: Ward, plan: PlanId) -> None:
        now = NINE + 6 * DAY
        async with committing.begin() as connection:
            plans = Plans(connection, ward.journal, now=now)
            held = await plans.hold(plan, reach=ward.robin.reach(Act.PLAN_CHECK_INS))
            await change_plan(
                held,
                terms(weekly(starts_on=MONDAY + 7 * DAY)),
                reason="Same day, other terms",
                by=ward.robin,
                now=now,
                plans=plans,
                journal=ward.journal,
            )

    async def finish(ward: Ward, record: Record) -> None:
        now = NINE + 6 * DAY
        async with committing.begin() as connection:
            await complete(
                record.check_in.id,
                occurred_at=now,
                mode=Mode.TELEPHONE,
                note=None,
                by=ward.robin,
                now=now,
                check_ins=CheckIns(connection, ward.journal, now=now),
                journal=ward.journal,
            )

    for _ in range(10):
        ward, plan, (_, second, *_) = await settled_ward(committing)
        await asyncio.gather(change(ward, plan.id), finish(ward, second))
        async with committing.begin() as connection:
            ward.connection = connection
            that_day = [r for r in await ward.records() if r.check_in.scheduled_on == MONDAY + 7 * DAY]
            kept = set((await connection.execute(select(tables.check_in_waiting.c.check_in_id))).scalars())
            assert {r.check_in.id for r in that_day if r.outcome is None} == kept & {r.check_in.id for r in that_day}
            done = [r for r in that_day if r.outcome is not None and r.outcome.ended is Ended.COMPLETED]
            assert [r.check_in.id for r in done] == [second.check_in.id]


async def test_two_workers_scheduling_ahead_share_the_plans_and_make_each_check_in_once(
    committing: AsyncEngine,
) -> None:
    ward, plan, _ = await settled_ward(committing)
    later = MORNING + 30 * DAY

    async def ahead() -> int:
        async with committing.begin() as connection:
            return await schedule_ahead(
                now=later, plans=Plans(connection, ward.journal, now=later), journal=ward.journal
            )

    done = await asyncio.gather(ahead(), ahead(), ahead())

    assert sum(done) == 1
    async with committing.begin() as connection:
        doubled = await connection.execute(
            select(tables.check_in.c.scheduled_on)
            .where(tables.check_in.c.plan_id == plan.id)
            .group_by(tables.check_in.c.scheduled_on)
            .having(func.count() > 1)
        )
        assert doubled.all() == []


# Speed: no list walks a table that grows.


LISTS = {
    overdue_lists: (
        "COUNSELLOR_FIRST",
        "COUNSELLOR_NEXT",
        "COUNSELLOR_COUNT",
        "PROGRAMME_FIRST",
        "PROGRAMME_NEXT",
        "PROGRAMME_COUNT",
    ),
    records: ("_OF_CLIENT", "_OF_CLIENT_NEXT", "_OPEN_BEFORE", "_OVERTAKEN_BY", "IN_CARE"),
    facts: ("_CHECK_INS", "_MOVES", "_ATTEMPTS", "_OUTCOMES"),
    answers: ("ANSWERS",),
    closing: ("TOUCHED", "HELD"),
    phases: ("_PHASES",),
    plans: ("_OF_CLIENT", "_PLANS", "_BEHIND", "_HOLD_ALL"),
    replaced: ("OPEN_FROM", "SETTLED_DAYS"),
    relapses: ("BEFORE", "HAS_LED"),
    calendar_feed: ("CHECK_INS",),
}
LOOKS = {
    stepping: ("ESCALATED", "BACK", "RETURNED", "HELD"),
    changing: ("TURNED", "ORDERS", "LED"),
    calendar_feed: ("SESSIONS",),
}
"""What a job looks for of everybody at once, and beside tables that are empty here: as small as they are, some are quicker
to walk than to look up."""


async def test_no_list_walks_a_table_that_grows(committing: AsyncEngine, throwaway_database: Addresses) -> None:
    ward, plan, (first, *_) = await settled_ward(committing)
    now = NINE + 2 * DAY
    given = {
        "counsellor": ward.robin.id,
        "programme": ward.programme,
        "client": ward.client.id,
        "check_in": first.check_in.id,
        "plan": plan.id,
        "plans": [plan.id],
        "these": [first.check_in.id],
        "begins": now,
        "ends": now + DAY,
        "earliest": now - closing.LONGEST_GRACE,
        "after": first.check_in.id,
        "limit": 50,
        "at_most": 50,
        "day": MONDAY,
        "since": MONDAY,
        "due_at": now,
        "moment": now,
        "first": UUID(int=int(now.timestamp() * 1000) << 80),
        "yesterday": MONDAY + DAY,
        "until": MONDAY + 3 * DAY,
        "days": [MONDAY + number * DAY for number in range(4)],
        "clients": [ward.client.id],
        "at": now,
        "record": first.check_in.id,
        "shown_from": now,
        "shown_until": now + DAY,
        "programmes": [ward.programme],
        **reach_of(ward.robin.reach(Act.SEE_CHECK_INS), at=now),
    }
    owner = create_async_engine("postgresql+asyncpg://", connect_args={"dsn": throwaway_database.owner})
    async with owner.begin() as connection:
        for statement in CROWD:
            await connection.execute(text(statement))
    await owner.dispose()

    walked: list[str] = []
    async with committing.connect() as connection:
        for module, names in LISTS.items():
            for name in names:
                statement = getattr(module, name)
                plan_lines = await plan_of(connection, statement, given)
                for_every_moment = await generic_plan_of(connection, statement, given)
                if walks(plan_lines):
                    walked += [f"{module.__name__}.{name}", *plan_lines]
                if walks_all_that_runs(for_every_moment, "responsibility"):
                    walked += [f"{module.__name__}.{name} for every moment", *for_every_moment]
        walked += await looks_that_walk(connection, given)

    assert not walked, "\n".join(walked)


async def looks_that_walk(connection: AsyncConnection, given: Mapping[str, Any]) -> list[str]:
    """The plans of whatever no index can serve."""
    few_or_none_here = {"programme", "therapy_session_moved", "discharge"}
    few_or_none_here |= {f"medication_order_{what}" for what in ("signature", "stop", "replacement")}
    await connection.exec_driver_sql("set local enable_seqscan = off")
    walked: list[str] = []
    for module, names in LOOKS.items():
        for name in names:
            plan_lines = await plan_of(connection, getattr(module, name), given)
            if walks(plan_lines) or walks_an_index(plan_lines, besides=few_or_none_here):
                walked += [f"{module.__name__}.{name}", *plan_lines]
    return walked


CROWD = (
    # A thousand clients of twenty counsellors in care, each with as many check-ins that wait as make the tables large.
    "alter table clinic.episode disable trigger user",
    "alter table clinic.responsibility disable trigger user",
    """
    insert into clinic.staff (id, user_name, printed_name, created_at, created_by)
    select ('00000000-0000-7000-8000-1000000000' || lpad(n::text, 2, '0'))::uuid, 'crowd-' || n, 'Crowd', now(),
           '00000000-0000-7000-8000-000000000001'
    from generate_series(1, 20) n
    """,
    """
    create temporary table crowd on commit drop as
    select gen_random_uuid() as id, gen_random_uuid() as episode, gen_random_uuid() as plan, n,
           ('00000000-0000-7000-8000-1000000000' || lpad((1 + n % 20)::text, 2, '0'))::uuid as counsellor,
           c.programme_id, c.registered_by
    from clinic.client c, generate_series(1, 1000) n
    """,
    "insert into clinic.client select id, programme_id, registered_by, '2020-01-01' from crowd",
    """
    insert into clinic.client_identity (client_id, version, given_name, family_name, birth_date,
                                        birth_date_estimated, sex, recorded_by, recorded_at)
    select id, 1, 'A', 'B', '1980-01-01', false, 'unknown', registered_by, '2020-01-01' from crowd
    """,
    """
    insert into clinic.episode (id, client_id, programme_id, admitted_on, period, recorded_by, recorded_at)
    select episode, id, programme_id, '2020-01-01', '[2020-01-01,)', registered_by, '2020-01-01' from crowd
    """,
    """
    insert into clinic.responsibility (id, client_id, episode_id, counsellor_id, period, recorded_by, recorded_at)
    select gen_random_uuid(), id, episode, counsellor, '[2020-01-01,)', registered_by, '2020-01-01' from crowd
    """,
    """
    insert into clinic.cover (id, client_id, counsellor_id, period, reason, recorded_by, recorded_at)
    select gen_random_uuid(), id, registered_by, '[2020-01-01,2020-02-01)', 'Leave', registered_by, '2020-01-01'
    from crowd
    """,
    """
    insert into clinic.guest_stay (id, client_id, host_programme_id, period, reason, recorded_by, recorded_at)
    select gen_random_uuid(), id, programme_id, '[2020-01-01,2020-02-01)', 'Work', registered_by, '2020-01-01'
    from crowd
    """,
    """
    insert into clinic.keyworker (id, client_id, episode_id, staff_id, starts_at, reason, recorded_by, recorded_at)
    select gen_random_uuid(), id, episode, counsellor, '2020-01-01', 'Asked for.', registered_by, '2020-01-01' from crowd
    """,
    "insert into clinic.check_in_plan (id, client_id, programme_id) select plan, id, programme_id from crowd",
    """
    insert into clinic.check_in_plan_version (plan_id, version, every, unit, local_time, starts_on, grace_days,
                                              early_days, mode, time_zone, replaces_from, decided_by, decided_at)
    select plan, 1, 1, 'days', '09:00', '2026-06-01', 1, 1, 'text', 'UTC', '2026-06-01', registered_by, '2026-06-01'
    from crowd
    """,
    """
    insert into clinic.check_in_plan_version (plan_id, version, every, unit, local_time, starts_on, grace_days,
                                              early_days, mode, time_zone, replaces_from, decided_by, decided_at, reason)
    select plan, 2, 1, 'days', '09:00', '2026-06-01', 1, 1, 'text', 'UTC', '2199-12-01', registered_by, '2026-06-01',
           'Relapsed.'
    from crowd
    """,
    """
    insert into clinic.check_in_step_up (plan_id, version, base_version, ground, occurred_on, last_on, rule)
    select plan, 2, 1, 'overdose', '2026-06-01', '2026-08-30', 'crowd' from crowd
    """,
    """
    insert into clinic.check_in_plan_phase (plan_id, version, number, every, unit, starts_on, grace_days, early_days)
    select plan, 1, 2, 2, 'days', '2027-06-01', 1, 1 from crowd
    """,
    """
    insert into clinic.check_in (id, plan_id, plan_version, client_id, programme_id, scheduled_on, due_at,
                                 grace_ends_at, made_at)
    select gen_random_uuid(), plan, 1, id, programme_id, date '2026-06-01' + d, timestamptz '2026-06-01 09:00Z'
           + d * interval '1 day', timestamptz '2026-06-02 09:00Z' + d * interval '1 day', '2026-06-01'
    from crowd, generate_series(0, 29) d
    """,
    """
    insert into clinic.check_in_plan_current (plan_id, version, scheduled_through)
    select plan, 1, '2199-12-31' from crowd
    """,
    """
    insert into clinic.check_in_attempt (id, check_in_id, attempted_at, mode, result, recorded_by, recorded_at)
    select gen_random_uuid(), c.id, c.due_at, 'text', 'no_answer', crowd.registered_by, c.due_at
    from clinic.check_in c join crowd on crowd.plan = c.plan_id
    """,
    """
    insert into clinic.check_in_outcome (check_in_id, version, ended, reason, recorded_by, recorded_at)
    select c.id, 1, 'missed', 'x', crowd.registered_by, c.due_at
    from clinic.check_in c join crowd on crowd.plan = c.plan_id
    """,
    """
    insert into clinic.check_in_answers (check_in_id, version, programme_id, asked, craving)
    select c.id, 1, c.programme_id, array['craving'], 3
    from clinic.check_in c join crowd on crowd.plan = c.plan_id
    """,
    """
    insert into clinic.check_in_waiting (check_in_id, plan_id, plan_version, client_id, programme_id, due_at,
                                         grace_ends_at, counts_from, movable_until, attempts, last_fact,
                                         last_fact_at, rule, mode, grace_days, time_zone)
    select id, plan_id, plan_version, client_id, programme_id, due_at, grace_ends_at, due_at, grace_ends_at, 0, 'scheduled',
           made_at, 'every day at 09:00', 'text', 1, 'UTC'
    from clinic.check_in where made_at = '2026-06-01'
    """,
    """
    insert into clinic.check_in_move (check_in_id, number, due_at, grace_ends_at, asked_by, recorded_by, recorded_at)
    select c.id, 1, c.due_at, c.grace_ends_at, 'client', crowd.registered_by, '2026-05-01'
    from clinic.check_in c join crowd on crowd.plan = c.plan_id
    """,
    """
    insert into clinic.escalation (id, client_id, programme_id, ground, said, recorded_by, recorded_at)
    select ('00000000-0000-7000-9000-' || lpad(n::text, 12, '0'))::uuid, id, programme_id, 'overdose', 'Told.',
           registered_by, '2020-01-01'
    from crowd
    """,
    """
    insert into clinic.excusal (id, client_id, programme_id, reason, first_on, last_on, told_by, note, recorded_by,
                                recorded_at)
    select gen_random_uuid(), id, programme_id, 'hospital', '2020-01-01', '2020-01-02', 'A sister', '', registered_by,
           '2020-01-01'
    from crowd
    """,
    """
    insert into clinic.excusal_end (excusal_id, last_on, reason, recorded_by, recorded_at)
    select id, '2020-01-02', 'Back.', recorded_by, '2020-01-02' from clinic.excusal
    """,
    """
    insert into clinic.therapy_session (id, programme_id, kind, title, starts_at, ends_at, planned_by, planned_at)
    select episode, programme_id, 'group', 'Crowd', timestamptz '2020-01-01' + n * interval '1 day',
           timestamptz '2020-01-01 01:00Z' + n * interval '1 day', counsellor, '2020-01-01'
    from crowd
    """,
    """
    insert into clinic.therapy_session_facilitator (session_id, staff_id)
    select episode, counsellor from crowd
    """,
    """
    insert into clinic.therapy_session_current (session_id, register_version)
    select episode, 0 from crowd
    """,
    "alter table clinic.medication_order disable trigger user",
    """
    insert into clinic.medication_order (id, chain_id, version, client_id, programme_id, medicine, form, strength_mg,
                                         whole_mg, every_days, starts_on, supervised, note, written_by, written_at, step_from,
                                         step_whole_mg)
    select o.id, o.id, 1, crowd.id, programme_id, 'methadone', 'oral_solution', 1, 60, 1,
           date '2020-01-01' + crowd.n, true, '', registered_by, '2020-01-01',
           case when crowd.n % 10 = 0 then array[date '2020-01-02' + crowd.n] end, case when crowd.n % 10 = 0 then array[70] end
    from crowd, lateral (select gen_random_uuid() as id where crowd.n > 0) o
    """,
    "analyze",
)
