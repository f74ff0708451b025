"""Cancelling a planned handover: only what is still to come, and never so that somebody who has left would answer."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from caseload.domain.access import Role
from caseload.domain.caseload import (
    Edition,
    Episode,
    Handovers,
    HandoverTookPlace,
    HandoverUnknown,
    LevelOfCare,
    NobodyUntilThen,
    Responsibility,
    cancel_handover,
)
from caseload.domain.errors import NotPermitted
from caseload.domain.ids import ClientId, EpisodeId, ProgrammeId, StaffId, new_id
from caseload.domain.journal import Event
from caseload.domain.people import Staff
from tests.factories.staff import somebody

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
DAY = timedelta(days=1)
HERE = ProgrammeId(new_id())
SUPERVISOR = somebody((Role.SUPERVISOR, HERE))
FIRST, SECOND, THIRD = (StaffId(new_id()) for _ in range(3))
EPISODE = Episode(
    id=EpisodeId(new_id()),
    client=ClientId(new_id()),
    programme=HERE,
    admitted_on=date(2026, 11, 1),
    starts_at=NOW - 21 * DAY,
    ends_at=None,
    level=LevelOfCare(edition=Edition.ASAM_4, level="1.5"),
    responsible=FIRST,
    returns_from=None,
)


def period(counsellor: StaffId, since: datetime, until: datetime | None) -> Responsibility:
    return Responsibility(
        id=new_id(),
        client=EPISODE.client,
        episode=EPISODE.id,
        counsellor=counsellor,
        since=since,
        until=until,
        note=None,
        recorded_by=SUPERVISOR.id,
        recorded_at=NOW,
    )


ADMITTED = period(FIRST, EPISODE.starts_at, NOW)
JUST_NOW = period(SECOND, NOW, NOW + DAY)
PLANNED = period(THIRD, NOW + DAY, NOW + 2 * DAY)
AND_BACK = period(FIRST, NOW + 2 * DAY, None)
STANDING = Handovers(client=EPISODE.client, version=4, periods=[AND_BACK, PLANNED, JUST_NOW, ADMITTED])


@dataclass
class Kept:
    """Who counsels here until when, what was taken back, and what was told."""

    until: dict[StaffId, datetime]
    taken_back: list[tuple[Responsibility, Responsibility]] = field(
        default_factory=list[tuple[Responsibility, Responsibility]]
    )
    events: list[Event] = field(default_factory=list[Event])

    async def counsels_in(self, staff: StaffId, programme: ProgrammeId, *, at: datetime) -> bool:
        assert programme == HERE
        return at < self.until.get(staff, NOW - DAY)

    async def take_back(self, planned: Responsibility, former: Responsibility, *, by: StaffId, now: datetime) -> None:
        assert (by, now) == (SUPERVISOR.id, NOW)
        self.taken_back.append((planned, former))

    def saw(self, client: ClientId, kind: str) -> None:
        raise AssertionError((client, kind))

    def tell(self, event: Event) -> None:
        self.events.append(event)


async def cancel(wanted: UUID, kept: Kept, *, by: Staff = SUPERVISOR) -> None:
    await cancel_handover(wanted, EPISODE, STANDING, by=by, now=NOW, caseloads=kept, journal=kept)


@pytest.mark.parametrize(("planned", "former"), [(PLANNED, JUST_NOW), (AND_BACK, PLANNED)])
async def test_whoever_is_responsible_until_then_stays_so(planned: Responsibility, former: Responsibility) -> None:
    kept = Kept({former.counsellor: NOW + 30 * DAY})
    await cancel(planned.id, kept)
    assert kept.taken_back == [(planned, former)]
    (told,) = kept.events
    assert (told.name, told.client, told.records) == ("caseload.handover_cancelled", EPISODE.client, (planned.id,))
    assert told.facts == {"to": str(planned.counsellor), "stays": str(former.counsellor)}


@pytest.mark.parametrize("wanted", [ADMITTED.id, JUST_NOW.id])
async def test_what_has_taken_place_is_not_cancelled_at_its_very_moment_neither(wanted: UUID) -> None:
    with pytest.raises(HandoverTookPlace):
        await cancel(wanted, Kept({FIRST: NOW + 30 * DAY}))


async def test_a_handover_of_another_client_is_not_known() -> None:
    with pytest.raises(HandoverUnknown):
        await cancel(new_id(), Kept({SECOND: NOW + 30 * DAY}))


async def test_a_client_is_not_left_to_somebody_whose_role_ends_before() -> None:
    kept = Kept({SECOND: PLANNED.since})
    with pytest.raises(NobodyUntilThen):
        await cancel(PLANNED.id, kept)
    assert (kept.taken_back, kept.events) == ([], [])


async def test_who_may_not_hand_over_may_not_cancel() -> None:
    with pytest.raises(NotPermitted):
        await cancel(PLANNED.id, Kept({SECOND: NOW + 30 * DAY}), by=somebody((Role.COUNSELLOR, HERE)))
