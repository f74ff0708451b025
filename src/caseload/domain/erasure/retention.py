"""How long the log must stay linkable to a client: rules as data (`retention.toml`), of which the longest wins."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from importlib.resources import files

import msgspec
from dateutil.relativedelta import relativedelta

from caseload.domain.ids import ProgrammeId

IN_CARE = "in_care"
"""The rule that needs no number: nobody is erased while in care."""


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One duty to keep."""

    rule: str
    years: int
    source: str
    says: str


class OfAge(Rule, frozen=True):
    """The duty to keep what concerns a child."""

    of_age: int


class Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One version of the rules."""

    version: int
    access: Rule
    record: Rule
    minor: OfAge


@dataclass(frozen=True, slots=True, kw_only=True)
class Longer:
    """By how much a clinic lengthens the rules: years, of which the rule's own are the least."""

    access_years: int = 0
    record_years: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What the rules look at."""

    programme: ProgrammeId
    """The client's home programme, whose privacy officer may propose the erasure."""
    registered_at: datetime
    in_care: bool
    care_ended_at: datetime | None
    born_on: date
    """The latest of the dates of birth that were ever recorded."""
    last_access_at: datetime | None
    """The last time that anybody but an auditor or privacy officer looked, tried or wrote."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """A duty to keep, and until when."""

    rule: str
    until: date | None
    """The first day on which it holds no more; None while nobody can say."""
    says: str


@cache
def retention_rules() -> Rules:
    """The rules as they are now."""
    return msgspec.toml.decode((files("caseload.domain.erasure") / "retention.toml").read_bytes(), type=Rules)


def longest_duty(kept: Kept, longer: Longer, *, now: datetime) -> Duty | None:
    """The duty that holds longest from now on; None when none holds any more."""
    if kept.in_care:
        return Duty(rule=IN_CARE, until=None, says="The client is in care.")
    today = now.astimezone(UTC).date()
    holding = [duty for duty in _duties(kept, longer) if duty.until is not None and duty.until > today]
    return max(holding, key=lambda duty: duty.until or date.max, default=None)


def _duties(kept: Kept, longer: Longer) -> Iterator[Duty]:
    rules = retention_rules()
    if kept.last_access_at is not None:
        yield _duty(rules.access, kept.last_access_at.date(), max(rules.access.years, longer.access_years))
    ended = (kept.care_ended_at or kept.registered_at).date()
    yield _duty(rules.record, ended, max(rules.record.years, longer.record_years))
    yield _duty(rules.minor, kept.born_on, rules.minor.of_age + rules.minor.years)


def _duty(rule: Rule, begins: date, years: int) -> Duty:
    # One day more: an instant's day in Greenwich may be the day before at the clinic.
    return Duty(rule=rule.rule, until=begins + relativedelta(years=years, days=1), says=rule.says)
