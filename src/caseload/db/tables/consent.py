"""Consents and what ended them. All insert-only: a consent is never edited, it is revoked or it expires.

Whose consent and of which kind it is travels into every part of it by a composite key, so that a CHECK can refuse
what does not belong there: nobody else's relative, no counselling notes beside anything else.
"""

from sqlalchemy import (
    ARRAY,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from caseload.db.tables.base import (
    INSTANT,
    identifier,
    metadata,
    not_blank,
    of_32_bytes,
    one_of,
    recorded,
    reference,
    some_of,
    words,
)
from caseload.domain.consent import CONSENTABLE, ConsentKind, How, Purpose, RecipientClass, Signatory

consent = Table(
    "consent",
    metadata,
    identifier(),
    reference("client_id", "client"),
    words("kind"),
    words("form"),
    Column("form_digest", LargeBinary(), nullable=False),
    reference("discloser_id", "programme"),
    Column("recipient_count", SmallInteger(), nullable=False),
    Column("categories", ARRAY(Text()), nullable=False),
    Column("purposes", ARRAY(Text()), nullable=False),
    Column("last_day", Date()),
    Column("expires_at", INSTANT),
    Column("revocable_at", INSTANT),
    words("expiry_event", nullable=True),
    Column("never_expires", Boolean(), nullable=False),
    words("signatory"),
    words("signed_name"),
    Column("signed_at", INSTANT, nullable=False),
    Column("document_digest", LargeBinary()),
    Column("representative_id", Uuid()),
    Column("co_signer_id", Uuid()),
    words("co_signed_name", nullable=True),
    words("attestation", nullable=True),
    *recorded(),
    ForeignKeyConstraint(
        ["client_id", "representative_id"],
        ["clinic.related_person.client_id", "clinic.related_person.id"],
        name="consent_representative_fkey",
    ),
    ForeignKeyConstraint(
        ["client_id", "co_signer_id"],
        ["clinic.related_person.client_id", "clinic.related_person.id"],
        name="consent_co_signer_fkey",
    ),
    UniqueConstraint("id", "client_id", "kind", "recipient_count", name="consent_whose_key"),
    UniqueConstraint("id", "client_id"),
    UniqueConstraint("id", "signed_at"),
    UniqueConstraint("id", "signed_at", "expiry_event"),
    one_of("kind", ConsentKind),
    one_of("signatory", Signatory),
    not_blank("form"),
    not_blank("signed_name"),
    not_blank("expiry_event"),
    not_blank("co_signed_name"),
    not_blank("attestation"),
    CheckConstraint(text("num_nonnulls(co_signer_id, co_signed_name) IN (0, 2)"), name="co_signer_whole"),
    CheckConstraint(text("co_signer_id IS NULL OR signatory = 'client'"), name="co_signed_by_client"),
    CheckConstraint(text("attestation IS NULL OR document_digest IS NULL"), name="attestation_of_typed"),
    of_32_bytes("form_digest"),
    of_32_bytes("document_digest"),
    CheckConstraint(text("recipient_count >= 1"), name="recipients"),
    some_of("categories", sorted(CONSENTABLE)),
    some_of("purposes", Purpose),
    CheckConstraint(
        text(
            "CASE kind WHEN 'counselling_notes' THEN categories <@ ARRAY['counselling_notes']"
            " ELSE NOT categories @> ARRAY['counselling_notes'] END"
        ),
        name="counselling_notes_alone",
    ),
    CheckConstraint(
        text(
            "CASE kind WHEN 'legal_proceedings' THEN purposes <@ ARRAY['legal_proceedings']"
            " WHEN 'criminal_justice' THEN purposes <@ ARRAY['criminal_justice']"
            " WHEN 'treatment_payment_operations' THEN purposes <@ ARRAY['treatment', 'payment', 'operations']"
            " ELSE NOT purposes && ARRAY['legal_proceedings', 'criminal_justice', 'public_duty', 'audit'] END"
        ),
        name="legal_proceedings_alone",
    ),
    CheckConstraint(
        text("(kind = 'criminal_justice') = (revocable_at IS NOT NULL)"), name="only_criminal_justice_binds"
    ),
    CheckConstraint(text("num_nonnulls(last_day, expiry_event) + never_expires::integer = 1"), name="one_expiry"),
    CheckConstraint(text("(last_day IS NULL) = (expires_at IS NULL)"), name="last_day_has_instant"),
    CheckConstraint(
        text("NOT never_expires OR kind = 'treatment_payment_operations'"), name="only_operations_never_expire"
    ),
    CheckConstraint(text("expires_at > signed_at"), name="expires_after_signature"),
    CheckConstraint(text("signed_at <= recorded_at"), name="not_in_the_future"),
    CheckConstraint(
        text("(signatory = 'representative') = (representative_id IS NOT NULL)"), name="representative_named"
    ),
    Index(None, "client_id", "signed_at"),
    Index(None, "expires_at", postgresql_where=text("expires_at IS NOT NULL")),
    comment="What a client allowed to be told, with every element of 42 CFR 2.31(a).",
)


consent_recipient = Table(
    "consent_recipient",
    metadata,
    Column("consent_id", Uuid(), primary_key=True),
    Column("place", SmallInteger(), primary_key=True, autoincrement=False),
    Column("client_id", Uuid(), nullable=False),
    words("kind"),
    Column("recipient_count", SmallInteger(), nullable=False),
    Column("person_id", Uuid()),
    words("name", nullable=True),
    words("group", nullable=True),
    ForeignKeyConstraint(
        ["consent_id", "client_id", "kind", "recipient_count"],
        [
            "clinic.consent.id",
            "clinic.consent.client_id",
            "clinic.consent.kind",
            "clinic.consent.recipient_count",
        ],
        name="consent_recipient_consent_fkey",
    ),
    ForeignKeyConstraint(
        ["client_id", "person_id"],
        ["clinic.related_person.client_id", "clinic.related_person.id"],
        name="consent_recipient_person_fkey",
    ),
    one_of('"group"', RecipientClass, name="group"),
    not_blank("name"),
    CheckConstraint(text('num_nonnulls(person_id, name, "group") = 1'), name="exactly_one"),
    CheckConstraint(
        text("person_id IS NULL OR kind <> 'treatment_payment_operations'"), name="relatives_need_their_own"
    ),
    CheckConstraint(text("place BETWEEN 1 AND recipient_count"), name="place"),
    comment="Who may be told. As many as were signed for: the places are numbered, so nobody can be added later.",
)

consent_revocation = Table(
    "consent_revocation",
    metadata,
    Column("consent_id", Uuid(), primary_key=True),
    Column("signed_at", INSTANT, nullable=False),
    words("how"),
    Column("received_at", INSTANT, nullable=False),
    words("note", nullable=True),
    reference("representative_id", "related_person", nullable=True),
    *recorded(),
    ForeignKeyConstraint(
        ["consent_id", "signed_at"],
        ["clinic.consent.id", "clinic.consent.signed_at"],
        name="consent_revocation_consent_fkey",
    ),
    one_of("how", How),
    CheckConstraint(text("received_at BETWEEN signed_at AND recorded_at"), name="received"),
    comment="The client's word that a consent no longer holds, from the moment it was received.",
)

consent_event = Table(
    "consent_event",
    metadata,
    Column("consent_id", Uuid(), primary_key=True),
    Column("signed_at", INSTANT, nullable=False),
    words("expiry_event"),
    Column("happened_at", INSTANT, nullable=False),
    *recorded(),
    ForeignKeyConstraint(
        ["consent_id", "signed_at", "expiry_event"],
        ["clinic.consent.id", "clinic.consent.signed_at", "clinic.consent.expiry_event"],
        name="consent_event_consent_fkey",
    ),
    CheckConstraint(text("happened_at BETWEEN signed_at AND recorded_at"), name="happened"),
    comment="The event has come with which a consent ends; only a consent tied to an event can have one.",
)
