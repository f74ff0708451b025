"""Broken glasses: one client opened to one person for a while, every try, and who looked at it."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    Computed,
    ForeignKeyConstraint,
    Index,
    Table,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import TSTZRANGE, ExcludeConstraint

from caseload.db.tables.base import INSTANT, identifier, metadata, not_blank, one_of, reference, words
from caseload.domain.glass import Outcome, ReasonCode, Tried

glass = Table(
    "glass",
    metadata,
    identifier(),
    reference("staff_id", "staff"),
    reference("client_id", "client"),
    reference("programme_id", "programme"),
    words("code"),
    words("reason"),
    words("rule"),
    Column("starts_at", INSTANT, nullable=False),
    Column("until_at", INSTANT, nullable=False),
    Column("review_due_at", INSTANT, nullable=False),
    Column("ended_at", INSTANT),
    reference("ended_by", "staff", nullable=True),
    Column(
        "period",
        TSTZRANGE(),
        Computed("tstzrange(starts_at, LEAST(until_at, ended_at))", persisted=True),
        nullable=False,
    ),
    one_of("code", ReasonCode),
    not_blank("reason"),
    CheckConstraint(text("until_at > starts_at"), name="until_after_start"),
    CheckConstraint(text("ended_at >= starts_at AND ended_at <= until_at"), name="ended_within"),
    CheckConstraint(text("num_nonnulls(ended_at, ended_by) IN (0, 2)"), name="whole_end"),
    CheckConstraint(text("review_due_at > starts_at"), name="due_after_start"),
    UniqueConstraint("id", "staff_id"),
    ExcludeConstraint(("staff_id", "="), ("period", "&&"), name="glass_one_at_a_time", using="gist"),
    Index(None, "staff_id", "until_at"),
    Index(None, "programme_id", "id"),
    comment="One client opened to one person until a moment; only an early end is ever written later.",
)

glass_try = Table(
    "glass_try",
    metadata,
    identifier(),
    reference("staff_id", "staff"),
    words("tried"),
    Column("tried_at", INSTANT, nullable=False),
    one_of("tried", Tried),
    Index(None, "staff_id", "tried_at"),
    comment="Every name that was given to open a client, without the name.",
)

glass_review = Table(
    "glass_review",
    metadata,
    Column("glass_id", Uuid(), primary_key=True),
    Column("staff_id", Uuid(), nullable=False),
    words("outcome"),
    words("note"),
    reference("reviewed_by", "staff"),
    Column("reviewed_at", INSTANT, nullable=False),
    one_of("outcome", Outcome),
    not_blank("note"),
    CheckConstraint(text("reviewed_by <> staff_id"), name="by_another"),
    ForeignKeyConstraint(["glass_id", "staff_id"], ["clinic.glass.id", "clinic.glass.staff_id"]),
    comment="What somebody else came to who looked at a broken glass.",
)
