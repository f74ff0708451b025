"""What each country's rules let be told without, or with more than, a consent to it: dated data (`exceptions.toml`)."""

from collections.abc import Mapping
from datetime import date, timedelta
from enum import StrEnum
from functools import cache
from importlib.resources import files

import msgspec

from caseload.domain.consent import Category, Purpose, Recipient, RecipientClass, jurisdiction_of
from caseload.domain.disclosure.words import NEED_CONSENT, Ground
from caseload.domain.errors import Faults
from caseload.domain.family import LONGEST_TEXT, text_fault
from caseload.domain.profiles.minors import Minors, birthday


class StatedField(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Something that an exception asks to be stated."""

    name: str
    says: str
    choices: Mapping[str, str] = {}
    """What can be stated, each with the advice by which it is refused, or nothing; empty: any text."""
    within_days: int | None = None
    """It is a local day, not to come and at most so many days ago; none: it is no day."""


class ExceptionRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One exception, in one country, from one date on."""

    ground: Ground
    rule: str
    says: str
    purpose: Purpose
    categories: frozenset[Category]
    """The most that may be told by it."""
    fields: tuple[StatedField, ...]
    needs_consent: bool = False
    hipaa: str | None = None
    """Why it stays out of the accounting of 45 CFR 164.528; none: it belongs there."""
    unsupported: str | None = None
    """Why nothing can be told by it through this service."""
    from_age: int | None = None
    """It is for clients from this birthday on, and not for whoever is a minor by the profile; none: for everybody."""
    recipients: frozenset[RecipientClass] = frozenset()
    """The classes to which alone it tells; empty: to anybody."""
    in_clients_place: bool = False
    """Somebody decides in the client's place, so what was agreed with the client not to be told stands before it."""
    scope: str | None = None
    """What is said in the place of a consent's scope where it is a consent that somebody else gives; with it goes the notice."""

    def faults(self, stated: Mapping[str, str], categories: frozenset[Category], faults: Faults, *, on: date) -> None:
        """Add what is missing, what does not belong, and what goes beyond the exception, on a local day."""
        for wanted in self.fields:
            _check_stated(wanted, stated.get(wanted.name), faults, on=on)
        for name in sorted(set(stated) - {wanted.name for wanted in self.fields}):
            faults.add(f"stated.{name}", f"is nothing that this exception asks for ({self.rule})")
        for category in sorted(categories - self.categories):
            faults.add("categories", f"{category} goes beyond this exception ({self.rule})")

    def reaches(self, recipient: Recipient) -> bool:
        """Whether it tells anything to such a recipient."""
        return not self.recipients or recipient.group in self.recipients

    def too_young(self, born: date, on: date, minors: Minors | None) -> str | None:
        """The advice by which it is refused of a client who is too young for it on a local day, if they are."""
        if self.from_age is None:
            return None
        if on >= birthday(born, self.from_age) and not (minors is not None and minors.is_minor(born, on)):
            return None
        return f"This is for clients of {self.from_age} and older who are no minors here ({self.rule}). Ask for the consent that the rule for younger ones asks for."

    def refusal(self, stated: Mapping[str, str]) -> str | None:
        """The advice by which what is stated is refused, if it is."""
        if self.unsupported is not None:
            return self.unsupported
        return next((advice for each in self.fields if (advice := each.choices.get(stated.get(each.name, "")))), None)


def _check_stated(wanted: StatedField, said: str | None, faults: Faults, *, on: date) -> None:
    where = f"stated.{wanted.name}"
    if said is None:
        faults.add(where, f"is needed: {wanted.says}")
    elif wanted.choices:
        faults.check(
            when=said not in wanted.choices, where=where, problem=f"must be one of {', '.join(wanted.choices)}"
        )
    elif wanted.within_days is not None:
        found = _day(said)
        faults.check(
            when=found is None or not on - timedelta(days=wanted.within_days) <= found <= on,
            where=where,
            problem=f"must be a day written as 2026-03-01, not to come and at most {wanted.within_days} days ago",
        )
    elif problem := text_fault(said, longest=LONGEST_TEXT):
        faults.add(where, problem)


def _day(said: str) -> date | None:
    """The day that is written as an ISO calendar date, if one is."""
    try:
        found = date.fromisoformat(said)
    except ValueError:
        return None
    return found if found.isoformat() == said else None


class AccountingKind(StrEnum):
    """An account of disclosures to which a client has a right, by its own definition."""

    PART_2 = "part2"
    """Those made with consent (42 CFR 2.25)."""
    HIPAA = "hipaa"
    """Those made for other reasons than care and the client's own wish (45 CFR 164.528)."""


class AccountingRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What one accounting reaches back to, and what it says of itself."""

    kind: AccountingKind
    years: int
    rule: str
    says: str


class RuleSet(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One country's exceptions, from one date on."""

    version: str
    jurisdiction: str
    in_force_from: date
    emergency_rule: str
    emergency_minutes: int
    """After how many minutes an emergency whose record is not complete is overdue."""
    emergency_advice: str
    exceptions: tuple[ExceptionRule, ...]
    emergency_hipaa: str | None = None
    accountings: tuple[AccountingRule, ...] = ()

    def on(self, ground: Ground) -> ExceptionRule | None:
        """The exception of this name, if this country knows it."""
        return next((each for each in self.exceptions if each.ground is ground), None)

    def accounting(self, kind: AccountingKind) -> AccountingRule | None:
        """The accounting of this kind, if this country knows it."""
        return next((each for each in self.accountings if each.kind is kind), None)


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    sets: tuple[RuleSet, ...]


@cache
def rule_sets() -> tuple[RuleSet, ...]:
    """Every version of every country, the newest first."""
    read = msgspec.toml.decode((files("caseload.domain.disclosure") / "exceptions.toml").read_bytes(), type=_File)
    for each in (rule for one in read.sets for rule in one.exceptions):
        if each.needs_consent is not (each.ground in NEED_CONSENT):
            raise ValueError(f"{each.ground}: what stands on a consent is the same everywhere")
    return tuple(sorted(read.sets, key=lambda one: one.in_force_from, reverse=True))


@cache
def exceptions_on(profile: str, day: date) -> RuleSet:
    """The exceptions of a profile in force on a local day (the first version before that)."""
    versions = [one for one in rule_sets() if one.jurisdiction == jurisdiction_of(profile)]
    return next((one for one in versions if one.in_force_from <= day), versions[-1])


@cache
def rule_set(version: str) -> RuleSet | None:
    """The exceptions of a version by its name, if there is one."""
    return next((one for one in rule_sets() if one.version == version), None)
