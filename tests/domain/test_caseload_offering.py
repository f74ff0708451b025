"""Offers apart from what is kept: whose they are, and which covers follow from an absence."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from caseload.domain.access import Role
from caseload.domain.caseload import (
    Cover,
    Load,
    Offer,
    OfferUnknown,
    Stretch,
    Worry,
    accept,
    decline,
    to_change,
    warnings,
)
from caseload.domain.ids import AbsenceId, ClientId, EpisodeId, ProgrammeId, StaffId, new_id
from tests.factories.staff import somebody

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
DAY = timedelta(days=1)
HERE = ProgrammeId(new_id())
COUNSELLOR = somebody((Role.COUNSELLOR, HERE))
AWAY, OTHER = (AbsenceId(new_id()) for _ in range(2))
ADA, BEA = (ClientId(new_id()) for _ in range(2))
STANDS_IN = StaffId(new_id())


class Untouched:
    """A store of which nothing is asked."""

    def __getattr__(self, name: str) -> Any:
        pytest.fail(f"asked for {name}")


async def test_an_offer_to_a_colleague_is_unknown() -> None:
    offer = Offer(
        id=new_id(),
        client=ADA,
        episode=EpisodeId(new_id()),
        programme=HERE,
        to=StaffId(new_id()),
        effective_at=NOW,
        note=None,
        handover=None,
        recorded_by=StaffId(new_id()),
        recorded_at=NOW,
    )
    store: Any = Untouched()
    with pytest.raises(OfferUnknown):
        await accept(offer, by=COUNSELLOR, now=NOW, offers=store, journal=store)
    with pytest.raises(OfferUnknown):
        await decline(offer, "No time.", by=COUNSELLOR, now=NOW, offers=store, journal=store)


def cover(client: ClientId, absence: AbsenceId, since: datetime, until: datetime) -> Cover:
    return Cover(
        id=new_id(),
        client=client,
        counsellor=STANDS_IN,
        starts_at=since,
        ends_at=until,
        reason="Leave.",
        recorded_by=STANDS_IN,
        recorded_at=NOW,
        absence=absence,
    )


def stretch(client: ClientId, absence: AbsenceId, since: datetime, until: datetime) -> Stretch:
    return Stretch(
        client=client, absence=absence, covered_by=STANDS_IN, starts_at=since, ends_at=until, reason="Leave."
    )


def test_a_cover_that_is_wanted_as_it_stands_is_left_alone_whenever_it_began() -> None:
    running, to_come = cover(ADA, AWAY, NOW - DAY, NOW + DAY), cover(BEA, AWAY, NOW + DAY, NOW + 2 * DAY)
    wanted = [stretch(ADA, AWAY, NOW, NOW + DAY), stretch(BEA, AWAY, NOW + DAY, NOW + 2 * DAY)]
    assert to_change([running, to_come], wanted, now=NOW) == ([], [])


@pytest.mark.parametrize(
    "wanted",
    [
        stretch(BEA, AWAY, NOW, NOW + DAY),
        stretch(ADA, OTHER, NOW, NOW + DAY),
        stretch(ADA, AWAY, NOW + timedelta(microseconds=1), NOW + DAY),
        stretch(ADA, AWAY, NOW, NOW + DAY - timedelta(microseconds=1)),
    ],
)
def test_a_cover_of_another_client_absence_or_time_ends_and_what_is_wanted_begins(wanted: Stretch) -> None:
    standing = cover(ADA, AWAY, NOW - DAY, NOW + DAY)
    assert to_change([standing], [wanted], now=NOW) == ([standing], [wanted])
    assert to_change([standing], [], now=NOW) == ([standing], [])
    assert to_change([], [wanted], now=NOW) == ([], [wanted])


def load(**said: Any) -> Load:
    quiet: dict[str, Any] = {
        "counsellor": STANDS_IN,
        "printed_name": "Robin Ashdown",
        "responsible": 40,
        "covering": 9,
        "overdue": 0,
        "overdue_since": None,
        "ceiling": None,
        "counsels_now": True,
        "counsels_until": None,
        "away_until": None,
        "covered_by": None,
    }
    return Load(**{**quiet, **said})


def test_what_is_said_of_a_counsellor_begins_above_the_ceiling_and_counts_no_cover() -> None:
    assert warnings(load()) == []
    assert warnings(load(ceiling=40)) == []
    (over,) = warnings(load(ceiling=39))
    assert (over.worry, over.clients, over.ceiling) == (Worry.OVER_CEILING, 40, 39)
    both = warnings(load(counsels_until=NOW + DAY, away_until=NOW + 2 * DAY))
    assert [(each.worry, each.at) for each in both] == [(Worry.ROLE_ENDS, NOW + DAY), (Worry.AWAY, NOW + 2 * DAY)]
