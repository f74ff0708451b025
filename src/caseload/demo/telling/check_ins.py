"""Regular contact: planned, kept, tried, moved, given up, put right, and here and there overdue."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Final

from caseload.db.checkin import CheckIns, Plans
from caseload.demo.stories import Course
from caseload.demo.telling.answers import asked_of
from caseload.demo.telling.stage import Life, Stage
from caseload.domain.checkin import (
    AskedBy,
    CheckIn,
    Correction,
    Ended,
    Mode,
    Occurred,
    Plan,
    Result,
    Scheduled,
    StepUpGround,
    Terms,
    attempt,
    complete,
    correct,
    decide_step_up,
    miss,
    plan_check_ins,
    reschedule,
    schedule_ahead,
    stop_plan,
    usual_phases,
)
from caseload.domain.ids import PlanId, new_id
from caseload.domain.people import Staff
from caseload.domain.schedule import Recurrence, Unit, Weekday
from caseload.request.work import Work

RUNNING_OUT: Final = timedelta(days=14)
MINUTE: Final = timedelta(minutes=1)
PHASED: Final = 3
"""Every third of those who are seen weekly and keep it is seen less often as time goes on."""
RELAPSES: Final = 4
"""One in so many of those who keep a plan that asks for them more rarely told of a relapse yesterday."""
WEEKDAYS: Final = tuple(Weekday)[:5]


class WatchedPlans(Plans):
    """The plans as one client's life meets them: it remembers what has been scheduled for it."""

    def __init__(self, life: Life, work: Work, *, now: datetime) -> None:
        super().__init__(work.connection, work.journal, now=now)
        self._life = life

    async def behind(self, day: date, *, at_most: int) -> Sequence[Plan]:
        """This client's plan alone: nobody else works on it while the story is told."""
        plan = self._life.plan
        return [plan][:at_most] if plan is not None and plan.scheduled_through < day else []

    async def schedule(self, scheduled: Sequence[Scheduled]) -> None:
        """Keep them, and remember them by the day on which they are due."""
        await super().schedule(scheduled)
        for one in scheduled:
            self._life.plan = replace(one.plan, scheduled_through=one.through)
            zone = None if one.plan.version.terms is None else one.plan.version.terms.zone
            self._life.check_ins |= {each.due_at.astimezone(zone).date(): each for each in one.check_ins}


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """The check-ins of one programme, told day by day within one piece of work."""

    stage: Stage
    work: Work

    async def begin(self, life: Life, ago: int) -> None:
        """Plan the check-ins of a client who has just been admitted."""
        if life.episode is None:
            return
        now, story = self.stage.moment(ago, 9, 30), life.story
        rule = Recurrence(
            every=story.every_weeks,
            unit=Unit.WEEKS,
            weekday=WEEKDAYS[story.number % len(WEEKDAYS)],
            at=time(10 + story.number % 6, 30),
            starts_on=self.stage.day(ago),
        )
        slack = self.stage.rules(ago).check_ins.slack_for(rule.interval_days)
        terms = Terms(
            rule=rule,
            grace_days=slack.grace_days,
            early_days=slack.early_days,
            mode=Mode.TELEPHONE if story.number % 3 else Mode.IN_PERSON,
            zone=self.stage.programme.zone,
        )
        steps_down = story.course is Course.KEPT and story.every_weeks == 1 and story.number % PHASED == 0
        first, *later = usual_phases(terms, self.stage.rules(ago)) if steps_down else (terms,)
        life.check_ins.clear()
        await plan_check_ins(
            life.episode,
            first,
            later=tuple(later),
            as_id=PlanId(new_id()),
            by=self.stage.counsellor(life),
            now=now,
            plans=WatchedPlans(life, self.work, now=now),
            journal=self.work.journal,
        )

    async def look_ahead(self, life: Life, now: datetime) -> None:
        """Make the check-ins of the coming weeks before they run out, as the nightly job does."""
        if life.plan is None or life.plan.scheduled_through > now.date() + RUNNING_OUT:
            return
        await schedule_ahead(now=now, plans=WatchedPlans(life, self.work, now=now), journal=self.work.journal)

    async def see_more_often(self, life: Life, ago: int) -> None:
        """See one in so many of those who come every two weeks or less more often: they told of a relapse today."""
        rarely = life.story.every_weeks > 1 and life.story.course is Course.KEPT
        if life.plan is None or not rarely or life.story.number % RELAPSES or life.story.handed_over:
            return
        now = self.stage.moment(ago, 16)
        await decide_step_up(
            life.plan,
            Occurred(ground=StepUpGround.RELAPSE, on=self.stage.day(ago)),
            rules=self.stage.rules(ago),
            by=self.stage.counsellor(life),
            now=now,
            plans=WatchedPlans(life, self.work, now=now),
            journal=self.work.journal,
        )

    async def stop(self, life: Life, ago: int) -> None:
        """Stop the plan of a client who leaves."""
        if life.plan is not None:
            now = self.stage.moment(ago, 15)
            await stop_plan(
                life.plan,
                at=now,
                reason="Discharged.",
                by=self.stage.counsellor(life),
                now=now,
                plans=WatchedPlans(life, self.work, now=now),
                journal=self.work.journal,
            )
            life.plan = None

    async def day(self, life: Life, ago: int) -> None:
        """What became of the check-in that was due on this day, if one was."""
        check_in = life.check_ins.get(self.stage.day(ago))
        if check_in is None or life.plan is None or life.plan.version.terms is None:
            return
        terms = life.plan.version.terms
        if life.story.course is Course.KEPT or ago > terms.grace_days + terms.rule.interval_days:
            await self._usual(life, check_in)
        elif ago > terms.grace_days:
            await self._left_over(life, check_in)

    async def _usual(self, life: Life, check_in: CheckIn) -> None:
        """Mostly it takes place; now and then after a second try, at another time, or not at all."""
        due, luck = check_in.due_at, life.chance.random()
        if due + timedelta(days=1) > self.stage.moment(1, 20):
            await self._complete(life, check_in, due + 5 * MINUTE)
        elif luck < 0.08:
            await self._try(life, check_in, due + 10 * MINUTE, Result.NO_ANSWER)
            await self._complete(life, check_in, due + timedelta(days=1))
        elif luck < 0.14:
            await self._move(life, check_in, due + timedelta(hours=3))
            await self._complete(life, check_in, due + timedelta(hours=3, minutes=5))
        elif luck < 0.19:
            await self._miss(life, check_in, due + timedelta(days=1))
        else:
            await self._complete(life, check_in, due + 5 * MINUTE)

    async def _left_over(self, life: Life, check_in: CheckIn) -> None:
        """The last one before today whose grace is over: still open, each in its own way."""
        due = check_in.due_at
        match life.story.course:
            case Course.TRIED:
                await self._try(life, check_in, due + 10 * MINUTE, Result.NO_ANSWER)
                await self._try(life, check_in, due + timedelta(hours=22), Result.LEFT_MESSAGE)
            case Course.MOVED:
                await self._move(life, check_in, due + timedelta(hours=2))
            case Course.REOPENED:
                await self._complete(life, check_in, due + 5 * MINUTE)
                await self._reopen(life, check_in, due + timedelta(hours=20))
            case _:
                pass

    def _check_ins(self, now: datetime) -> CheckIns:
        return CheckIns(self.work.connection, self.work.journal, now=now)

    def _by(self, life: Life) -> Staff:
        """The counsellor; around a handover the supervisor, who sees the client before and after it."""
        return self.stage.team.supervisor if life.story.handed_over else self.stage.counsellor(life)

    async def _complete(self, life: Life, check_in: CheckIn, at: datetime) -> None:
        now = at + 20 * MINUTE
        await complete(
            check_in.id,
            occurred_at=at,
            mode=Mode.TELEPHONE,
            note="Doing well; slept badly twice. Next week as usual." if life.chance.random() < 0.5 else None,
            by=self._by(life),
            now=now,
            check_ins=self._check_ins(now),
            journal=self.work.journal,
            asked=await asked_of(life, at, stage=self.stage, work=self.work, now=now),
        )

    async def _try(self, life: Life, check_in: CheckIn, at: datetime, result: Result) -> None:
        now = at + MINUTE
        await attempt(
            check_in.id,
            as_id=new_id(),
            attempted_at=at,
            mode=Mode.TELEPHONE,
            result=result,
            note=None,
            by=self._by(life),
            now=now,
            check_ins=self._check_ins(now),
            journal=self.work.journal,
        )

    async def _move(self, life: Life, check_in: CheckIn, to: datetime) -> None:
        now = check_in.due_at - timedelta(hours=1)
        await reschedule(
            check_in.id,
            due_at=to,
            asked_by=AskedBy.CLIENT,
            reason="Has to stay longer at work.",
            by=self._by(life),
            now=now,
            check_ins=self._check_ins(now),
            journal=self.work.journal,
        )

    async def _miss(self, life: Life, check_in: CheckIn, now: datetime) -> None:
        await miss(
            check_in.id,
            reason="Did not answer, did not call back; tries next week.",
            by=self._by(life),
            now=now,
            check_ins=self._check_ins(now),
            journal=self.work.journal,
        )

    async def _reopen(self, life: Life, check_in: CheckIn, now: datetime) -> None:
        await correct(
            check_in.id,
            Correction(ended=Ended.RECORDED_IN_ERROR, reason="That was another client; this one was not reached."),
            version=1,
            by=self._by(life),
            now=now,
            check_ins=self._check_ins(now),
            journal=self.work.journal,
        )
