"""The flag that nobody raises: a daily dose of methadone above the number of the country's rule."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files

import msgspec

from caseload.domain.medicines import Medicine


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One version of what a country asks to look at."""

    jurisdiction: str
    version: int
    in_force_from: date
    methadone_mg_a_day_above: int
    source: str

    @property
    def label(self) -> str:
        """Its name in records, such as `US-1/high_dose`."""
        return f"{self.jurisdiction}-{self.version}/high_dose"


def high_dose(medicine: Medicine | None, parts_mg: Sequence[Decimal], rule: Rule) -> Decimal | None:
    """The daily dose, all parts together, where it is above the rule's number; exactly that number is not."""
    total = sum(parts_mg, Decimal())
    return total if medicine is Medicine.METHADONE and total > rule.methadone_mg_a_day_above else None


@cache
def rule_on(profile: str, day: date) -> Rule:
    """The rule of the country that a profile follows, in force on a local day (its first version before that)."""
    country = profile.partition("-")[0]
    versions = sorted((rule for rule in _rules() if rule.jurisdiction == country), key=lambda rule: rule.version)
    return next((rule for rule in reversed(versions) if rule.in_force_from <= day), versions[0])


@cache
def _rules() -> Sequence[Rule]:
    text = (files("caseload.domain.flag") / "rules.toml").read_bytes()
    return msgspec.toml.decode(text, type=dict[str, tuple[Rule, ...]])["rules"]
