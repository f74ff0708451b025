"""Drug screens: how the draw spreads them over a year of treatment, and what a sample may say."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as some

from caseload.domain.access import Role
from caseload.domain.errors import Invalid, NotPermitted
from caseload.domain.ids import ClientId, DrawId, ProgrammeId, new_id
from caseload.domain.profiles import profile_on
from caseload.domain.profiles.selected import Selected
from caseload.domain.programme import Programme
from caseload.domain.screening import (
    Draw,
    Expected,
    Finding,
    Matrix,
    Method,
    OnMedicine,
    Result,
    Sample,
    Screen,
    ScreenChanged,
    Substance,
    Why,
    amend_screen,
    behind,
    chosen,
    draw,
    record_screen,
    year_of_treatment,
)
from tests.factories.checkin import Remembered
from tests.factories.staff import somebody

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
TODAY = date(2026, 6, 1)
ADA = ClientId(new_id())
HOUSE = Programme(id=ProgrammeId(new_id()), code="H", name="House", time_zone="Etc/UTC", profiles=Selected("US"))
NURSE = somebody((Role.NURSE, HOUSE.id))
SAMPLE = Sample(why=Why.CLINICAL, collected_at=NOW, matrix=Matrix.URINE, observed=False)
NEGATIVE = Result(Substance.FENTANYL, Method.POINT_OF_CARE, Finding.NEGATIVE)


class Kept:
    """Keeps draws and screens in memory."""

    def __init__(self, *clients: OnMedicine) -> None:
        self.clients = clients
        self.draws: list[Draw] = []
        self.screens: list[Screen] = []

    async def on_medicine(self, programme: ProgrammeId, *, today: date) -> Sequence[OnMedicine]:
        assert (programme, today) == (HOUSE.id, TODAY)
        return self.clients

    async def add_draw(self, draw: Draw, /) -> None:
        self.draws.append(draw)

    async def add(self, screen: Screen, /) -> None:
        self.screens.append(screen)


@given(
    admitted=some.dates(date(2020, 1, 1), date(2024, 12, 31)),
    required=some.integers(0, 12),
    chance=some.randoms(use_true_random=False),
)
def test_whoever_comes_on_every_day_that_is_drawn_is_screened_exactly_as_often_as_asked(
    admitted: date, required: int, chance: Random
) -> None:
    screened = list[date]()
    _, ends = year_of_treatment(admitted, admitted)
    day = admitted
    while day < ends:
        here = OnMedicine(ADA, admitted, screened)
        for drawn in chosen([here], required=required, today=day, chance=chance.random):
            assert drawn.done == len(screened)
            screened.append(day)
        day += timedelta(days=1)
    assert len(screened) == required


@given(absent=some.sets(some.integers(0, 364), max_size=300), chance=some.randoms(use_true_random=False))
def test_with_as_many_days_left_as_screens_are_needed_every_day_is_drawn(absent: set[int], chance: Random) -> None:
    admitted, screened = date(2022, 3, 1), list[date]()
    for number in range(365):
        day = admitted + timedelta(days=number)
        drawn = list(chosen([OnMedicine(ADA, admitted, screened)], required=8, today=day, chance=chance.random))
        needed = 8 - len(screened)
        assert drawn or needed < 365 - number
        assert needed or not drawn
        if drawn and number not in absent:
            screened.append(day)
    assert len(screened) <= 8


def test_days_are_spread_evenly_and_not_in_the_first_weeks() -> None:
    chance, days = Random(7), list[int]()  # noqa: S311  the same days in every run
    admitted = date(2023, 1, 1)
    for _ in range(100):
        screened: list[date] = []
        for number in range(365):
            day = admitted + timedelta(days=number)
            if list(chosen([OnMedicine(ADA, admitted, screened)], required=8, today=day, chance=chance.random)):
                screened.append(day)
                days.append(number)
    quarters = [sum(start <= day < start + 91.25 for day in days) for start in (0, 91.25, 182.5, 273.75)]
    assert sum(quarters) == 800
    assert all(160 < quarter < 240 for quarter in quarters), quarters


@pytest.mark.parametrize(
    ("admitted", "today", "year"),
    [
        (date(2026, 6, 1), date(2026, 6, 1), (date(2026, 6, 1), date(2027, 6, 1))),
        (date(2025, 6, 1), date(2026, 5, 31), (date(2025, 6, 1), date(2026, 6, 1))),
        (date(2025, 6, 1), date(2026, 6, 1), (date(2026, 6, 1), date(2027, 6, 1))),
        (date(2024, 2, 29), date(2025, 2, 28), (date(2025, 2, 28), date(2026, 2, 28))),
        (date(2024, 2, 29), date(2028, 2, 29), (date(2028, 2, 29), date(2029, 2, 28))),
    ],
)
def test_a_year_of_treatment_runs_from_anniversary_to_anniversary(
    admitted: date, today: date, year: tuple[date, date]
) -> None:
    begins, ends = year_of_treatment(admitted, today)
    assert (begins, ends) == year
    assert begins <= today < ends


def test_screens_of_the_year_before_do_not_count() -> None:
    here = OnMedicine(ADA, date(2025, 6, 1), [TODAY - timedelta(days=1)] * 8)
    assert [each.done for each in chosen([here], required=8, today=TODAY, chance=lambda: 0.0)] == [0]


@pytest.mark.parametrize(("profile", "a_year"), [("US", 8), ("US-CA-BRIDGE", 8), ("UK", 0), ("AU", 0)])
def test_how_often_is_a_value_of_the_profile(profile: str, a_year: int) -> None:
    assert profile_on(profile, TODAY).monitoring.random_screens.a_year == a_year


@pytest.mark.parametrize(
    ("days", "done", "lines"),
    [
        (0, 0, []),
        (45, 0, []),
        (46, 0, [(0, 1, 319)]),
        (46, 1, []),
        (91, 1, []),
        (92, 1, [(1, 2, 273)]),
        (364, 6, [(6, 7, 1)]),
        (364, 7, []),
        (365, 0, []),
    ],
)
def test_whoever_has_fewer_screens_than_the_passed_part_of_the_year_asks_for_is_behind(
    days: int, done: int, lines: list[tuple[int, int, int]]
) -> None:
    """Eight in 365 days: the first whole one is due when 46 days have passed. The anniversary begins anew."""
    admitted = date(2025, 6, 2)
    screened = [admitted + timedelta(days=each) for each in range(done)]
    found = behind([OnMedicine(ADA, admitted, screened)], required=8, today=admitted + timedelta(days=days))
    assert [(each.done, each.expected, each.days_left) for each in found] == lines


def test_nobody_is_behind_where_no_number_is_asked_for() -> None:
    assert not list(behind([OnMedicine(ADA, date(2025, 6, 2), ())], required=0, today=TODAY))


@pytest.mark.anyio
async def test_a_draw_names_its_rule_and_tells_nobody_who_was_drawn() -> None:
    kept, journal = Kept(OnMedicine(ADA, TODAY, ()), OnMedicine(ClientId(new_id()), TODAY, ())), Remembered()
    values = iter([0.99, 0.0])
    found = await draw(
        HOUSE, as_id=DrawId(new_id()), chance=lambda: next(values), by=NURSE, now=NOW, draws=kept, journal=journal
    )
    assert (found.rule, found.required, found.considered, len(found.drawn)) == ("us.random_screens of US-1", 8, 2, 1)
    assert kept.draws == [found]
    (event,) = journal.events
    assert (event.name, event.client, event.facts["drawn"]) == ("drug_screen.drawn", None, 1)


@pytest.mark.anyio
async def test_nobody_draws_for_another_programme() -> None:
    stranger = somebody((Role.NURSE, ProgrammeId(new_id())))
    with pytest.raises(NotPermitted):
        await draw(
            HOUSE, as_id=DrawId(new_id()), chance=lambda: 0.5, by=stranger, now=NOW, draws=Kept(), journal=Remembered()
        )


async def recorded(sample: Sample = SAMPLE, *, kept: Kept) -> Screen:
    return await record_screen(
        ADA, sample, as_id=new_id(), programme=HOUSE.id, by=NURSE, now=NOW, screens=kept, journal=Remembered()
    )


@pytest.mark.anyio
async def test_results_come_later_as_a_version_of_their_own() -> None:
    kept = Kept()
    first = await recorded(kept=kept)
    second = await amend_screen(
        first,
        replace(SAMPLE, results=[NEGATIVE], expected=Expected.PRESENT),
        reason="the laboratory answered",
        by=NURSE,
        now=NOW + timedelta(days=2),
        screens=kept,
        journal=Remembered(),
    )
    assert (second.version, second.reason) == (2, "the laboratory answered")
    assert kept.screens == [first, second]


@pytest.mark.anyio
async def test_what_was_taken_back_is_not_taken_back_again() -> None:
    kept, journal = Kept(), Remembered()
    first = await recorded(kept=kept)
    back = await amend_screen(first, None, reason="another client", by=NURSE, now=NOW, screens=kept, journal=journal)
    assert back.sample is None
    assert [event.name for event in journal.events] == ["drug_screen.taken_back"]
    with pytest.raises(ScreenChanged):
        await amend_screen(back, None, reason="again", by=NURSE, now=NOW, screens=kept, journal=journal)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"collected_at": NOW + timedelta(seconds=1)}, "collected_at"),
        ({"why": Why.RANDOM}, "drawn_on"),
        ({"drawn_on": TODAY}, "drawn_on"),
        ({"refused": True, "results": [NEGATIVE]}, "results"),
        ({"refused": True, "expected": Expected.ABSENT}, "results"),
        ({"results": [NEGATIVE, NEGATIVE._replace(finding=Finding.POSITIVE)]}, "results"),
        ({"interpretation": "x" * 2001}, "interpretation"),
    ],
)
async def test_what_contradicts_itself_is_refused_and_not_kept(wrong: dict[str, object], field: str) -> None:
    kept = Kept()
    with pytest.raises(Invalid) as refused:
        await recorded(replace(SAMPLE, **wrong), kept=kept)  # type: ignore[arg-type]  # the fields of a sample
    assert [fault.field for fault in refused.value.faults] == [field]
    assert kept.screens == []


@pytest.mark.anyio
@pytest.mark.parametrize("reason", ["", " ", "x" * 2001])
async def test_a_later_version_says_why_it_came(reason: str) -> None:
    kept = Kept()
    first = await recorded(kept=kept)
    with pytest.raises(Invalid, match="reason"):
        await amend_screen(first, SAMPLE, reason=reason, by=NURSE, now=NOW, screens=kept, journal=Remembered())


def test_the_day_of_a_draw_is_the_programmes_own() -> None:
    late = datetime(2026, 6, 2, 3, tzinfo=UTC)
    phoenix = replace(HOUSE, time_zone="America/Phoenix")
    assert late.astimezone(ZoneInfo("America/Phoenix")).date() == phoenix.today(late) == TODAY
