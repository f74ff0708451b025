"""What a supervisor does with whole caseloads: handing many clients over, covering an absence, setting ceilings."""

from sqlalchemy import CheckConstraint, Column, Computed, Index, SmallInteger, Table, text
from sqlalchemy.dialects.postgresql import TSTZRANGE, ExcludeConstraint

from caseload.db.tables.base import (
    INSTANT,
    identifier,
    metadata,
    not_blank,
    recorded,
    reference,
    words,
)

caseload_handover = Table(
    "caseload_handover",
    metadata,
    identifier(),
    reference("programme_id", "programme"),
    reference("from_id", "staff", nullable=True),
    reference("to_id", "staff"),
    Column("effective_at", INSTANT, nullable=False),
    words("note", nullable=True),
    *recorded(),
    CheckConstraint(text("from_id <> to_id"), name="to_somebody_else"),
    comment="Clients handed over in one call: those that were named, or everybody whom one counsellor answers for.",
)

absence = Table(
    "absence",
    metadata,
    identifier(),
    reference("programme_id", "programme"),
    reference("counsellor_id", "staff"),
    reference("covered_by", "staff"),
    Column("starts_at", INSTANT, nullable=False),
    Column("ends_at", INSTANT, nullable=False),
    words("reason"),
    *recorded(),
    Column("back_at", INSTANT),
    reference("back_said_by", "staff", nullable=True),
    Column(
        "period",
        TSTZRANGE(),
        Computed("tstzrange(starts_at, GREATEST(starts_at, LEAST(ends_at, back_at)))", persisted=True),
        nullable=False,
    ),
    CheckConstraint(text("ends_at > starts_at"), name="ends_after_start"),
    CheckConstraint(text("(back_at IS NULL) = (back_said_by IS NULL)"), name="back_with_who_said_so"),
    CheckConstraint(text("back_at < ends_at"), name="back_before_its_end"),
    not_blank("reason"),
    CheckConstraint(text("covered_by <> counsellor_id"), name="by_somebody_else"),
    ExcludeConstraint(
        ("programme_id", "="), ("counsellor_id", "="), ("period", "&&"), name="absence_one_at_a_time", using="gist"
    ),
    comment="A counsellor is away and another stands in for all their clients; it ends by itself, or when they are back.",
)

caseload_ceiling = Table(
    "caseload_ceiling",
    metadata,
    identifier(),
    reference("programme_id", "programme"),
    reference("counsellor_id", "staff", nullable=True),
    Column("ceiling", SmallInteger(), nullable=True),
    *recorded(),
    CheckConstraint(text("ceiling BETWEEN 1 AND 500"), name="ceiling"),
    Index(None, "programme_id", "counsellor_id", "id"),
    comment="From how many clients on a supervisor is warned: of one counsellor, or of everybody. The newest word counts.",
)
