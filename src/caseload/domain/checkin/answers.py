"""What is asked in a check-in, and what was answered.

What was not answered is not zero: every question that was put is kept, with its answer or without one. Days of use in the
last 28 (TOP) and in the last 30 (BAM) are two questions with two answers, because the two windows cannot be worked out
from one another.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from caseload.domain.errors import Faults
from caseload.domain.escalation import Ground

LONGEST_ANSWER: Final = 4000


class Question(StrEnum):
    """What can be asked. The last three are the safety questions."""

    CRAVING = "craving"
    """From 0, none, to 10, the strongest there is."""
    USE_DAYS_28 = "use_days_28"
    USE_DAYS_30 = "use_days_30"
    MOOD = "mood"
    """From 0, the worst, to 10, the best."""
    HOUSING = "housing"
    WORK = "work"
    MEDICATION = "medication"
    NALOXONE_HELD = "naloxone_held"
    MUTUAL_AID_DAYS_28 = "mutual_aid_days_28"
    """Days with a meeting of NA, SMART, 12 steps or the like, as the client says."""
    TRIGGERS = "triggers"
    NEW_EVENTS = "new_events"
    """Legal trouble, a stay in hospital, and the like."""
    NEXT_CONTACT = "next_contact"
    SUICIDE = "suicide"
    OVERDOSE_SINCE = "overdose_since"
    SAFEGUARDING = "safeguarding"
    """A child or an adult at risk."""


class Housing(StrEnum):
    """Where the client lives."""

    STABLE = "stable"
    AT_RISK = "at_risk"
    """Eviction or loss is near."""
    TEMPORARY = "temporary"
    NONE = "none"


class Occupation(StrEnum):
    """What the client does."""

    WORK = "work"
    EDUCATION = "education"
    LOOKING = "looking"
    NOT_ABLE = "not_able"
    OTHER = "other"


class MedicationTaken(StrEnum):
    """Whether the medicine was taken as ordered."""

    AS_ORDERED = "as_ordered"
    PARTLY = "partly"
    NOT = "not"
    NONE_ORDERED = "none_ordered"


class Suicide(StrEnum):
    """What the client says of suicide."""

    NO = "no"
    THOUGHTS = "thoughts"
    INTENT = "intent"
    """Intent or a plan."""


Answer = int | bool | str | None

_MOST: Final[Mapping[Question, int]] = MappingProxyType(
    {
        Question.CRAVING: 10,
        Question.USE_DAYS_28: 28,
        Question.USE_DAYS_30: 30,
        Question.MOOD: 10,
        Question.MUTUAL_AID_DAYS_28: 28,
    }
)
"""The questions that are answered with a number, and the highest; the lowest is 0."""
_CHOICES: Final[Mapping[Question, type[StrEnum]]] = MappingProxyType(
    {
        Question.HOUSING: Housing,
        Question.WORK: Occupation,
        Question.MEDICATION: MedicationTaken,
        Question.SUICIDE: Suicide,
    }
)
_YES_OR_NO: Final = frozenset({Question.NALOXONE_HELD, Question.OVERDOSE_SINCE, Question.SAFEGUARDING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What was asked in one check-in and what was answered, as it was written down."""

    given: Mapping[Question, Answer]
    """By question: None where it was asked and not answered. What does not stand here was not asked."""
    template_version: int | None = None
    """The version of the programme's questions that was in force; None where the programme had none."""

    def grounds(self) -> Sequence[Ground]:
        """What of it does not wait for the next meeting of the team."""
        given = self.given
        found = {
            Ground.SUICIDAL_INTENT: given.get(Question.SUICIDE) == Suicide.INTENT,
            Ground.SUICIDAL_THOUGHTS: given.get(Question.SUICIDE) == Suicide.THOUGHTS,
            Ground.OVERDOSE: given.get(Question.OVERDOSE_SINCE) is True,
            Ground.SAFEGUARDING: given.get(Question.SAFEGUARDING) is True,
        }
        return [ground for ground, holds in found.items() if holds]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """How a question is answered: by a number up to the highest, by one of some words, by yes or no, or in words."""

    most: int | None = None
    one_of: tuple[str, ...] = ()
    yes_or_no: bool = False


def kind_of(question: Question) -> Kind:
    """How a question is answered."""
    words = _CHOICES.get(question)
    return Kind(
        most=_MOST.get(question),
        one_of=() if words is None else tuple(word.value for word in words),
        yes_or_no=question in _YES_OR_NO,
    )


def questions_of(given: Mapping[str, Answer]) -> Mapping[Question, Answer]:
    """The answers by question. Raises `Invalid` where somebody answers what is no question."""
    faults = Faults()
    known = {question.value for question in Question}
    for name in sorted(given.keys() - known):
        faults.add("answers", f"{name[:40]!r} is no question")
    faults.raise_if_any()
    return {Question(name): answer for name, answer in given.items()}


def check_answers(answers: Answers, asked: Sequence[Question], faults: Faults) -> None:
    """Add a fault for every question of the template that was left out, and for every answer that cannot be one."""
    for question in asked:
        if question not in answers.given:
            faults.add(f"answers.{question}", "is asked in this programme; say null for what was not answered")
    for question, answer in answers.given.items():
        if answer is not None and (problem := _problem(question, answer)):
            faults.add(f"answers.{question}", problem)


def _problem(question: Question, answer: int | bool | str) -> str:  # noqa: FBT001  an answer may be yes or no
    """What is wrong with an answer; nothing when it is one."""
    kind = kind_of(question)
    if kind.most is not None:
        number = answer if isinstance(answer, int) and not isinstance(answer, bool) else -1
        return "" if 0 <= number <= kind.most else f"must be from 0 to {kind.most}"
    if kind.yes_or_no:
        return "" if isinstance(answer, bool) else "must be true or false"
    if kind.one_of:
        return "" if answer in kind.one_of else f"must be one of {', '.join(kind.one_of)}"
    if not isinstance(answer, str) or not answer.strip():
        return "say it in words, or null"
    return "" if len(answer) <= LONGEST_ANSWER else f"must have at most {LONGEST_ANSWER} characters"
