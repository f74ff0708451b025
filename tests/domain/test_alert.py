"""Alerts: who is told, at which step, once; and nobody is told where nobody answers."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from caseload.domain.alert import AT_ONCE, EXPIRED, alert_of_consents, alert_of_releases, tell_expired
from caseload.domain.care_task import CareTask
from caseload.domain.consent import Consent, Expiring, is_expiring
from caseload.domain.disclosure import Disclosure, Open
from caseload.domain.ids import ClientId, ConsentId, DisclosureId, StaffId, new_id
from caseload.domain.people import the_service
from tests.domain.test_consent import NOW, TODAY, Told, consent, draft, programme
from tests.domain.test_disclosure import EMERGENCY, NURSE, Room

pytestmark = pytest.mark.anyio

ROBIN = StaffId(new_id())


@dataclass
class Board:
    """What was raised, kept in memory."""

    named: StaffId | None = ROBIN
    seen_by: set[StaffId] = field(default_factory=lambda: {NURSE.id})
    faster: bool = False
    consents: dict[tuple[ConsentId, int], CareTask | None] = field(
        default_factory=dict[tuple[ConsentId, int], CareTask | None]
    )
    releases: dict[DisclosureId, CareTask] = field(default_factory=dict[DisclosureId, CareTask])

    async def named_for(self, client: ClientId) -> StaffId | None:
        return self.named

    async def sees(self, staff: StaffId, client: ClientId) -> bool:
        return staff in self.seen_by

    async def raised_of(self, consents: Collection[ConsentId]) -> Collection[tuple[ConsentId, int]]:
        return set(self.consents)

    async def releases_raised(self, releases: Collection[DisclosureId]) -> Collection[DisclosureId]:
        return set(self.releases)

    async def raise_of_consent(self, consent: ConsentId, step: int, task: CareTask | None) -> bool:
        if not self.faster:
            self.consents[consent, step] = task
        return not self.faster

    async def raise_of_release(self, release: Disclosure, task: CareTask) -> bool:
        if not self.faster:
            self.releases[release.id] = task
        return not self.faster


def ends_in(days: int) -> Consent:
    made = consent()
    last_day = TODAY + timedelta(days=days)
    return replace(
        made,
        expiry=replace(draft().expiry, last_day=last_day),
        expires_at=NOW + timedelta(days=days, hours=19, minutes=30),
    )


def line(days: int) -> Expiring:
    found = is_expiring(ends_in(days), programme(), at=NOW)
    assert found is not None
    return found


async def alerted(board: Board, *lines: Expiring, journal: Told | None = None) -> int:
    return await alert_of_consents(lines, by=the_service(), now=NOW, alerts=board, journal=journal or Told())


async def test_a_step_is_raised_once_for_whoever_answers_and_told_to_the_log() -> None:
    board, told, soon = Board(), Told(), line(14)
    assert await alerted(board, soon, journal=told) == 1
    assert await alerted(board, soon, journal=told) == 0
    [(key, task)] = board.consents.items()
    assert key == (soon.consent.id, 14)
    assert task is not None
    assert (task.for_staff, task.due_at) == (ROBIN, soon.consent.expires_at)
    [event] = told.events
    assert (event.name, event.records) == ("care_task.raised", (task.id, soon.consent.id))


async def test_on_its_last_day_the_words_say_so() -> None:
    board = Board()
    await alerted(board, line(0))
    [task] = board.consents.values()
    assert task is not None
    assert "ends today" in task.says


async def test_where_nobody_answers_or_somebody_was_faster_nothing_is_told() -> None:
    told = Told()
    assert await alerted(Board(named=None), line(7), journal=told) == 0
    assert await alerted(Board(faster=True), line(7), journal=told) == 0
    assert told.events == []


async def test_so_many_at_once() -> None:
    board = Board()
    some = [line(7) for _ in range(AT_ONCE + 3)]
    assert [await alerted(board, *some), await alerted(board, *some)] == [AT_ONCE, 3]
    ended = [ends_in(-3) for _ in range(AT_ONCE + 3)]
    told = Told()
    made = [await tell_expired(ended, now=NOW, alerts=board, journal=told) for _ in range(3)]
    assert made == [AT_ONCE, 3, 0]
    assert {event.name for event in told.events} == {"consent.expired"}


async def test_only_what_ended_by_its_last_day_has_expired() -> None:
    board, told = Board(), Told()
    by_event = replace(consent(), expiry=replace(draft().expiry, last_day=None, event="Discharge"), event_at=NOW)
    revoked = replace(ends_in(-3), revoked_at=NOW - timedelta(days=9))
    for each in (by_event, revoked, ends_in(3)):
        assert await tell_expired([each], now=NOW, alerts=board, journal=told) == 0
    assert await tell_expired([ends_in(-3)], now=NOW, alerts=Board(faster=True), journal=told) == 0
    assert told.events == []
    over = ends_in(-3)
    assert await tell_expired([over], now=NOW, alerts=board, journal=told) == 1
    assert board.consents == {(over.id, EXPIRED): None}


RELEASED = Room().releases(EMERGENCY)


def opened(*, minutes: int = 0) -> Open:
    released = replace(RELEASED, id=DisclosureId(new_id()))
    return Open(
        release=released,
        missing=released.open_fields,
        due_at=released.recorded_at + timedelta(minutes=minutes),
        rule="42 CFR 2.51",
        advice="Fill it in.",
    )


async def released(board: Board, *some: Open, told: Told | None = None) -> int:
    return await alert_of_releases(some, by=the_service(), now=NOW, alerts=board, journal=told or Told())


async def test_of_an_overdue_record_whoever_recorded_it_is_told_once_or_whoever_answers_for_the_client() -> None:
    board, told, late = Board(), Told(), opened()
    assert [await released(board, late, told=told), await released(board, late, told=told)] == [1, 0]
    assert board.releases[late.release.id].for_staff == NURSE.id
    assert [event.name for event in told.events] == ["care_task.raised"]
    gone = Board(seen_by=set())
    await released(gone, late)
    assert gone.releases[late.release.id].for_staff == ROBIN


async def test_a_record_that_is_not_overdue_yet_gives_nobody_a_task() -> None:
    board = Board()
    assert await released(board, opened(minutes=1)) == 0
    assert await released(Board(faster=True), opened()) == 0
    assert await released(Board(seen_by=set(), named=None), opened()) == 0


async def test_so_many_emergencies_at_once() -> None:
    board = Board()
    some = [opened() for _ in range(AT_ONCE + 2)]
    assert [await released(board, *some), await released(board, *some)] == [AT_ONCE, 2]
