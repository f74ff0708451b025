"""Whom to tell something about a client's medicine, and that it was done."""

from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, Index, Table, UniqueConstraint, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from caseload.db.tables.base import INSTANT, identifier, metadata, not_blank, one_of, reference, words
from caseload.domain.medication import TaskKind

medication_task = Table(
    "medication_task",
    metadata,
    identifier(),
    reference("client_id", "client"),
    reference("programme_id", "programme"),
    words("kind"),
    words("says"),
    words("policy"),
    Column("facts", JSONB(), nullable=False),
    Column("hold_id", Uuid()),
    Column("order_id", Uuid()),
    Column("dose_id", Uuid()),
    reference("raised_by", "staff"),
    Column("raised_at", INSTANT, nullable=False),
    UniqueConstraint("id", "raised_at"),
    ForeignKeyConstraint(
        ["hold_id", "client_id"], ["clinic.hold.id", "clinic.hold.client_id"], name="medication_task_hold_fkey"
    ),
    ForeignKeyConstraint(
        ["order_id", "client_id"],
        ["clinic.medication_order.id", "clinic.medication_order.client_id"],
        name="medication_task_order_fkey",
    ),
    one_of("kind", TaskKind),
    not_blank("says"),
    not_blank("policy"),
    CheckConstraint(text("jsonb_typeof(facts) = 'object'"), name="facts"),
    CheckConstraint(
        text(
            "CASE kind WHEN 'telephone_pharmacy' THEN hold_id IS NOT NULL AND order_id IS NOT NULL AND dose_id IS NULL"
            " ELSE num_nonnulls(dose_id, order_id) >= 1 AND hold_id IS NULL END"
        ),
        name="about",
    ),
    Index(None, "programme_id", "id"),
    Index(None, "client_id"),
    comment="Somebody must be told something about a client's medicine. It stands in no way.",
)

medication_task_done = Table(
    "medication_task_done",
    metadata,
    Column("task_id", Uuid(), primary_key=True),
    Column("raised_at", INSTANT, nullable=False),
    words("spoke_to"),
    words("said"),
    reference("done_by", "staff"),
    Column("done_at", INSTANT, nullable=False),
    ForeignKeyConstraint(
        ["task_id", "raised_at"],
        ["clinic.medication_task.id", "clinic.medication_task.raised_at"],
        name="medication_task_done_task_fkey",
    ),
    not_blank("spoke_to"),
    not_blank("said"),
    CheckConstraint(text("done_at >= raised_at"), name="after_it_was_raised"),
    comment="Who told whom, when, and what was said; each task is done once.",
)
