"""The second look at a dose, and the queue that waits for it."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    SmallInteger,
    Table,
    UniqueConstraint,
    Uuid,
    text,
)

from caseload.db.tables.base import (
    INSTANT,
    metadata,
    not_blank,
    one_of,
    reference,
    words,
)
from caseload.domain.signoff import RANKS, Verdict

dose_review = Table(
    "dose_review",
    metadata,
    Column("dose_id", Uuid(), primary_key=True),
    Column("dose_version", SmallInteger(), primary_key=True, autoincrement=False),
    words("verdict"),
    reference("reviewed_by", "staff"),
    Column("reviewed_at", INSTANT, nullable=False),
    words("reason", nullable=True),
    reference("signature_id", "signature", nullable=True),
    UniqueConstraint("signature_id"),
    ForeignKeyConstraint(
        ["dose_id", "dose_version"], ["clinic.dose.id", "clinic.dose.version"], name="dose_review_dose_fkey"
    ),
    one_of("verdict", Verdict),
    CheckConstraint(text("(verdict = 'signed') = (signature_id IS NOT NULL)"), name="signed"),
    CheckConstraint(text("(verdict = 'rejected') = (reason IS NOT NULL)"), name="rejected"),
    not_blank("reason"),
    comment="One verdict per version, by a clinician who neither gave, recorded nor amended it (a trigger holds that).",
)


dose_waiting = Table(
    "dose_waiting",
    metadata,
    Column("dose_id", Uuid(), primary_key=True),
    Column("dose_version", SmallInteger(), nullable=False),
    Column("programme_id", Uuid(), nullable=False),
    Column("recorded_by", Uuid(), nullable=False),
    Column("risk", SmallInteger(), nullable=False),
    Column("sign_by", INSTANT, nullable=False),
    Column("rejected_at", INSTANT),
    CheckConstraint(text(f"risk BETWEEN 1 AND {len(RANKS)}"), name="risk"),
    Index("dose_waiting_risk_idx", "programme_id", "risk", "dose_id"),
    Index(None, "recorded_by", postgresql_where=text("rejected_at IS NOT NULL")),
    comment="The newest versions that nobody has signed: a queue, filled by the statement that keeps the dose.",
)
