"""Escalations: the instruction of each country, and one for each ground of a check-in."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from caseload.domain.access import Role
from caseload.domain.catalogue import Country
from caseload.domain.escalation import Acknowledgement, Escalation, Ground, escalate_from, usual_instruction
from caseload.domain.ids import CheckInId, ClientId, ProgrammeId, new_id
from tests.factories.checkin import Remembered, counsellor

pytestmark = pytest.mark.anyio

HOUSE = ProgrammeId(new_id())


class Kept:
    """Keeps escalations in memory."""

    def __init__(self) -> None:
        self.escalations: list[Escalation] = []

    async def add(self, escalations: Sequence[Escalation], /) -> None:
        self.escalations.extend(escalations)

    async def of_check_in(self, check_in: UUID, /) -> Sequence[Escalation]:
        return [each for each in self.escalations if each.check_in == check_in]

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
