"""Random histories of one client's check-ins: what people do, in order, at moments that move on."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Protocol, TypedDict
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from caseload.domain.caseload import Episode
from caseload.domain.checkin import (
    AskedBy,
    CheckIns,
    Correction,
    Ended,
    Mode,
    Plan,
    Plans,
    Record,
    Result,
    Terms,
    attempt,
    change_plan,
    complete,
    correct,
    miss,
    plan_check_ins,
    reschedule,
    schedule_ahead,
    stop_plan,
)
from caseload.domain.errors import Conflict, Invalid
from caseload.domain.ids import PlanId, new_id
from caseload.domain.journal import Journal
from caseload.domain.people import Staff
from caseload.domain.schedule import Recurrence, Unit, Weekday, local_day

ZONES = tuple(ZoneInfo(name) for name in ("America/New_York", "Europe/London", "Australia/Sydney"))


class What:
    """What happens in a story."""

    PLAN, CHANGE, STOP, COMPLETE, ATTEMPT, MOVE, MISS, CORRECT, AHEAD = range(9)


@dataclass(frozen=True)
class Step:
    """One thing somebody does: the numbers choose among what there is to choose from."""

    what: int
    hours_later: int
    which: int
    hours_ago: int
    choice: int


@dataclass(frozen=True)
class Story:
    """When it begins, and what is done in it."""

    starts_at: datetime
    steps: tuple[Step, ...]


@st.composite
def stories(draw: st.DrawFn, *, most: int = 25) -> Story:
    zone = draw(st.sampled_from(ZONES))
    # Around both clock changes of the year, and around the end of February.
    month, day = draw(st.sampled_from([(3, 1), (10, 20), (4, 1), (2, 20), (6, 10)]))
    year = draw(st.sampled_from([2026, 2028]))
    steps = st.builds(
        Step,
        what=st.sampled_from(
            [What.COMPLETE, What.CORRECT] * 3 + [What.ATTEMPT, What.MOVE, What.MISS] * 2 + list(range(9))
        ),
        hours_later=st.integers(1, 100),
        which=st.integers(0, 10_000),
        hours_ago=st.sampled_from([0, 1, 20, 200]),
        choice=st.integers(0, 10_000),
    )
    return Story(
        starts_at=datetime(year, month, day, 12, tzinfo=zone),
        steps=(
            Step(what=What.PLAN, hours_later=1, which=0, hours_ago=0, choice=draw(st.integers(0, 10_000))),
            *draw(st.lists(steps, max_size=most)),
        ),
    )


class Shelf(Protocol):
    """Where the story is kept, and how what it kept is read."""

    @property
    def plans(self) -> Plans: ...

    @property
    def check_ins(self) -> CheckIns: ...

    async def all_plans(self) -> Sequence[Plan]: ...

    async def all_records(self) -> Sequence[Record]: ...


class Common(TypedDict):
    """What every act on a check-in is given."""

    by: Staff
    now: datetime
    check_ins: CheckIns
    journal: Journal


@dataclass
class Teller:
    """Plays a story against a shelf. What the rules refuse is left out, as it would be in life."""

    shelf: Shelf
    episode: Episode
    by: Staff
    journal: Journal
    now: datetime
    refused: list[str] = field(default_factory=list[str])

    async def do(self, step: Step) -> None:
        self.now += timedelta(hours=step.hours_later)
        try:
            await self._do(step)
        except (Invalid, Conflict) as error:
            self.refused.append(type(error).__name__)

    async def _do(self, step: Step) -> None:
        if step.what == What.PLAN:
            await plan_check_ins(
                self.episode,
                self._terms(step),
                as_id=PlanId(new_id()),
                by=self.by,
                now=self.now,
                plans=self.shelf.plans,
                journal=self.journal,
            )
        elif step.what == What.AHEAD:
            await schedule_ahead(now=self.now, plans=self.shelf.plans, journal=self.journal)
        elif step.what in {What.CHANGE, What.STOP}:
            await self._replan(step)
        else:
            await self._settle(step)

    async def _replan(self, step: Step) -> None:
        plans = await self.shelf.all_plans()
        plan = plans[step.which % len(plans)]
        if step.what == What.CHANGE:
            await change_plan(
                plan,
                self._terms(step),
                reason="Changed",
                by=self.by,
                now=self.now,
                plans=self.shelf.plans,
                journal=self.journal,
            )
        else:
            await stop_plan(
                plan,
                at=self.now - timedelta(hours=step.hours_ago),
                reason="Stopped",
                by=self.by,
                now=self.now,
                plans=self.shelf.plans,
                journal=self.journal,
            )

    async def _settle(self, step: Step) -> None:
        records = await self._worth_choosing(step)
        if not records:
            return
        record = records[step.which % len(records)]
        happened_at = self.now - timedelta(hours=step.hours_ago)
        common: Common = {
            "by": self.by,
            "now": self.now,
            "check_ins": self.shelf.check_ins,
            "journal": self.journal,
        }
        mode = tuple(Mode)[step.choice % len(Mode)]
        check_in = record.check_in.id
        if step.what == What.COMPLETE:
            await complete(check_in, occurred_at=happened_at, mode=mode, note=None, **common)
        elif step.what == What.ATTEMPT:
            result = tuple(Result)[step.choice % len(Result)]
            await attempt(
                check_in, as_id=new_id(), attempted_at=happened_at, mode=mode, result=result, note="No", **common
            )
        elif step.what == What.MOVE:
            asked_by = tuple(AskedBy)[step.choice % 2]
            to = self.now + timedelta(hours=step.choice % 300)
            await reschedule(check_in, due_at=to, asked_by=asked_by, reason=None, **common)
        elif step.what == What.MISS:
            await miss(check_in, reason="Not there", **common)
        else:
            ended = (Ended.COMPLETED, Ended.MISSED, Ended.RECORDED_IN_ERROR)[step.choice % 3]
            correction = Correction(ended=ended, reason="Wrong")
            if ended is Ended.COMPLETED:
                correction = replace(correction, occurred_at=happened_at, mode=mode)
            await correct(check_in, correction, version=len(record.outcomes), **common)

    async def _worth_choosing(self, step: Step) -> Sequence[Record]:
        """A few check-ins around now; of the others most could only be refused."""
        records = await self.shelf.all_records()
        if step.what == What.CORRECT:
            records = [r for r in records if r.outcome is not None and r.outcome.ended is not Ended.WITHDRAWN]
        elif step.choice % 4:
            records = [r for r in records if r.outcome is None and r.counts_from <= self.now]
        return sorted(records, key=lambda record: abs(record.due_at - self.now))[:6]

    def _terms(self, step: Step) -> Terms:
        zone = ZONES[step.choice % len(ZONES)]
        unit = tuple(Unit)[step.choice % 3]
        starts_on = local_day(self.now, zone) + timedelta(days=step.which % 5)
        every = 1 + step.choice % 2
        return Terms(
            rule=Recurrence(
                every=every,
                unit=unit,
                at=(time(2, 30), time(9), time(0), time(23, 59))[step.choice % 4],
                starts_on=starts_on,
                weekday=tuple(Weekday)[step.choice % 7] if unit is Unit.WEEKS else None,
                month_day=1 + step.choice % 31 if unit is Unit.MONTHS else None,
                ends_on=starts_on + timedelta(days=30) if step.choice % 5 == 0 else None,
            ),
            grace_days=step.choice % 4,
            early_days=(step.choice // 4) % 4,
            mode=Mode.TELEPHONE,
            zone=zone,
        )


def planned_days(records: Sequence[Record]) -> list[tuple[PlanId, int, date]]:
    """Which version of which plan scheduled which day."""
    return [(r.check_in.plan, r.check_in.plan_version, r.check_in.scheduled_on) for r in records]
