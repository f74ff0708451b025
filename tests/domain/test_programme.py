"""Opening a programme: who may, what it must be called, and what its days and rules are."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import pytest

from caseload.domain.access import Holding, Role
from caseload.domain.errors import Invalid, NotPermitted
from caseload.domain.ids import ClientId, ProgrammeId, StaffId, new_id
from caseload.domain.journal import Event
from caseload.domain.people import Staff
from caseload.domain.programme import Programme, open_programme

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 1, 10, 3, 0, tzinfo=UTC)


@dataclass
class Kept:
    """Programmes and what was told of them, in memory."""

    programmes: list[Programme] = field(default_factory=list[Programme])
    told: list[Event] = field(default_factory=list[Event])

    async def get(self, wanted: ProgrammeId) -> Programme:
        return next(each for each in self.programmes if each.id == wanted)

    async def all(self) -> Sequence[Programme]:
        return self.programmes

    async def add(self, new: Programme, *, opened_at: datetime) -> None:
        assert opened_at == NOW
        self.programmes.append(new)

    def saw(self, client: ClientId, kind: str) -> None:
        raise AssertionError((client, kind))

    def tell(self, event: Event) -> None:
        self.told.append(event)


def somebody(role: Role) -> Staff:
    return Staff(
        id=StaffId(new_id()),
        user_name="sam",
        printed_name="Sam",
        session=None,
        holdings=(Holding(role=role, programme=None),),
    )


async def test_an_administrator_opens_a_programme() -> None:
    kept = Kept()
    opened = await open_programme(
        "SITE-05",
        " Five ",
        as_id=ProgrammeId(new_id()),
        time_zone="America/New_York",
        profile="US-CA-BRIDGE",
        by=somebody(Role.ADMINISTRATOR),
        now=NOW,
        programmes=kept,
        journal=kept,
    )
    assert await kept.get(opened.id) == opened
    assert opened.name == "Five"
    assert opened.today(NOW) == date(2026, 1, 9)
    assert [event.name for event in kept.told] == ["programme.opened"]


async def test_nobody_else_opens_one() -> None:
    kept = Kept()
    with pytest.raises(NotPermitted):
        await open_programme(
            "A",
            "A",
            as_id=ProgrammeId(new_id()),
            time_zone="UTC",
            profile="UK",
            by=somebody(Role.AUDITOR),
            now=NOW,
            programmes=kept,
            journal=kept,
        )
    assert not kept.programmes


async def test_everything_that_cannot_be_a_programme_is_said_at_once() -> None:
    kept = Kept()
    with pytest.raises(Invalid) as refused:
        await open_programme(
            "site 5",
            "\n",
            as_id=ProgrammeId(new_id()),
            time_zone="../UTC",
            profile="ZZ",
            by=somebody(Role.ADMINISTRATOR),
            now=NOW,
            programmes=kept,
            journal=kept,
        )
    assert [fault.field for fault in refused.value.faults] == ["code", "name", "time_zone", "profile"]
    assert not kept.told
