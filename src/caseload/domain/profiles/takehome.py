"""What a profile says of doses that a client takes home: how many, on whose word, and when that is looked at again."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from caseload.domain.medicines import Medicine
from caseload.domain.profiles.said import Data, SaidBy

MOST_DAYS = 92
"""The most days that anybody can be allowed to take home at once."""


class TakeHomeStep(Data, frozen=True):
    """From so many days of treatment on, until the next step."""

    from_day: int
    """The day of the first dose of the episode is day 1."""
    at_most_days: int


class TakeHomeLadder(SaidBy, frozen=True):
    """How many days may be taken home at once, by the day of treatment. It names its medicines."""

    medicines: tuple[Medicine, ...]
    steps: tuple[TakeHomeStep, ...]

    def at_most_days(self, day_of_treatment: int) -> int:
        """How many on a day of treatment."""
        return next(step.at_most_days for step in reversed(self.steps) if step.from_day <= day_of_treatment)


class TakeHomeClosure(SaidBy, frozen=True):
    """Days on which the window is closed: they never count against a ladder."""

    needs_decision: bool
    """Whether they need the prescriber's decision, too."""


class TakeHomeReview(SaidBy, frozen=True):
    """By when a prescriber must look at a decision again. After its date nothing is handed out on it."""

    within_days: int


class TakeHomeSuspension(SaidBy, frozen=True):
    """From how many missed doses in a row on a decision is suspended; never, where it says null."""

    after_missed: int | None
    review_days: int
    """By when the prescriber looks at it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceiling:
    """The most that the ladders allow on a day of treatment, and the strictest of them, which says so."""

    at_most_days: int
    ladder: TakeHomeLadder


class TakeHomeRules(Data, frozen=True):
    """Everything that a profile says of take-home doses."""

    ladders: tuple[TakeHomeLadder, ...]
    """National and local ones beside each other: the strictest counts."""
    criteria: SaidBy
    closure: TakeHomeClosure
    review: TakeHomeReview
    suspension: TakeHomeSuspension
    covers: SaidBy
    """What a unit that is out says at the window on its day."""

    def ceiling(self, medicine: Medicine, day_of_treatment: int) -> Ceiling | None:
        """The strictest ladder for a medicine on a day of treatment; None where none names it."""
        found = [
            Ceiling(at_most_days=ladder.at_most_days(day_of_treatment), ladder=ladder)
            for ladder in self.ladders
            if medicine in ladder.medicines
        ]
        return min(found, key=lambda ceiling: ceiling.at_most_days, default=None)

    def turns(self) -> frozenset[int]:
        """The days of treatment on which a ceiling may change."""
        return frozenset(step.from_day for ladder in self.ladders for step in ladder.steps) | {1}

    def contradictions(self) -> Iterable[str]:
        """What makes it unusable although its form is right."""
        for ladder in self.ladders:
            steps = [step.from_day for step in ladder.steps]
            if not steps or steps[0] != 1 or any(later <= earlier for earlier, later in pairwise(steps)):
                yield f"{ladder.rule}: the steps must begin on day 1 of treatment and rise"
            if not all(0 <= step.at_most_days <= MOST_DAYS for step in ladder.steps):
                yield f"{ladder.rule}: at_most_days must lie between 0 and {MOST_DAYS}"
        counts = {
            "take_home.review.within_days": self.review.within_days,
            "take_home.suspension.review_days": self.suspension.review_days,
            "take_home.suspension.after_missed": self.suspension.after_missed or 1,
        }
        yield from (f"{name} must be more than zero" for name, count in counts.items() if count <= 0)
