"""Alerts that were raised, each once: its key settles who was first. The task is kept in the same transaction, after it."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, ForeignKeyConstraint, SmallInteger, Table, Uuid, text

from caseload.db.tables.base import INSTANT, metadata, reference, words


def _task(*, nullable: bool) -> Column[object]:
    task = ForeignKey("clinic.care_task.id", deferrable=True, initially="DEFERRED")
    return Column("task_id", Uuid(), task, nullable=nullable, unique=True)


consent_alert = Table(
    "consent_alert",
    metadata,
    reference("consent_id", "consent", primary_key=True),
    Column("step", SmallInteger(), primary_key=True, autoincrement=False),
    _task(nullable=True),
    Column("raised_at", INSTANT, nullable=False),
    CheckConstraint(text("step >= 0"), name="step"),
    CheckConstraint(text("(step = 0) = (task_id IS NULL)"), name="task_until_expired"),
    comment="That somebody was told so many days before a consent ends; 0: that it has ended. Once for each step.",
)

release_alert = Table(
    "release_alert",
    metadata,
    Column("disclosure_id", Uuid(), primary_key=True),
    words("ground"),
    _task(nullable=False),
    Column("raised_at", INSTANT, nullable=False),
    ForeignKeyConstraint(
        ["disclosure_id", "ground"],
        ["clinic.disclosure_made.id", "clinic.disclosure_made.ground"],
        name="release_alert_disclosure_fkey",
    ),
    CheckConstraint(text("ground = 'emergency'"), name="only_emergencies"),
    comment="That somebody was told that the record of an emergency is overdue; once for each.",
)
