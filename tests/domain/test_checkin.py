"""Check-ins: what a plan schedules, what people do with it, and what is overdue, to the minute."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from caseload.domain.access import Act, Role
from caseload.domain.caseload import NoOpenEpisode
from caseload.domain.checkin import (
    AlreadySettled,
    AskedBy,
    CheckInUnknown,
    ClearedBy,
    Correction,
    Ended,
    LastFact,
    Mode,
    NoLongerOpen,
    OutcomeChanged,
    Overdue,
    Plan,
    PlanChanged,
    PlanStopped,
    Punctuality,
    Record,
    Result,
    Terms,
    attempt,
    change_plan,
    complete,
    correct,
    miss,
    overdue,
    plan_check_ins,
    reschedule,
    schedule_ahead,
    stop_all,
    stop_plan,
    upcoming,
    usual_terms,
    waiting,
)
from caseload.domain.checkin.scheduling import HORIZON_DAYS
from caseload.domain.errors import Invalid, NotPermitted
from caseload.domain.ids import CheckInId, PlanId, ProgrammeId, new_id
from caseload.domain.profiles.selected import Selected
from caseload.domain.programme import Programme
from caseload.domain.schedule import LATEST, Recurrence, Unit
from tests.factories.checkin import (
    MONDAY,
    MORNING,
    NEW_YORK,
    Kept,
    Remembered,
    counsellor,
    daily,
    episode,
    terms,
    weekly,
)

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
NINE = datetime(2026, 6, 1, 13, tzinfo=UTC)
"""Monday 1 June 2026, 09:00 in New York."""
PROGRAMME = ProgrammeId(new_id())
ROBIN = counsellor(PROGRAMME)


class Clinic:
    """One client's plan, and Robin who looks after it."""

    def __init__(self) -> None:
        self.kept = Kept()
        self.journal = Remembered()
        self.by = ROBIN
        self.episode = episode(programme=PROGRAMME)

    async def plan(self, wanted: Terms | None = None, *, now: datetime = MORNING) -> Plan:
        made = await plan_check_ins(
            self.episode,
            wanted or terms(),
            as_id=PlanId(new_id()),
            by=self.by,
            now=now,
            plans=self.kept,
            journal=self.journal,
        )
        return self.kept.plans[made.id]

    async def change(self, plan: Plan, wanted: Terms, *, now: datetime, reason: str = "Doing well") -> Plan:
        await change_plan(plan, wanted, reason=reason, by=self.by, now=now, plans=self.kept, journal=self.journal)
        return self.kept.plans[plan.id]

    async def stop(self, plan: Plan, *, at: datetime, now: datetime, reason: str = "Discharged") -> Plan:
        await stop_plan(plan, at=at, reason=reason, by=self.by, now=now, plans=self.kept, journal=self.journal)
        return self.kept.plans[plan.id]

    def records(self, plan: Plan) -> list[Record]:
        return self.kept.of(plan.id)

    def due(self, plan: Plan) -> list[date]:
        """The days that still wait."""
        return [record.check_in.scheduled_on for record in self.records(plan) if record.outcome is None]

    def overdue(self, *, now: datetime) -> list[Overdue]:
        return list(overdue(self.kept.records.values(), now=now))

    async def complete(
        self, record: Record, *, at: datetime, now: datetime | None = None, note: str | None = None
    ) -> None:
        await complete(
            record.check_in.id,
            occurred_at=at,
            mode=Mode.TELEPHONE,
            note=note,
            by=self.by,
            now=now or at,
            check_ins=self.kept,
            journal=self.journal,
        )

    async def attempt(self, record: Record, *, at: datetime, now: datetime | None = None) -> None:
        await attempt(
            record.check_in.id,
            as_id=new_id(),
            attempted_at=at,
            mode=Mode.TELEPHONE,
            result=Result.NO_ANSWER,
            note=None,
            by=self.by,
            now=now or at,
            check_ins=self.kept,
            journal=self.journal,
        )

    async def move(
        self, record: Record, *, to: datetime, now: datetime, asked_by: AskedBy = AskedBy.CLIENT, reason: str = "Work"
    ) -> None:
        await reschedule(
            record.check_in.id,
            due_at=to,
            asked_by=asked_by,
            reason=reason,
            by=self.by,
            now=now,
            check_ins=self.kept,
            journal=self.journal,
        )

    async def miss(self, record: Record, *, now: datetime, reason: str = "No way to reach them") -> None:
        await miss(record.check_in.id, reason=reason, by=self.by, now=now, check_ins=self.kept, journal=self.journal)

    async def correct(self, record: Record, correction: Correction, *, version: int, now: datetime) -> None:
        await correct(
            record.check_in.id,
            correction,
            version=version,
            by=self.by,
            now=now,
            check_ins=self.kept,
            journal=self.journal,
        )

    def told(self) -> list[str]:
        return [event.name for event in self.journal.events]


@pytest.fixture
def clinic() -> Clinic:
    return Clinic()


# Plans.


async def test_a_plan_schedules_its_check_ins_up_to_the_horizon(clinic: Clinic) -> None:
    plan = await clinic.plan()

    assert clinic.due(plan) == [MONDAY + n * 7 * DAY for n in range(9)]
    assert plan.scheduled_through == MONDAY + 62 * DAY, "the next one is due on the day after"
    first = clinic.records(plan)[0].check_in
    assert (first.due_at, first.grace_ends_at) == (NINE, NINE + DAY)
    assert (first.client, first.programme, first.plan_version) == (clinic.episode.client, PROGRAMME, 1)
    assert clinic.told() == ["check_in.planned"]


async def test_the_next_check_in_is_made_however_far_it_lies(clinic: Clinic) -> None:
    quarterly = Recurrence(every=3, unit=Unit.MONTHS, month_day=31, at=time(9), starts_on=date(2026, 10, 1))
    plan = await clinic.plan(terms(quarterly))

    assert clinic.due(plan) == [date(2026, 10, 31)]
    assert plan.scheduled_through == date(2026, 10, 31)


async def test_a_plan_that_ends_is_scheduled_for_good(clinic: Clinic) -> None:
    plan = await clinic.plan(terms(daily(ends_on=MONDAY + DAY)))

    assert clinic.due(plan) == [MONDAY, MONDAY + DAY]
    assert plan.scheduled_through == LATEST


async def test_a_plan_made_after_its_hour_begins_with_the_next_one(clinic: Clinic) -> None:
    plan = await clinic.plan(terms(daily(ends_on=MONDAY + DAY)), now=NINE + MINUTE)

    assert clinic.due(plan) == [MONDAY + DAY]


async def test_scheduling_twice_changes_nothing(clinic: Clinic) -> None:
    plan = await clinic.plan()
    before = clinic.due(plan)

    assert await schedule_ahead(now=MORNING, plans=clinic.kept, journal=clinic.journal) == 0
    assert clinic.due(plan) == before


async def test_scheduling_ahead_goes_on_where_it_stopped_and_then_has_nothing_to_do(clinic: Clinic) -> None:
    plan = await clinic.plan(terms(daily()))
    stopped = await clinic.stop(await clinic.plan(), at=MORNING, now=MORNING)
    later = MORNING + 10 * DAY

    assert await schedule_ahead(now=later, plans=clinic.kept, journal=clinic.journal) == 1
    assert clinic.due(plan) == [MONDAY + n * DAY for n in range(HORIZON_DAYS + 11)]
    assert clinic.due(stopped) == []
    assert await schedule_ahead(now=later, plans=clinic.kept, journal=clinic.journal) == 0
    assert clinic.journal.events[-1].facts == {"count": 10}


async def test_at_the_evening_of_a_western_day_scheduling_ahead_still_comes_to_an_end(clinic: Clinic) -> None:
    plan = await clinic.plan(terms(daily()))
    evening = datetime(2026, 6, 12, 1, tzinfo=UTC)

    rounds = [await schedule_ahead(now=evening, plans=clinic.kept, journal=clinic.journal) for _ in range(3)]

    assert rounds[-1] == 0
    assert len(clinic.due(plan)) == len(set(clinic.due(plan)))


async def test_a_stopped_plan_has_nothing_coming(clinic: Clinic) -> None:
    stopped = await clinic.stop(await clinic.plan(), at=MORNING, now=MORNING)

    assert upcoming(stopped, now=MORNING) == ((), LATEST)


async def test_a_change_withdraws_what_is_to_come_and_leaves_what_was_due(clinic: Clinic) -> None:
    plan = await clinic.plan()
    now = NINE + 10 * DAY
    wednesdays = daily(every=14, starts_on=date(2026, 6, 17))

    changed = await clinic.change(plan, terms(wednesdays, grace_days=3), now=now)

    assert clinic.due(changed)[:5] == [
        MONDAY,
        MONDAY + 7 * DAY,
        MONDAY + 14 * DAY,
        date(2026, 6, 17),
        date(2026, 7, 1),
    ]
    assert [version.version for version in clinic.kept.versions[plan.id]] == [1, 2]
    withdrawn = [r for r in clinic.records(plan) if r.outcome and r.outcome.ended is Ended.WITHDRAWN]
    assert {record.check_in.scheduled_on for record in withdrawn} == {MONDAY + n * 7 * DAY for n in range(3, 9)}
    assert {record.outcome.reason for record in withdrawn if record.outcome} == {"Doing well"}


async def test_a_change_from_today_on_keeps_what_was_due_this_morning(clinic: Clinic) -> None:
    plan = await clinic.plan(terms(daily()))

    changed = await clinic.change(plan, terms(weekly(starts_on=MONDAY, at=time(15))), now=NINE + timedelta(hours=2))

    days = [(record.check_in.scheduled_on, record.check_in.plan_version) for record in clinic.records(changed)]
    assert next(day for day in days if day[1] == 2) == (MONDAY, 2)
    assert [record.due_at for record in clinic.records(changed) if record.outcome is None][:2] == [
        NINE,
        NINE + timedelta(hours=6),
    ]


async def test_a_day_completed_ahead_of_time_is_not_scheduled_again_by_a_change(clinic: Clinic) -> None:
    plan = await clinic.plan(terms(early_days=3))
    _, second, *_ = clinic.records(plan)
    await clinic.complete(second, at=NINE + 5 * DAY)

    changed = await clinic.change(plan, terms(weekly(starts_on=MONDAY + 6 * DAY)), now=NINE + 5 * DAY)

    assert clinic.due(changed)[0] == MONDAY + 14 * DAY


async def test_a_check_in_moved_to_before_a_change_stays_where_it_was_moved(clinic: Clinic) -> None:
    plan = await clinic.plan()
    _, second, *_ = clinic.records(plan)
    await clinic.move(second, to=NINE + 3 * DAY, now=NINE, asked_by=AskedBy.PROVIDER)

    changed = await clinic.change(plan, terms(weekly(starts_on=MONDAY + 5 * DAY)), now=NINE + DAY)

    assert clinic.records(changed)[1].outcome is None


async def test_a_change_must_start_today_or_later_and_say_why(clinic: Clinic) -> None:
    plan = await clinic.plan()

    with pytest.raises(Invalid, match="not be before today"):
        await clinic.change(plan, terms(weekly(starts_on=MONDAY)), now=NINE + DAY)
    with pytest.raises(Invalid, match="say why"):
        await clinic.change(plan, terms(), now=NINE, reason=" ")
    with pytest.raises(Invalid, match="at most 4000"):
        await clinic.change(plan, terms(), now=NINE, reason="x" * 4001)


async def test_a_plan_starts_within_two_years(clinic: Clinic) -> None:
    with pytest.raises(Invalid, match="within two years"):
        await clinic.plan(terms(daily(starts_on=MONDAY + 732 * DAY)))


async def test_a_plan_read_before_another_change_is_refused(clinic: Clinic) -> None:
    plan = await clinic.plan()
    await clinic.change(plan, terms(grace_days=2), now=NINE)

    with pytest.raises(PlanChanged):
        await clinic.change(plan, terms(grace_days=3), now=NINE)


async def test_a_stopped_plan_cannot_be_changed_or_stopped_again(clinic: Clinic) -> None:
    stopped = await clinic.stop(await clinic.plan(), at=MORNING, now=MORNING)

    with pytest.raises(PlanStopped):
        await clinic.change(stopped, terms(), now=MORNING)
    with pytest.raises(PlanStopped):
        await clinic.stop(stopped, at=MORNING, now=MORNING)


@pytest.mark.parametrize("at", [datetime(1999, 12, 31, tzinfo=UTC), NINE + 732 * DAY])
async def test_a_plan_is_stopped_at_a_moment_that_somebody_can_mean(clinic: Clinic, at: datetime) -> None:
    plan = await clinic.plan()
    with pytest.raises(Invalid, match="at: must be from"):
        await clinic.stop(plan, at=at, now=NINE)


async def test_stopping_as_of_the_past_leaves_nothing_overdue_behind_and_keeps_what_was_settled(clinic: Clinic) -> None:
    plan = await clinic.plan()
    first, *_ = clinic.records(plan)
    await clinic.complete(first, at=NINE)

    await clinic.stop(plan, at=MORNING, now=NINE + 20 * DAY)

    assert clinic.due(plan) == []
    assert clinic.kept.waiting == {}
    assert clinic.records(plan)[0].outcome is not None
    assert [r.outcome.ended for r in clinic.records(plan) if r.outcome][:2] == [Ended.COMPLETED, Ended.WITHDRAWN]


async def test_after_a_discharge_nothing_of_any_plan_waits_for_anybody(clinic: Clinic) -> None:
    plans = [await clinic.plan(), await clinic.plan(terms(daily()))]
    prescriber = counsellor(PROGRAMME, role=Role.PRESCRIBER)
    now = NINE + 20 * DAY

    for _ in range(2):
        await stop_all(
            clinic.episode.client,
            reason="Discharged",
            by=prescriber,
            now=now,
            plans=clinic.kept,
            journal=clinic.journal,
        )

    assert clinic.kept.waiting == {}
    assert [clinic.kept.plans[plan.id].version.version for plan in plans] == [2, 2]


def test_what_a_plan_does_not_say_follows_the_profile_of_the_programme() -> None:
    house = Programme(id=PROGRAMME, code="H", name="House", time_zone="Europe/London", profiles=Selected("UK"))

    usual = usual_terms(house, weekly(every=2), mode=Mode.TELEPHONE, now=MORNING)
    own = usual_terms(house, weekly(every=2), mode=Mode.TELEPHONE, now=MORNING, grace_days=0, early_days=1)

    assert (usual.grace_days, usual.early_days, usual.grace_rule) == (3, 3, "UK-1 uk.check_in_grace")
    assert (own.grace_days, own.early_days, own.grace_rule) == (0, 1, None)
    assert usual.zone == ZoneInfo("Europe/London")


async def test_nobody_plans_check_ins_outside_an_episode_or_without_the_role(clinic: Clinic) -> None:
    clinic.episode = episode(programme=PROGRAMME, ends_at=MORNING)
    with pytest.raises(NoOpenEpisode):
        await clinic.plan()

    clinic.episode = episode(programme=PROGRAMME)
    clinic.by = counsellor(PROGRAMME, role=Role.FRONT_DESK)
    with pytest.raises(NotPermitted):
        await clinic.plan()


async def test_planning_in_another_programme_needs_a_role_there(clinic: Clinic) -> None:
    clinic.by = counsellor(ProgrammeId(new_id()))
    with pytest.raises(NotPermitted):
        await clinic.plan()


def test_grace_and_early_window_are_a_month_at_most() -> None:
    assert terms(grace_days=31, early_days=0).grace_days == 31
    with pytest.raises(Invalid) as refused:
        terms(grace_days=32, early_days=-1)

    assert [fault.field for fault in refused.value.faults] == ["grace_days", "early_days"]


# Overdue, to the minute.


async def test_a_check_in_is_overdue_only_after_the_last_instant_of_its_grace(clinic: Clinic) -> None:
    await clinic.plan()

    assert clinic.overdue(now=NINE + DAY) == []
    (line,) = clinic.overdue(now=NINE + DAY + timedelta(microseconds=1))
    assert line.since == NINE + DAY


async def test_every_line_says_why_it_is_there_since_when_and_what_would_clear_it(clinic: Clinic) -> None:
    await clinic.plan()
    (line,) = clinic.overdue(now=NINE + 3 * DAY)

    assert line.rule == "every week on Monday at 09:00"
    assert line.why == (
        "It is planned every week on Monday at 09:00, its grace of 1 day is over, "
        "and no check-in has been completed since."
    )
    assert (line.grace_days, line.days_late) == (1, 3)
    assert line.due_at == NINE
    assert line.last_fact is LastFact.SCHEDULED
    assert line.counts_from == NINE - DAY
    assert line.cleared_by == (
        ClearedBy.COMPLETE,
        ClearedBy.RESCHEDULE_FOR_CLIENT,
        ClearedBy.RESCHEDULE_FOR_PROVIDER,
        ClearedBy.MISS,
    )


async def test_one_interval_late_the_client_can_no_longer_put_it_off(clinic: Clinic) -> None:
    await clinic.plan()
    oldest = clinic.overdue(now=NINE + 7 * DAY)[0]

    assert ClearedBy.RESCHEDULE_FOR_CLIENT not in oldest.cleared_by


async def test_the_longest_overdue_comes_first(clinic: Clinic) -> None:
    await clinic.plan()
    now = NINE + 15 * DAY + MINUTE

    assert [line.due_at for line in clinic.overdue(now=now)] == [NINE, NINE + 7 * DAY, NINE + 14 * DAY]


@pytest.mark.parametrize(
    ("due_on", "hours"),
    [
        (date(2026, 3, 7), 23),
        (date(2026, 10, 31), 25),
        (date(2026, 6, 1), 24),
        (date(2028, 2, 28), 24),
    ],
    ids=["clocks go forward", "clocks go back", "an ordinary night", "the night before a leap day"],
)
async def test_a_day_of_grace_is_a_local_day(clinic: Clinic, due_on: date, hours: int) -> None:
    start = datetime.combine(due_on, time(0, 1), NEW_YORK)
    plan = await clinic.plan(terms(daily(starts_on=due_on)), now=start)
    first = clinic.records(plan)[0].check_in

    assert first.grace_ends_at - first.due_at == timedelta(hours=hours)
    assert first.grace_ends_at.astimezone(NEW_YORK).time() == time(9)


async def test_no_grace_means_overdue_at_once(clinic: Clinic) -> None:
    await clinic.plan(terms(grace_days=0))

    assert clinic.overdue(now=NINE) == []
    (line,) = clinic.overdue(now=NINE + timedelta(seconds=1))
    assert line.days_late == 0
    assert "it has no grace" in line.why


async def test_days_late_turn_at_local_midnight(clinic: Clinic) -> None:
    await clinic.plan(terms(grace_days=0))
    midnight = datetime(2026, 6, 2, 4, tzinfo=UTC)

    assert clinic.overdue(now=midnight - MINUTE)[0].days_late == 0
    assert clinic.overdue(now=midnight)[0].days_late == 1


async def test_the_month_end_plan_is_overdue_from_the_short_month(clinic: Clinic) -> None:
    london = ZoneInfo("Europe/London")
    rule = Recurrence(every=1, unit=Unit.MONTHS, month_day=31, at=time(9), starts_on=date(2027, 1, 1))
    await clinic.plan(terms(rule, grace_days=7, zone=london), now=datetime(2027, 1, 1, tzinfo=UTC))
    due = datetime(2027, 2, 28, 9, tzinfo=UTC)

    late = clinic.overdue(now=due + 7 * DAY + MINUTE)
    assert [line.due_at for line in late] == [datetime(2027, 1, 31, 9, tzinfo=UTC), due]
    assert "its grace of 7 days is over" in late[0].why


# What people do.


@pytest.mark.parametrize(
    ("occurred_at", "punctuality"),
    [
        (NINE - MINUTE, Punctuality.EARLY),
        (NINE, Punctuality.ON_TIME),
        (NINE + DAY, Punctuality.ON_TIME),
        (NINE + DAY + MINUTE, Punctuality.LATE),
    ],
)
async def test_a_completion_says_whether_it_was_early_on_time_or_late(
    clinic: Clinic, occurred_at: datetime, punctuality: Punctuality
) -> None:
    plan = await clinic.plan()
    first, *_ = clinic.records(plan)

    await clinic.complete(first, at=occurred_at, now=NINE + 2 * DAY)

    assert clinic.journal.events[-1].facts == {"version": 1, "punctuality": punctuality.value}
    outcome = clinic.records(plan)[0].outcome
    assert outcome is not None
    assert (outcome.occurred_at, outcome.recorded_at) == (occurred_at, NINE + 2 * DAY)


async def test_a_completed_check_in_is_not_overdue_however_late_it_was_recorded(clinic: Clinic) -> None:
    plan = await clinic.plan()
    await clinic.complete(clinic.records(plan)[0], at=NINE, now=NINE + 3 * DAY)

    assert clinic.overdue(now=NINE + 3 * DAY) == []


async def test_a_contact_before_the_early_window_or_in_the_future_is_not_this_check_in(clinic: Clinic) -> None:
    plan = await clinic.plan()
    _, second, *_ = clinic.records(plan)
    window = NINE + 6 * DAY

    with pytest.raises(Invalid, match="counts as this check-in only from"):
        await clinic.complete(second, at=window - MINUTE, now=window)
    with pytest.raises(Invalid, match="future"):
        await clinic.complete(second, at=window + MINUTE, now=window)
    await clinic.complete(second, at=window)


async def test_the_second_to_complete_a_check_in_learns_when_it_was_done(clinic: Clinic) -> None:
    plan = await clinic.plan()
    first, *_ = clinic.records(plan)
    await clinic.complete(first, at=NINE)

    with pytest.raises(AlreadySettled, match="completed") as refused:
        await clinic.complete(first, at=NINE + MINUTE)

    assert refused.value.facts["at"] == NINE.isoformat()
    assert refused.value.facts["version"] == 1


async def test_a_contact_overtakes_what_was_open_before_it(clinic: Clinic) -> None:
    plan = await clinic.plan()
    first, second, third, *_ = clinic.records(plan)
    await clinic.miss(second, now=NINE + 8 * DAY)

    await clinic.complete(third, at=NINE + 14 * DAY)

    assert [r.outcome.ended for r in clinic.records(plan)[:3] if r.outcome] == [
        Ended.OVERTAKEN,
        Ended.MISSED,
        Ended.COMPLETED,
    ]
    overtaken = clinic.records(plan)[0].outcome
    assert overtaken is not None
    assert overtaken.overtaken_by == third.check_in.id
    assert clinic.journal.events[-1].records == (third.check_in.id, first.check_in.id)
    assert clinic.overdue(now=NINE + 14 * DAY) == []


async def test_a_contact_does_not_overtake_an_appointment_moved_beyond_it(clinic: Clinic) -> None:
    plan = await clinic.plan()
    first, second, *_ = clinic.records(plan)
    await clinic.move(first, to=NINE + 9 * DAY, now=NINE, asked_by=AskedBy.PROVIDER)

    await clinic.complete(second, at=NINE + 7 * DAY)

    assert clinic.records(plan)[0].outcome is None


async def test_an_overtaken_check_in_can_still_be_recorded_as_completed(clinic: Clinic) -> None:
    plan = await clinic.plan()
    first, second, *_ = clinic.records(plan)
    await clinic.complete(second, at=NINE + 7 * DAY)

    await clinic.complete(first, at=NINE + MINUTE, now=NINE + 8 * DAY)

    assert [outcome.ended for outcome in clinic.records(plan)[0].outcomes] == [Ended.OVERTAKEN, Ended.COMPLETED]


async def test_an_attempt_is_not_a_completion_however_many_there_are(clinic: Clinic) -> None:
    plan = await clinic.plan()
    first, *_ = clinic.records(plan)
    for hours in (1, 2, 30):
        await clinic.attempt(first, at=NINE + timedelta(hours=hours))

    (line,) = clinic.overdue(now=NINE + 2 * DAY)
    assert line.attempts == 3
    assert line.last_fact is LastFact.ATTEMPTED
    assert (line.last_fact_at, line.last_fact_by) == (NINE + timedelta(hours=30), ROBIN.id)


async def test_an_attempt_can_be_recorded_after_the_check_in_was_settled(clinic: Clinic) -> None:
    plan = await clinic.plan()
    first, *_ = clinic.records(plan)
    await clinic.complete(first, at=NINE + timedelta(hours=1))

    await clinic.attempt(first, at=NINE, now=NINE + timedelta(hours=2))

    assert len(clinic.records(plan)[0].attempts) == 1
    assert first.check_in.id not in clinic.kept.waiting


async def test_an_attempt_lies_between_the_plan_and_now(clinic: Clinic) -> None:
    plan = await clinic.plan()
    first, *_ = clinic.records(plan)

    with pytest.raises(Invalid, match="future"):
        await clinic.attempt(first, at=NINE + MINUTE, now=NINE)
    with pytest.raises(Invalid, match="before this check-in was planned"):
        await clinic.attempt(first, at=MORNING - MINUTE, now=NINE)


async def test_moved_by_the_clinic_its_grace_and_its_limit_are_counted_anew(clinic: Clinic) -> None:
    plan = await clinic.plan()
    first, *_ = clinic.records(plan)
    to = NINE + 20 * DAY

    await clinic.move(first, to=to, now=NINE, asked_by=AskedBy.PROVIDER)

    moved = clinic.records(plan)[0]
    assert (moved.due_at, moved.grace_ends_at, moved.movable_until) == (to, to + DAY, to + 7 * DAY)
    assert clinic.kept.waiting[first.check_in.id].last_fact is LastFact.RESCHEDULED
    assert moved.check_in.id not in {line.check_in for line in clinic.overdue(now=to + DAY)}
    assert moved.check_in.id in {line.check_in for line in clinic.overdue(now=to + DAY + MINUTE)}


async def test_moved_by_the_client_it_goes_no_further_than_one_interval_however_often(clinic: Clinic) -> None:
    plan = await clinic.plan()
    first, *_ = clinic.records(plan)
    limit = NINE + 7 * DAY

    await clinic.move(first, to=NINE + 5 * DAY, now=NINE)
    await clinic.move(first, to=limit, now=NINE + DAY)
    with pytest.raises(Invalid, match="must not be after"):
        await clinic.move(first, to=limit + MINUTE, now=NINE + 2 * DAY)

    assert [move.number for move in clinic.records(plan)[0].moves] == [1, 2]


async def test_a_check_in_cannot_be_moved_into_the_past_or_out_of_sight(clinic: Clinic) -> None:
    plan = await clinic.plan()
    first, *_ = clinic.records(plan)

    with pytest.raises(Invalid, match="must lie in the future"):
        await clinic.move(first, to=NINE, now=NINE)
    with pytest.raises(Invalid, match="must not be after"):
        await clinic.move(first, to=NINE + 367 * DAY, now=NINE, asked_by=AskedBy.PROVIDER)


async def test_whoever_comes_at_the_time_that_was_moved_is_welcome(clinic: Clinic) -> None:
    plan = await clinic.plan()
    first, *_ = clinic.records(plan)
    await clinic.move(first, to=NINE + 5 * DAY, now=MORNING)

    await clinic.complete(first, at=NINE)

    assert clinic.journal.events[-1].facts["punctuality"] == "early"


async def test_a_check_in_is_missed_only_once_it_was_due_and_with_a_reason(clinic: Clinic) -> None:
    plan = await clinic.plan()
    first, *_ = clinic.records(plan)

    with pytest.raises(Invalid, match="before it is due"):
        await clinic.miss(first, now=NINE - MINUTE)
    with pytest.raises(Invalid, match="say why"):
        await clinic.miss(first, now=NINE, reason="  ")
    await clinic.miss(first, now=NINE)

    assert clinic.overdue(now=NINE + 2 * DAY) == []


async def test_what_is_settled_can_be_neither_moved_nor_missed(clinic: Clinic) -> None:
    plan = await clinic.plan()
    first, second, *_ = clinic.records(plan)
    await clinic.complete(second, at=NINE + 7 * DAY)

    with pytest.raises(AlreadySettled):
        await clinic.move(second, to=NINE + 9 * DAY, now=NINE + 8 * DAY)
    with pytest.raises(NoLongerOpen, match="overtaken"):
        await clinic.miss(first, now=NINE + 8 * DAY)
    with pytest.raises(AlreadySettled):
        await clinic.miss(second, now=NINE + 8 * DAY)


async def test_a_missed_check_in_is_not_completed_without_a_correction(clinic: Clinic) -> None:
    plan = await clinic.plan()
    first, *_ = clinic.records(plan)
    await clinic.miss(first, now=NINE + DAY)

    with pytest.raises(AlreadySettled, match="missed"):
        await clinic.complete(first, at=NINE, now=NINE + DAY)
    await clinic.correct(
        first,
        Correction(ended=Ended.COMPLETED, occurred_at=NINE, mode=Mode.TELEPHONE, reason="They had rung the window"),
        version=1,
        now=NINE + DAY,
    )

    outcome = clinic.records(plan)[0].outcome
    assert outcome is not None
    assert (outcome.ended, outcome.version, outcome.reason) == (Ended.COMPLETED, 2, "They had rung the window")


async def test_a_completion_recorded_in_error_is_open_again_and_says_so(clinic: Clinic) -> None:
    plan = await clinic.plan()
    first, *_ = clinic.records(plan)
    await clinic.complete(first, at=NINE)

    await clinic.correct(
        first, Correction(ended=Ended.RECORDED_IN_ERROR, reason="Another client"), version=1, now=NINE + DAY
    )

    (line,) = clinic.overdue(now=NINE + 2 * DAY)
    assert line.last_fact is LastFact.REOPENED
    await clinic.complete(first, at=NINE + 2 * DAY)
    assert [outcome.version for outcome in clinic.records(plan)[0].outcomes] == [1, 2, 3]


async def test_correcting_a_contact_releases_what_it_had_overtaken(clinic: Clinic) -> None:
    plan = await clinic.plan()
    first, second, *_ = clinic.records(plan)
    await clinic.complete(second, at=NINE + 7 * DAY)

    await clinic.correct(
        second, Correction(ended=Ended.RECORDED_IN_ERROR, reason="Another client"), version=1, now=NINE + 9 * DAY
    )

    assert [line.check_in for line in clinic.overdue(now=NINE + 9 * DAY)] == [
        first.check_in.id,
        second.check_in.id,
    ]
    assert set(clinic.kept.waiting) >= {first.check_in.id, second.check_in.id}


async def test_of_a_client_who_has_left_care_a_correction_opens_nothing_again(clinic: Clinic) -> None:
    plan = await clinic.plan()
    first, second, *_ = clinic.records(plan)
    await clinic.complete(second, at=NINE + 7 * DAY)
    await stop_all(
        plan.client, reason="Discharged", by=ROBIN, now=NINE + 8 * DAY, plans=clinic.kept, journal=clinic.journal
    )
    clinic.kept.left.add((plan.client, plan.programme))

    await clinic.correct(
        second, Correction(ended=Ended.RECORDED_IN_ERROR, reason="Another client"), version=1, now=NINE + 9 * DAY
    )

    assert not clinic.kept.waiting
    assert clinic.overdue(now=NINE + 9 * DAY) == []
    for one in (first, second):
        ends = [outcome.ended for outcome in clinic.kept.records[one.check_in.id].outcomes]
        assert ends[-2:] == [Ended.RECORDED_IN_ERROR, Ended.WITHDRAWN]


async def test_a_corrected_time_that_still_overtakes_releases_nothing(clinic: Clinic) -> None:
    plan = await clinic.plan()
    first, second, *_ = clinic.records(plan)
    await clinic.complete(second, at=NINE + 7 * DAY)

    await clinic.correct(
        second,
        Correction(
            ended=Ended.COMPLETED, occurred_at=NINE + 6 * DAY, mode=Mode.VIDEO, note="By video", reason="Wrong day"
        ),
        version=1,
        now=NINE + 9 * DAY,
    )

    outcome = clinic.records(plan)[0].outcome
    assert outcome is not None
    assert outcome.ended is Ended.OVERTAKEN
    assert first.check_in.id not in clinic.kept.waiting


async def test_a_miss_corrected_to_a_contact_overtakes_what_is_open_before_it(clinic: Clinic) -> None:
    plan = await clinic.plan()
    first, second, *_ = clinic.records(plan)
    await clinic.miss(second, now=NINE + 8 * DAY)

    await clinic.correct(
        second,
        Correction(ended=Ended.COMPLETED, occurred_at=NINE + 7 * DAY, mode=Mode.TELEPHONE, reason="Found the note"),
        version=1,
        now=NINE + 9 * DAY,
    )

    assert first.check_in.id not in clinic.kept.waiting


async def test_a_correction_of_what_has_changed_meanwhile_is_refused(clinic: Clinic) -> None:
    plan = await clinic.plan()
    first, *_ = clinic.records(plan)
    correction = Correction(ended=Ended.RECORDED_IN_ERROR, reason="Another client")

    with pytest.raises(OutcomeChanged):
        await clinic.correct(first, correction, version=1, now=NINE)
    await clinic.complete(first, at=NINE)
    with pytest.raises(OutcomeChanged):
        await clinic.correct(first, correction, version=2, now=NINE)


@pytest.mark.parametrize(
    ("correction", "fields"),
    [
        (Correction(ended=Ended.OVERTAKEN, reason="x"), ["ended"]),
        (Correction(ended=Ended.WITHDRAWN, reason="x"), ["ended"]),
        (Correction(ended=Ended.COMPLETED, reason="x"), ["occurred_at", "mode"]),
        (Correction(ended=Ended.MISSED, reason="x", occurred_at=NINE, mode=Mode.TEXT), ["occurred_at", "mode"]),
        (Correction(ended=Ended.MISSED, reason=" "), ["reason"]),
        (Correction(ended=Ended.MISSED, reason="x" * 4001, note="y" * 4001), ["reason", "note"]),
        (
            Correction(ended=Ended.COMPLETED, reason="x", occurred_at=NINE + 9 * DAY, mode=Mode.TEXT),
            ["occurred_at"],
        ),
    ],
)
async def test_a_correction_that_contradicts_itself_is_refused(
    clinic: Clinic, correction: Correction, fields: list[str]
) -> None:
    plan = await clinic.plan()
    first, *_ = clinic.records(plan)
    await clinic.complete(first, at=NINE)

    with pytest.raises(Invalid) as refused:
        await clinic.correct(first, correction, version=1, now=NINE + DAY)

    assert [fault.field for fault in refused.value.faults] == fields


async def test_notes_have_an_end(clinic: Clinic) -> None:
    plan = await clinic.plan()
    first, *_ = clinic.records(plan)

    with pytest.raises(Invalid, match="note: must have at most"):
        await clinic.complete(first, at=NINE, note="x" * 4001)


async def test_everything_asks_for_the_check_in_within_the_reach_of_who_asks(clinic: Clinic) -> None:
    plan = await clinic.plan()
    first, *_ = clinic.records(plan)
    unknown = replace(first, check_in=replace(first.check_in, id=CheckInId(new_id())))

    with pytest.raises(CheckInUnknown):
        await clinic.complete(unknown, at=NINE)
    await clinic.attempt(first, at=NINE)
    await clinic.move(first, to=NINE + DAY, now=NINE)
    await clinic.miss(first, now=NINE + 2 * DAY)

    assert clinic.kept.reaches == [ROBIN.reach(Act.COMPLETE_CHECK_IN)] * 4


async def test_everything_is_told(clinic: Clinic) -> None:
    plan = await clinic.plan()
    first, second, third, *_ = clinic.records(plan)
    await clinic.attempt(first, at=NINE)
    await clinic.move(first, to=NINE + DAY, now=NINE)
    await clinic.miss(first, now=NINE + 2 * DAY)
    await clinic.complete(second, at=NINE + 7 * DAY)
    await clinic.correct(second, Correction(ended=Ended.MISSED, reason="Not them"), version=1, now=NINE + 8 * DAY)
    plan = await clinic.change(plan, terms(daily(starts_on=MONDAY + 9 * DAY)), now=NINE + 8 * DAY)
    await clinic.stop(plan, at=NINE + 9 * DAY, now=NINE + 9 * DAY)

    assert clinic.told() == [
        "check_in.planned",
        "check_in.attempted",
        "check_in.rescheduled",
        "check_in.missed",
        "check_in.completed",
        "check_in.corrected",
        "check_in.plan_changed",
        "check_in.plan_stopped",
    ]
    assert {event.client for event in clinic.journal.events} == {clinic.episode.client}
    assert third.check_in.id not in clinic.kept.waiting


async def test_what_waits_is_what_the_facts_say_waits(clinic: Clinic) -> None:
    plan = await clinic.plan()
    first, second, *_ = clinic.records(plan)
    await clinic.attempt(first, at=NINE)
    await clinic.move(first, to=NINE + DAY, now=NINE + MINUTE)
    await clinic.complete(second, at=NINE + 7 * DAY)
    await clinic.correct(second, Correction(ended=Ended.RECORDED_IN_ERROR, reason="x"), version=1, now=NINE + 8 * DAY)

    facts = {one.check_in: one for record in clinic.kept.records.values() if (one := waiting(record)) is not None}
    assert clinic.kept.waiting == facts
