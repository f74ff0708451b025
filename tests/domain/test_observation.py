"""Scales and measures: every published answer, no other, and no score while one is missing."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from caseload.domain.access import Role
from caseload.domain.errors import Invalid
from caseload.domain.ids import ClientId, ProgrammeId, StaffId, new_id
from caseload.domain.observation import (
    InstrumentName,
    Observation,
    ObservationChanged,
    Observed,
    correct,
    instrument,
    instruments,
    record,
    score,
    take_back,
)
from caseload.domain.observation.instrument import InstrumentBroken, read_instruments
from caseload.domain.people import Staff
from tests.factories.checkin import Remembered
from tests.factories.staff import somebody

NOW = datetime(2026, 6, 1, 9, tzinfo=UTC)
ADA = ClientId(new_id())
COWS, SOWS, QTC, CIWA_AR = (
    instrument(name) for name in (InstrumentName.COWS, InstrumentName.SOWS, InstrumentName.QTC, InstrumentName.CIWA_AR)
)


def all_of(value: int, *, by: Any = SOWS) -> dict[str, int | None]:
    return {item.code: value for item in by.items}


def nurse() -> Staff:
    return somebody((Role.NURSE, ProgrammeId(new_id())))


class Kept:
    """Keeps observations in memory."""

    def __init__(self) -> None:
        self.versions: list[Observation] = []

    async def add(self, observation: Observation, /) -> None:
        self.versions.append(observation)


@pytest.mark.parametrize(
    ("by", "items", "highest"),
    [(COWS, 11, 48), (SOWS, 16, 64), (QTC, 1, 800), (CIWA_AR, 10, 67)],
)
def test_the_scales_have_their_published_lengths_and_ranges(by: Any, items: int, highest: int) -> None:
    assert (len(by.items), by.highest) == (items, highest)


@pytest.mark.parametrize(
    ("total", "band"),
    [(0, "none"), (4, "none"), (5, "mild"), (12, "mild"), (13, "moderate"), (24, "moderate"),
     (25, "moderately_severe"), (36, "moderately_severe"), (37, "severe"), (48, "severe")],
)  # fmt: skip
def test_a_cows_total_stands_in_its_published_band(total: int, band: str) -> None:
    assert COWS.band(total).name == band


@pytest.mark.parametrize(
    ("total", "band"),
    [(0, "mild"), (9, "mild"), (10, "moderate"), (18, "moderate"), (19, "severe"), (67, "severe")],
)
def test_a_ciwa_total_stands_in_the_band_of_asams_guideline(total: int, band: str) -> None:
    assert CIWA_AR.band(total).name == band


@pytest.mark.parametrize(
    ("milliseconds", "band"), [(450, "routine"), (451, "prolonged"), (499, "prolonged"), (500, "high"), (501, "high")]
)
def test_a_qtc_of_exactly_500_stands_in_the_high_band(milliseconds: int, band: str) -> None:
    assert score(QTC, {"qtc": milliseconds}, where="answers").band == band


@given(some.data())
def test_a_score_is_the_sum_of_answers_that_there_are(data: some.DataObject) -> None:
    by = data.draw(some.sampled_from([COWS, SOWS, CIWA_AR]))
    answers = {item.code: data.draw(some.sampled_from([*item.values, None])) for item in by.items}
    if all(answer is None for answer in answers.values()):
        answers[by.items[0].code] = by.items[0].values[0]

    found = score(by, answers, where="answers")

    assert found.answers == tuple(answers.values())
    if None in found.answers:
        assert (found.total, found.band) == (None, None)
    else:
        total = sum(answer for answer in found.answers if answer is not None)
        assert (found.total, found.band) == (total, by.band(total).name)


@given(some.data())
def test_an_answer_that_the_scale_leaves_out_is_refused_by_name(data: some.DataObject) -> None:
    item = data.draw(some.sampled_from(COWS.items))
    wrong = data.draw(some.integers(-1, 6).filter(lambda answer: answer not in item.values))

    with pytest.raises(Invalid) as refused:
        score(COWS, all_of(0, by=COWS) | {item.code: wrong}, where="answers")

    assert [fault.field for fault in refused.value.faults] == [f"answers.{item.code}"]
    assert str(item.values[-1]) in refused.value.faults[0].problem


@pytest.mark.parametrize(("code", "wrong"), [("tremor", 8), ("clouding", 5), ("clouding", -1)])
def test_only_clouding_of_sensorium_ends_at_four(code: str, wrong: int) -> None:
    assert score(CIWA_AR, all_of(0, by=CIWA_AR) | {"tremor": 7, "clouding": 4}, where="answers").total == 11

    with pytest.raises(Invalid) as refused:
        score(CIWA_AR, all_of(0, by=CIWA_AR) | {code: wrong}, where="answers")

    assert [fault.field for fault in refused.value.faults] == [f"answers.{code}"]


def test_every_missing_and_every_unknown_item_is_named_at_once() -> None:
    answers = all_of(1) | {"colour": 1}
    del answers["yawning"], answers["cramps"]

    with pytest.raises(Invalid) as refused:
        score(SOWS, answers, where="answers")

    assert [fault.field for fault in refused.value.faults] == ["answers", "answers.yawning", "answers.cramps"]


def test_nothing_observed_is_no_observation() -> None:
    with pytest.raises(Invalid, match="at least one"):
        score(QTC, {"qtc": None}, where="answers")


@pytest.mark.anyio
async def test_a_correction_keeps_the_version_of_the_scale_and_says_why() -> None:
    kept, journal, by = Kept(), Remembered(), nurse()
    first = await record(
        ADA,
        Observed(observed_at=NOW, answers=all_of(1)),
        as_id=new_id(),
        instrument=SOWS,
        by=by,
        now=NOW,
        observations=kept,
        journal=journal,
    )
    second = await correct(
        first,
        Observed(observed_at=NOW, answers=all_of(2)),
        reason="read the wrong column",
        instrument=SOWS,
        by=by,
        now=NOW + timedelta(hours=1),
        observations=kept,
        journal=journal,
    )

    assert [each.score and each.score.total for each in kept.versions] == [16, 32]
    assert (second.version, second.instrument_version, second.reason) == (2, 1, "read the wrong column")
    assert [event.name for event in journal.events] == ["observation.recorded", "observation.corrected"]
    assert all("total" not in event.facts for event in journal.events)


@pytest.mark.anyio
async def test_what_was_taken_back_is_not_taken_back_again() -> None:
    kept, by = Kept(), nurse()
    first = await record(
        ADA, Observed(observed_at=NOW, answers={"qtc": 430}), as_id=new_id(), instrument=QTC, by=by, now=NOW,
        observations=kept, journal=Remembered(),
    )  # fmt: skip
    back = await take_back(first, reason="another client", by=by, now=NOW, observations=kept, journal=Remembered())

    assert back.score is None
    with pytest.raises(ObservationChanged):
        await take_back(back, reason="again", by=by, now=NOW, observations=kept, journal=Remembered())


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("observed", "field"),
    [
        (Observed(observed_at=NOW + timedelta(seconds=1), answers={"qtc": 430}), "observed_at"),
        (Observed(observed_at=NOW, answers={"qtc": 430}, note="x" * 2001), "note"),
        (Observed(observed_at=NOW, answers={"qtc": 801}), "answers.qtc"),
    ],
)
async def test_what_cannot_be_is_refused_and_not_kept(observed: Observed, field: str) -> None:
    kept = Kept()
    with pytest.raises(Invalid) as refused:
        await record(
            ADA, observed, as_id=new_id(), instrument=QTC, by=nurse(), now=NOW, observations=kept,
            journal=Remembered(),
        )  # fmt: skip
    assert [fault.field for fault in refused.value.faults] == [field]
    assert kept.versions == []


@pytest.mark.anyio
@pytest.mark.parametrize("reason", ["", "  ", "x" * 2001])
async def test_a_correction_needs_a_reason(reason: str) -> None:
    first = Observation(
        id=new_id(), version=1, client=ADA, instrument=InstrumentName.QTC, instrument_version=1, observed_at=NOW,
        score=score(QTC, {"qtc": 430}, where="answers"), note=None, reason=None, recorded_by=StaffId(new_id()),
        recorded_at=NOW,
    )  # fmt: skip
    with pytest.raises(Invalid, match="reason"):
        await take_back(first, reason=reason, by=nurse(), now=NOW, observations=Kept(), journal=Remembered())


_ONE = """
[[instruments]]
name = "{name}"
version = {version}
title = "t"
source = "s"
unit = "points"
items = [{items}]
bands = [{bands}]
"""


def written(
    name: str = "qtc", version: int = 1, items: str = '{code="a", asks="A", values=[0, 1]}',
    bands: str = '{from_total=0, name="none", says="."}',
) -> str:  # fmt: skip
    return _ONE.format(name=name, version=version, items=items, bands=bands)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "instruments"),
        ("[[instruments]]\nname = 1", "instruments.toml"),
        (written("cows"), "there is no bam, bam_continuous, ciwa_ar, gad7, phq9, qtc, sows, top"),
        (written(version=2), "count from one"),
        (written() + written(), "count from one"),
        (written(items=""), "codes"),
        (written(items='{code="a", asks="A", values=[0,1]}, {code="a", asks="B", values=[0,1]}'), "codes"),
        (written(items='{code="a", asks="A", values=[0]}'), "two answers"),
        (written(items='{code="a", asks="A", lowest=3, highest=3}'), "two answers"),
        (written(bands=""), "lowest score"),
        (written(bands='{from_total=1, name="n", says="."}'), "lowest score"),
        (written(bands='{from_total=0, name="n", says="."}, {from_total=0, name="m", says="."}'), "bands rise"),
        (written(bands='{from_total=0, name="n", says="."}, {from_total=2, name="m", says="."}'), "can be reached"),
    ],
)
def test_a_file_that_contradicts_itself_is_refused_with_the_reason(text: str, says: str) -> None:
    with pytest.raises(InstrumentBroken, match=says):
        read_instruments(text.encode())


def test_an_older_version_stays_readable_by_its_number() -> None:
    for versions in instruments().values():
        for each in versions:
            assert instrument(each.name, each.version) is each
    with pytest.raises(KeyError):
        instrument(InstrumentName.QTC, 99)
