"""What stands beside the doses at a past moment: what was known of it never changes, what had happened does."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.dosing import Statements
from caseload.db.flag import KeptFlags
from caseload.db.takehome.returns import Returns
from caseload.domain.dosing import (
    DayOutcome,
    HowVerified,
    Said,
    Source,
    Statement,
    StatementDay,
    record_statement,
    verify_statement,
    withdraw_statement,
)
from caseload.domain.flag import Flag, FlagKind, Raised, end_flag, raise_flag
from caseload.domain.ids import (
    DispenseId,
    FlagId,
    ReturnId,
    StatementId,
    SuspensionId,
    TakeHomeDecisionId,
    TaskId,
    new_id,
)
from caseload.domain.medication import Task, TaskKind, finish_task, raise_task
from caseload.domain.medicines import DosePart, Form, Medicine
from caseload.domain.takehome import (
    Answer,
    CameBack,
    Criterion,
    Dispense,
    HandedOut,
    TakeHomeWish,
    Told,
    UnitHandedOut,
    decide_take_home,
    record_handed_out,
    report_units,
    suspend_take_home,
)
from tests.db.test_past import MINUTE, Tale
from tests.factories.window import MORNING, TODAY, proof, window

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@dataclass
class Home(Tale):
    """The same few days, with what is taken home, what others say, flags and tasks."""

    decided: list[TakeHomeDecisionId] = field(default_factory=list[TakeHomeDecisionId])
    handed: list[Dispense] = field(default_factory=list[Dispense])
    said: list[Statement] = field(default_factory=list[Statement])
    flags: list[Flag] = field(default_factory=list[Flag])
    tasks: list[Task] = field(default_factory=list[Task])

    def acts(self) -> dict[str, Callable[[], Awaitable[None]]]:
        return super().acts() | {
            "decide": self.decide, "suspend": self.suspend, "hand_out": self.hand_out, "tell": self.tell,
            "say": self.say, "verify": self.verify, "withdraw": self.withdraw, "flag": self.flag,
            "unflag": self.unflag, "ask": self.ask, "tell_them": self.tell_them,
        }  # fmt: skip

    @property
    def homes(self) -> Returns:
        return Returns(self.here.connection, self.here.journal, now=self.now)

    @property
    def statements(self) -> Statements:
        return Statements(self.here.connection, self.here.journal, now=self.now)

    async def decide(self) -> None:
        by = self.here.prescriber
        made = await decide_take_home(
            TakeHomeWish(
                medicine=Medicine.METHADONE,
                days=3,
                answers={criterion: Answer(met=True) for criterion in Criterion},
                rationale="Steady.",
                review_on=self.now.date() + 30 * DAY,
            ),
            self.here.client,
            as_id=TakeHomeDecisionId(new_id()),
            by=by,
            proof=proof(by, self.now),
            now=self.now,
            decisions=self.homes,
            journal=self.here.journal,
        )
        self.decided.append(made.id)

    async def suspend(self) -> None:
        by = self.here.prescriber
        await suspend_take_home(
            self.decided[-1],
            "One was sold.",
            self.now.date() + 14 * DAY,
            as_id=SuspensionId(new_id()),
            by=by,
            proof=proof(by, self.now),
            now=self.now,
            decisions=self.homes,
            journal=self.here.journal,
        )

    async def hand_out(self) -> None:
        """A minute ago, on paper: for tomorrow."""
        wanted = UnitHandedOut(for_on=self.now.date() + DAY, part=DosePart.WHOLE, amount_mg=Decimal(60))
        said = HandedOut(
            client=self.here.client,
            units=(wanted,),
            educated=True,
            at=self.now - MINUTE,
            by=self.here.colleague.id,
            reason="No power.",
        )
        made = await record_handed_out(
            said,
            as_id=DispenseId(new_id()),
            by=self.here.nurse,
            now=self.now,
            homes=self.homes,
            journal=self.here.journal,
        )
        self.handed.append(made)

    async def tell(self) -> None:
        unit = self.handed[-1].units[0].id
        [kept] = await self.homes.units(self.here.client, [unit])
        reason = None if kept.outcome is None else "Looked again."
        told = Told(unit=unit, state=CameBack.EMPTY, taken=reason is None, reason=reason)
        await report_units(
            self.here.client,
            [told],
            as_id=ReturnId(new_id()),
            by=self.here.nurse,
            now=self.now,
            returns=self.homes,
            journal=self.here.journal,
        )

    async def say(self) -> None:
        yesterday = self.now.date() - DAY
        said = Said(
            source=Source.HOSPITAL,
            source_name="City Hospital",
            informant="Sister Grey",
            told_at=self.now - MINUTE,
            medicine=Medicine.METHADONE,
            form=Form.ORAL_SOLUTION,
            days=(
                StatementDay(day=yesterday, part=DosePart.WHOLE, outcome=DayOutcome.TAKEN, amount_mg=Decimal(40)),
                StatementDay(
                    day=self.now.date(),
                    part=DosePart.WHOLE,
                    outcome=DayOutcome.TAKEN,
                    amount_mg=Decimal(40),
                    taken_at=self.now - HOUR,
                ),
            ),
        )
        made = await record_statement(
            said,
            self.here.client,
            as_id=StatementId(new_id()),
            by=self.here.nurse,
            now=self.now,
            statements=self.statements,
            journal=self.here.journal,
        )
        self.said.append(made)

    async def verify(self) -> None:
        await verify_statement(
            self.said[-1].id,
            "Sister Grey",
            HowVerified.TELEPHONE,
            by=self.here.nurse,
            now=self.now,
            statements=self.statements,
            journal=self.here.journal,
        )

    async def withdraw(self) -> None:
        await withdraw_statement(
            self.said[-1].id,
            "Another of that name.",
            by=self.here.nurse,
            now=self.now,
            statements=self.statements,
            journal=self.here.journal,
        )

    async def flag(self) -> None:
        made = await raise_flag(
            self.here.client,
            Raised(kind=FlagKind.SEDATIVE, what="Diazepam", since=self.now.date() - DAY),
            as_id=FlagId(new_id()),
            programme=self.here.programme,
            today=self.now.date(),
            by=self.here.nurse,
            now=self.now,
            flags=KeptFlags(self.here.connection, self.here.journal),
            journal=self.here.journal,
        )
        self.flags.append(made)

    async def unflag(self) -> None:
        await end_flag(
            self.flags.pop(),
            self.now.date(),
            "Stopped.",
            today=self.now.date(),
            by=self.here.nurse,
            now=self.now,
            flags=KeptFlags(self.here.connection, self.here.journal),
            journal=self.here.journal,
        )

    async def ask(self) -> None:
        task = Task(
            id=TaskId(new_id()),
            client=self.here.client,
            programme=self.here.programme,
            kind=TaskKind.CONTACT_PRESCRIBER,
            says="Missed in titration.",
            policy="uk.titration",
            facts={},
            raised_by=self.here.nurse.id,
            raised_at=self.now,
            dose=self.doses[-1].id,
        )
        await raise_task(task, tasks=self.here.doses(self.now), journal=self.here.journal)
        self.tasks.append(task)

    async def tell_them(self) -> None:
        await finish_task(
            self.tasks[-1].id,
            "Dr Osei",
            "Comes tomorrow.",
            by=self.here.nurse,
            now=self.now,
            tasks=self.here.doses(self.now),
            journal=self.here.journal,
        )


ACTS = (
    "decide", "suspend", "hand_out", "tell", "say", "verify", "withdraw", "flag", "unflag", "ask", "tell_them",
    "give", "late", "stop", "order", "hold", "clear", "sleep", "see", "not_given",
)  # fmt: skip


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(names=st.lists(st.sampled_from(ACTS), min_size=3, max_size=16))
async def test_whatever_comes_later_what_was_known_beside_the_doses_stays_byte_for_byte(
    connection: AsyncConnection, names: list[str]
) -> None:
    async with connection.begin_nested() as nested:
        tale = Home(await window(connection, profile="US"))
        answers: dict[datetime, bytes] = {}
        for name in ("order", "give", *names):
            await tale.act(name)
            answers[tale.now] = await tale.known(tale.now)
            tale.now += 7 * MINUTE
        for at, answer in answers.items():
            assert await tale.known(at) == answer, f"what was known at {at} has changed"
        await nested.rollback()


async def test_every_kind_of_act_beside_the_doses_is_in_what_is_known_and_leaves_what_was(
    connection: AsyncConnection,
) -> None:
    tale = Home(await window(connection, profile="US"))
    order = (
        "order", "give", "decide", "hand_out", "tell", "tell", "suspend", "say", "verify", "withdraw", "flag", "unflag",
        "ask", "tell_them",
    )  # fmt: skip
    answers: dict[datetime, bytes] = {}
    for name in order:
        before = await tale.known(tale.now)
        tale.now += MINUTE
        await tale.act(name)
        assert name in tale.done, f"{name}: {tale.refused.get(name)}"
        assert await tale.known(tale.now) != before, f"{name} is not in what is known"
        answers[tale.now] = await tale.known(tale.now)
    for at, answer in answers.items():
        assert await tale.known(at) == answer


async def test_units_entered_late_had_happened_before_they_were_known(connection: AsyncConnection) -> None:
    tale = Home(await window(connection))
    await tale.order()
    tale.now = MORNING + 4 * HOUR
    await tale.hand_out()
    [unit] = tale.handed[0].units
    handed_at = tale.now - MINUTE
    for at, known, happened in (
        (handed_at - MINUTE, [], []),
        (handed_at, [], [unit.id]),
        (tale.now, [unit.id], [unit.id]),
    ):
        chart = await tale.chart(at)
        assert [each.id for handed in chart.known.take_homes for each in handed.units] == known
        assert [each.id for handed in chart.happened.take_homes for each in handed.units] == happened


async def test_what_became_of_a_unit_is_known_when_it_is_told_and_had_happened_once_its_day_was_over(
    connection: AsyncConnection,
) -> None:
    tale = Home(await window(connection))
    await tale.order()
    tale.now = MORNING + 4 * HOUR
    await tale.hand_out()
    handed_at = tale.now
    tale.now += 5 * DAY
    await tale.tell()
    for at, known, happened in (
        (handed_at, None, None),
        (MORNING + 2 * DAY, None, True),
        (tale.now, True, True),
    ):
        chart = await tale.chart(at)
        for answer, taken in ((chart.known, known), (chart.happened, happened)):
            outcome = answer.take_homes[0].units[0].outcome
            assert (None if outcome is None else outcome.taken) is taken
    tale.now += HOUR
    await tale.tell()
    last = await tale.chart(tale.now - HOUR)
    assert [side.take_homes[0].units[0].outcome for side in (last.known, last.happened)] == [
        (await tale.chart(handed_at + 5 * DAY)).known.take_homes[0].units[0].outcome,
        (await tale.chart(tale.now)).known.take_homes[0].units[0].outcome,
    ]


async def test_a_statement_tells_of_the_days_that_had_passed_until_it_is_taken_back(
    connection: AsyncConnection,
) -> None:
    tale = Home(await window(connection))
    tale.now = MORNING + DAY
    await tale.say()
    before = MORNING + timedelta(hours=2)
    first = await tale.chart(before)
    assert (first.known.statements, first.happened.statements) == ([], [])
    early = await tale.chart(tale.now - 2 * HOUR)
    assert [each.day for each in early.happened.statements[0].days] == [TODAY]
    later = await tale.chart(tale.now - HOUR)
    assert [each.day for each in later.happened.statements[0].days] == [TODAY, TODAY + DAY]
    assert later.known.statements == []
    told_at = tale.now
    tale.now += HOUR
    await tale.verify()
    tale.now += HOUR
    await tale.withdraw()
    told = await tale.chart(told_at)
    assert (told.known.statements[0].verified, told.known.statements[0].withdrawn) == (None, None)
    assert told.happened.statements == []


async def test_a_flag_counted_from_its_first_day_and_was_known_from_its_recording(connection: AsyncConnection) -> None:
    tale = Home(await window(connection))
    tale.now = MORNING + DAY
    await tale.flag()
    raised_at = tale.now
    tale.now += 2 * DAY
    await tale.unflag()
    for at, known, happened in (
        (MORNING - DAY, 0, 0),
        (MORNING, 0, 1),
        (raised_at, 1, 1),
        (tale.now - DAY, 1, 1),
        (tale.now, 1, 0),
    ):
        chart = await tale.chart(at)
        assert (len(chart.known.flags), len(chart.happened.flags)) == (known, happened)
    assert (await tale.chart(tale.now - MINUTE)).known.flags[0].ended_on is None
    assert (await tale.chart(tale.now)).known.flags[0].ended_on == tale.now.date()


async def test_a_task_is_open_until_somebody_was_told(connection: AsyncConnection) -> None:
    tale = Home(await window(connection))
    await tale.order()
    await tale.give()
    await tale.ask()
    tale.now += HOUR
    await tale.tell_them()
    for at, tasks in ((MORNING - MINUTE, []), (MORNING, [False]), (tale.now, [True])):
        chart = await tale.chart(at)
        for side in (chart.known, chart.happened):
            assert [each.done is not None for each in side.tasks] == tasks
