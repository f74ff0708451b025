"""What somebody came to who looked at a finding of the routine review of the log."""

from sqlalchemy import CheckConstraint, Column, Table, UniqueConstraint, Uuid, text

from caseload.db.tables.base import INSTANT, identifier, metadata, not_blank, one_of, reference, words
from caseload.domain.oversight import Conclusion, Question

finding_review = Table(
    "finding_review",
    metadata,
    identifier(),
    words("question"),
    Column("finding_id", Uuid(), nullable=False),
    reference("staff_id", "staff"),
    Column("covers_until", INSTANT, nullable=False),
    words("conclusion"),
    words("note"),
    reference("reviewed_by", "staff"),
    Column("reviewed_at", INSTANT, nullable=False),
    UniqueConstraint("question", "finding_id", "covers_until"),
    one_of("question", Question),
    one_of("conclusion", Conclusion),
    not_blank("note"),
    CheckConstraint(text("reviewed_by <> staff_id"), name="by_another"),
    CheckConstraint(text("covers_until <= reviewed_at"), name="not_in_the_future"),
    comment="Findings are worked out anew each time; this keeps who looked at one. It names no client.",
)
