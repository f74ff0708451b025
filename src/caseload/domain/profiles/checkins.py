"""When a check-in that was not completed becomes overdue."""

from collections.abc import Iterable
from itertools import pairwise

from caseload.domain.profiles.said import Data, SaidBy

LONGEST_WEEKS = 52
LONGEST_STEP_UP_DAYS = 366
FEWEST_ASKED_DAYS = 28
"""Use is asked of the last 28 days, and of the last 30."""
LONGEST_SLACK_DAYS = 31
"""The most days of grace, or of early window, that a check-in may have."""


class Slack(Data, frozen=True):
    """What check-ins that are at least so many days apart allow, until the next step."""

    from_interval_days: int
    grace_days: int
    """Local days after the check-in is due until it is overdue."""
    early_days: int
    """Local days before it is due from which a contact counts as this check-in."""


class PhaseStep(Data, frozen=True):
    """How often from a day of the plan on, until the next step."""

    from_day: int
    """Days after the plan's first one."""
    every_weeks: int


class StepUp(SaidBy, frozen=True):
    """When a client is seen more often for a while, and for how long."""

    days: int
    """Local days after what it is for, that day not counted."""
    dose_change_percent: int
    """By more than so much of it has a daily dose to change, up or down, to count."""
    relapse_use_days: int
    """From so many days of use on, where the check-in before had none, it counts as a relapse."""


class CheckIns(SaidBy, frozen=True):
    """When a check-in that was not completed becomes overdue, unless its plan says otherwise; and how often to meet."""

    slack: tuple[Slack, ...]
    phases: tuple[PhaseStep, ...]
    """How often to meet as time goes on, from the plan's first day."""
    step_up: StepUp

    def weeks_on(self, day: int) -> int:
        """How many weeks apart check-ins are suggested so many days after the plan's first one."""
        return next(step.every_weeks for step in reversed(self.phases) if step.from_day <= day)

    def slack_for(self, interval_days: int) -> Slack:
        """The slack of check-ins that far apart."""
        return next(step for step in reversed(self.slack) if step.from_interval_days <= interval_days)


def wrong_phases(check_ins: CheckIns) -> Iterable[str]:
    steps = check_ins.phases
    rising = all(a.from_day < b.from_day and a.every_weeks < b.every_weeks for a, b in pairwise(steps))
    if not steps or steps[0].from_day != 0 or steps[0].every_weeks < 1 or not rising:
        yield "check_ins.phases must begin on day 0 with a week or more, and become rarer"
    if steps and steps[-1].every_weeks > LONGEST_WEEKS:
        yield f"check_ins.phases must not be rarer than every {LONGEST_WEEKS} weeks"
    if not 1 <= check_ins.step_up.days <= LONGEST_STEP_UP_DAYS:
        yield f"check_ins.step_up.days must lie between 1 and {LONGEST_STEP_UP_DAYS}"
    if check_ins.step_up.dose_change_percent < 0:
        yield "check_ins.step_up.dose_change_percent must not be negative"
    if not 1 <= check_ins.step_up.relapse_use_days <= FEWEST_ASKED_DAYS:
        yield f"check_ins.step_up.relapse_use_days must lie between 1 and {FEWEST_ASKED_DAYS}"


def wrong_slack(slack: tuple[Slack, ...]) -> Iterable[str]:
    steps = [step.from_interval_days for step in slack]
    if not steps or steps[0] != 1 or any(later <= earlier for earlier, later in pairwise(steps)):
        yield "check_ins.slack must begin at an interval of 1 day and rise"
    for step in slack:
        if not (0 <= step.grace_days <= LONGEST_SLACK_DAYS and 0 <= step.early_days <= LONGEST_SLACK_DAYS):
            yield f"grace_days and early_days of check_ins.slack must lie between 0 and {LONGEST_SLACK_DAYS}"
