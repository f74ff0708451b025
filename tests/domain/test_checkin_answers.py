"""Answers in check-ins: the last value that is one and the first that is none, and what does not wait."""

from typing import Any

import pytest

from caseload.domain.checkin import Answers, Question, questions_of
from caseload.domain.checkin.answers import LONGEST_ANSWER, check_answers
from caseload.domain.errors import Faults, Invalid
from caseload.domain.escalation import Ground


def faults_of(given: dict[Question, Any], *, asked: tuple[Question, ...] = ()) -> list[str]:
    faults = Faults()
    check_answers(Answers(given=given), asked, faults)
    return [fault.field.removeprefix("answers.") for fault in faults.found]


@pytest.mark.parametrize(
    ("question", "most"),
    [
        (Question.CRAVING, 10),
        (Question.USE_DAYS_28, 28),
        (Question.USE_DAYS_30, 30),
        (Question.MOOD, 10),
        (Question.MUTUAL_AID_DAYS_28, 28),
    ],
)
def test_numbers_go_from_zero_to_the_highest_and_no_further(question: Question, most: int) -> None:
    for answer in (0, most, None):
        assert faults_of({question: answer}) == []
    for answer in (-1, most + 1, True, str(most)):
        assert faults_of({question: answer}) == [question.value]


@pytest.mark.parametrize("question", [Question.NALOXONE_HELD, Question.OVERDOSE_SINCE, Question.SAFEGUARDING])
def test_yes_or_no_is_neither_a_number_nor_a_word(question: Question) -> None:
    for answer in (True, False, None):
        assert faults_of({question: answer}) == []
    for answer in (0, 1, "yes"):
        assert faults_of({question: answer}) == [question.value]


@pytest.mark.parametrize("question", [Question.HOUSING, Question.WORK, Question.MEDICATION, Question.SUICIDE])
def test_a_choice_is_one_of_its_words(question: Question) -> None:
    assert faults_of({question: "tree"}) == [question.value]
    assert faults_of({question: None}) == []


def test_words_say_something_and_end_somewhere() -> None:
    assert faults_of({Question.TRIGGERS: "x" * LONGEST_ANSWER}) == []
    for answer in ("x" * (LONGEST_ANSWER + 1), "", " ", 3, True):
        assert faults_of({Question.TRIGGERS: answer}) == ["triggers"]


def test_what_is_asked_must_stand_there_and_may_have_no_answer() -> None:
    asked = (Question.MOOD, Question.SUICIDE)
    assert faults_of({Question.MOOD: None, Question.SUICIDE: None, Question.CRAVING: 1}, asked=asked) == []
    assert faults_of({Question.CRAVING: 1}, asked=asked) == ["mood", "suicide"]


def test_what_is_no_question_is_named() -> None:
    assert questions_of({"mood": 3}) == {Question.MOOD: 3}
    with pytest.raises(Invalid, match="'shoe_size' is no question"):
        questions_of({"shoe_size": 43, "mood": 3})


@pytest.mark.parametrize(
    ("given", "grounds"),
    [
        ({}, []),
        ({Question.SUICIDE: None, Question.OVERDOSE_SINCE: None, Question.SAFEGUARDING: None}, []),
        ({Question.SUICIDE: "no", Question.OVERDOSE_SINCE: False, Question.SAFEGUARDING: False}, []),
        ({Question.SUICIDE: "thoughts"}, [Ground.SUICIDAL_THOUGHTS]),
        ({Question.SUICIDE: "intent"}, [Ground.SUICIDAL_INTENT]),
        ({Question.OVERDOSE_SINCE: True, Question.SAFEGUARDING: True}, [Ground.OVERDOSE, Ground.SAFEGUARDING]),
    ],
)
def test_safety_answers_do_not_wait_and_no_answer_is_not_a_yes(
    given: dict[Question, Any], grounds: list[Ground]
) -> None:
    assert Answers(given=given).grounds() == grounds
