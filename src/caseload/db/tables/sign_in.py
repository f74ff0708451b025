"""Sessions of those who are signed in, what they proved to sign, and failures to sign in, counted by digests."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from caseload.db.tables.base import (
    INSTANT,
    from_one,
    identifier,
    metadata,
    of_32_bytes,
    one_of,
    reference,
    words,
)
from caseload.domain.people.staff import COMMAND_LINE

sign_in_session = Table(
    "sign_in_session",
    metadata,
    identifier(),
    Column("token_digest", LargeBinary(), nullable=False),
    reference("staff_id", "staff"),
    Column("source_digest", LargeBinary(), nullable=False),
    Column("methods", ARRAY(Text()), nullable=False),
    Column("started_at", INSTANT, nullable=False),
    Column("last_used_at", INSTANT, nullable=False),
    Column("expires_at", INSTANT, nullable=False),
    Column("ended_at", INSTANT),
    words("end_reason", nullable=True),
    UniqueConstraint("token_digest"),
    of_32_bytes("token_digest"),
    of_32_bytes("source_digest"),
    CheckConstraint(text("expires_at > started_at"), name="expires_after_start"),
    CheckConstraint(text("last_used_at >= started_at"), name="used_after_start"),
    CheckConstraint(text("cardinality(methods) >= 1"), name="methods"),
    CheckConstraint(text("(ended_at IS NULL) = (end_reason IS NULL)"), name="end"),
    one_of("end_reason", ("signed_out", "password_changed", "password_reset", "deactivated")),
    CheckConstraint(text(f"staff_id <> '{COMMAND_LINE}'::uuid"), name="a_person"),
    Index("sign_in_session_open_idx", "staff_id", postgresql_where=text("ended_at IS NULL")),
    Index(None, "staff_id", "source_digest"),
    comment="Sessions, found by the SHA-256 of their token. Expiry is a question, not an update.",
)

session_proof = Table(
    "session_proof",
    metadata,
    reference("session_id", "sign_in_session", primary_key=True),
    Column("methods", ARRAY(Text()), nullable=False),
    Column("proved_at", INSTANT, nullable=False),
    CheckConstraint(text("cardinality(methods) >= 1"), name="methods"),
    comment="A session in which something was signed with every proof of the account; later signings of it need one.",
)

sign_in_failure = Table(
    "sign_in_failure",
    metadata,
    Column("account_digest", LargeBinary(), primary_key=True),
    Column("source_digest", LargeBinary(), primary_key=True),
    Column("failures", Integer(), nullable=False),
    Column("last_at", INSTANT, nullable=False),
    Column("blocked_until", INSTANT),
    of_32_bytes("account_digest"),
    of_32_bytes("source_digest"),
    from_one("failures"),
    comment="Failures by account and source; 32 zero bytes stand for any account or any source.",
)

sign_in_failure_minute = Table(
    "sign_in_failure_minute",
    metadata,
    Column("minute", INSTANT, primary_key=True),
    Column("source_digest", LargeBinary(), primary_key=True),
    Column("failures", Integer(), nullable=False),
    of_32_bytes("source_digest"),
    from_one("failures"),
    comment="Failures of a minute by source, until they are told to the audit log as one entry each.",
)
