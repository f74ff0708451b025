"""Moving a programme to another time zone: who may, at which hours, and what is refused."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from caseload.domain.access import Holding, Role
from caseload.domain.errors import Invalid, NotPermitted
from caseload.domain.ids import ProgrammeId, StaffId, ZoneMoveId, new_id
from caseload.domain.people import Staff
from caseload.domain.profiles.selected import Selected
from caseload.domain.programme import ClocksUnsteady, DaysApart, Programme, ZoneMove, ZonesApart, move_zone
from tests.factories.checkin import Remembered

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 6, 10, 16, tzinfo=UTC)
"""12:00 in New York, 09:00 in Los Angeles."""
HERE = Programme(
    id=ProgrammeId(new_id()), code="H", name="House", time_zone="America/New_York", profiles=Selected("US")
)


@dataclass
class Kept:
    """Moves in memory."""

    moves: list[ZoneMove] = field(default_factory=list[ZoneMove])

    async def zone_moves(self, programme: ProgrammeId, /) -> Sequence[ZoneMove]:
        return self.moves

    async def add_zone_move(self, move: ZoneMove, /) -> None:
        self.moves.append(move)


def somebody(role: Role) -> Staff:
    holds = (Holding(role=role, programme=None if role is Role.ADMINISTRATOR else HERE.id),)
    return Staff(id=StaffId(new_id()), user_name="sam", printed_name="Sam", session=None, holdings=holds)


async def moves(
    to: str,
    *,
    now: datetime = NOON,
    programme: Programme = HERE,
    reason: str = " The county changed. ",
    role: Role = Role.ADMINISTRATOR,
    kept: Kept | None = None,
    journal: Remembered | None = None,
) -> ZoneMove:
    return await move_zone(
        programme,
        to,
        reason,
        as_id=ZoneMoveId(new_id()),
        by=somebody(role),
        now=now,
        moves=kept or Kept(),
        journal=journal or Remembered(),
    )


async def test_a_move_is_kept_with_who_when_why_and_from_where_and_told() -> None:
    kept, journal = Kept(), Remembered()
    first = await moves("America/Los_Angeles", kept=kept, journal=journal)
    assert (first.number, first.moved_at, first.from_zone, first.to_zone, first.reason) == (
        1,
        NOON,
        "America/New_York",
        "America/Los_Angeles",
        "The county changed.",
    )
    [told] = journal.events
    assert (told.name, told.facts["from"], told.facts["to"]) == (
        "programme.zone_moved",
        "America/New_York",
        "America/Los_Angeles",
    )
    there = replace(HERE, time_zone=first.to_zone, zones=f"{first.from_zone} {NOON.isoformat()} {first.to_zone}")
    with pytest.raises(ClocksUnsteady) as refused:
        await moves("America/New_York", programme=there, now=NOON + timedelta(hours=1), kept=kept)
    assert refused.value.facts["possible_from"] == (NOON + timedelta(hours=26)).isoformat()
    back = await moves("America/New_York", programme=there, now=NOON + timedelta(hours=26), kept=kept)
    assert back.number == 2


@pytest.mark.parametrize("to", ["Mars/Olympus", "", "America/New_York"])
async def test_an_unknown_zone_and_its_own_are_refused(to: str) -> None:
    with pytest.raises(Invalid, match="time_zone"):
        await moves(to)


@pytest.mark.parametrize("reason", [" ", "x" * 4001])
async def test_it_needs_a_reason(reason: str) -> None:
    with pytest.raises(Invalid, match="reason"):
        await moves("America/Chicago", reason=reason)


async def test_it_waits_for_an_hour_at_which_it_is_the_same_day_in_both() -> None:
    night = datetime(2026, 6, 10, 5, tzinfo=UTC)
    with pytest.raises(DaysApart) as refused:
        await moves("America/Los_Angeles", now=night)
    assert refused.value.facts == {"possible_from": "2026-06-10T07:00:00+00:00"}
    assert (await moves("America/Los_Angeles", now=night + timedelta(hours=2))).number == 1


async def test_it_waits_until_the_clocks_have_changed_and_a_day_has_passed() -> None:
    with pytest.raises(ClocksUnsteady) as refused:
        await moves("America/Bogota", now=datetime(2026, 11, 1, 15, tzinfo=UTC))
    assert refused.value.facts == {"possible_from": "2026-11-02T08:00:00+00:00"}


async def test_nobody_moves_across_the_date_line() -> None:
    honolulu = replace(HERE, time_zone="Pacific/Honolulu")
    with pytest.raises(ZonesApart):
        await moves("Pacific/Kiritimati", programme=honolulu)


@pytest.mark.parametrize("role", [Role.COUNSELLOR, Role.NURSE, Role.SUPERVISOR, Role.AUDITOR])
async def test_whoever_opens_no_programmes_moves_none(role: Role) -> None:
    with pytest.raises(NotPermitted):
        await moves("America/Chicago", role=role)
