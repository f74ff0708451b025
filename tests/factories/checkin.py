"""Check-ins for tests: plans with sensible terms, and a store in memory that keeps what the domain tells it to."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from caseload.domain.access import Holding, Reach, Role
from caseload.domain.caseload import Edition, Episode, LevelOfCare
from caseload.domain.checkin import (
    AlreadySettled,
    Attempt,
    CheckIn,
    CheckInUnknown,
    Ended,
    Mode,
    Move,
    Outcome,
    Plan,
    PlanChanged,
    PlanVersion,
    Record,
    Replaced,
    Scheduled,
    Terms,
    Waiting,
    waiting,
)
from caseload.domain.ids import CheckInId, ClientId, EpisodeId, PlanId, ProgrammeId, StaffId, new_id
from caseload.domain.journal import Event
from caseload.domain.people import Staff
from caseload.domain.programme import Programme
from caseload.domain.schedule import Recurrence, Unit, Weekday

NEW_YORK = ZoneInfo("America/New_York")
MONDAY = date(2026, 6, 1)
MORNING = datetime(2026, 6, 1, 12, tzinfo=UTC)
"""Monday 1 June 2026, 08:00 in New York."""


def weekly(*, every: int = 1, starts_on: date = MONDAY, at: time = time(9)) -> Recurrence:
    return Recurrence(every=every, unit=Unit.WEEKS, weekday=Weekday.MONDAY, at=at, starts_on=starts_on)


def daily(*, every: int = 1, starts_on: date = MONDAY, at: time = time(9), ends_on: date | None = None) -> Recurrence:
    return Recurrence(every=every, unit=Unit.DAYS, at=at, starts_on=starts_on, ends_on=ends_on)


def terms(
    rule: Recurrence | None = None,
    *,
    grace_days: int = 1,
    early_days: int = 1,
    mode: Mode = Mode.TELEPHONE,
    zone: ZoneInfo = NEW_YORK,
) -> Terms:
    return Terms(rule=rule or weekly(), grace_days=grace_days, early_days=early_days, mode=mode, zone=zone)


def counsellor(programme: ProgrammeId, *, role: Role = Role.COUNSELLOR) -> Staff:
    return Staff(
        id=StaffId(new_id()),
        user_name="robin",
        printed_name="Robin Ashdown",
        session=None,
        holdings=(Holding(role=role, programme=programme),),
    )


def episode(
    *, client: ClientId | None = None, programme: ProgrammeId | None = None, ends_at: datetime | None = None
) -> Episode:
    return Episode(
        id=EpisodeId(new_id()),
        client=client or ClientId(new_id()),
        programme=programme or ProgrammeId(new_id()),
        admitted_on=date(2026, 1, 1),
        starts_at=datetime(2026, 1, 1, 15, tzinfo=UTC),
        ends_at=ends_at,
        level=LevelOfCare(edition=Edition.ASAM_4, level="1.5"),
        responsible=StaffId(new_id()),
        returns_from=None,
    )


@dataclass
class Remembered:
    """A journal that remembers."""

    events: list[Event] = field(default_factory=list[Event])
    seen: list[tuple[ClientId, str]] = field(default_factory=list[tuple[ClientId, str]])

    def saw(self, client: ClientId, kind: str) -> None:
        self.seen.append((client, kind))

    def tell(self, event: Event) -> None:
        self.events.append(event)


@dataclass
class Kept:
    """Plans and check-ins in memory: facts in lists, and beside them what waits."""

    plans: dict[PlanId, Plan] = field(default_factory=dict[PlanId, Plan])
    versions: dict[PlanId, list[PlanVersion]] = field(default_factory=dict[PlanId, list[PlanVersion]])
    records: dict[CheckInId, Record] = field(default_factory=dict[CheckInId, Record])
    waiting: dict[CheckInId, Waiting] = field(default_factory=dict[CheckInId, Waiting])
    reaches: list[Reach] = field(default_factory=list[Reach])
    closed: set[date] = field(default_factory=set[date])
    left: set[tuple[ClientId, ProgrammeId]] = field(default_factory=set[tuple[ClientId, ProgrammeId]])
    """Who is not in care any more, and where."""

    def of(self, plan: PlanId) -> list[Record]:
        """The records of one plan in the order of their schedule."""
        mine = [record for record in self.records.values() if record.check_in.plan == plan]
        return sorted(mine, key=lambda record: record.check_in.due_at)

    async def add(self, plan: Plan) -> None:
        self.plans[plan.id] = plan
        self.versions[plan.id] = [plan.version]

    async def add_version(self, plan: Plan) -> None:
        if plan.version.version != len(self.versions[plan.id]) + 1:
            raise PlanChanged
        self.plans[plan.id] = plan
        self.versions[plan.id].append(plan.version)

    async def open_from(self, plan: PlanId, moment: datetime) -> Sequence[Replaced]:
        return [
            Replaced(check_in=record.check_in.id, outcome_version=len(record.outcomes) + 1)
            for record in self.of(plan)
            if record.outcome is None and record.check_in.due_at >= moment and record.due_at >= moment
        ]

    async def withdraw(self, check_ins: Sequence[Replaced], *, reason: str, by: StaffId, now: datetime) -> None:
        await self.add_outcomes(
            [
                Outcome(
                    check_in=one.check_in,
                    version=one.outcome_version,
                    ended=Ended.WITHDRAWN,
                    reason=reason,
                    recorded_by=by,
                    recorded_at=now,
                )
                for one in check_ins
            ],
            [],
        )

    async def settled_days(self, plan: PlanId, *, since: date) -> frozenset[date]:
        return frozenset(
            record.check_in.scheduled_on
            for record in self.of(plan)
            if record.check_in.scheduled_on >= since
            and record.outcome is not None
            and record.outcome.ended in {Ended.COMPLETED, Ended.MISSED}
        )

    async def closed_days(self, programme: ProgrammeId, /, *, since: date) -> frozenset[date]:
        return frozenset(day for day in self.closed if day >= since)

    async def schedule(self, scheduled: Sequence[Scheduled], /) -> None:
        for one in scheduled:
            self.plans[one.plan.id] = replace(one.plan, scheduled_through=one.through)
            for check_in in one.check_ins:
                record = Record(check_in=check_in, terms=one.plan.version.phases[check_in.phase - 1])
                self.records[check_in.id] = record
                self._waits(check_in.id)

    async def touched_by(self, programme: Programme, days: Sequence[date], /) -> Sequence[Record]:
        return [
            record
            for record in self.records.values()
            if record.outcome is None
            and any(
                record.due_at.astimezone(programme.zone).date()
                <= day
                <= record.grace_ends_at.astimezone(programme.zone).date()
                for day in days
            )
        ]

    async def waiting_of(self, plan: PlanId, /) -> Sequence[Record]:
        return [record for record in self.of(plan) if record.check_in.id in self.waiting]

    async def add_moves(self, moves: Sequence[Move], waiting: Sequence[Waiting], /) -> None:
        again = {one.check_in: one for one in waiting}
        for move in moves:
            await self.add_move(move, again.get(move.check_in))

    async def held_of(self, client: ClientId, /) -> Sequence[Plan]:
        return [plan for plan in self.plans.values() if plan.client == client]

    async def behind(self, day: date, *, at_most: int) -> Sequence[Plan]:
        late = [plan for plan in self.plans.values() if plan.version.terms and plan.scheduled_through < day]
        return late[:at_most]

    async def in_care(self, client: ClientId, programme: ProgrammeId, /) -> bool:
        return (client, programme) not in self.left

    async def hold(self, check_in: CheckInId, *, reach: Reach) -> Record:
        self.reaches.append(reach)
        if check_in not in self.records:
            raise CheckInUnknown
        return self.records[check_in]

    async def open_before(self, check_in: CheckIn) -> Sequence[Record]:
        return [
            record
            for record in self.of(check_in.plan)
            if record.outcome is None and record.check_in.due_at < check_in.due_at
        ]

    async def overtaken_by(self, check_in: CheckInId) -> Sequence[Record]:
        return [
            record
            for record in self.records.values()
            if record.outcome is not None and record.outcome.overtaken_by == check_in
        ]

    async def add_attempt(self, attempt: Attempt, waiting: Waiting | None) -> None:
        record = self.records[attempt.check_in]
        self.records[attempt.check_in] = replace(record, attempts=(*record.attempts, attempt))
        self._keep(attempt.check_in, waiting)

    async def add_move(self, move: Move, waiting: Waiting | None) -> None:
        record = self.records[move.check_in]
        self.records[move.check_in] = replace(record, moves=(*record.moves, move))
        self._keep(move.check_in, waiting)

    async def add_outcomes(self, outcomes: Sequence[Outcome], waiting: Sequence[Waiting]) -> None:
        again = {one.check_in: one for one in waiting}
        for outcome in outcomes:
            record = self.records[outcome.check_in]
            if outcome.version != len(record.outcomes) + 1:
                raise AlreadySettled
            self.records[outcome.check_in] = replace(record, outcomes=(*record.outcomes, outcome))
            self._keep(outcome.check_in, again.get(outcome.check_in))

    def _waits(self, check_in: CheckInId) -> None:
        self._keep(check_in, waiting(self.records[check_in]))

    def _keep(self, check_in: CheckInId, waits: Waiting | None) -> None:
        self.waiting.pop(check_in, None)
        if waits is not None:
            self.waiting[check_in] = waits
