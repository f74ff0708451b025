"""The forms a client may sign and what each profile says about telling others, as dated data (`forms.toml`)."""

import hashlib
from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib.resources import files
from types import MappingProxyType

import msgspec

from caseload.domain.consent.words import Category, ConsentKind
from caseload.domain.errors import NotFound


class Form(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One version of a consent form. Once somebody has signed it, its wording is never changed."""

    version: str
    kind: ConsentKind
    jurisdiction: str
    in_force_from: date
    source: str
    right_to_revoke: str
    """The right to revoke and the exception for what was done in reliance (42 CFR 2.31(a)(6))."""
    how_to_revoke: str
    redisclosure: str | None = None
    """What may become of the records afterwards; treatment, payment and operations need it (2.31(a)(10))."""
    refusal: str | None = None
    """What follows if the client does not sign; treatment, payment and operations need it."""

    @property
    def digest(self) -> bytes:
        """SHA-256 of everything the form says, so that what was signed can be told from a later wording."""
        return hashlib.sha256(msgspec.json.encode(self, order="sorted")).digest()


class DisclosureRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What one profile says about telling others: the rules by name, and what to say to staff."""

    version: str
    jurisdiction: str
    in_force_from: date
    by_consent: str
    """The rule by which a consent allows."""
    without_consent: str
    """The rule that forbids when there is none."""
    nothing_disclosed: str
    """The rule that leaves listening and general information free."""
    known_facts: str
    """The rule about what the asker knows already."""
    known_already: frozenset[Category]
    """What may be acknowledged to somebody who has shown that they know it."""
    advice_when_refused: str
    advice_when_general: str
    advice_when_warned: str
    """What to do where a safety warning stands about the recipient."""
    advice_when_not_checked: str
    """What to say to whoever has not shown who they are, and what check to make."""
    typed_signature: str
    """What whoever records a typed signature attests by recording it. Stored with it, word for word."""
    expiry_alert_days: tuple[int, ...]
    """So many days before its last day a consent is listed as expiring, each step nearer than the one before."""
    notice: str | None = None
    """What must accompany everything disclosed by consent (42 CFR 2.32(a)(2))."""


class RulesUnknown(NotFound):
    """There are no disclosure rules for this profile."""


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    forms: tuple[Form, ...]
    rules: tuple[DisclosureRules, ...]


@cache
def _read() -> _File:
    return msgspec.toml.decode((files("caseload.domain.consent") / "forms.toml").read_bytes(), type=_File)


@cache
def forms() -> Mapping[str, Form]:
    """Every version of every form, by version."""
    return MappingProxyType({form.version: form for form in _read().forms})


def jurisdiction_of(profile: str) -> str:
    """The country whose forms and disclosure rules a profile follows: its name begins with it (`US-CA-BRIDGE`)."""
    return profile.partition("-")[0]


@cache
def earliest_alert() -> int:
    """The most days before its end at which any rule lists a consent."""
    return max(step for rules in _read().rules for step in rules.expiry_alert_days)


@cache
def rules_on(profile: str, day: date) -> DisclosureRules:
    """The disclosure rules of a profile in force on a local day (the first version before that).

    Raises `RulesUnknown`.
    """
    versions = sorted(
        (rules for rules in _read().rules if rules.jurisdiction == jurisdiction_of(profile)),
        key=lambda rules: rules.in_force_from,
    )
    if not versions:
        raise RulesUnknown("Give the programme a profile whose country is in `domain/consent/forms.toml`.")
    return next((rules for rules in reversed(versions) if rules.in_force_from <= day), versions[0])
