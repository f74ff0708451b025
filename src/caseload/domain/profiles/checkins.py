"""When a check-in that was not completed becomes overdue."""

from collections.abc import Iterable
from itertools import pairwise

from caseload.domain.profiles.said import Data, SaidBy

LONGEST_SLACK_DAYS = 31
"""The most days of grace, or of early window, that a check-in may have."""


class Slack(Data, frozen=True):
    """What check-ins that are at least so many days apart allow, until the next step."""

    from_interval_days: int
    grace_days: int
    """Local days after the check-in is due until it is overdue."""
    early_days: int
    """Local days before it is due from which a contact counts as this check-in."""


class CheckIns(SaidBy, frozen=True):
    """When a check-in that was not completed becomes overdue, unless its plan says otherwise."""

    slack: tuple[Slack, ...]

    def slack_for(self, interval_days: int) -> Slack:
        """The slack of check-ins that far apart."""
        return next(step for step in reversed(self.slack) if step.from_interval_days <= interval_days)


def wrong_slack(slack: tuple[Slack, ...]) -> Iterable[str]:
    steps = [step.from_interval_days for step in slack]
    if not steps or steps[0] != 1 or any(later <= earlier for earlier, later in pairwise(steps)):
        yield "check_ins.slack must begin at an interval of 1 day and rise"
    for step in slack:
        if not (0 <= step.grace_days <= LONGEST_SLACK_DAYS and 0 <= step.early_days <= LONGEST_SLACK_DAYS):
            yield f"grace_days and early_days of check_ins.slack must lie between 0 and {LONGEST_SLACK_DAYS}"
