"""Completing a consent: every element is there, and goes with the others, or it says which is missing."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from caseload.domain.consent.addressee import Recipient
from caseload.domain.consent.consent import Consent, Draft, Signature
from caseload.domain.consent.forms import Form, forms, jurisdiction_of, rules_on
from caseload.domain.consent.names import is_named
from caseload.domain.consent.words import (
    CONSENTABLE,
    TREATMENT_PAYMENT_OPERATIONS,
    Category,
    ConsentKind,
    Purpose,
    Signatory,
)
from caseload.domain.errors import Faults, Invalid
from caseload.domain.family import LONGEST_NAME, LONGEST_TEXT, WHY_NOT, Held, RelatedPerson, text_fault
from caseload.domain.ids import ClientId, ConsentId, RelatedPersonId, StaffId
from caseload.domain.programme import Programme

DIGEST_BYTES = 32
LONGEST_CONSENT = timedelta(days=25 * 366)
"""Not a rule of anybody's: a last day further away than this is a slip of the pen."""


_ORDINARY = CONSENTABLE - {Category.COUNSELLING_NOTES}
_NOT_LEGAL = frozenset(Purpose) - {
    Purpose.LEGAL_PROCEEDINGS, Purpose.CRIMINAL_JUSTICE, Purpose.PUBLIC_DUTY, Purpose.AUDIT,
}  # fmt: skip

MAY_COVER: Mapping[ConsentKind, frozenset[Category]] = MappingProxyType({
    ConsentKind.NAMED: _ORDINARY,
    ConsentKind.TREATMENT_PAYMENT_OPERATIONS: _ORDINARY,
    ConsentKind.COUNSELLING_NOTES: frozenset({Category.COUNSELLING_NOTES}),
    ConsentKind.LEGAL_PROCEEDINGS: _ORDINARY,
    ConsentKind.CRIMINAL_JUSTICE: _ORDINARY,
})  # fmt: skip
"""What each kind may cover: counselling notes only by a consent of their own (2.31(b))."""

MAY_BE_FOR: Mapping[ConsentKind, frozenset[Purpose]] = MappingProxyType({
    ConsentKind.NAMED: _NOT_LEGAL,
    ConsentKind.TREATMENT_PAYMENT_OPERATIONS: TREATMENT_PAYMENT_OPERATIONS,
    ConsentKind.COUNSELLING_NOTES: _NOT_LEGAL,
    ConsentKind.LEGAL_PROCEEDINGS: frozenset({Purpose.LEGAL_PROCEEDINGS}),
    ConsentKind.CRIMINAL_JUSTICE: frozenset({Purpose.CRIMINAL_JUSTICE}),
})  # fmt: skip
"""What each kind may be for: proceedings only by a consent of their own (2.31(d)), criminal justice too (2.35)."""

_WHY_APART = "counselling notes, legal proceedings and general information are never mixed with anything else"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Where a consent is given: the client's programme, and the people around the client."""

    programme: Programme
    around: Mapping[RelatedPersonId, RelatedPerson]
    born: date
    """The client's birth date: whether they are a minor is asked of the day of the signature."""


def end_of(day: date, zone: ZoneInfo) -> datetime:
    """The instant at which a day ends in this zone, in UTC; right also on the days on which clocks change.

    Of two midnights it is the first; a midnight that the clocks skip is the instant at which they skip it.
    """
    return datetime.combine(day + timedelta(days=1), time(), tzinfo=zone).astimezone(UTC)


def complete(
    draft: Draft,
    *,
    as_id: ConsentId,
    client: ClientId,
    setting: Setting,
    recorded_by: StaffId,
    recorded_at: datetime,
) -> Consent:
    """The consent that this draft amounts to, or `Invalid` naming everything that is missing or does not belong."""
    faults = Faults()
    form, signature = forms().get(draft.form), draft.signature
    _check_form(draft, form, setting, recorded_at, faults)
    _check_discloser(draft, setting, faults)
    _check_recipients(draft, setting, faults)
    _check_scope(draft, faults)
    _check_expiry(draft, setting, faults)
    _check_revocable(draft, faults)
    _check_signature(signature, setting, recorded_at, faults)
    _check_minor(signature, setting, faults)
    if form is None or signature is None or faults.found:
        raise Invalid(faults.found)
    last_day = draft.expiry.last_day
    return Consent(
        id=as_id,
        client=client,
        kind=draft.kind,
        form=form.version,
        form_digest=form.digest,
        discloser=setting.programme.id,
        recipients=draft.recipients,
        categories=draft.categories,
        purposes=draft.purposes,
        expiry=draft.expiry,
        expires_at=None if last_day is None else end_of(last_day, setting.programme.zone),
        revocable_at=None
        if draft.revocable_from is None
        else end_of(draft.revocable_from - timedelta(days=1), setting.programme.zone),
        signature=replace(signature, attestation=_attested(signature, setting.programme)),
        recorded_at=recorded_at,
        recorded_by=recorded_by,
    )


def _check_form(draft: Draft, form: Form | None, setting: Setting, recorded_at: datetime, faults: Faults) -> None:
    profile = setting.programme.profiles.name_on(setting.programme.today(recorded_at))
    if form is None or form.jurisdiction != jurisdiction_of(profile):
        faults.add("form", "is not a form of this programme's profile")
        return
    faults.check(
        when=form.kind is not draft.kind, where="form", problem=f"is the form of another kind of consent: {form.kind}"
    )
    signed = draft.signature
    faults.check(
        when=signed is not None and signed.signed_at.astimezone(setting.programme.zone).date() < form.in_force_from,
        where="form",
        problem=f"was not in use yet when this was signed; it is since {form.in_force_from}",
    )


def _check_discloser(draft: Draft, setting: Setting, faults: Faults) -> None:
    if draft.discloser is None:
        faults.add("discloser_id", "name the programme whose staff may tell (42 CFR 2.31(a)(2))")
    elif draft.discloser != setting.programme.id:
        faults.add("discloser_id", "must be the client's own programme")


def _check_recipients(draft: Draft, setting: Setting, faults: Faults) -> None:
    faults.check(
        when=not draft.recipients,
        where="recipients",
        problem="name at least one person or class of persons who may be told (42 CFR 2.31(a)(4))",
    )
    for place, recipient in enumerate(draft.recipients):
        where = f"recipients.{place}"
        if problem := recipient.problem():
            faults.add(where, problem)
        faults.check(
            when=recipient.person is not None and recipient.person not in setting.around,
            where=where,
            problem="is not on the list of people around this client",
        )
        faults.check(
            when=recipient.person is not None and draft.kind is ConsentKind.TREATMENT_PAYMENT_OPERATIONS,
            where=where,
            problem="a relative or friend needs a consent of their own; this kind does not cover them",
        )
        faults.check(
            when=draft.kind is ConsentKind.TREATMENT_PAYMENT_OPERATIONS and _is_of_the_list(recipient, setting),
            where=where,
            problem="is the name of somebody on the list of people around this client: a relative or friend needs a consent "
            "of their own (kind `named`); this kind does not cover them",
        )
        faults.check(
            when=any(recipient.is_same(earlier) for earlier in draft.recipients[:place]),
            where=where,
            problem="is named twice",
        )


def _is_of_the_list(recipient: Recipient, setting: Setting) -> bool:
    said = recipient.name
    return said is not None and any(is_named(said, name) for person in setting.around.values() for name in person.names)


def _check_scope(draft: Draft, faults: Faults) -> None:
    faults.check(
        when=not draft.categories, where="categories", problem="say what may be told, by category (42 CFR 2.31(a)(3))"
    )
    faults.check(when=not draft.purposes, where="purposes", problem="say what it is for (42 CFR 2.31(a)(5))")
    for category in sorted(draft.categories - MAY_COVER[draft.kind]):
        faults.add("categories", f"{category} does not belong in this kind of consent; {_WHY_APART}")
    for purpose in sorted(draft.purposes - MAY_BE_FOR[draft.kind]):
        faults.add("purposes", f"{purpose} does not belong in this kind of consent; {_WHY_APART}")


def _check_expiry(draft: Draft, setting: Setting, faults: Faults) -> None:
    expiry = draft.expiry
    faults.check(
        when=(expiry.last_day is not None) + (expiry.event is not None) + expiry.never != 1,
        where="expiry",
        problem="give exactly one of a last day, an event and, for treatment, payment and operations, none",
    )
    faults.check(
        when=expiry.never and draft.kind is not ConsentKind.TREATMENT_PAYMENT_OPERATIONS,
        where="expiry.never",
        problem="only a consent for treatment, payment and operations may have no end (42 CFR 2.31(a)(7))",
    )
    if problem := text_fault(expiry.event, longest=LONGEST_TEXT):
        faults.add("expiry.event", problem)
    if draft.signature is not None and expiry.last_day is not None:
        signed_on = draft.signature.signed_at.astimezone(setting.programme.zone).date()
        faults.check(
            when=not signed_on <= expiry.last_day <= signed_on + LONGEST_CONSENT,
            where="expiry.last_day",
            problem=f"must lie within {LONGEST_CONSENT.days // 366} years after the signature",
        )


def _check_revocable(draft: Draft, faults: Faults) -> None:
    faults.check(
        when=(draft.kind is ConsentKind.CRIMINAL_JUSTICE) != (draft.revocable_from is not None),
        where="revocable_from",
        problem="say from which day it can be revoked, for the criminal justice system and for nobody else"
        " (42 CFR 2.35(c))",
    )
    last_day = draft.expiry.last_day
    faults.check(
        when=draft.revocable_from is not None and last_day is not None and draft.revocable_from > last_day,
        where="revocable_from",
        problem="must not lie behind the last day",
    )


def _check_signature(signature: Signature | None, setting: Setting, now: datetime, faults: Faults) -> None:
    if signature is None:
        faults.add("signature", "the signature and its date are needed (42 CFR 2.31(a)(8) and (9))")
        return
    if problem := text_fault(signature.name, longest=LONGEST_NAME):
        faults.add("signature.name", problem)
    faults.check(
        when=signature.document_digest is not None and len(signature.document_digest) != DIGEST_BYTES,
        where="signature.document_sha256",
        problem="must be the SHA-256 of the scanned document",
    )
    faults.check(when=signature.signed_at > now, where="signature.signed_at", problem="must not lie in the future")
    faults.check(
        when=(signature.signatory is Signatory.REPRESENTATIVE) != (signature.representative is not None),
        where="signature.representative_id",
        problem="name the representative if, and only if, one has signed for the client",
    )
    if signature.representative is not None:
        representative = setting.around.get(signature.representative)
        held = Held.NEVER if representative is None else representative.authority_at(signature.signed_at)
        if held is not Held.YES:
            faults.add("signature.representative_id", WHY_NOT[held])


def _attested(signature: Signature, programme: Programme) -> str | None:
    """The words that are attested of a typed signature, as they stood on its day."""
    if signature.document_digest is not None:
        return None
    day = programme.today(signature.signed_at)
    return rules_on(programme.profiles.name_on(day), day).typed_signature


def _check_minor(signature: Signature | None, setting: Setting, faults: Faults) -> None:
    """Add what is wrong with who signed for a minor: they always sign, alone or with a parent (42 CFR 2.14)."""
    if signature is None:
        return
    day = setting.programme.today(signature.signed_at)
    minors = setting.programme.rules_on(day).minors
    minor = minors is not None and minors.is_minor(setting.born, day)
    needs_parent = minors is not None and minors.needs_parent(setting.born, day)
    faults.check(
        when=minor and signature.signatory is Signatory.REPRESENTATIVE,
        where="signature.signatory",
        problem="a minor signs themselves, alone or together with a parent or guardian (42 CFR 2.14)",
    )
    faults.check(
        when=needs_parent is (signature.co_signer is None),
        where="signature.co_signer_id",
        problem="name the parent or guardian who signs with a minor (42 CFR 2.14(c))"
        if needs_parent
        else "is only for a minor whose parent signs too; nobody else signs with this client",
    )
    faults.check(
        when=(signature.co_signer is None) is not (signature.co_signed_name is None),
        where="signature.co_signed_name",
        problem="give the name as written by whoever signed with the client, and nobody else's",
    )
    if problem := text_fault(signature.co_signed_name, longest=LONGEST_NAME):
        faults.add("signature.co_signed_name", problem)
    if signature.co_signer is not None:
        parent = setting.around.get(signature.co_signer)
        held = Held.NEVER if parent is None else parent.authority_at(signature.signed_at)
        if held is not Held.YES:
            faults.add("signature.co_signer_id", WHY_NOT[held])
