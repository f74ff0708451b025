"""Keyworkers: one at a time, ended by another, by somebody or by itself."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from caseload.domain.access import Role
from caseload.domain.caseload import (
    KeyworkEnded,
    Keyworker,
    KeyworkerUnknown,
    KeyworkOver,
    end_keywork,
    name_keyworker,
)
from caseload.domain.errors import Invalid, NotPermitted
from caseload.domain.ids import ClientId, KeyworkerId, ProgrammeId, StaffId, new_id
from tests.factories.checkin import MORNING, Remembered, counsellor, episode

pytestmark = pytest.mark.anyio

HERE = ProgrammeId(new_id())
EPISODE = episode(programme=HERE)
SUPERVISOR = counsellor(HERE, role=Role.SUPERVISOR)
KIM, JO = StaffId(new_id()), StaffId(new_id())
TICK = timedelta(microseconds=1)


@dataclass
class Kept:
    """Keyworkers in memory, the latest first."""

    kept: dict[KeyworkerId, Keyworker] = field(default_factory=dict[KeyworkerId, Keyworker])

    async def counsels_in(self, staff: StaffId, programme: ProgrammeId, *, at: datetime) -> bool:
        return staff in {KIM, JO, EPISODE.responsible} and programme == HERE

    async def keyworkers_of(self, client: ClientId, /) -> Sequence[Keyworker]:
        mine = [each for each in self.kept.values() if each.client == client]
        return sorted(mine, key=lambda each: each.starts_at, reverse=True)

    async def add_keyworker(self, new: Keyworker) -> None:
        self.kept[new.id] = new

    async def end_keywork(self, ending: Keyworker, why: KeyworkEnded, *, by: StaffId, now: datetime) -> None:
        self.kept[ending.id] = replace(ending, ended_at=now, ended_by=by, ended_why=why)


async def name(kept: Kept, staff: StaffId = KIM, **changes: Any) -> Keyworker:
    given: dict[str, Any] = {
        "reason": "Asked for her.",
        "until_at": None,
        "as_id": KeyworkerId(new_id()),
        "by": SUPERVISOR,
        "now": MORNING,
        "journal": Remembered(),
        **changes,
    }
    return await name_keyworker(EPISODE, staff, given.pop("reason"), caseloads=kept, **given)


async def test_another_keyworker_takes_the_place_of_the_one_before_at_that_moment() -> None:
    kept, journal, later = Kept(), Remembered(), MORNING + timedelta(days=1)
    first = await name(kept)

    second = await name(kept, JO, now=later, journal=journal)

    former = kept.kept[first.id]
    assert (former.ended_at, former.ended_by, former.ended_why) == (later, SUPERVISOR.id, KeyworkEnded.ANOTHER)
    assert [(former.is_one(at), second.is_one(at)) for at in (later - TICK, later)] == [(True, False), (False, True)]
    assert [(event.name, event.records) for event in journal.events] == [
        ("caseload.keyworker_ended", (first.id,)),
        ("caseload.keyworker_named", (second.id,)),
    ]


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"until_at": MORNING}, "until_at"),
        ({"until_at": MORNING + timedelta(days=3660) + TICK}, "until_at"),
        ({"reason": " "}, "reason"),
        ({"reason": "x" * 501}, "reason"),
        ({"staff": EPISODE.responsible}, "staff_id"),
        ({"staff": StaffId(new_id())}, "staff_id"),
    ],
)
async def test_what_is_no_keyworker_is_refused(changes: dict[str, Any], where: str) -> None:
    with pytest.raises(Invalid, match=where):
        await name(Kept(), **changes)


@pytest.mark.parametrize(
    "changes",
    [{"until_at": MORNING + TICK}, {"until_at": MORNING + timedelta(days=3660)}, {"reason": "x" * 500}],
)
async def test_the_last_that_is_one_is_taken(changes: dict[str, Any]) -> None:
    kept = Kept()

    await name(kept, **changes)

    assert len(kept.kept) == 1


async def test_whoever_is_it_cannot_be_named_again_until_it_is_over() -> None:
    kept = Kept()
    await name(kept, until_at=MORNING + timedelta(days=1))

    with pytest.raises(Invalid, match="the keyworker already"):
        await name(kept, now=MORNING + timedelta(days=1) - TICK)
    await name(kept, now=MORNING + timedelta(days=1))

    assert len(kept.kept) == 2


async def test_it_is_ended_once() -> None:
    kept, journal = Kept(), Remembered()
    named = await name(kept)
    given: dict[str, Any] = {"by": SUPERVISOR, "now": MORNING + TICK, "caseloads": kept, "journal": journal}

    await end_keywork(named.id, EPISODE, **given)

    with pytest.raises(KeyworkOver):
        await end_keywork(named.id, EPISODE, **given)
    with pytest.raises(KeyworkerUnknown):
        await end_keywork(KeyworkerId(new_id()), EPISODE, **given)
    assert [event.name for event in journal.events] == ["caseload.keyworker_ended"]


async def test_a_counsellor_names_nobody_and_ends_nothing() -> None:
    robin, kept = counsellor(HERE), Kept()
    named = await name(kept)

    with pytest.raises(NotPermitted):
        await name(kept, JO, by=robin)
    with pytest.raises(NotPermitted):
        await end_keywork(named.id, EPISODE, by=robin, now=MORNING, caseloads=kept, journal=Remembered())
