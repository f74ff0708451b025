"""More contact after a relapse: days of use after none, once, and nothing concluded from what nobody said."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID

import msgspec
import pytest

from caseload.domain.checkin import (
    Answer,
    Answers,
    Ended,
    Mode,
    Outcome,
    Plan,
    Question,
    StepUpGround,
    step_up_after_relapse,
    stop_plan,
    use_days,
)
from caseload.domain.ids import ClientId, PlanId, ProgrammeId
from caseload.domain.profiles import Profile, profile_on
from caseload.domain.profiles.selected import Selected
from caseload.domain.programme import Programme
from tests.domain.test_checkin_stepping import PROGRAMME, Client, Versioned, weeks
from tests.factories.checkin import MONDAY, MORNING, terms

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)


def answers(**given: Answer) -> Answers:
    return Answers(given={Question(name): answer for name, answer in given.items()})


def few(days: int) -> Callable[[str, date], Profile]:
    """The profiles, by which a relapse is so many days of use."""

    def on(name: str, day: date) -> Profile:
        rules = profile_on(name, day)
        step_up = msgspec.structs.replace(rules.check_ins.step_up, relapse_use_days=days)
        return msgspec.structs.replace(rules, check_ins=msgspec.structs.replace(rules.check_ins, step_up=step_up))

    return on


@dataclass
class Remembering(Versioned):
    """A store that knows what was said before, and what has led to more contact."""

    before: Answers | None = None
    led: set[tuple[PlanId, UUID]] = field(default_factory=set[tuple[PlanId, UUID]])

    def __post_init__(self) -> None:
        self.numbered = {}

    async def standing_one(self, plan: PlanId, /) -> Plan:
        return self.plans[plan]

    async def answered_before(self, client: ClientId, outcome: Outcome, /) -> Answers | None:
        assert client == self.records[outcome.check_in].check_in.client
        return self.before

    async def has_led(self, plan: PlanId, record: UUID, /) -> bool:
        return (plan, record) in self.led


class House:
    """The one programme there is."""

    async def all(self) -> Sequence[Programme]:
        return [await self.get(PROGRAMME)]

    async def add(self, new: Programme, *, opened_at: datetime) -> None:
        raise AssertionError

    async def get(self, wanted: ProgrammeId) -> Programme:
        return Programme(id=wanted, code="H", name="H", time_zone="America/New_York", profiles=Selected("UK"))


async def seen(now: Answers | None, before: Answers | None, *, led: bool = False, stopped: bool = False) -> Client:
    """A client of every two weeks who comes on the first Monday, and says so."""
    client = Client()
    client.kept = kept = Remembering(before=before)
    await client.planned(terms(weeks(2)))
    [first, *_] = kept.of(client.id)
    if led:
        kept.led.add((client.id, first.check_in.id))
    if stopped:
        await stop_plan(
            client.plan,
            at=MORNING + DAY,
            reason="Moved.",
            by=client.by,
            now=MORNING,
            plans=kept,
            journal=client.journal,
        )
    at = MORNING + timedelta(hours=1)
    outcome = Outcome(
        check_in=first.check_in.id,
        version=1,
        ended=Ended.COMPLETED,
        occurred_at=at,
        mode=Mode.TELEPHONE,
        answers=now,
        recorded_by=client.by.id,
        recorded_at=at,
    )
    await step_up_after_relapse(
        first.check_in, outcome, by=client.by, now=at, programmes=House(), plans=kept, journal=client.journal
    )
    return client


def test_the_days_of_use_are_the_more_of_both_answers_and_no_answer_is_not_zero() -> None:
    assert use_days(None) is None
    assert use_days(answers()) is None
    assert use_days(answers(use_days_28=None, use_days_30=None, craving=9)) is None
    assert use_days(answers(use_days_28=0, use_days_30=None)) == 0
    assert use_days(answers(use_days_28=0, use_days_30=2)) == 2


async def test_use_after_none_is_a_relapse_and_asks_for_more_contact_for_ninety_days() -> None:
    client = await seen(answers(use_days_28=1), answers(use_days_28=0))
    step_up = client.plan.version.step_up
    assert step_up is not None
    assert (step_up.ground, step_up.occurred_on, step_up.last_on) == (StepUpGround.RELAPSE, MONDAY, MONDAY + 90 * DAY)
    [first, *_] = client.kept.of(client.id)
    assert step_up.record == first.check_in.id
    assert client.plan.version.phases[0].rule.every == 1


@pytest.mark.parametrize(
    ("now", "before"),
    [
        (None, answers(use_days_28=0)),
        (answers(use_days_28=None), answers(use_days_28=0)),
        (answers(use_days_28=0), answers(use_days_28=0)),
        (answers(use_days_28=5), None),
        (answers(use_days_28=5), answers(use_days_28=None)),
        (answers(use_days_28=5), answers(use_days_28=1)),
        (answers(use_days_28=5), answers(use_days_28=0, use_days_30=1)),
    ],
)
async def test_who_uses_as_before_or_said_nothing_has_not_relapsed(now: Answers | None, before: Answers | None) -> None:
    assert (await seen(now, before)).plan.version.version == 1


async def test_a_check_in_leads_to_it_once_and_a_stopped_plan_stays_stopped() -> None:
    relapsed = answers(use_days_30=30), answers(use_days_28=0)
    assert (await seen(*relapsed, led=True)).plan.version.version == 1
    assert (await seen(*relapsed, stopped=True)).plan.version.terms is None


async def test_how_many_days_count_is_the_profiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("caseload.domain.profiles.selected.profile_on", few(3))
    assert (await seen(answers(use_days_28=2), answers(use_days_28=0))).plan.version.version == 1
    assert (await seen(answers(use_days_28=3), answers(use_days_28=0))).plan.version.version == 2
