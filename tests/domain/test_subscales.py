"""BAM, TOP, PHQ-9 and GAD-7: their published lengths, subscales and bands, and no score while an item is missing."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from caseload.domain.errors import Invalid
from caseload.domain.observation import Instrument, InstrumentName, instrument, score
from caseload.domain.observation.instrument import InstrumentBroken, read_instruments

BAM, BAM_CONTINUOUS, TOP, PHQ9, GAD7 = (
    instrument(name)
    for name in (
        InstrumentName.BAM,
        InstrumentName.BAM_CONTINUOUS,
        InstrumentName.TOP,
        InstrumentName.PHQ9,
        InstrumentName.GAD7,
    )
)


def all_of(by: Instrument, value: int) -> dict[str, int | None]:
    """Every item answered with this, where it is an answer; else with its lowest."""
    return {item.code: value if item.takes(value) else item.reaches[0] for item in by.items}


def subscores(by: Instrument, answers: dict[str, int | None]) -> dict[str, tuple[int | None, bool]]:
    found = score(by, answers, where="answers")
    assert (found.total, found.band) == (None, None) or by.bands
    return {each.subscale.code: (each.total, each.flagged) for each in by.subscores(found.answers)}


def test_a_bam_of_all_ones_has_the_published_sums_and_no_total() -> None:
    ones = all_of(BAM, 1)
    assert set(ones.values()) == {1}
    assert subscores(BAM, ones) == {"use": (3, True), "risk": (6, False), "protective": (6, True)}
    assert score(BAM, ones, where="answers").total is None


def test_satisfaction_and_the_kinds_of_drugs_stand_in_no_subscale() -> None:
    counted = {code for subscale in BAM.subscales for code in subscale.items}
    assert {item.code for item in BAM.items} - counted == {
        "marijuana", "sedatives", "cocaine", "stimulants", "opiates", "inhalants", "other_drugs", "satisfaction",
    }  # fmt: skip
    assert subscores(BAM, {**all_of(BAM, 0), "satisfaction": 4})["protective"] == (0, True)


@pytest.mark.parametrize(
    ("by", "highest"),
    [(BAM, {"use": 12, "risk": 24, "protective": 24}), (BAM_CONTINUOUS, {"use": 90, "risk": 180, "protective": 180})],
)
def test_a_bam_reaches_its_published_highest_sums(by: Instrument, highest: dict[str, int]) -> None:
    answers: dict[str, int | None] = {item.code: item.reaches[1] for item in by.items}
    assert {code: total for code, (total, _) in subscores(by, answers).items()} == highest


@pytest.mark.parametrize(
    ("changes", "code", "flagged"),
    [
        ({}, "use", False),
        ({"any_alcohol": 1}, "use", True),
        ({"sleep": 4, "mood": 4, "craving": 3}, "risk", False),
        ({"sleep": 4, "mood": 4, "craving": 4}, "risk", True),
        ({"self_efficacy": 4, "self_help": 4, "religion": 4}, "protective", True),
        ({"self_efficacy": 4, "self_help": 4, "religion": 4, "work_school": 1}, "protective", False),
    ],
)
def test_a_subscale_is_flagged_from_its_published_number_on(
    changes: dict[str, int], code: str, *, flagged: bool
) -> None:
    assert subscores(BAM, {**all_of(BAM, 0), **changes})[code][1] is flagged


def test_the_continuous_bam_has_no_flags_of_the_other() -> None:
    answers: dict[str, int | None] = {item.code: 30 for item in BAM_CONTINUOUS.items}
    assert not any(flagged for _, flagged in subscores(BAM_CONTINUOUS, answers).values())
    with pytest.raises(Invalid):
        score(BAM, answers, where="answers")


@given(some.data())
def test_a_subscale_with_an_item_missing_has_no_sum_and_the_others_keep_theirs(data: some.DataObject) -> None:
    by = data.draw(some.sampled_from([BAM, BAM_CONTINUOUS, TOP]))
    answers: dict[str, int | None] = {
        item.code: data.draw(some.sampled_from([*(item.values or (item.lowest, item.highest)), None]))
        for item in by.items
    }
    answers[by.items[0].code] = by.items[0].reaches[1]

    for subscale, (total, flagged) in zip(by.subscales, subscores(by, answers).values(), strict=True):
        mine = [answers[code] for code in subscale.items]
        assert total == (None if None in mine else sum(each for each in mine if each is not None))
        assert total is not None or not flagged


def test_days_of_a_top_are_the_sum_of_four_weeks_and_an_undisclosed_week_is_not_zero() -> None:
    week = {f"opiates_week_{number}": 7 for number in (1, 2, 3, 4)}
    assert len(TOP.items) == 50
    assert subscores(TOP, {**all_of(TOP, 0), **week})["opiates_days"] == (28, False)
    assert subscores(TOP, {**all_of(TOP, 0), **week, "opiates_week_3": None})["opiates_days"] == (None, False)
    assert subscores(TOP, all_of(TOP, 0))["opiates_days"] == (0, False)


@pytest.mark.parametrize(
    ("by", "total", "band"),
    [
        (PHQ9, 0, "minimal"), (PHQ9, 4, "minimal"), (PHQ9, 5, "mild"), (PHQ9, 9, "mild"), (PHQ9, 10, "moderate"),
        (PHQ9, 14, "moderate"), (PHQ9, 15, "moderately_severe"), (PHQ9, 19, "moderately_severe"), (PHQ9, 20, "severe"),
        (PHQ9, 27, "severe"), (GAD7, 4, "minimal"), (GAD7, 5, "mild"), (GAD7, 9, "mild"), (GAD7, 10, "moderate"),
        (GAD7, 14, "moderate"), (GAD7, 15, "severe"), (GAD7, 21, "severe"),
    ],
)  # fmt: skip
def test_totals_stand_in_their_published_bands(by: Instrument, total: int, band: str) -> None:
    answers: dict[str, int | None] = {}
    for item in by.items:
        answers[item.code] = min(3, total - sum(each for each in answers.values() if each is not None))
    found = score(by, answers, where="answers")
    assert (found.total, found.band) == (total, band)


@pytest.mark.parametrize("by", [PHQ9, GAD7])
def test_no_total_while_an_item_is_missing(by: Instrument) -> None:
    answers = {**all_of(by, 3), by.items[-1].code: None}
    assert score(by, answers, where="answers")[1:] == (None, None)


@pytest.mark.parametrize("items", ['["colour"]', "[]"])
def test_a_subscale_of_items_that_there_are_not_is_no_instrument(items: str) -> None:
    broken: Any = f"""
    [[instruments]]
    name = "bam"
    version = 1
    title = "t"
    source = "s"
    unit = "points"
    items = [{{ code = "a", asks = "?", values = [0, 1] }}]
    subscales = [{{ code = "s", title = "S", items = {items} }}]
    """
    with pytest.raises(InstrumentBroken, match="adds up items that there are"):
        read_instruments(broken.encode())
