"""Which profile a programme goes by, day by day.

It is opened with one, and may go over to another from a later day on. A day's profile is settled before the day begins
and never changes after: whatever was decided on it keeps the rules that it was decided by.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from caseload.domain.profiles import Profile, profile_on


@dataclass(frozen=True, slots=True)
class Selected:
    """A profile by name from the beginning, and those that somebody has chosen for later days."""

    first: str
    later: tuple[tuple[date, str], ...] = ()
    """From which day on which other, in the order in which it was said."""

    def name_on(self, day: date) -> str:
        """The name of the profile of a local day: of all whose day has come, the last word counts."""
        return next((name for from_on, name in reversed(self.later) if from_on <= day), self.first)

    def on(self, day: date) -> Profile:
        """The version of the profile that is in force on a local day."""
        return profile_on(self.name_on(day), day)


def read_selected(first: str, later: Sequence[str] | None) -> Selected:
    """As a database row holds it: each later word is its day and a name, such as `2027-01-01 UK`."""
    if not later:
        return Selected(first)
    words = (word.partition(" ") for word in later)
    return Selected(first, tuple((date.fromisoformat(day), name) for day, _, name in words))
