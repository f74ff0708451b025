"""Whatever happens to check-ins, what is kept of those that wait says what the facts say."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from hypothesis import given, settings

from caseload.domain.checkin import (
    Ended,
    Plan,
    Record,
    is_overdue,
    overdue,
    schedule_ahead,
    upcoming,
    waiting,
)
from caseload.domain.ids import CheckInId, ProgrammeId, new_id
from tests.factories.checkin import Kept, Remembered, counsellor, episode
from tests.factories.stories import Story, Teller, planned_days, stories


@dataclass
class InMemory:
    """A shelf in memory."""

    kept: Kept

    @property
    def plans(self) -> Kept:
        return self.kept

    @property
    def check_ins(self) -> Kept:
        return self.kept

    async def all_plans(self) -> Sequence[Plan]:
        return list(self.kept.plans.values())

    async def all_records(self) -> Sequence[Record]:
        return list(self.kept.records.values())


@settings(deadline=None)
@given(stories())
def test_what_waits_is_what_the_facts_leave_open(story: Story) -> None:
    asyncio.run(play(story))


async def play(story: Story) -> None:
    programme = ProgrammeId(new_id())
    kept, journal = Kept(), Remembered()
    teller = Teller(
        shelf=InMemory(kept),
        episode=episode(programme=programme),
        by=counsellor(programme),
        journal=journal,
        now=story.starts_at,
    )
    for step in story.steps:
        await teller.do(step)
        records = list(kept.records.values())
        waits = {one.check_in: one for record in records if (one := waiting(record)) is not None}
        assert kept.waiting == waits
        late = sorted(one.check_in for one in kept.waiting.values() if is_overdue(one, now=teller.now))
        assert late == sorted(line.check_in for line in overdue(records, now=teller.now))
        assert len(planned_days(records)) == len(set(planned_days(records)))
        for record in records:
            _has_a_history_that_could_be(record)
    await _twice_is_once(kept, teller)


async def _twice_is_once(kept: Kept, teller: Teller) -> None:
    """Making the coming check-ins once more changes nothing, nor would making them anew from a plan's first day."""
    made: list[Mapping[CheckInId, Record]] = []
    for _ in range(2):
        while await schedule_ahead(now=teller.now, plans=kept, journal=Remembered(), at_most=1):
            pass
        made.append(dict(kept.records))
    assert made[0] == made[1]
    for plan in kept.plans.values():
        if plan.version.version > 1 or plan.version.terms is None:
            continue
        begun = replace(plan, scheduled_through=plan.version.terms.rule.starts_on - timedelta(days=1))
        anew, _ = upcoming(begun, now=teller.now)
        there = {record.check_in.scheduled_on: record.check_in.due_at for record in kept.of(plan.id)}
        assert {each.scheduled_on: each.due_at for each in anew}.items() <= there.items()


def _has_a_history_that_could_be(record: Record) -> None:
    assert [outcome.version for outcome in record.outcomes] == list(range(1, len(record.outcomes) + 1))
    assert record.due_at <= record.grace_ends_at
    assert all(move.due_at > move.recorded_at for move in record.moves)
    for outcome in record.outcomes:
        assert (outcome.occurred_at is not None) == (outcome.ended is Ended.COMPLETED)
        assert outcome.occurred_at is None or outcome.occurred_at <= outcome.recorded_at
