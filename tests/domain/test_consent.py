"""Consent and disclosure: complete or refused, and nothing told beyond one consent in force."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some

from caseload.domain.access import Holding, Role
from caseload.domain.client import Client, Identity
from caseload.domain.consent import (
    ALLOWING,
    CONSENTABLE,
    NEEDS_NO_CONSENT,
    AgreedRestriction,
    AlreadyRevoked,
    Answer,
    Asked,
    Category,
    CheckMethod,
    Consent,
    ConsentKind,
    ConsentUnknown,
    Draft,
    EventAlreadyRecorded,
    EventHappened,
    Expiry,
    How,
    IdentityCheck,
    Purpose,
    Question,
    Reason,
    Recipient,
    RecipientClass,
    Revocation,
    Setting,
    Signatory,
    Signature,
    Standing,
    ask,
    check_asker,
    complete,
    earliest_alert,
    end_of,
    forms,
    give_consent,
    is_expiring,
    may_tell,
    record_event,
    revoke_consent,
    rules_on,
)
from caseload.domain.consent.completing import MAY_BE_FOR, MAY_COVER
from caseload.domain.consent.forms import RulesUnknown
from caseload.domain.consent.near import near_recipients
from caseload.domain.errors import Faults, Invalid, NotPermitted
from caseload.domain.family import (
    Confided,
    Information,
    InformationUnknown,
    Involvement,
    InvolvementKind,
    PersonDetails,
    RelatedPerson,
    Relationship,
    SafetyWarning,
    WarningKind,
)
from caseload.domain.ids import (
    ClientId,
    ConsentId,
    InformationId,
    InvolvementId,
    ProgrammeId,
    RelatedPersonId,
    RightsRequestId,
    StaffId,
    WarningId,
    new_id,
)
from caseload.domain.journal import Event
from caseload.domain.people import Staff
from caseload.domain.profiles import profile_on
from caseload.domain.profiles.comparing import loosened
from caseload.domain.profiles.minors import Minors
from caseload.domain.profiles.selected import Selected
from caseload.domain.programme import Programme
from caseload.domain.taken_back import TakenBack

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
TODAY = NOW.date()
SECOND = timedelta(seconds=1)
LONG_AGO = NOW - timedelta(days=900)
CLIENT = ClientId(new_id())
PROGRAMME, ELSEWHERE = ProgrammeId(new_id()), ProgrammeId(new_id())
MOTHER, GUARDIAN, STRANGER = RelatedPersonId(new_id()), RelatedPersonId(new_id()), RelatedPersonId(new_id())
TO_MOTHER = Recipient(person=MOTHER)
US = rules_on("US", TODAY)
UK = rules_on("UK", TODAY)


def involvement(
    identifier: RelatedPersonId, kind: InvolvementKind, *, starts_at: datetime = LONG_AGO, **changes: Any
) -> Involvement:
    made = Involvement(
        id=InvolvementId(new_id()),
        client=CLIENT,
        person=identifier,
        kind=kind,
        starts_at=starts_at,
        last_day=None,
        until_at=None,
        evidence="Court order 12/26, in the safe" if kind is InvolvementKind.LEGAL_REPRESENTATIVE else None,
        recorded_by=StaffId(new_id()),
        recorded_at=NOW,
    )
    return replace(made, **changes)


def person(identifier: RelatedPersonId, *kinds: InvolvementKind) -> RelatedPerson:
    return RelatedPerson(
        id=identifier,
        client=CLIENT,
        version=1,
        details=PersonDetails(
            name="Rosa Example",
            relationship=Relationship.MOTHER,
        ),
        reason=None,
        recorded_at=NOW,
        recorded_by=StaffId(new_id()),
        involvements=tuple(involvement(identifier, kind) for kind in kinds),
    )


AROUND = {
    MOTHER: person(MOTHER, InvolvementKind.CARE_PARTNER),
    GUARDIAN: person(GUARDIAN, InvolvementKind.LEGAL_REPRESENTATIVE),
}


def programme(*, profile: str = "US", time_zone: str = "America/New_York") -> Programme:
    return Programme(
        id=PROGRAMME, code="HARBOUR", name="Harbour House", time_zone=time_zone, profiles=Selected(profile)
    )


def setting(where: Programme | None = None) -> Setting:
    return Setting(programme=where or programme(), around=AROUND, born=date(1990, 1, 1))


def signature(signed_at: datetime = NOW - timedelta(days=30)) -> Signature:
    return Signature(signatory=Signatory.CLIENT, name="Sam Example", signed_at=signed_at)


def draft(**changes: Any) -> Draft:
    complete_one = Draft(
        kind=ConsentKind.NAMED,
        form="us-named-2026-02",
        discloser=PROGRAMME,
        recipients=(TO_MOTHER,),
        categories=frozenset({Category.ATTENDANCE}),
        purposes=frozenset({Purpose.FAMILY_INVOLVEMENT}),
        expiry=Expiry(last_day=date(2027, 5, 1)),
        signature=signature(),
    )
    return replace(complete_one, **changes)


def operations(**changes: Any) -> Draft:
    complete_one = draft(
        kind=ConsentKind.TREATMENT_PAYMENT_OPERATIONS,
        form="us-tpo-2026-02",
        recipients=(Recipient(group=RecipientClass.HEALTH_PLANS), Recipient(name="General Hospital")),
        purposes=frozenset({Purpose.TREATMENT, Purpose.PAYMENT}),
        expiry=Expiry(never=True),
    )
    return replace(complete_one, **changes)


def consent(from_draft: Draft | None = None, *, where: Setting | None = None, **ended: Any) -> Consent:
    made = complete(
        from_draft or draft(),
        as_id=ConsentId(new_id()),
        client=CLIENT,
        setting=where or setting(),
        recorded_by=StaffId(new_id()),
        recorded_at=NOW,
    )
    return replace(made, **ended)


NO_ATTENDANCE = AgreedRestriction(
    request=RightsRequestId(new_id()),
    recipient=None,
    categories=frozenset({Category.ATTENDANCE}),
    purposes=frozenset(),
)


def question(**changes: Any) -> Question:
    covered = Question(
        programme=PROGRAMME,
        recipient=TO_MOTHER,
        category=Category.ATTENDANCE,
        purpose=Purpose.FAMILY_INVOLVEMENT,
        checked=True,
    )
    return replace(covered, **changes)


def answer(to: Question, *consents: Consent, at: datetime = NOW) -> Answer:
    return may_tell(to, at=at, consents=consents, rules=US)


def faults_of(wrong: Draft, where: Setting | None = None) -> dict[str, str]:
    with pytest.raises(Invalid) as refused:
        consent(wrong, where=where)
    return {fault.field: fault.problem for fault in refused.value.faults}


# --- a consent is complete or refused ---------------------------------------------------------------------------


def test_a_complete_consent_keeps_what_was_signed() -> None:
    made = consent()
    assert (made.kind, made.form, made.recipients) == (ConsentKind.NAMED, "us-named-2026-02", (TO_MOTHER,))
    assert made.form_digest == forms()["us-named-2026-02"].digest
    assert made.standing(NOW) is Standing.IN_FORCE


def test_everything_that_is_missing_is_named_at_once() -> None:
    assert set(faults_of(Draft(kind=ConsentKind.NAMED, form="unheard-of"))) == {
        "form",
        "discloser_id",
        "recipients",
        "categories",
        "purposes",
        "expiry",
        "signature",
    }


@pytest.mark.parametrize(
    ("missing", "where"),
    [
        ({"discloser": None}, "discloser_id"),
        ({"discloser": ELSEWHERE}, "discloser_id"),
        ({"recipients": ()}, "recipients"),
        ({"categories": frozenset[Category]()}, "categories"),
        ({"purposes": frozenset[Purpose]()}, "purposes"),
        ({"expiry": Expiry()}, "expiry"),
        ({"expiry": Expiry(last_day=date(2027, 5, 1), event="discharge")}, "expiry"),
        ({"expiry": Expiry(event=" ")}, "expiry.event"),
        ({"signature": None}, "signature"),
        ({"form": "uk-named-2024-01"}, "form"),
        ({"form": "us-tpo-2026-02"}, "form"),
        ({"recipients": (Recipient(),)}, "recipients.0"),
        ({"recipients": (Recipient(person=MOTHER, name="Rosa"),)}, "recipients.0"),
        ({"recipients": (Recipient(name="  "),)}, "recipients.0"),
        ({"recipients": (TO_MOTHER, Recipient(person=STRANGER))}, "recipients.1"),
        ({"recipients": (TO_MOTHER, TO_MOTHER)}, "recipients.1"),
    ],
)
def test_each_element_of_2_31_is_needed(missing: dict[str, Any], where: str) -> None:
    assert set(faults_of(draft(**missing))) == {where}


def test_a_name_typed_two_ways_is_one_recipient() -> None:
    twice = (Recipient(name="St. Mary's  Hospital"), Recipient(name="st. mary's hospital "))
    assert faults_of(draft(recipients=twice)) == {"recipients.1": "is named twice"}


def test_60_a_consent_to_a_mother_without_expiry_is_refused() -> None:
    faults = faults_of(draft(expiry=Expiry(never=True)))
    assert set(faults) == {"expiry.never"}
    assert "2.31(a)(7)" in faults["expiry.never"]


def test_a_consent_for_treatment_payment_and_operations_may_have_no_end() -> None:
    made = consent(operations())
    assert made.expires_at is None
    assert made.standing(NOW + timedelta(days=20_000)) is Standing.IN_FORCE


def test_a_relative_is_never_a_recipient_for_treatment_payment_and_operations() -> None:
    assert set(faults_of(operations(recipients=(TO_MOTHER,)))) == {"recipients.0"}
    assert consent(operations(recipients=(Recipient(name="Rosa Other"),))).recipients
    for name in ("Rosa Example", "EXAMPLE, rósa", "Rosa Example, sister"):
        wrong = faults_of(operations(recipients=(Recipient(name=name),)))
        assert set(wrong) == {"recipients.0"}
        assert "a consent of their own" in wrong["recipients.0"]
        assert consent(draft(recipients=(Recipient(name=name),))).recipients


def test_treatment_payment_and_operations_serve_no_other_purpose() -> None:
    assert set(faults_of(operations(purposes=frozenset({Purpose.CLIENTS_REQUEST})))) == {"purposes"}


def test_counselling_notes_stand_alone() -> None:
    notes = {"kind": ConsentKind.COUNSELLING_NOTES, "form": "us-counselling-notes-2026-02"}
    alone = draft(**notes, categories=frozenset({Category.COUNSELLING_NOTES}))
    assert consent(alone).categories == {Category.COUNSELLING_NOTES}
    mixed = frozenset({Category.COUNSELLING_NOTES, Category.PLAN})
    assert set(faults_of(draft(**notes, categories=mixed))) == {"categories"}
    assert set(faults_of(draft(categories=mixed))) == {"categories"}


def test_legal_proceedings_stand_alone() -> None:
    legal = {"kind": ConsentKind.LEGAL_PROCEEDINGS, "form": "us-legal-2026-02"}
    alone = draft(**legal, purposes=frozenset({Purpose.LEGAL_PROCEEDINGS}))
    assert consent(alone).purposes == {Purpose.LEGAL_PROCEEDINGS}
    mixed = frozenset({Purpose.LEGAL_PROCEEDINGS, Purpose.FAMILY_INVOLVEMENT})
    assert set(faults_of(draft(**legal, purposes=mixed))) == {"purposes"}
    assert set(faults_of(draft(purposes=mixed))) == {"purposes"}


def test_a_consent_never_covers_what_needs_none() -> None:
    assert set(faults_of(draft(categories=frozenset({Category.GENERAL_INFORMATION})))) == {"categories"}
    assert all(not cover & NEEDS_NO_CONSENT for cover in MAY_COVER.values())


def test_a_signature_in_the_future_or_without_a_name_is_refused() -> None:
    wrong = Signature(signatory=Signatory.CLIENT, name="", signed_at=NOW + SECOND)
    assert set(faults_of(draft(signature=wrong))) == {"signature.name", "signature.signed_at"}


@pytest.mark.parametrize(
    ("signatory", "representative"),
    [
        (Signatory.CLIENT, GUARDIAN),
        (Signatory.REPRESENTATIVE, None),
        (Signatory.REPRESENTATIVE, MOTHER),
        (Signatory.REPRESENTATIVE, STRANGER),
    ],
)
def test_only_a_representative_with_evidence_signs_for_the_client(
    signatory: Signatory, representative: RelatedPersonId | None
) -> None:
    signed = replace(signature(), signatory=signatory, representative=representative)
    assert set(faults_of(draft(signature=signed))) == {"signature.representative_id"}


def test_a_representative_with_evidence_signs_for_the_client() -> None:
    signed = replace(signature(), signatory=Signatory.REPRESENTATIVE, representative=GUARDIAN)
    assert consent(draft(signature=signed)).signature.representative == GUARDIAN


def test_a_form_cannot_have_been_signed_before_it_was_in_use() -> None:
    before = signature(datetime(2026, 2, 16, 4, 59, 59, tzinfo=UTC))
    assert set(faults_of(draft(signature=before))) == {"form"}
    assert consent(draft(signature=signature(datetime(2026, 2, 16, 5, tzinfo=UTC)))).form == "us-named-2026-02"


def test_the_last_day_lies_after_the_signature_and_within_reason() -> None:
    signed_on = signature().signed_at.date()
    assert set(faults_of(draft(expiry=Expiry(last_day=signed_on - timedelta(days=1))))) == {"expiry.last_day"}
    assert set(faults_of(draft(expiry=Expiry(last_day=date.max)))) == {"expiry.last_day"}
    assert consent(draft(expiry=Expiry(last_day=signed_on))).expires_at is not None


def test_without_a_form_for_it_there_is_no_consent_without_end_outside_the_united_states() -> None:
    britain = setting(programme(profile="UK", time_zone="Europe/London"))
    assert set(faults_of(operations(), britain)) == {"form"}
    assert consent(draft(form="uk-named-2024-01"), where=britain).form == "uk-named-2024-01"


@given(
    some.sampled_from(ConsentKind),
    some.frozensets(some.sampled_from(Category)),
    some.frozensets(some.sampled_from(Purpose)),
    some.sampled_from(
        [
            Expiry(),
            Expiry(never=True),
            Expiry(event="discharge"),
            Expiry(last_day=date(2027, 1, 1)),
            Expiry(never=True, event="discharge"),
        ]
    ),
    some.lists(some.sampled_from([TO_MOTHER, Recipient(name="A"), Recipient(group=RecipientClass.HEALTH_PLANS)])),
)
def test_whatever_is_filled_in_a_consent_that_is_kept_is_complete(
    kind: ConsentKind,
    categories: frozenset[Category],
    purposes: frozenset[Purpose],
    expiry: Expiry,
    recipients: list[Recipient],
) -> None:
    form = next(form.version for form in forms().values() if (form.kind, form.jurisdiction) == (kind, "US"))
    filled = draft(
        kind=kind,
        form=form,
        categories=categories,
        purposes=purposes,
        expiry=expiry,
        recipients=tuple(recipients),
        revocable_from=date(2026, 12, 1) if kind is ConsentKind.CRIMINAL_JUSTICE else None,
    )
    try:
        kept = consent(filled)
    except Invalid:
        return
    assert kept.recipients
    assert kept.categories
    assert kept.purposes
    assert kept.categories <= MAY_COVER[kind] & CONSENTABLE
    assert kept.purposes <= MAY_BE_FOR[kind]
    assert kept.expires_at is not None or kept.expiry.event is not None or kept.expiry.never
    assert not kept.expiry.never or kind is ConsentKind.TREATMENT_PAYMENT_OPERATIONS
    assert kind is not ConsentKind.TREATMENT_PAYMENT_OPERATIONS or TO_MOTHER not in kept.recipients


# --- forms and rules are data ------------------------------------------------------------------------------------


def test_the_form_for_treatment_payment_and_operations_makes_both_further_statements() -> None:
    kind = ConsentKind.TREATMENT_PAYMENT_OPERATIONS
    found = [form for form in forms().values() if form.kind is kind]
    assert [form.jurisdiction for form in found] == ["US"]
    assert all(form.redisclosure and form.refusal for form in found)


def test_two_versions_of_a_form_never_share_a_digest() -> None:
    assert len({form.digest for form in forms().values()}) == len(forms())


def test_a_profile_follows_the_rules_of_its_country() -> None:
    assert rules_on("US-CA-BRIDGE", TODAY) is not None
    assert rules_on("US-CA-BRIDGE", TODAY).version == US.version
    assert rules_on("US", date(2000, 1, 1)).version == US.version


def test_a_profile_of_an_unknown_country_has_no_rules() -> None:
    with pytest.raises(RulesUnknown):
        rules_on("XX", TODAY)


# --- may I tell? -------------------------------------------------------------------------------------------------


def test_63_a_consent_to_attendance_allows_attendance_and_refuses_the_doses() -> None:
    covers_attendance = consent()
    allowed = answer(question(), covers_attendance)
    assert (allowed.allowed, allowed.reason, allowed.consent) == (True, Reason.CONSENT, covers_attendance.id)
    refused = answer(question(category=Category.MEDICATION), covers_attendance)
    assert (refused.allowed, refused.reason) == (False, Reason.OTHER_CATEGORY)
    assert refused.consent == covers_attendance.id


def test_what_a_consent_allows_goes_with_the_notice_of_2_32() -> None:
    assert answer(question(), consent()).notice == (
        "42 CFR part 2 prohibits unauthorized use or disclosure of these records."
    )
    assert answer(question(category=Category.PLAN), consent()).notice is None


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"recipient": Recipient(person=STRANGER)}, Reason.NO_CONSENT),
        ({"recipient": Recipient(name="Rosa Example")}, Reason.NO_CONSENT),
        ({"recipient": Recipient(group=RecipientClass.TREATING_PROVIDERS)}, Reason.NO_CONSENT),
        ({"programme": ELSEWHERE}, Reason.OTHER_DISCLOSER),
        ({"category": Category.PRESENCE}, Reason.OTHER_CATEGORY),
        ({"purpose": Purpose.EMERGENCY_CONTACT}, Reason.OTHER_PURPOSE),
    ],
)
def test_every_respect_must_be_covered(asked: dict[str, Any], reason: Reason) -> None:
    refused = answer(question(**asked), consent())
    assert (refused.allowed, refused.reason) == (False, reason)
    assert (refused.consent is None) == (reason is Reason.NO_CONSENT)
    assert refused.advice == US.advice_when_refused


def test_a_class_is_told_only_as_a_class_and_a_name_however_it_is_typed() -> None:
    given_to = consent(operations())
    asked = question(category=Category.ATTENDANCE, purpose=Purpose.PAYMENT)
    assert answer(replace(asked, recipient=Recipient(group=RecipientClass.HEALTH_PLANS)), given_to).allowed
    assert answer(replace(asked, recipient=Recipient(name="GENERAL  hospital")), given_to).allowed
    assert not answer(replace(asked, recipient=Recipient(name="General Hospital Annexe")), given_to).allowed
    assert not answer(replace(asked, recipient=Recipient(group=RecipientClass.TREATING_PROVIDERS)), given_to).allowed


@pytest.mark.parametrize(
    ("restricted", "is_told"),
    [
        ({}, 0),
        ({"recipient": TO_MOTHER}, 0),
        ({"recipient": Recipient(name="Somebody else")}, 1),
        ({"categories": frozenset({Category.RISK})}, 1),
        ({"purposes": frozenset({Purpose.FAMILY_INVOLVEMENT})}, 0),
        ({"purposes": frozenset({Purpose.PAYMENT})}, 1),
    ],
)
def test_what_was_agreed_not_to_be_told_is_not_told_whatever_was_signed(
    restricted: dict[str, Any], is_told: int
) -> None:
    agreed = replace(NO_ATTENDANCE, **restricted)
    given = consent(restrictions=(agreed,))
    for known_already in (False, True):
        told = answer(question(known_already=known_already), given)
        assert int(told.allowed) == is_told
        if not is_told:
            assert told.reason is Reason.AGREED_RESTRICTION
            assert "164.522(a)" in told.rule


def test_a_restriction_does_not_make_more_of_a_consent_that_covers_nothing() -> None:
    over = consent(revoked_at=NOW - timedelta(days=1), restrictions=(NO_ATTENDANCE,))
    assert answer(question(), over).reason is Reason.REVOKED


def test_two_consents_never_add_up_to_one() -> None:
    attendance_now = consent()
    doses_elsewhere = consent(
        draft(categories=frozenset({Category.MEDICATION}), purposes=frozenset({Purpose.EMERGENCY_CONTACT}))
    )
    refused = answer(question(category=Category.MEDICATION), attendance_now, doses_elsewhere)
    assert (refused.reason, refused.consent) == (Reason.OTHER_PURPOSE, doses_elsewhere.id)


def test_of_equally_near_consents_the_newest_is_named() -> None:
    older = consent(draft(signature=signature(NOW - timedelta(days=60))))
    newer = consent(draft(signature=signature(NOW - timedelta(days=6))))
    assert answer(question(), older, newer).consent == newer.id
    assert answer(question(category=Category.PLAN), newer, older).consent == newer.id


def test_one_revoked_consent_does_not_undo_another() -> None:
    revoked, standing = consent(revoked_at=NOW), consent()
    assert answer(question(), revoked, standing).consent == standing.id


@pytest.mark.parametrize("ended", ["revoked_at", "event_at"])
def test_a_consent_ends_to_the_second(ended: str) -> None:
    moments: dict[str, Any] = {ended: NOW}
    made = replace(consent(draft(expiry=Expiry(event="discharge"))), **moments)
    assert answer(question(), made, at=NOW - SECOND).allowed
    assert not answer(question(), made, at=NOW).allowed
    assert answer(question(), made, at=NOW).reason is (Reason.REVOKED if ended == "revoked_at" else Reason.EXPIRED)


def test_a_consent_counts_from_its_signature_on() -> None:
    made = consent(draft(signature=signature(NOW)))
    assert answer(question(), made, at=NOW - SECOND).reason is Reason.NOT_YET_SIGNED
    assert answer(question(), made, at=NOW).allowed


@pytest.mark.parametrize(
    ("zone", "last_day", "ends"),
    [
        ("America/New_York", date(2026, 11, 1), datetime(2026, 11, 2, 5, tzinfo=UTC)),
        ("America/New_York", date(2027, 3, 13), datetime(2027, 3, 14, 5, tzinfo=UTC)),
        ("Europe/London", date(2026, 10, 25), datetime(2026, 10, 26, tzinfo=UTC)),
        ("Australia/Sydney", date(2026, 10, 4), datetime(2026, 10, 4, 13, tzinfo=UTC)),
        # Midnight does not exist: clocks go from 23:59:59 to 01:00:00.
        ("America/Santiago", date(2026, 9, 5), datetime(2026, 9, 6, 4, tzinfo=UTC)),
        # Midnight comes twice: the consent ends at the first.
        ("America/Havana", date(2026, 10, 31), datetime(2026, 11, 1, 4, tzinfo=UTC)),
    ],
)
def test_a_last_day_ends_at_the_midnight_of_the_programme_also_when_clocks_change(
    zone: str, last_day: date, ends: datetime
) -> None:
    assert end_of(last_day, ZoneInfo(zone)) == ends
    made = consent(draft(expiry=Expiry(last_day=last_day), signature=signature(NOW - timedelta(days=90))))
    made = replace(made, expires_at=end_of(last_day, ZoneInfo(zone)))
    assert answer(question(), made, at=ends - SECOND).allowed
    assert answer(question(), made, at=ends).reason is Reason.EXPIRED


@pytest.mark.parametrize("category", sorted(NEEDS_NO_CONSENT))
@pytest.mark.parametrize("profile", ["US", "UK", "AU"])
def test_listening_and_general_information_are_free_everywhere(category: Category, profile: str) -> None:
    stranger = question(recipient=Recipient(name="a caller"), category=category)
    free = may_tell(stranger, at=NOW, consents=[], rules=rules_on(profile, TODAY))
    assert (free.allowed, free.reason, free.consent) == (True, Reason.NOTHING_DISCLOSED, None)
    assert free.advice


def test_in_the_united_states_even_presence_needs_consent_and_in_britain_what_is_known_may_be_acknowledged() -> None:
    knows = question(category=Category.PRESENCE, known_already=True)
    assert may_tell(knows, at=NOW, consents=[], rules=US).reason is Reason.NO_CONSENT
    assert may_tell(knows, at=NOW, consents=[], rules=UK).reason is Reason.ALREADY_KNOWN
    assert not may_tell(replace(knows, known_already=False), at=NOW, consents=[], rules=UK).allowed
    doses = replace(knows, category=Category.MEDICATION)
    assert not may_tell(doses, at=NOW, consents=[], rules=UK).allowed


@pytest.mark.parametrize("profile", ["US", "UK", "AU"])
def test_whoever_has_not_been_checked_gets_the_same_answer_whatever_was_consented_to(profile: str) -> None:
    """As for anybody unknown; and it says which check to make."""
    rules = rules_on(profile, TODAY)
    for category in sorted(CONSENTABLE):
        asked = question(category=category, checked=False, known_already=True)
        every = consent(draft(categories=frozenset(CONSENTABLE - {Category.COUNSELLING_NOTES})))
        nobody = may_tell(asked, at=NOW, consents=[], rules=rules)
        assert may_tell(asked, at=NOW, consents=[every], rules=rules) == nobody
        assert (nobody.allowed, nobody.reason, nobody.consent) == (False, Reason.ASKER_NOT_CHECKED, None)
        assert "call back to the number on file" in (nobody.advice or "")


def checked_faults(check: IdentityCheck | None, asker: Recipient, around: dict[Any, RelatedPerson]) -> set[str]:
    faults = Faults()
    check_asker(check, asker, around, faults)
    return {fault.field for fault in faults.found}


def test_a_call_back_needs_a_number_on_file_and_a_document_its_name() -> None:
    back, shown = CheckMethod.CALL_BACK, CheckMethod.DOCUMENT
    reachable = replace(AROUND[MOTHER], details=replace(AROUND[MOTHER].details, phone="555-0100"))
    hospital = Recipient(name="General Hospital")
    assert checked_faults(None, TO_MOTHER, {}) == set()
    assert checked_faults(IdentityCheck(method=back), TO_MOTHER, {MOTHER: reachable}) == set()
    assert checked_faults(IdentityCheck(method=back), TO_MOTHER, AROUND) == {"check.method"}
    assert checked_faults(IdentityCheck(method=back), TO_MOTHER, {}) == {"check.method"}
    assert checked_faults(IdentityCheck(method=back), hospital, {}) == {"check.detail"}
    assert checked_faults(IdentityCheck(method=back, detail="the switchboard"), hospital, {}) == set()
    assert checked_faults(IdentityCheck(method=shown), hospital, {}) == {"check.detail"}
    assert checked_faults(IdentityCheck(method=shown, detail="passport"), hospital, {}) == set()
    assert checked_faults(IdentityCheck(method=shown, detail=" "), hospital, {}) == {"check.detail"}
    assert checked_faults(IdentityCheck(method=CheckMethod.KNOWN_PASSWORD), TO_MOTHER, {}) == set()


def test_a_consent_for_the_criminal_justice_system_is_revocable_from_its_own_day_on() -> None:
    """42 CFR 2.35(c): a revocation before that day is kept, and counts from its first instant."""
    bound: dict[str, Any] = {
        "kind": ConsentKind.CRIMINAL_JUSTICE,
        "form": "us-criminal-justice-2026-02",
        "purposes": frozenset({Purpose.CRIMINAL_JUSTICE}),
        "recipients": (Recipient(name="County probation"),),
    }
    assert set(faults_of(draft(**bound))) == {"revocable_from"}
    assert set(faults_of(draft(**bound, revocable_from=date(2027, 5, 2)))) == {"revocable_from"}
    assert set(faults_of(draft(revocable_from=date(2027, 1, 1)))) == {"revocable_from"}
    made = consent(draft(**bound, revocable_from=date(2027, 1, 1)))
    first = datetime(2027, 1, 1, 5, tzinfo=UTC)
    assert (made.revocable_at, made.revoked_from(NOW), made.revoked_from(first + SECOND)) == (
        first,
        first,
        first + SECOND,
    )
    assert consent().revoked_from(NOW) == NOW


def test_what_somebody_signed_without_authority_never_counted() -> None:
    signed = replace(signature(), signatory=Signatory.REPRESENTATIVE, representative=GUARDIAN)
    made = consent(draft(signature=signed))
    assert answer(question(), made).allowed
    never = replace(made, without_authority=True)
    assert answer(question(), never).reason is Reason.WITHOUT_AUTHORITY
    assert never.standing(NOW) is Standing.WITHOUT_AUTHORITY


SIGNED_AT = NOW - timedelta(days=30)


@pytest.mark.parametrize(
    ("starts_at", "until_at", "may"),
    [
        (SIGNED_AT, None, True),
        (SIGNED_AT + SECOND, None, False),
        (LONG_AGO, SIGNED_AT, False),
        (LONG_AGO, SIGNED_AT + SECOND, True),
    ],
)
def test_a_representative_signs_within_their_authority_and_at_no_other_moment(
    starts_at: datetime, until_at: datetime | None, *, may: bool
) -> None:
    """What counts is the moment of the signature, whenever it is recorded."""
    order = involvement(GUARDIAN, InvolvementKind.LEGAL_REPRESENTATIVE, starts_at=starts_at, until_at=until_at)
    where = Setting(
        programme=programme(),
        around={GUARDIAN: replace(person(GUARDIAN), involvements=(order,))},
        born=date(1990, 1, 1),
    )
    signed = draft(
        signature=replace(signature(SIGNED_AT), signatory=Signatory.REPRESENTATIVE, representative=GUARDIAN),
        recipients=(Recipient(name="Dr Example"),),
    )
    if may:
        assert consent(signed, where=where).signature.representative == GUARDIAN
    else:
        assert "authority" in faults_of(signed, where)["signature.representative_id"]


def test_a_representative_revokes_while_they_have_authority_and_not_afterwards() -> None:
    kept, told = Kept(), Told()
    made = given_consent(kept, told)
    order = involvement(GUARDIAN, InvolvementKind.LEGAL_REPRESENTATIVE, until_at=NOW)
    guardian = replace(person(GUARDIAN), involvements=(order,))
    with pytest.raises(Invalid) as refused:
        revoked(kept, told, made, received_at=NOW, representative=guardian)
    assert [fault.field for fault in refused.value.faults] == ["representative_id"]
    assert revoked(kept, told, made, received_at=NOW - SECOND, representative=guardian).representative == GUARDIAN


def test_a_scanned_document_is_named_by_its_digest() -> None:
    scanned = replace(signature(), document_digest=bytes(32))
    assert consent(draft(signature=scanned)).signature.document_digest == bytes(32)
    wrong = draft(signature=replace(scanned, document_digest=b"short"))
    assert set(faults_of(wrong)) == {"signature.document_sha256"}


@pytest.mark.parametrize(
    ("days_left", "alert"), [(31, None), (30, 30), (15, 30), (14, 14), (8, 14), (7, 7), (0, 7), (-1, None)]
)
def test_a_consent_is_listed_30_14_and_7_days_before_its_last_day(days_left: int, alert: int | None) -> None:
    """By the programme's own calendar: at nine in the evening in New York it is still the day before in London."""
    evening = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
    last_day = date(2026, 11, 21) + timedelta(days=days_left)
    made = consent(draft(expiry=Expiry(last_day=last_day), signature=signature(NOW - timedelta(days=60))))
    line = is_expiring(made, programme(), at=evening)
    assert (line and (line.days_left, line.alert)) == (None if alert is None else (days_left, alert))
    assert earliest_alert() == 30


def test_what_has_ended_or_has_no_last_day_expires_not() -> None:
    near = draft(expiry=Expiry(last_day=TODAY + timedelta(days=3)))
    assert is_expiring(consent(near, revoked_at=NOW), programme(), at=NOW) is None
    assert is_expiring(consent(draft(expiry=Expiry(event="discharge"))), programme(), at=NOW) is None


RECIPIENTS = [
    TO_MOTHER,
    Recipient(person=GUARDIAN),
    Recipient(name="General Hospital"),
    Recipient(group=RecipientClass.HEALTH_PLANS),
]
MOMENTS = some.datetimes(datetime(2026, 2, 17), datetime(2028, 1, 1), timezones=some.just(UTC))  # noqa: DTZ001  the bounds go without the zone that is given


@some.composite
def kept_consents(draw: some.DrawFn) -> Consent:
    kind = draw(some.sampled_from(ConsentKind))
    named = [to for to in RECIPIENTS if to.person is None or kind is not ConsentKind.TREATMENT_PAYMENT_OPERATIONS]
    signed_at = draw(some.datetimes(datetime(2026, 2, 17), datetime(2026, 11, 1), timezones=some.just(UTC)))  # noqa: DTZ001  the bounds go without the zone that is given
    made = consent(
        draft(
            kind=kind,
            form=next(form.version for form in forms().values() if (form.kind, form.jurisdiction) == (kind, "US")),
            recipients=tuple(draw(some.lists(some.sampled_from(named), min_size=1, unique=True))),
            categories=draw(some.frozensets(some.sampled_from(sorted(MAY_COVER[kind])), min_size=1)),
            purposes=draw(some.frozensets(some.sampled_from(sorted(MAY_BE_FOR[kind])), min_size=1)),
            expiry=draw(some.sampled_from([Expiry(event="discharge"), Expiry(last_day=date(2027, 1, 1))])),
            signature=signature(signed_at),
            revocable_from=date(2026, 12, 1) if kind is ConsentKind.CRIMINAL_JUSTICE else None,
        )
    )
    return replace(
        made,
        discloser=draw(some.sampled_from([PROGRAMME, PROGRAMME, ELSEWHERE])),
        revoked_at=draw(some.none() | some.datetimes(datetime(2026, 11, 1), timezones=some.just(UTC))),  # noqa: DTZ001  the bounds go without the zone that is given
        event_at=draw(some.none() | some.datetimes(datetime(2026, 11, 1), timezones=some.just(UTC))),  # noqa: DTZ001  the bounds go without the zone that is given
    )


def covers(made: Consent, to: Question, at: datetime) -> bool:
    """The rule once more, written down differently."""
    ends = [end for end in (made.expires_at, made.revoked_at, made.event_at) if end is not None]
    return (
        to.recipient in made.recipients
        and to.programme == made.discloser
        and to.category in made.categories
        and to.purpose in made.purposes
        and made.signature.signed_at <= at < min(ends, default=at + SECOND)
    )


@given(
    some.lists(kept_consents(), max_size=6),
    some.sampled_from(RECIPIENTS),
    some.sampled_from(Category),
    some.sampled_from(Purpose),
    some.sampled_from(["US", "UK", "AU"]),
    some.booleans(),
    some.booleans(),
    MOMENTS,
)
def test_nothing_is_ever_allowed_that_no_single_consent_in_force_covers(
    consents: list[Consent],
    recipient: Recipient,
    category: Category,
    purpose: Purpose,
    profile: str,
    known: bool,  # noqa: FBT001  given by hypothesis or pytest, by name
    checked: bool,  # noqa: FBT001  given by hypothesis or pytest, by name
    at: datetime,
) -> None:
    rules = rules_on(profile, TODAY)
    asked = question(recipient=recipient, category=category, purpose=purpose, known_already=known, checked=checked)
    found = may_tell(asked, at=at, consents=consents, rules=rules)
    covering = {made.id for made in consents if covers(made, asked, at)}
    assert found.allowed == (found.reason in ALLOWING)
    assert checked or not found.allowed or category in NEEDS_NO_CONSENT
    match found.reason:
        case Reason.CONSENT:
            assert found.consent in covering
        case Reason.ASKER_NOT_CHECKED:
            assert not checked
            assert found.consent is None
        case Reason.NOTHING_DISCLOSED:
            assert category in NEEDS_NO_CONSENT
        case Reason.ALREADY_KNOWN:
            assert known
            assert category in rules.known_already
        case _:
            assert not covering
            assert category not in NEEDS_NO_CONSENT


# --- what people do ----------------------------------------------------------------------------------------------


@dataclass
class Told:
    """A journal that remembers."""

    events: list[Event] = field(default_factory=list[Event])

    def saw(self, client: ClientId, kind: str) -> None: ...

    def tell(self, event: Event) -> None:
        self.events.append(event)


@dataclass
class Around:
    """The people around the client."""

    people: dict[RelatedPersonId, RelatedPerson] = field(default_factory=lambda: dict(AROUND))

    async def add(self, person: RelatedPerson) -> None: ...

    async def get(self, person: RelatedPersonId, *, client: ClientId) -> RelatedPerson:
        assert client == CLIENT
        return self.people[person]

    async def around(self, client: ClientId) -> Sequence[RelatedPerson]:
        assert client == CLIENT
        return list(self.people.values())

    async def begin(self, involvement: Involvement) -> None: ...

    async def end(self, ended: Involvement) -> None: ...

    async def warn(self, warning: SafetyWarning) -> None: ...

    async def lift(self, lifted: SafetyWarning) -> None: ...

    async def add_information(self, information: Information) -> None: ...

    async def add_confided(self, information: Information, confided: Confided) -> None: ...

    async def take_back_information(self, information: Information, taken_back: TakenBack) -> None: ...

    async def get_information(self, information: InformationId, *, client: ClientId) -> Information:
        del information, client
        raise InformationUnknown

    async def information(self, client: ClientId) -> Sequence[Information]:
        assert client == CLIENT
        return []


@dataclass
class Kept:
    """Consents kept in memory."""

    consents: dict[ConsentId, Consent] = field(default_factory=dict[ConsentId, Consent])
    agreed: list[AgreedRestriction] = field(default_factory=list[AgreedRestriction])

    async def restrictions(self, client: ClientId) -> Sequence[AgreedRestriction]:
        assert client == CLIENT
        return self.agreed

    async def add(self, new: Consent) -> None:
        self.consents[new.id] = new

    async def get(self, wanted: ConsentId, *, client: ClientId) -> Consent:
        found = self.consents.get(wanted)
        if found is None or client != CLIENT:
            raise ConsentUnknown
        return found

    async def of(self, client: ClientId) -> Sequence[Consent]:
        assert client == CLIENT
        return list(self.consents.values())

    async def hold(self, client: ClientId) -> datetime | None:
        assert client == CLIENT
        return None

    async def add_revocation(self, revocation: Revocation, *, of: Consent) -> None:
        if self.consents[of.id].revoked_at is not None:
            raise AlreadyRevoked
        self.consents[of.id] = replace(self.consents[of.id], revoked_at=revocation.received_at)

    async def add_event(self, event: EventHappened, *, of: Consent) -> None:
        if self.consents[of.id].event_at is not None:
            raise EventAlreadyRecorded
        self.consents[of.id] = replace(self.consents[of.id], event_at=event.happened_at)


def staff(role: Role) -> Staff:
    return Staff(
        id=StaffId(new_id()),
        user_name="kim",
        printed_name="Kim Example",
        session=None,
        holdings=(Holding(role=role, programme=PROGRAMME),),
    )


def client() -> Client:
    return Client(
        id=CLIENT,
        programme=PROGRAMME,
        identity=Identity(given_name="Sam", family_name="Example", birth_date=date(1990, 1, 1)),
        version=1,
        identifiers=(),
        registered_by=StaffId(new_id()),
        registered_at=NOW,
    )


COUNSELLOR = staff(Role.COUNSELLOR)


def given_consent(kept: Kept, told: Told, by: Staff = COUNSELLOR, what: Draft | None = None) -> Consent:
    return asyncio.run(
        give_consent(
            client(),
            what or draft(),
            as_id=ConsentId(new_id()),
            programme=programme(),
            by=by,
            now=NOW,
            families=Around(),
            consents=kept,
            journal=told,
        )
    )


def asked_of(
    kept: Kept, told: Told, what: Asked, by: Staff = COUNSELLOR, around: Around | None = None
) -> Sequence[Answer]:
    return asyncio.run(
        ask(
            what,
            client=client(),
            programme=programme(),
            by=by,
            now=NOW,
            consents=kept,
            families=around or Around(),
            journal=told,
        )
    )


def revoked(
    kept: Kept,
    told: Told,
    made: Consent,
    *,
    received_at: datetime,
    by: Staff = COUNSELLOR,
    representative: RelatedPerson | None = None,
) -> Revocation:
    return asyncio.run(
        revoke_consent(
            made,
            how=How.SPOKEN,
            received_at=received_at,
            note=None,
            client=client(),
            by=by,
            now=NOW,
            consents=kept,
            journal=told,
            representative=representative,
        )
    )


def happened(kept: Kept, told: Told, made: Consent, *, at: datetime, by: Staff = COUNSELLOR) -> EventHappened:
    return asyncio.run(record_event(made, happened_at=at, client=client(), by=by, now=NOW, consents=kept, journal=told))


ATTENDANCE_AND_DOSES = Asked(
    recipient=TO_MOTHER,
    categories=(Category.ATTENDANCE, Category.MEDICATION, Category.ATTENDANCE),
    purpose=Purpose.FAMILY_INVOLVEMENT,
    check=IdentityCheck(method=CheckMethod.IN_PERSON),
)


def test_asking_answers_each_category_once_and_tells_the_journal_allow_and_deny() -> None:
    kept, told = Kept(), Told()
    made = given_consent(kept, told)
    answers = asked_of(kept, told, ATTENDANCE_AND_DOSES)
    assert [(found.category, found.allowed) for found in answers] == [
        (Category.ATTENDANCE, True),
        (Category.MEDICATION, False),
    ]
    given_event, allowed, refused = told.events
    assert given_event.name == "consent.given"
    assert (allowed.name, allowed.facts["answer"], allowed.facts["category"]) == (
        "consent.asked",
        "allowed",
        "attendance",
    )
    assert (refused.facts["answer"], refused.facts["reason"]) == ("refused", "other_category")
    assert allowed.records == (MOTHER, made.id)


def test_a_call_back_is_held_to_the_number_on_file() -> None:
    by_phone = replace(ATTENDANCE_AND_DOSES, check=IdentityCheck(method=CheckMethod.CALL_BACK))
    with pytest.raises(Invalid, match="no number of this person is on file"):
        asked_of(Kept(), Told(), by_phone)
    told = Told()
    elsewhere = IdentityCheck(method=CheckMethod.CALL_BACK, detail="the hospital's switchboard")
    asked_of(Kept(), told, replace(by_phone, recipient=Recipient(name="General Hospital"), check=elsewhere))
    assert told.events[0].facts["check"] == "call_back"
    asked_of(Kept(), told, replace(by_phone, check=None))
    assert told.events[-1].facts["check"] == "none"


def test_asking_about_a_stranger_leaves_no_name_in_the_journal() -> None:
    told = Told()
    caller = replace(ATTENDANCE_AND_DOSES, recipient=Recipient(name="Some Caller"))
    asked_of(Kept(), told, caller)
    assert "Some Caller" not in str(told.events)
    assert told.events[0].records == ()


def test_a_question_without_recipient_or_category_is_refused() -> None:
    nothing = Asked(recipient=Recipient(), categories=(), purpose=Purpose.FAMILY_INVOLVEMENT)
    with pytest.raises(Invalid) as found:
        asked_of(Kept(), Told(), nothing)
    assert {fault.field for fault in found.value.faults} == {"recipient", "categories"}


def test_a_revocation_counts_from_its_receipt_and_only_once() -> None:
    kept, told = Kept(), Told()
    made = given_consent(kept, told)
    revoked(kept, told, made, received_at=NOW)
    assert not asked_of(kept, told, ATTENDANCE_AND_DOSES)[0].allowed
    assert told.events[1].name == "consent.revoked"
    with pytest.raises(AlreadyRevoked):
        revoked(kept, told, made, received_at=NOW)


@pytest.mark.parametrize("received_at", [NOW + SECOND, signature().signed_at - SECOND])
def test_a_revocation_is_received_after_the_signature_and_not_in_the_future(received_at: datetime) -> None:
    kept, told = Kept(), Told()
    with pytest.raises(Invalid):
        revoked(kept, told, given_consent(kept, told), received_at=received_at)


def test_a_blank_note_on_a_revocation_is_refused() -> None:
    kept, told = Kept(), Told()
    made = given_consent(kept, told)
    with pytest.raises(Invalid, match="note"):
        asyncio.run(
            revoke_consent(
                made,
                how=How.IN_WRITING,
                received_at=NOW,
                note=" ",
                client=client(),
                by=COUNSELLOR,
                now=NOW,
                consents=kept,
                journal=told,
            )
        )


def test_an_event_ends_only_the_consent_that_was_tied_to_one() -> None:
    kept, told = Kept(), Told()
    dated = given_consent(kept, told)
    with pytest.raises(Invalid, match="does not end with an event"):
        happened(kept, told, dated, at=NOW)
    tied = given_consent(kept, told, what=draft(expiry=Expiry(event="discharge")))
    for wrong in (NOW + SECOND, tied.signature.signed_at - SECOND):
        with pytest.raises(Invalid):
            happened(kept, told, tied, at=wrong)
    happened(kept, told, tied, at=NOW)
    assert told.events[-1].name == "consent.ended_by_event"
    with pytest.raises(EventAlreadyRecorded):
        happened(kept, told, tied, at=NOW)


def test_a_consent_is_found_only_with_its_own_client() -> None:
    kept, told = Kept(), Told()
    made = given_consent(kept, told)
    assert asyncio.run(kept.get(made.id, client=CLIENT)) == made
    with pytest.raises(ConsentUnknown):
        asyncio.run(kept.get(made.id, client=ClientId(new_id())))


FRONT_DESK, PHARMACIST = staff(Role.FRONT_DESK), staff(Role.PHARMACIST)


def test_who_may_not_do_it_is_refused() -> None:
    kept, told = Kept(), Told()
    for attempt in (
        lambda: given_consent(kept, told, by=FRONT_DESK),
        lambda: revoked(kept, told, consent(), received_at=NOW, by=FRONT_DESK),
        lambda: happened(kept, told, consent(), at=NOW, by=FRONT_DESK),
        lambda: given_consent(kept, told, by=PHARMACIST),
        lambda: asked_of(kept, told, ATTENDANCE_AND_DOSES, by=staff(Role.INSPECTOR)),
    ):
        with pytest.raises(NotPermitted):
            attempt()
    assert told.events == []


# --- safety warnings ------------------------------------------------------------------------------------------------


def warned_mother(kind: WarningKind, *, since: datetime = LONG_AGO, until: datetime | None = None) -> Around:
    warning = SafetyWarning(
        id=WarningId(new_id()),
        client=CLIENT,
        person=MOTHER,
        kind=kind,
        note="Speak with Sam alone.",
        recorded_by=StaffId(new_id()),
        recorded_at=since,
        lifted_at=until,
    )
    about = replace(AROUND[MOTHER], warnings=(warning,))
    return Around({MOTHER: replace(about, details=replace(about.details, phone="555 0100"))})


def asks(method: CheckMethod = CheckMethod.IN_PERSON, **said: Any) -> Asked:
    detail = "passport" if method is CheckMethod.DOCUMENT else None
    usual = Asked(
        recipient=TO_MOTHER,
        categories=(Category.ATTENDANCE,),
        purpose=Purpose.FAMILY_INVOLVEMENT,
        check=IdentityCheck(method=method, detail=detail),
    )
    return replace(usual, **said)


def test_domestic_risk_refuses_whatever_was_signed_and_listening_stays_free() -> None:
    kept, told = Kept(), Told()
    given_consent(kept, told)
    around = warned_mother(WarningKind.DOMESTIC_RISK)
    wanted = asks(categories=(Category.ATTENDANCE, Category.GENERAL_INFORMATION))
    attendance, general = asked_of(kept, told, wanted, around=around)
    assert (attendance.allowed, attendance.reason, attendance.consent) == (False, Reason.SAFETY_WARNING, None)
    assert attendance.advice == US.advice_when_warned
    assert general.reason is Reason.NOTHING_DISCLOSED
    assert asked_of(kept, told, asks(), around=Around())[0].allowed


def test_whoever_writes_out_the_name_of_a_person_of_whom_there_is_a_warning_is_taken_for_them() -> None:
    kept, told, around = Kept(), Told(), warned_mother(WarningKind.DOMESTIC_RISK)
    for name, reason in (
        ("ROSA  example", Reason.SAFETY_WARNING),
        ("Example, Rósa", Reason.SAFETY_WARNING),
        ("Rosa Other", Reason.NO_CONSENT),
    ):
        named = asks(recipient=Recipient(name=name))
        assert asked_of(kept, told, named, around=around)[0].reason is reason


def test_without_a_check_a_warning_changes_no_answer() -> None:
    kept, told = Kept(), Told()
    given_consent(kept, told)
    unchecked = asks(check=None)
    answers = asked_of(kept, told, unchecked, around=warned_mother(WarningKind.DOMESTIC_RISK))
    assert answers == asked_of(kept, told, unchecked)


def test_whoever_is_not_to_be_called_is_told_nothing_on_a_call_back_and_may_be_told_in_person() -> None:
    kept, told, around = Kept(), Told(), warned_mother(WarningKind.DO_NOT_CALL)
    given_consent(kept, told)
    assert asked_of(kept, told, asks(CheckMethod.CALL_BACK), around=around)[0].reason is Reason.SAFETY_WARNING
    assert asked_of(kept, told, asks(CheckMethod.IN_PERSON), around=around)[0].allowed


def test_who_may_not_know_of_a_warning_reads_what_stands_where_there_is_no_consent_and_the_log_knows_why() -> None:
    kept, told = Kept(), Told()
    given_consent(kept, told)
    desk = staff(Role.FRONT_DESK)
    shown = asked_of(kept, told, asks(), desk, around=warned_mother(WarningKind.DOMESTIC_RISK))
    assert told.events[-1].facts["reason"] == "safety_warning"
    assert shown == asked_of(Kept(), told, asks(), desk)
    assert asked_of(kept, told, asks(), desk)[0].allowed


@given(
    kind=some.sampled_from(WarningKind),
    method=some.sampled_from(CheckMethod),
    since=some.integers(-3, 3),
    lasts=some.none() | some.integers(0, 6),
)
def test_nothing_is_allowed_while_a_warning_that_concerns_it_stands(
    kind: WarningKind, method: CheckMethod, since: int, lasts: int | None
) -> None:
    kept, told, begins = Kept(), Told(), NOW + since * SECOND
    given_consent(kept, told)
    around = warned_mother(kind, since=begins, until=None if lasts is None else begins + lasts * SECOND)
    stands = lasts is None or since + lasts > 0
    concerns = kind is WarningKind.DOMESTIC_RISK or method is CheckMethod.CALL_BACK
    around.people[MOTHER] = replace(around.people[MOTHER])
    assert asked_of(kept, told, asks(method), around=around)[0].allowed is not (stands and concerns)


# --- minors, and what is attested -----------------------------------------------------------------------------------

BOSTON = ZoneInfo("America/New_York")
WITH_PARENT: dict[str, Any] = {"co_signer": GUARDIAN, "co_signed_name": "Rosa Example"}


def of_client_born(born: date) -> Setting:
    return replace(setting(), born=born)


def signed(at: datetime = NOW, **changes: Any) -> Draft:
    return draft(signature=replace(signature(at), **changes))


def with_parent(**changes: Any) -> Draft:
    return signed(**{**WITH_PARENT, **changes})


def test_a_minor_signs_together_with_a_parent_whose_authority_is_on_file() -> None:
    where = of_client_born(TODAY.replace(year=TODAY.year - 16))
    assert "2.14(c)" in faults_of(signed(), where)["signature.co_signer_id"]
    made = consent(with_parent(), where=where)
    assert (made.signature.co_signer, made.signature.co_signed_name) == (GUARDIAN, "Rosa Example")
    assert set(faults_of(with_parent(co_signer=MOTHER), where)) == {"signature.co_signer_id"}
    assert set(faults_of(with_parent(co_signer=STRANGER), where)) == {"signature.co_signer_id"}
    assert set(faults_of(with_parent(co_signed_name=" "), where)) == {"signature.co_signed_name"}
    assert set(faults_of(signed(co_signer=GUARDIAN), where)) == {"signature.co_signed_name"}


def test_nobody_signs_in_the_place_of_a_minor_and_nobody_with_whoever_is_of_age() -> None:
    parent_alone: dict[str, Any] = {"signatory": Signatory.REPRESENTATIVE, "representative": GUARDIAN}
    minor = of_client_born(TODAY.replace(year=TODAY.year - 16))
    assert "signature.signatory" in faults_of(signed(**parent_alone), minor)
    assert consent(signed(**parent_alone)).signature.representative == GUARDIAN
    assert set(faults_of(with_parent())) == {"signature.co_signer_id"}


@pytest.mark.parametrize(
    ("born", "of_age_on"),
    [
        (date(2008, 11, 2), date(2026, 11, 2)),
        (date(2008, 2, 29), date(2026, 3, 1)),
        (date(2008, 3, 8), date(2026, 3, 8)),
    ],
)
def test_a_client_is_of_age_from_the_local_midnight_of_the_birthday(born: date, of_age_on: date) -> None:
    midnight = datetime.combine(of_age_on, time(), tzinfo=BOSTON).astimezone(UTC)
    where = of_client_born(born)
    assert consent(signed(midnight), where=where).signature.co_signer is None
    assert "signature.co_signer_id" in faults_of(signed(midnight - SECOND), where)


def test_where_no_rule_about_minors_is_known_nothing_is_decided_here() -> None:
    abroad = replace(of_client_born(TODAY), programme=programme(profile="UK", time_zone="Europe/London"))
    assert consent(signed_in_the_uk(), where=abroad).signature.co_signer is None


def signed_in_the_uk() -> Draft:
    return replace(signed(), form="uk-named-2024-01")


@given(
    born=some.dates(date(2000, 1, 1), date(2026, 1, 1)),
    on=some.dates(date(2000, 1, 1), date(2050, 1, 1)),
    until=some.integers(14, 21),
    alone=some.none() | some.integers(10, 21),
)
def test_a_minor_grows_up_once_and_for_all(born: date, on: date, until: int, alone: int | None) -> None:
    rule = Minors(rule="x", source="x", says="x", until_age=until, alone_from_age=alone)
    tomorrow = on + timedelta(days=1)
    assert rule.is_minor(born, on) or not rule.is_minor(born, tomorrow)
    assert rule.needs_parent(born, on) or not rule.needs_parent(born, tomorrow)
    assert rule.is_minor(born, on) or not rule.needs_parent(born, on)
    assert not rule.is_minor(born, date(born.year + until, 12, 31))
    whole_years = on.year - born.year - ((on.month, on.day) < (born.month, born.day))
    assert rule.is_minor(born, on) is (whole_years < until)
    assert rule.needs_parent(born, on) is (whole_years < until and (alone is None or whole_years < alone))


def test_the_exact_words_that_are_attested_of_a_typed_signature_are_kept() -> None:
    assert consent().signature.attestation == US.typed_signature
    assert consent(signed(document_digest=bytes(32))).signature.attestation is None


def test_a_variant_may_let_minors_sign_alone_and_makes_nobody_of_age_sooner() -> None:
    base = profile_on("US", TODAY)
    assert base.minors is not None
    alone = msgspec.structs.replace(base, minors=msgspec.structs.replace(base.minors, alone_from_age=12))
    assert loosened(base, alone) == []
    sooner = msgspec.structs.replace(base, minors=msgspec.structs.replace(base.minors, until_age=17))
    assert loosened(base, sooner) == ["minors.until_age: of age earlier"]
    assert loosened(base, msgspec.structs.replace(base, minors=None)) == ["minors: no rule any more"]
    assert loosened(profile_on("UK", TODAY), profile_on("UK", TODAY)) == []


def test_nobody_is_near_to_a_class_and_a_name_in_another_order_is() -> None:
    made = consent(operations())
    found = near_recipients(Recipient(name="Hospital, General"), [made], [], at=NOW)
    assert found == [Recipient(name="General Hospital")]
    assert near_recipients(Recipient(name="health plans"), [made], [], at=NOW) == []
