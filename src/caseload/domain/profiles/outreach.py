"""What follows by itself: when a check-in stays overdue, and when nobody acknowledges an escalation."""

from collections.abc import Iterable
from enum import StrEnum
from itertools import pairwise

from caseload.domain.profiles.said import Data, SaidBy

LONGEST_DELAY_DAYS = 90
LONGEST_WAIT_MINUTES = 24 * 60


class OutreachStep(StrEnum):
    """A step of the ladder by which a programme tries to reach whoever has not come, in its order."""

    SAME_DAY = "same_day"
    """Text or telephone at once."""
    NEXT_DAY = "next_day"
    """Telephone a second time."""
    CONSENTED_CONTACT = "consented_contact"
    """Ask somebody around the client, as far as a consent goes."""
    LETTER = "letter"
    """Write, or go to the address."""
    TEAM_REVIEW = "team_review"
    """The team looks at it, and at the risk of the medicine."""
    CASE_CONFERENCE = "case_conference"


class CountedIn(StrEnum):
    """Which days a delay counts."""

    OPEN_DAYS = "open_days"
    """Days on which the programme is open."""
    DAYS = "days"


class Delay(Data, frozen=True):
    """When a step is due, from the moment at which the check-in became overdue."""

    step: OutreachStep
    after_days: int
    counted_in: CountedIn


class Outreach(SaidBy, frozen=True):
    """The ladder: what is tried one after the other, and when."""

    steps: tuple[Delay, ...]

    def delay(self, step: OutreachStep) -> Delay | None:
        """When a step is due; None where the ladder has it not."""
        return next((each for each in self.steps if each.step is step), None)

    def contradictions(self) -> Iterable[str]:
        """What makes it unusable although its form is right."""
        order = [list(OutreachStep).index(each.step) for each in self.steps]
        if not order or any(later <= earlier for earlier, later in pairwise(order)):
            yield "outreach.steps must name steps in their order, each once"
        days = [each.after_days for each in self.steps]
        if any(later < earlier for earlier, later in pairwise(days)):
            yield "outreach.steps must not come earlier than the step before"
        if any(not 0 <= each <= LONGEST_DELAY_DAYS for each in days):
            yield f"outreach.steps: after_days must lie between 0 and {LONGEST_DELAY_DAYS}"

    def looser_than(self, base: "Outreach") -> Iterable[str]:
        """Every step of `base` that this leaves out or delays."""
        for before in base.steps:
            after = self.delay(before.step)
            if after is None:
                yield f"outreach.steps: {before.step.value} is left out"
                continue
            if after.after_days > before.after_days:
                yield f"outreach.{before.step.value}: {before.after_days} days became {after.after_days}"
            if before.counted_in is CountedIn.DAYS and after.counted_in is CountedIn.OPEN_DAYS:
                yield f"outreach.{before.step.value}: days became open days"


class Escalating(SaidBy, frozen=True):
    """To whom an escalation goes that nobody has acknowledged, and from how many missed doses there is one by itself."""

    on_call_after_minutes: int
    supervisor_after_minutes: int
    """From when it was raised."""
    missed_doses_from: int

    def contradictions(self) -> Iterable[str]:
        """What makes it unusable although its form is right."""
        if not 0 < self.on_call_after_minutes <= self.supervisor_after_minutes <= LONGEST_WAIT_MINUTES:
            yield (
                f"escalating: 0 < on_call_after_minutes <= supervisor_after_minutes <= {LONGEST_WAIT_MINUTES} must hold"
            )
        if self.missed_doses_from < 1:
            yield "escalating.missed_doses_from must be more than zero"

    def looser_than(self, base: "Escalating") -> Iterable[str]:
        """Every value of `base` that this loosens."""
        for name in ("on_call_after_minutes", "supervisor_after_minutes", "missed_doses_from"):
            later, before = getattr(self, name), getattr(base, name)
            if later > before:
                yield f"escalating.{name}: {before} became {later}"
