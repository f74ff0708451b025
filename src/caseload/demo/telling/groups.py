"""Groups and sessions of one's own: planned, attended, missed, called off, put right."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Final

from caseload.db.attendance import Sessions
from caseload.db.attendance.rules import RulesOfSessions
from caseload.demo.telling.notes import TOLD_DAYS, Noting
from caseload.demo.telling.stage import Life, Stage
from caseload.domain.attendance import (
    CancelledBy,
    Line,
    Session,
    SessionKind,
    Status,
    Taking,
    Wanted,
    cancel,
    correct_register,
    plan_session,
    take_register,
)
from caseload.domain.attendance.series import SeriesWanted, move_session, plan_series
from caseload.domain.attendance.waiting import wait
from caseload.domain.ids import ClientId, SeriesId, TherapySessionId, new_id
from caseload.domain.schedule import Recurrence, Unit, Weekday
from caseload.request.work import Work

LONG: Final = timedelta(minutes=90)
MOST_EXPECTED: Final = 10
CORRECTED_DAYS_AGO: Final = range(8, 15)
"""In these days the registers of groups were put right the morning after: something to look at in every demo."""
TO_COME_DAYS: Final = 28
FOR_FAMILY: Final = 2
"""Places beside the clients' on the evenings of the families."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weekly:
    """A session that takes place every week."""

    weekday: Weekday
    hour: int
    kind: SessionKind
    title: str
    leader: int
    """Which of the counsellors."""
    share: int
    """Of every four clients, whose number leaves this rest is expected."""


GROUPS: Final[Sequence[Weekly]] = (
    Weekly(
        weekday=Weekday.TUESDAY, hour=17, kind=SessionKind.GROUP, title="Early recovery", leader=0, share=0
    ),
    Weekly(
        weekday=Weekday.THURSDAY, hour=17, kind=SessionKind.GROUP, title="Relapse prevention", leader=1, share=1
    ),
    Weekly(
        weekday=Weekday.SATURDAY, hour=10, kind=SessionKind.FAMILY, title="Families learn together", leader=0, share=2
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Groups:
    """The sessions of one programme, told day by day within one piece of work."""

    stage: Stage
    work: Work

    async def day(self, ago: int) -> None:
        """Whatever takes place on this day."""
        for weekly in GROUPS:
            if self.stage.day(ago).weekday() == weekly.weekday.number:
                await self._hold(weekly, ago)

    async def to_come(self) -> Sequence[Session]:
        """Plan the coming weeks as series; one session of the first is moved, and somebody waits for a place in it.

        There is a group today, whatever day of the week it is. Returns the evenings of the families.
        """
        now = self.stage.moment(1, 12)
        families: Sequence[Session] = ()
        for weekly in GROUPS:
            planned = await self._series(weekly, now)
            if weekly.kind is SessionKind.FAMILY:
                families = planned
            if weekly is GROUPS[0]:
                await self._wait(planned[0], weekly, now)
                await self._move(planned[1], now)
        today = tuple(Weekday)[self.stage.day(0).weekday()]
        if all(weekly.weekday is not today for weekly in GROUPS):
            once = Weekly(weekday=today, hour=17, kind=SessionKind.GROUP, title="Open group", leader=0, share=3)
            await self._series(once, now, until=self.stage.day(0))
        return families

    async def _series(self, weekly: Weekly, now: datetime, *, until: date | None = None) -> Sequence[Session]:
        expected = tuple(self._expected(weekly))
        places = max(len(expected), 1) + (FOR_FAMILY if weekly.kind is SessionKind.FAMILY else 0)
        starts_at = self.stage.moment(0, weekly.hour)
        rules, _ = await RulesOfSessions(self.work.connection).rules_of(self.stage.programme.id)
        rule = Recurrence(
            every=1,
            unit=Unit.WEEKS,
            weekday=weekly.weekday,
            at=time(weekly.hour),
            starts_on=self.stage.day(0),
            ends_on=until or self.stage.day(1 - TO_COME_DAYS),
        )
        return await plan_series(
            SeriesWanted(each=self._wanted(weekly, starts_at, places), rule=rule, clients=expected),
            as_id=SeriesId(new_id()),
            programme=self.stage.programme,
            rules=rules,
            by=self.stage.team.supervisor,
            now=now,
            sessions=self._sessions(now),
            journal=self.work.journal,
        )

    async def _wait(self, session: Session, weekly: Weekly, now: datetime) -> None:
        """The first who would be expected if there were room."""
        others = [
            life.client.id
            for life in self.stage.lives
            if life.client is not None and life.episode is not None and not _belongs(life, weekly)
        ]
        if len(session.expected) == session.wanted.places and others:
            await wait(
                session,
                others[:1],
                by=self.stage.team.supervisor,
                now=now,
                sessions=self._sessions(now),
                journal=self.work.journal,
            )

    async def _move(self, session: Session, now: datetime) -> None:
        rules, _ = await RulesOfSessions(self.work.connection).rules_of(self.stage.programme.id)
        wanted, later = session.wanted, timedelta(minutes=30)
        await move_session(
            session,
            replace(wanted, starts_at=wanted.starts_at + later, ends_at=wanted.ends_at + later),
            "The room is free half an hour later.",
            as_id=TherapySessionId(new_id()),
            rules=rules,
            clashes_agreed=False,
            by=self.stage.team.supervisor,
            now=now,
            sessions=self._sessions(now),
            journal=self.work.journal,
        )

    async def _hold(self, weekly: Weekly, ago: int) -> None:
        """A group from the morning's roster to the register; yesterday's register is still to be taken."""
        expected = self._expected(weekly)
        if not expected:
            return
        session = await self._plan(weekly, expected, ago, now=self.stage.moment(ago, 8))
        if len(expected) > 1 and self.stage.chance.random() < 0.5:
            session = await self._call_off(session, expected[-1], self.stage.moment(ago, 9))
        if ago == 1:
            return
        now = session.wanted.ends_at + timedelta(minutes=10)
        lines = tuple(self._line(client) for client in sorted(session.expected))
        taking = Taking(started_at=session.wanted.starts_at, ended_at=session.wanted.ends_at, lines=lines)
        leader = self.stage.team.counsellors[weekly.leader]
        sessions = self._sessions(now)
        register = await take_register(
            session, taking, by=leader, now=now, sessions=sessions, journal=self.work.journal
        )
        if ago <= TOLD_DAYS:
            held = replace(session, register=register)
            rules, version = await RulesOfSessions(self.work.connection).rules_of(self.stage.programme.id)
            noting = Noting(stage=self.stage, work=self.work)
            await noting.tell(held, ago, leader=leader, rules=rules if version else await noting.hold_sessions())
        if ago in CORRECTED_DAYS_AGO and weekly.kind is SessionKind.GROUP:
            await correct_register(
                replace(session, register=register),
                replace(taking, lines=(_was_late(register.lines[0]), *register.lines[1:])),
                reason="Came in quietly and was overlooked.",
                version=register.version,
                by=leader,
                now=now + timedelta(hours=14),
                sessions=sessions,
                journal=self.work.journal,
            )

    async def _plan(self, weekly: Weekly, expected: Sequence[ClientId], ago: int, *, now: datetime) -> Session:
        starts_at = self.stage.moment(ago, weekly.hour)
        rules, _ = await RulesOfSessions(self.work.connection).rules_of(self.stage.programme.id)
        return await plan_session(
            self._wanted(weekly, starts_at, MOST_EXPECTED + 2),
            expected,
            as_id=TherapySessionId(new_id()),
            programme=self.stage.programme.id,
            rules=rules,
            by=self.stage.team.supervisor,
            now=now,
            sessions=self._sessions(now),
            journal=self.work.journal,
        )

    def _wanted(self, weekly: Weekly, starts_at: datetime, capacity: int) -> Wanted:
        return Wanted(
            kind=weekly.kind,
            title=weekly.title,
            starts_at=starts_at,
            ends_at=starts_at + LONG,
            facilitators=(self.stage.team.counsellors[weekly.leader].id,),
            capacity=capacity,
            place="Room 2",
        )

    async def _call_off(self, session: Session, client: ClientId, now: datetime) -> Session:
        return await cancel(
            session,
            client,
            cancelled_by=CancelledBy.CLIENT,
            reason="At the dentist's.",
            by=self.stage.team.supervisor,
            now=now,
            sessions=self._sessions(now),
            journal=self.work.journal,
        )

    def _sessions(self, now: datetime) -> Sessions:
        return Sessions(self.work.connection, self.work.journal, now=now)

    def _expected(self, weekly: Weekly) -> Sequence[ClientId]:
        """Who is on the roster: always the same people, as far as they are in care."""
        return [
            life.client.id
            for life in self.stage.lives
            if life.client is not None and life.episode is not None and _belongs(life, weekly)
        ][:MOST_EXPECTED]

    def _line(self, client: ClientId) -> Line:
        luck = self.stage.chance.random()
        if luck < 0.1:
            return Line(client=client, status=Status.DID_NOT_ATTEND)
        if luck < 0.22:
            return Line(client=client, status=Status.ATTENDED_LATE, late_minutes=self.stage.chance.randrange(5, 25))
        if luck < 0.3:
            return Line(client=client, status=Status.LEFT_EARLY, left_early_minutes=self.stage.chance.randrange(5, 30))
        return Line(client=client, status=Status.ATTENDED)


def _belongs(life: Life, weekly: Weekly) -> bool:
    return life.story.number // 3 % 4 == weekly.share


def _was_late(line: Line) -> Line:
    return Line(client=line.client, status=Status.ATTENDED_LATE, late_minutes=15)
