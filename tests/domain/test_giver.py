"""Of whom it is asked whether a dose was as somebody else entered it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from caseload.domain.dosing import Charted, Dose, Entry
from caseload.domain.dosing.giver import GiverStanding, GiverWord, Word, asks_giver, standing_of
from caseload.domain.dosing.past import Contents, as_known
from caseload.domain.dosing.past_beside import Beside
from caseload.domain.ids import StaffId, new_id
from tests.domain.test_signoff import LATE, NOW, NURSE, ROUTINE

CLERK = StaffId(new_id())
TYPED_IN = replace(LATE, recorded_by=CLERK)
NOTHING = Contents(
    orders=(),
    holds=(),
    decisions=(),
    doses=(),
    not_given=(),
    observations=(),
    signatures=(),
    beside=Beside(decisions=(), dispensed=(), told={}, statements=(), flags=(), tasks=()),
)


@pytest.mark.parametrize(
    ("dose", "is_asked"),
    [
        (ROUTINE, False),
        (LATE, False),
        (TYPED_IN, True),
        (replace(TYPED_IN, given_by=None), False),
        (replace(TYPED_IN, entry=Entry.SOURCE), False),
        (replace(TYPED_IN, version=2, amended_by=NURSE), False),
        (replace(TYPED_IN, version=2, amended_by=CLERK), True),
        (replace(LATE, version=2, amended_by=CLERK), True),
    ],
)
def test_the_giver_is_asked_about_what_somebody_else_wrote_last(dose: Dose, *, is_asked: bool) -> None:
    assert asks_giver(dose) is is_asked
    assert standing_of(dose, None) is (GiverStanding.WAITS if is_asked else None)


@pytest.mark.parametrize("word", Word)
def test_a_word_stands_as_it_was_said(word: Word) -> None:
    said = GiverWord(word=word, at=NOW, by=NURSE, reason=None if word is Word.CONFIRMED else "No.")
    assert Charted(dose=TYPED_IN, giver=said).giver_standing == word.value


def test_at_a_past_moment_a_word_is_known_from_when_it_was_said() -> None:
    said = Charted(dose=TYPED_IN, giver=GiverWord(word=Word.CONFIRMED, at=NOW + timedelta(hours=1), by=NURSE))
    for later, known in ((0, GiverStanding.WAITS), (1, GiverStanding.CONFIRMED)):
        [shown] = as_known(replace(NOTHING, doses=[said]), NOW + timedelta(hours=later)).doses
        assert shown.giver_standing is known
