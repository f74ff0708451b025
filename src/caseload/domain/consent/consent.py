"""A consent: what a client allows to be told, to whom, for what and until when.

Every element of 42 CFR 2.31(a) is data here, and a consent is refused unless all of them are present
(2.31(c)(2): no disclosure on a consent that is deficient on its face). The same elements are asked for under
every profile: they are the strictest of the three, and an explicit consent elsewhere needs no less.

(a)(1) client, (a)(2) discloser, (a)(3) categories, (a)(4) recipients, (a)(5) purposes, (a)(6) the statement on
revoking, (a)(7) expiry, (a)(8) signature, (a)(9) date. Counselling notes stand alone (2.31(b)), and so do legal
proceedings (2.31(d)).
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from caseload.domain.consent.addressee import Addressee, Recipient
from caseload.domain.consent.words import TELLS_WHEN, Category, ConsentKind, Purpose, Signatory
from caseload.domain.ids import ClientId, ConsentId, ProgrammeId, RelatedPersonId, RightsRequestId, StaffId


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """Who signed and when. Electronic signatures are permitted (2.31(a)(8))."""

    signatory: Signatory
    name: str
    """As written or typed by whoever signed."""
    signed_at: datetime
    representative: RelatedPersonId | None = None
    """Who signed for the client, if somebody did."""
    document_digest: bytes | None = None
    """SHA-256 of the scanned document; none for a name typed before whoever records it, who attests it by that."""
    co_signer: RelatedPersonId | None = None
    """The parent or guardian who signed with a minor (42 CFR 2.14(c)); `signed_at` is when the last of them did."""
    co_signed_name: str | None = None
    attestation: str | None = None
    """The exact words that whoever recorded a typed signature attested; none for a document, and before they were kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expiry:
    """When a consent ends by itself: after a day, with an event, or never. Exactly one (2.31(a)(7))."""

    last_day: date | None = None
    """The last day on which it is in force, in the programme's own calendar."""
    event: str | None = None
    """An event or condition tied to the purpose, such as the discharge from this episode."""
    never: bool = False
    """Written as "none"; for treatment, payment and operations only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A consent as it was filled in, perhaps with something missing."""

    kind: ConsentKind
    form: str
    """The version of the form that was signed."""
    recipients: tuple[Recipient, ...] = ()
    categories: frozenset[Category] = frozenset()
    purposes: frozenset[Purpose] = frozenset()
    expiry: Expiry = Expiry()
    signature: Signature | None = None
    discloser: ProgrammeId | None = None
    """The programme whose staff may tell (2.31(a)(2))."""
    revocable_from: date | None = None
    """The first day on which it can be revoked; for the criminal justice system only (2.35(c))."""


class Standing(StrEnum):
    """What a consent is worth at one moment."""

    NOT_YET = "not_yet"
    IN_FORCE = "in_force"
    EXPIRED = "expired"
    REVOKED = "revoked"
    WITHOUT_AUTHORITY = "without_authority"
    """A representative signed it who, as we know now, could not act for the client then: it never counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreedRestriction:
    """What the programme has agreed with the client not to tell, whatever a consent says (45 CFR 164.522(a)).

    It stands until its end is recorded; a consent is read with those that stand then.
    """

    request: RightsRequestId
    """What the client asked for."""
    recipient: Recipient | None
    """Whom it is not told to; None: nobody."""
    categories: frozenset[Category]
    purposes: frozenset[Purpose]
    """For what it is not told; none: for nothing."""
    until: datetime | None = None
    """When the client was told that the programme ends it: what came into the record later is free; None: it covers everything."""

    def forbids(self, to: Addressee, category: Category, purpose: Purpose, *, since: datetime | None = None) -> bool:
        """Whether it stands in the way of telling this to whoever may be meant, however they are written.

        `since` says that only what came in after that moment is told.
        Of which a moment cannot be said, as that somebody is a client here, it covers all (45 CFR 164.522(a)(2)(iii)(B)).
        """
        freed = self.until is not None and since is not None and since >= self.until and category in TELLS_WHEN
        return (
            not freed
            and category in self.categories
            and (not self.purposes or purpose in self.purposes)
            and (self.recipient is None or to.may_be_called(self.recipient))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """A complete consent, with what has ended it since, if anything has."""

    id: ConsentId
    client: ClientId
    kind: ConsentKind
    form: str
    form_digest: bytes
    """SHA-256 of the form as it read when it was signed."""
    discloser: ProgrammeId
    recipients: tuple[Recipient, ...]
    categories: frozenset[Category]
    purposes: frozenset[Purpose]
    expiry: Expiry
    expires_at: datetime | None
    """The first instant at which it is no longer in force; none when it ends by an event or never."""
    signature: Signature
    recorded_at: datetime
    recorded_by: StaffId
    revocable_at: datetime | None = None
    """Before this instant a revocation takes no effect, and waits for it (2.35(c)); none: it does at once."""
    revoked_at: datetime | None = None
    """From when on a revocation counts: when it was received, or when it could first count."""
    event_at: datetime | None = None
    """When the event that ends it happened."""
    without_authority: bool = False
    """A representative signed it who, as we know now, could not act for the client at that moment."""
    restrictions: tuple[AgreedRestriction, ...] = ()
    """What was agreed with the client not to be told, whichever consent would let it."""

    def standing(self, at: datetime) -> Standing:
        """What it is worth at this instant: from the signature until, and not including, whatever ends it.

        What a representative signed while they could act for the client stays as it was given when their authority ends.
        """
        if self.revoked_at is not None and at >= self.revoked_at:
            return Standing.REVOKED
        if any(end is not None and at >= end for end in (self.expires_at, self.event_at)):
            return Standing.EXPIRED
        if self.without_authority:
            return Standing.WITHOUT_AUTHORITY
        return Standing.IN_FORCE if at >= self.signature.signed_at else Standing.NOT_YET

    def revoked_from(self, received_at: datetime) -> datetime:
        """From when on a revocation that was received then counts."""
        return received_at if self.revocable_at is None else max(received_at, self.revocable_at)
