"""Signatures: the exact bytes that were signed, with what a signature must show (21 CFR 11.50, 11.70)."""

from sqlalchemy import CheckConstraint, Column, Index, LargeBinary, SmallInteger, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY

from caseload.db.tables.base import INSTANT, from_one, identifier, metadata, not_blank, one_of, reference, words
from caseload.domain.access import CLINICIANS, SIGNERS
from caseload.domain.signature import Meaning, Subject

_CLINICAL = ", ".join(f"'{role}'" for role in sorted(CLINICIANS))

signature = Table(
    "signature",
    metadata,
    identifier(),
    words("subject"),
    Column("subject_id", Uuid(), nullable=False),
    Column("subject_version", SmallInteger(), nullable=False),
    reference("signer_id", "staff"),
    words("printed_name"),
    words("role"),
    words("registration", nullable=True),
    words("meaning"),
    Column("signed_at", INSTANT, nullable=False),
    Column("methods", ARRAY(Text()), nullable=False),
    Column("format_version", SmallInteger(), nullable=False),
    Column("signed_bytes", LargeBinary(), nullable=False),
    Column("digest", LargeBinary(), nullable=False),
    Column("seal_key", SmallInteger()),
    Column("seal", LargeBinary()),
    one_of("subject", Subject),
    one_of("role", sorted(SIGNERS)),
    one_of("meaning", Meaning),
    not_blank("printed_name"),
    not_blank("registration"),
    CheckConstraint(text(f"(registration IS NOT NULL) = (role IN ({_CLINICAL}))"), name="registration_of_clinicians"),
    from_one("subject_version"),
    from_one("format_version"),
    CheckConstraint(text("cardinality(methods) >= 1"), name="methods"),
    CheckConstraint(text("digest = sha256(signed_bytes)"), name="digest"),
    CheckConstraint(
        text("num_nonnulls(seal_key, seal) = 2 AND seal_key >= 1 AND octet_length(seal) = 64"), name="seal"
    ),
    Index(None, "subject_id", "subject_version"),
    Index(None, "signer_id"),
    comment="Made once, in the signer's own session with their identity proved again; never changed.",
)
