"""Flags: from which day to which they are shown, what is refused, and the dose that raises one by itself."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from caseload.domain.access import Role
from caseload.domain.errors import Invalid
from caseload.domain.flag import (
    SAYS,
    End,
    Flag,
    FlagAlreadyEnded,
    FlagKind,
    LastQtc,
    Raised,
    end_flag,
    high_dose,
    raise_flag,
)
from caseload.domain.flag.raising import LONGEST_TEXT
from caseload.domain.ids import ClientId, FlagId, ProgrammeId, new_id
from caseload.domain.medicines import Medicine
from caseload.domain.profiles import profile_on
from tests.factories.checkin import Remembered
from tests.factories.staff import somebody

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
TODAY = date(2026, 11, 22)
DAY = timedelta(days=1)
ADA, HOUSE = ClientId(new_id()), ProgrammeId(new_id())
NURSE = somebody((Role.NURSE, HOUSE))


class Kept:
    """Keeps flags in memory."""

    def __init__(self) -> None:
        self.flags: list[Flag] = []
        self.ends: list[tuple[Flag, End]] = []

    async def add(self, flag: Flag, /) -> None:
        self.flags.append(flag)

    async def add_end(self, flag: Flag, end: End, /) -> None:
        self.ends.append((flag, end))


async def raised(kept: Kept, *, what: str = "Diazepam 10 mg", since: date = TODAY) -> Flag:
    return await raise_flag(
        ADA,
        Raised(kind=FlagKind.SEDATIVE, what=what, since=since),
        as_id=FlagId(new_id()),
        programme=HOUSE,
        today=TODAY,
        by=NURSE,
        now=NOW,
        flags=kept,
        journal=Remembered(),
    )


async def ended(kept: Kept, flag: Flag, on: date, reason: str = "Stopped it.") -> Flag:
    journal = Remembered()
    found = await end_flag(flag, on, reason, today=TODAY, by=NURSE, now=NOW, flags=kept, journal=journal)
    assert [(event.name, event.client) for event in journal.events] == [("flag.ended", ADA)]
    return found


async def test_a_flag_is_shown_from_its_first_day_until_the_day_before_its_end() -> None:
    kept = Kept()
    flag = await raised(kept, since=TODAY - 3 * DAY)
    assert kept.flags == [flag]
    assert [flag.is_shown_on(TODAY + each * DAY) for each in (-4, -3, 0, 400)] == [False, True, True, True]
    over = await ended(kept, flag, TODAY)
    assert [over.is_shown_on(TODAY + each * DAY) for each in (-4, -3, -1, 0, 1)] == [False, True, True, False, False]
    assert not (await ended(kept, flag, flag.said.since)).is_shown_on(flag.said.since), "raised by mistake"


async def test_a_flag_ends_once() -> None:
    kept = Kept()
    over = await ended(kept, await raised(kept), TODAY)
    with pytest.raises(FlagAlreadyEnded):
        await ended(kept, over, TODAY)
    assert len(kept.ends) == 1


@pytest.mark.parametrize(
    ("what", "since", "field"),
    [(" ", TODAY, "what"), ("x" * (LONGEST_TEXT + 1), TODAY, "what"), ("Rifampicin", TODAY + DAY, "since")],
)
async def test_a_flag_says_what_and_does_not_begin_tomorrow(what: str, since: date, field: str) -> None:
    kept = Kept()
    with pytest.raises(Invalid) as refused:
        await raised(kept, what=what, since=since)
    assert ([fault.field for fault in refused.value.faults], kept.flags) == ([field], [])


@pytest.mark.parametrize(
    ("on", "reason", "field"),
    [
        (TODAY, " ", "reason"),
        (TODAY, "x" * (LONGEST_TEXT + 1), "reason"),
        (TODAY + DAY, "Stopped.", "ended_on"),
        (TODAY - DAY, "Stopped.", "ended_on"),
    ],
)
async def test_an_end_has_a_reason_and_lies_between_the_first_day_and_today(on: date, reason: str, field: str) -> None:
    kept = Kept()
    flag = await raised(kept)
    with pytest.raises(Invalid) as refused:
        await ended(kept, flag, on, reason)
    assert ([fault.field for fault in refused.value.faults], kept.ends) == ([field], [])


def test_every_kind_says_what_to_look_at() -> None:
    assert set(SAYS) == set(FlagKind)


@pytest.mark.parametrize(
    ("medicine", "parts", "shown"),
    [
        (Medicine.METHADONE, ["100"], None),
        (Medicine.METHADONE, ["100.001"], "100.001"),
        (Medicine.METHADONE, ["60", "40"], None),
        (Medicine.METHADONE, ["60", "41"], "101"),
        (Medicine.BUPRENORPHINE, ["101"], None),
        (None, [], None),
    ],
)
def test_more_than_a_hundred_milligrams_of_methadone_a_day_is_a_flag_and_exactly_a_hundred_is_not(
    medicine: Medicine | None, parts: list[str], shown: str | None
) -> None:
    found = high_dose(medicine, [Decimal(each) for each in parts], profile_on("US", TODAY).monitoring.high_dose)
    assert found == (None if shown is None else Decimal(shown))


@pytest.mark.parametrize(("qtc", "is_high"), [(430, False), (451, False), (499, False), (500, True), (640, True)])
def test_a_last_qtc_in_the_highest_band_says_what_to_do(qtc: int, *, is_high: bool) -> None:
    says = LastQtc(milliseconds=qtc, instrument_version=1, observed_at=NOW).says
    assert (says is not None) == is_high


@pytest.mark.parametrize("profile", ["US", "US-CA-BRIDGE", "UK", "AU"])
def test_the_number_is_that_of_the_profile_with_its_source(profile: str) -> None:
    rule = profile_on(profile, TODAY).monitoring.high_dose
    assert rule.methadone_mg_a_day_above == 100
    assert "Krantz" in rule.source
