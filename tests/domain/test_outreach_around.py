"""Who around a client may be asked after them: what one consent in force names in every respect, and nobody else."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from caseload.domain.consent import Category, Consent, ConsentKind, Expiry, Purpose, Recipient
from caseload.domain.consent.completing import MAY_COVER
from caseload.domain.family import InvolvementKind, RelatedPerson, WarningKind
from caseload.domain.ids import ProgrammeId, new_id
from caseload.domain.outreach import MayBeAsked, may_be_asked
from tests.domain.test_consent import (
    AROUND,
    GUARDIAN,
    MOTHER,
    NO_ATTENDANCE,
    NOW,
    SECOND,
    TO_MOTHER,
    consent,
    draft,
    person,
    programme,
    warned_mother,
)

PRESENCE, ATTENDANCE = Category.PRESENCE, Category.ATTENDANCE
FAMILY = Purpose.FAMILY_INVOLVEMENT


def given(*categories: Category, purpose: Purpose = FAMILY, **changes: Any) -> Consent:
    said = {"recipients": (TO_MOTHER,), "categories": frozenset(categories), "purposes": frozenset({purpose})}
    return consent(draft(**{**said, **changes}))


def asked(*consents: Consent, around: tuple[RelatedPerson, ...] = tuple(AROUND.values())) -> tuple[MayBeAsked, ...]:
    return may_be_asked(around, consents, programme=programme(), at=NOW)


def test_a_consent_says_whom_and_what_they_may_be_told() -> None:
    both = given(PRESENCE, ATTENDANCE, Category.MEDICATION)
    [mother] = asked(both)
    assert (mother.person, mother.name, mother.consent) == (MOTHER, "Rosa Example", both.id)
    assert mother.tells == (PRESENCE, ATTENDANCE)
    assert [each.tells for each in asked(given(PRESENCE))] == [(PRESENCE,)]
    assert [each.tells for each in asked(given(ATTENDANCE))] == [(ATTENDANCE,)]


def test_of_two_consents_each_allows_its_own() -> None:
    presence = given(PRESENCE, purpose=Purpose.CLIENTS_REQUEST)
    [mother] = asked(given(ATTENDANCE), presence)
    assert (mother.tells, mother.consent) == ((PRESENCE, ATTENDANCE), presence.id)


@pytest.mark.parametrize("category", sorted(MAY_COVER[ConsentKind.NAMED] - {PRESENCE, ATTENDANCE}))
def test_nothing_else_that_may_be_told_lets_us_ask(category: Category) -> None:
    assert asked(given(category)) == ()


@pytest.mark.parametrize("purpose", [Purpose.EMERGENCY_CONTACT, Purpose.TREATMENT, Purpose.PAYMENT])
def test_who_has_not_come_is_no_emergency_and_nothing_else_either(purpose: Purpose) -> None:
    assert asked(given(PRESENCE, ATTENDANCE, purpose=purpose)) == ()


def test_a_consent_that_has_ended_or_lets_others_tell_allows_nothing() -> None:
    allows = given(PRESENCE)
    assert asked(replace(allows, revoked_at=NOW)) == ()
    assert asked(replace(allows, revoked_at=NOW + SECOND)) != ()
    assert asked(replace(allows, expires_at=NOW)) == ()
    assert asked(replace(allows, expires_at=NOW + SECOND)) != ()
    assert asked(replace(allows, discloser=ProgrammeId(new_id()))) == ()
    assert asked(given(PRESENCE, expiry=Expiry(last_day=NOW.date() + timedelta(days=1)))) != ()


def test_what_was_agreed_not_to_be_told_is_not_told_by_ringing_either() -> None:
    restricted = replace(given(PRESENCE, ATTENDANCE), restrictions=(NO_ATTENDANCE,))
    assert [each.tells for each in asked(restricted)] == [(PRESENCE,)]


def test_nobody_whom_it_does_not_name_and_nobody_who_is_no_longer_involved() -> None:
    assert [each.person for each in asked(given(PRESENCE, recipients=(Recipient(person=GUARDIAN),)))] == [GUARDIAN]
    assert asked() == ()
    gone = person(MOTHER)
    assert asked(given(PRESENCE), around=(gone,)) == ()
    assert asked(given(PRESENCE), around=(person(MOTHER, InvolvementKind.EMERGENCY_CONTACT),)) != ()


@pytest.mark.parametrize("kind", list(WarningKind))
def test_nobody_of_whom_a_safety_warning_stands_is_rung(kind: WarningKind) -> None:
    warned = warned_mother(kind).people[MOTHER]
    assert asked(given(PRESENCE), around=(warned,)) == ()
    lifted = warned_mother(kind, until=NOW).people[MOTHER]
    assert [each.person for each in asked(given(PRESENCE), around=(lifted,))] == [MOTHER]


def test_nobody_is_rung_at_the_number_of_somebody_who_is_not_to_be_rung() -> None:
    warned = warned_mother(WarningKind.DOMESTIC_RISK).people[MOTHER]
    warned = replace(warned, details=replace(warned.details, phone="+1 303 555 0100"))
    guardian = AROUND[GUARDIAN]
    named = given(PRESENCE, recipients=(Recipient(person=GUARDIAN),))
    shares = replace(guardian, details=replace(guardian.details, phone="555-0100"))

    assert [each.person for each in asked(named, around=(warned, guardian))] == [GUARDIAN]
    assert asked(named, around=(warned, shares)) == ()


def test_whoever_is_a_client_here_too_is_never_rung_about_the_other() -> None:
    consents = given(PRESENCE, ATTENDANCE)
    mother = AROUND[MOTHER]
    assert asked(consents, around=(mother,))
    assert asked(consents, around=(replace(mother, is_client_too=True),)) == ()
