"""The saved questions of the monthly review, and what each takes for worth a look, as data (`questions.toml`).

Source: the routine review that ASTM E2147-18 (section 7) and 45 CFR 164.308(a)(1)(ii)(D) ask for; the list of questions
is the convention of the field.
"""

from datetime import time
from enum import StrEnum
from functools import cache
from importlib.resources import files

import msgspec


class Question(StrEnum):
    """What an auditor asks every month."""

    WITHOUT_LINK = "without_link"
    OWN_OR_NAMESAKE = "own_or_namesake"
    OUT_OF_HOURS = "out_of_hours"
    BULK_READS = "bulk_reads"
    REPEATED_DENIALS = "repeated_denials"
    ACCOUNTS_TO_CLOSE = "accounts_to_close"
    RESTRICTED_USE = "restricted_use"


class _Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    says: str
    """What a finding of this question is, in one sentence."""


class WithoutLink(_Asked, frozen=True):
    """How near a reason must lie to the look that it explains."""

    days_around: int
    programme_days_around: int


class OutOfHours(_Asked, frozen=True):
    """When the programmes are open, by their own clocks."""

    opens: time
    closes: time

    def is_open(self, local: time) -> bool:
        """Whether a programme is open at this local time."""
        return self.opens <= local < self.closes


class BulkReads(_Asked, frozen=True):
    """From how many clients a day is out of proportion."""

    at_least_clients: int
    times_the_median: int
    usual_days: int
    clients_without_comparison: int
    files: tuple[str, ...]
    """Events by which a part of the record leaves as a file."""


class RepeatedDenials(_Asked, frozen=True):
    """From how many refusals in a day."""

    at_least_refusals: int


class AccountsToClose(_Asked, frozen=True):
    """After how long nobody needs an account."""

    unused_days: int
    roleless_days: int


class Questions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One version of all questions."""

    version: int
    without_link: WithoutLink
    own_or_namesake: _Asked
    out_of_hours: OutOfHours
    bulk_reads: BulkReads
    repeated_denials: RepeatedDenials
    accounts_to_close: AccountsToClose
    restricted_use: _Asked

    def says(self, question: Question) -> str:
        """What a finding of this question is."""
        asked: _Asked = getattr(self, question.value)
        return asked.says

    def rule(self, question: Question) -> str:
        """The name of the rule, with its version, by which something was found."""
        return f"{question.value}/{self.version}"


@cache
def questions() -> Questions:
    """The questions as they are asked now."""
    return msgspec.toml.decode((files("caseload.domain.oversight") / "questions.toml").read_bytes(), type=Questions)
