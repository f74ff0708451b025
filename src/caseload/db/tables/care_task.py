"""What somebody is to do about a client by a moment, and that it was done.

`care_task_open` holds no fact of its own: which tasks nobody has done, for the list that somebody looks at all day. A task
of the ladder stands on that list only while its check-in waits as it did then; that is asked when the list is read.
"""

from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, Index, Table, Text, UniqueConstraint, Uuid, text

from caseload.db.tables.base import INSTANT, identifier, metadata, not_blank, one_of, reference, words
from caseload.domain.care_task import CareTaskKind

care_task = Table(
    "care_task",
    metadata,
    identifier(),
    reference("client_id", "client"),
    reference("programme_id", "programme"),
    words("kind"),
    words("says"),
    reference("for_staff", "staff"),
    Column("due_at", INSTANT, nullable=False),
    words("rule", nullable=True),
    Column("check_in_id", Uuid()),
    Column("overdue_since", INSTANT),
    Column("step", Text()),
    reference("raised_by", "staff"),
    Column("raised_at", INSTANT, nullable=False),
    UniqueConstraint("check_in_id", "overdue_since", "step"),
    ForeignKeyConstraint(
        ("check_in_id", "overdue_since", "step"),
        ("clinic.outreach_step.check_in_id", "clinic.outreach_step.overdue_since", "clinic.outreach_step.step"),
        name="care_task_step_fkey",
    ),
    one_of("kind", CareTaskKind),
    not_blank("says"),
    CheckConstraint(
        text("num_nonnulls(check_in_id, overdue_since, step, rule) = CASE kind WHEN 'outreach' THEN 4 ELSE 0 END"),
        name="step_of_a_ladder",
    ),
    Index(None, "client_id", "id"),
    comment="What somebody is to do about a client by a moment: a step of the ladder, or what a person asks for.",
)

care_task_done = Table(
    "care_task_done",
    metadata,
    reference("task_id", "care_task", primary_key=True),
    words("said"),
    reference("done_by", "staff"),
    Column("done_at", INSTANT, nullable=False),
    not_blank("said"),
    comment="Who did it, when, and what came of it; each task is done once.",
)

care_task_open = Table(
    "care_task_open",
    metadata,
    reference("task_id", "care_task", primary_key=True),
    Column("client_id", Uuid(), nullable=False),
    Column("programme_id", Uuid(), nullable=False),
    Column("for_staff", Uuid(), nullable=False),
    Column("due_at", INSTANT, nullable=False),
    Index(None, "for_staff", "due_at", "task_id"),
    Index(None, "programme_id", "due_at", "task_id"),
    Index(None, "client_id"),
    comment="The tasks that nobody has done, worked out from the others.",
)
