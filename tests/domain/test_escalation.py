"""Escalations: the instruction of each country, and one for each ground of a check-in."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from caseload.domain.access import Role
from caseload.domain.catalogue import Country
from caseload.domain.escalation import (
    Acknowledgement,
    Escalation,
    Ground,
    OfObservation,
    escalate_from,
    usual_instruction,
)
from caseload.domain.ids import CheckInId, ClientId, EscalationId, ProgrammeId, StaffId, new_id
from caseload.domain.observation import (
    InstrumentName,
    Observation,
    Score,
    escalate_observed,
    grounds_of,
    instrument,
)
from tests.factories.checkin import Remembered, counsellor

pytestmark = pytest.mark.anyio

HOUSE = ProgrammeId(new_id())


class Kept:
    """Keeps escalations in memory."""

    def __init__(self) -> None:
        self.escalations: list[Escalation] = []

    async def add(self, escalations: Sequence[Escalation], /) -> frozenset[EscalationId]:
        self.escalations.extend(escalations)
        return frozenset(each.id for each in escalations)

    async def of_check_in(self, check_in: UUID, /) -> Sequence[Escalation]:
        return [each for each in self.escalations if each.check_in == check_in]

    async def of_observation(self, observation: UUID, /) -> Sequence[Escalation]:
        return [each for each in self.escalations if each.observation and each.observation.id == observation]

    async def add_acknowledgement(self, escalation: Escalation, acknowledgement: Acknowledgement, /) -> None:
        raise NotImplementedError


@pytest.mark.parametrize(
    ("country", "numbers"), [("US", ["911", "988"]), ("UK", ["999", "111"]), ("AU", ["000", "13 11 14"])]
)
def test_every_country_has_an_instruction_with_its_numbers_and_their_source(country: str, numbers: list[str]) -> None:
    said = usual_instruction(HOUSE, Country(country), date(2026, 11, 22))
    assert said.version == 0
    assert said.source.startswith(f"{country}-1/emergency: ")
    assert all(number in said.says for number in (*numbers, "naloxone"))
    assert usual_instruction(HOUSE, Country(country), date(1999, 1, 1)) == said


async def test_each_ground_of_a_check_in_is_raised_once() -> None:
    kept, journal, check_in = Kept(), Remembered(), CheckInId(new_id())

    async def told(*grounds: Ground) -> list[Ground]:
        found = await escalate_from(
            check_in,
            grounds,
            client=ClientId(new_id()),
            programme=HOUSE,
            by=counsellor(HOUSE, role=Role.NURSE),
            now=datetime(2026, 11, 22, 9, tzinfo=UTC),
            escalations=kept,
            journal=journal,
        )
        return [each.ground for each in found]

    assert await told() == []
    assert await told(Ground.OVERDOSE, Ground.OVERDOSE) == [Ground.OVERDOSE]
    assert await told(Ground.OVERDOSE) == [Ground.OVERDOSE]
    assert await told(Ground.SAFEGUARDING, Ground.OVERDOSE) == [Ground.OVERDOSE, Ground.SAFEGUARDING]
    assert [event.facts["ground"] for event in journal.events] == ["overdose", "safeguarding"]


class Overtaken(Kept):
    """Somebody else raises the first of them between the look and the word."""

    async def add(self, escalations: Sequence[Escalation], /) -> frozenset[EscalationId]:
        rival = replace(escalations[0], id=EscalationId(new_id()), raised_by=StaffId(new_id()))
        self.escalations.append(rival)
        return await super().add(escalations[1:])


async def test_of_two_who_raise_a_ground_at_once_one_does_and_both_are_told_of_it() -> None:
    kept, journal, check_in = Overtaken(), Remembered(), CheckInId(new_id())
    told = await escalate_from(
        check_in,
        [Ground.OVERDOSE, Ground.SAFEGUARDING],
        client=ClientId(new_id()),
        programme=HOUSE,
        by=counsellor(HOUSE),
        now=datetime(2026, 11, 22, 9, tzinfo=UTC),
        escalations=kept,
        journal=journal,
    )
    assert [each.ground for each in told] == [Ground.OVERDOSE, Ground.SAFEGUARDING]
    assert list(told) == kept.escalations
    assert [event.facts["ground"] for event in journal.events] == ["safeguarding"]


@pytest.mark.parametrize(
    ("name", "last", "grounds"),
    [
        (InstrumentName.PHQ9, 3, (Ground.SUICIDAL_THOUGHTS,)),
        (InstrumentName.PHQ9, 1, (Ground.SUICIDAL_THOUGHTS,)),
        (InstrumentName.PHQ9, 0, ()),
        (InstrumentName.PHQ9, None, ()),
        (InstrumentName.GAD7, 3, ()),
    ],
)
def test_the_ninth_item_of_a_phq9_alone_does_not_wait(
    name: InstrumentName, last: int | None, grounds: tuple[Ground, ...]
) -> None:
    assert tuple(grounds_of(observed(name, last))) == grounds


def test_an_observation_that_was_taken_back_says_nothing() -> None:
    assert not grounds_of(replace(observed(InstrumentName.PHQ9, 3), score=None))


async def test_an_observation_raises_it_once_and_a_corrected_one_says_in_which_version() -> None:
    kept, journal = Kept(), Remembered()
    first, asked = observed(InstrumentName.PHQ9, 0), observed(InstrumentName.PHQ9, 2)
    at_last = replace(first, version=2, score=asked.score)
    in_check_in = replace(asked, check_in=CheckInId(new_id()))

    for one in (first, at_last, replace(at_last, version=3), in_check_in, in_check_in):
        await escalate_observed(
            one, programme=HOUSE, by=counsellor(HOUSE), now=one.recorded_at, escalations=kept, journal=journal
        )

    assert [(each.observation, each.check_in) for each in kept.escalations] == [
        (OfObservation(first.id, 2), None),
        (None, in_check_in.check_in),
    ]
    assert [event.records[1] for event in journal.events] == [first.id, in_check_in.check_in]


def observed(name: InstrumentName, last: int | None) -> Observation:
    answers = (*(0 for _ in instrument(name).items[1:]), last)
    at = datetime(2026, 11, 22, 9, tzinfo=UTC)
    return Observation(
        id=new_id(),
        version=1,
        client=ClientId(new_id()),
        instrument=name,
        instrument_version=1,
        observed_at=at,
        score=Score(answers, None, None),
        note=None,
        reason=None,
        recorded_by=StaffId(new_id()),
        recorded_at=at,
    )
