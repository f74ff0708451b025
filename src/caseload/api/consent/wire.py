"""Consents on the wire: what was signed, what it is worth, and what ends it."""

from collections.abc import Collection
from datetime import date, datetime
from typing import Self
from uuid import UUID

from caseload.api.wire import Instant, Wire
from caseload.domain.consent import (
    Category,
    CheckMethod,
    Consent,
    ConsentKind,
    Draft,
    Expiry,
    How,
    IdentityCheck,
    Purpose,
    Recipient,
    RecipientClass,
    Signatory,
    Signature,
    Standing,
)
from caseload.domain.ids import ProgrammeId, RelatedPersonId


class RecipientWire(Wire, frozen=True, kw_only=True, omit_defaults=True):
    """Whoever may be or wants to be told: exactly one of a person on the client's list, a name, or a class."""

    person_id: UUID | None = None
    name: str | None = None
    group: RecipientClass | None = None

    def read(self) -> Recipient:
        """As the domain speaks of it."""
        person = None if self.person_id is None else RelatedPersonId(self.person_id)
        return Recipient(person=person, name=self.name, group=self.group)


class CheckWire(Wire, frozen=True, kw_only=True, omit_defaults=True):
    """How staff made sure of who is asking."""

    method: CheckMethod
    detail: str | None = None
    """Which document; or which number was rung and where it was on file, for somebody who is not on the list."""

    def read(self) -> IdentityCheck:
        """As the domain speaks of it."""
        return IdentityCheck(method=self.method, detail=self.detail)


class ExpiryWire(Wire, frozen=True, kw_only=True, omit_defaults=True):
    """When a consent ends by itself: exactly one of the three."""

    last_day: date | None = None
    """The last day on which it is in force, in the programme's calendar."""
    event: str | None = None
    never: bool = False
    """For treatment, payment and operations only."""

    def read(self) -> Expiry:
        """As the domain speaks of it."""
        return Expiry(last_day=self.last_day, event=self.event, never=self.never)


class SignatureWire(Wire, frozen=True, kw_only=True, omit_defaults=True):
    """Who signed and when."""

    signatory: Signatory
    name: str
    """As written or typed by whoever signed."""
    signed_at: Instant
    representative_id: UUID | None = None
    """Who signed for the client, if somebody did."""
    document_sha256: str | None = None
    """Of the scanned document, in hexadecimal; without it the name was typed before you, and you attest it."""
    co_signer_id: UUID | None = None
    """The parent or guardian who signed with a minor; then `signed_at` is when the last of them did."""
    co_signed_name: str | None = None

    def read(self) -> Signature:
        """As the domain speaks of it."""
        return Signature(
            signatory=self.signatory,
            name=self.name,
            signed_at=self.signed_at,
            representative=None if self.representative_id is None else RelatedPersonId(self.representative_id),
            document_digest=None if self.document_sha256 is None else _digest(self.document_sha256),
            co_signer=None if self.co_signer_id is None else RelatedPersonId(self.co_signer_id),
            co_signed_name=self.co_signed_name,
        )


def _digest(written: str) -> bytes:
    """The bytes of a digest; none of them where it is not hexadecimal, which the domain refuses by name."""
    try:
        return bytes.fromhex(written)
    except ValueError:
        return b""


class ConsentIn(Wire, frozen=True, kw_only=True):
    """A consent as it was filled in; it is kept only when every element of 42 CFR 2.31(a) is there."""

    kind: ConsentKind
    form: str
    """The version of the form that was signed, from the list of forms."""
    discloser_id: UUID | None = None
    """The programme whose staff may tell."""
    recipients: tuple[RecipientWire, ...] = ()
    categories: tuple[Category, ...] = ()
    purposes: tuple[Purpose, ...] = ()
    expiry: ExpiryWire = ExpiryWire()
    signature: SignatureWire | None = None
    revocable_from: date | None = None
    """The first day on which it can be revoked; for the criminal justice system only (42 CFR 2.35(c))."""

    def read(self) -> Draft:
        """As the domain speaks of it."""
        return Draft(
            kind=self.kind,
            form=self.form,
            discloser=None if self.discloser_id is None else ProgrammeId(self.discloser_id),
            recipients=tuple(recipient.read() for recipient in self.recipients),
            categories=frozenset(self.categories),
            purposes=frozenset(self.purposes),
            expiry=self.expiry.read(),
            signature=None if self.signature is None else self.signature.read(),
            revocable_from=self.revocable_from,
        )


class ConsentOut(Wire, frozen=True, kw_only=True):
    """A consent, and what it is worth at the moment of the answer."""

    id: UUID
    client_id: UUID
    kind: ConsentKind
    form: str
    discloser_id: UUID
    recipients: list[RecipientWire]
    categories: list[Category]
    purposes: list[Purpose]
    expiry: ExpiryWire
    expires_at: datetime | None
    signature: SignatureWire
    attestation: str | None
    """The exact words that whoever recorded a typed signature attested by it."""
    recorded_at: datetime
    revocable_at: datetime | None
    """Before this instant a revocation waits (42 CFR 2.35(c)); none: it counts at once."""
    revoked_at: datetime | None
    ended_by_event_at: datetime | None
    standing: Standing
    no_longer_involved: list[UUID]
    """Recipients on the client's list who take part in no way any more. The consent stands; ask the client about it."""

    @classmethod
    def of(cls, consent: Consent, *, at: datetime, gone: Collection[RelatedPersonId]) -> Self:
        """From the domain; `gone` are those around the client who take part in no way at that moment."""
        signature = consent.signature
        return cls(
            id=consent.id,
            client_id=consent.client,
            kind=consent.kind,
            form=consent.form,
            discloser_id=consent.discloser,
            recipients=[
                RecipientWire(person_id=each.person, name=each.name, group=each.group) for each in consent.recipients
            ],
            categories=sorted(consent.categories),
            purposes=sorted(consent.purposes),
            expiry=ExpiryWire(last_day=consent.expiry.last_day, event=consent.expiry.event, never=consent.expiry.never),
            expires_at=consent.expires_at,
            signature=SignatureWire(
                signatory=signature.signatory,
                name=signature.name,
                signed_at=signature.signed_at,
                representative_id=signature.representative,
                document_sha256=None if signature.document_digest is None else signature.document_digest.hex(),
                co_signer_id=signature.co_signer,
                co_signed_name=signature.co_signed_name,
            ),
            attestation=signature.attestation,
            recorded_at=consent.recorded_at,
            revocable_at=consent.revocable_at,
            revoked_at=consent.revoked_at,
            ended_by_event_at=consent.event_at,
            standing=consent.standing(at),
            no_longer_involved=[
                each.person for each in consent.recipients if each.person is not None and each.person in gone
            ],
        )


class GivenConsentOut(ConsentOut, frozen=True, kw_only=True):
    """A consent that was just recorded, and what others allow beside it."""

    still_allows: tuple[UUID, ...] = ()
    """Other consents in force that allow a recipient of this one more, or for longer. Consents are a union: this one ends
    nothing of them. Ask the client, and revoke what they no longer want."""


class ConsentsOut(Wire, frozen=True, kw_only=True):
    """Every consent a client ever gave, the newest signature first."""

    items: list[ConsentOut]


class RevocationIn(Wire, frozen=True, kw_only=True):
    """A client's word that a consent no longer holds."""

    how: How
    received_at: Instant | None = None
    """When we received it; now when left out. It counts from then on."""
    note: str | None = None
    representative_id: UUID | None = None
    """Who revoked it for the client, if somebody did: a representative who could act for them then."""


class ExpiryEventIn(Wire, frozen=True, kw_only=True):
    """The event has come with which a consent ends."""

    happened_at: Instant | None = None
    """When it happened; now when left out."""
