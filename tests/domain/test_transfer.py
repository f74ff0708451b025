"""Where a transfer stands, for every way in which it can come out."""

from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from caseload.domain.access import Act, Holding, Role, reach
from caseload.domain.caseload import Edition, LevelOfCare
from caseload.domain.ids import ClientId, DepartureId, EpisodeId, ProgrammeId, StaffId, TransferId, new_id
from caseload.domain.journal import Event
from caseload.domain.merge import OpenKind
from caseload.domain.transfer import (
    Acceptance,
    DaysDiffer,
    Ending,
    Outcome,
    Standing,
    Taking,
    Transfer,
    Unsettled,
    Wish,
)
from caseload.domain.transfer.accepting import check_clocks
from caseload.domain.transfer.asking import withdraw_transfer
from tests.factories.staff import somebody

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
BY = StaffId(new_id())
TAKEN = Acceptance(
    taking=Taking(counsellor=BY, level=LevelOfCare(edition=Edition.ASAM_4, level="1.5")),
    accepted_by=BY,
    accepted_at=NOW,
)


def transfer(**said: Any) -> Transfer:
    return Transfer(
        id=TransferId(new_id()),
        client=ClientId(new_id()),
        episode=EpisodeId(new_id()),
        programme=ProgrammeId(new_id()),
        wish=Wish(to=ProgrammeId(new_id()), reason="Moves.", told="Stable.", proposed_at=NOW),
        asked_by=BY,
        asked_at=NOW,
        **said,
    )


@pytest.mark.parametrize(
    ("said", "standing", "waits"),
    [
        ({}, Standing.ASKED, True),
        ({"acceptance": TAKEN}, Standing.ACCEPTED, True),
        ({"acceptance": TAKEN, "episode_is_open": False}, Standing.LAPSED, False),
        ({"episode_is_open": False}, Standing.LAPSED, False),
        *(
            ({"ending": Ending(outcome=each, by=BY, at=NOW), "episode_is_open": False}, Standing(each.value), False)
            for each in Outcome
        ),
    ],
)
def test_a_transfer_waits_until_it_has_come_out_or_the_client_has_left(
    said: dict[str, Any], standing: Standing, *, waits: bool
) -> None:
    found = transfer(**said)
    assert (found.standing, found.waits) == (standing, waits)


@pytest.mark.parametrize(
    "kind", [OpenKind.GUEST, OpenKind.ESCALATION, OpenKind.CARE_TASK, OpenKind.MEDICATION_TASK, OpenKind.MESSAGE]
)
def test_whatever_is_left_behind_says_how_it_is_settled(kind: OpenKind) -> None:
    assert Unsettled(kind=kind, record=new_id()).settle.endswith(".")


def test_what_a_programme_keeps_is_within_reach_of_whoever_sees_all_of_its_clients() -> None:
    here, there, client = ProgrammeId(new_id()), ProgrammeId(new_id()), ClientId(new_id())
    for role, is_seen in ((Role.NURSE, True), (Role.COUNSELLOR, False)):
        holdings = [Holding(role=role, programme=here)]
        for kept_in, expected in ((None, False), (here, is_seen), (there, False)):
            found = reach(BY, holdings, Act.SEE_CLIENT).covers(
                client, programmes=[there], looked_after_by=[], by_identifier=False, kept_in=kept_in
            )
            assert found is expected


def test_looking_back_opens_one_client_to_whoever_may_do_the_act() -> None:
    here, client = ProgrammeId(new_id()), ClientId(new_id())
    nurse = somebody((Role.NURSE, here)).looking_back(client)
    assert nurse.reach(Act.SEE_MEDICATION).opened == client
    assert nurse.reach(Act.CONFIRM_MERGE).opened is None


@pytest.mark.parametrize(
    ("at", "there", "possible"),
    [
        ("2026-11-23T12:00:00+00:00", "America/New_York", True),
        ("2026-11-23T03:00:00+00:00", "America/New_York", False),
        ("2026-10-25T12:00:00+00:00", "America/New_York", False),
        ("2026-10-25T01:30:00+00:00", "Europe/London", True),
        ("2026-11-23T03:00:00+00:00", "Pacific/Pago_Pago", False),
    ],
)
def test_a_client_goes_to_another_zone_while_it_is_one_day_and_no_clock_changes(
    at: str, there: str, *, possible: bool
) -> None:
    check = partial(check_clocks, ZoneInfo("Europe/London"), ZoneInfo(there), datetime.fromisoformat(at))
    if possible:
        check()
        return
    with pytest.raises(DaysDiffer):
        check()


def test_between_two_zones_that_never_share_a_day_nobody_goes() -> None:
    with pytest.raises(DaysDiffer, match="register them there"):
        check_clocks(ZoneInfo("Pacific/Kiritimati"), ZoneInfo("Pacific/Pago_Pago"), NOW)


@pytest.mark.anyio
async def test_a_discharge_that_waits_no_longer_is_not_answered_once_more() -> None:
    here, done = ProgrammeId(new_id()), list[Ending]()
    waiting = replace(transfer(acceptance=replace(TAKEN, departure=DepartureId(new_id()))), programme=here)

    async def nothing(*_: object, **__: object) -> None:
        """There is no discharge that waits, and nothing to lock."""

    async def found(*_: object, **__: object) -> Transfer:
        return waiting

    async def kept(_: Transfer, ending: Ending) -> None:
        done.append(ending)

    places: Any = SimpleNamespace(
        transfers=SimpleNamespace(transfer=found, hold_record=nothing, add_ending=kept),
        leaving=SimpleNamespace(departures=SimpleNamespace(last_asked=nothing)),
    )
    told = list[Event]()
    journal: Any = SimpleNamespace(tell=told.append)
    by = somebody((Role.SUPERVISOR, here))
    await withdraw_transfer(waiting.id, "Stays.", by=by, now=NOW, places=places, journal=journal)
    assert [each.outcome for each in done] == [Outcome.WITHDRAWN]
    assert [event.name for event in told] == ["transfer.ended"]
