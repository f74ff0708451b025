"""One person registered twice: proposed, answered and undone as rows; how the two stand now is kept by triggers from them."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ExcludeConstraint

from caseload.db.tables.base import INSTANT, identifier, metadata, not_blank, one_of, reference, words
from caseload.domain.merge import Outcome, Side, Standing

client_merge = Table(
    "client_merge",
    metadata,
    identifier(),
    reference("duplicate_id", "client"),
    reference("survivor_id", "client"),
    words("reason"),
    reference("proposed_by", "staff"),
    Column("proposed_at", INSTANT, nullable=False),
    UniqueConstraint("id", "duplicate_id", "survivor_id"),
    UniqueConstraint("id", "proposed_by"),
    CheckConstraint(text("duplicate_id <> survivor_id"), name="two_registrations"),
    not_blank("reason"),
    Index(None, "duplicate_id"),
    Index(None, "survivor_id"),
    comment="Somebody says that two registrations are one person's, and which of them stays.",
)

client_merge_answer = Table(
    "client_merge_answer",
    metadata,
    Column("merge_id", Uuid(), primary_key=True),
    words("outcome"),
    words("reason"),
    Column("proposed_by", Uuid(), nullable=False),
    reference("answered_by", "staff"),
    Column("answered_at", INSTANT, nullable=False),
    UniqueConstraint("merge_id", "outcome"),
    ForeignKeyConstraint(
        ["merge_id", "proposed_by"],
        ["clinic.client_merge.id", "clinic.client_merge.proposed_by"],
        name="client_merge_answer_merge_fkey",
    ),
    one_of("outcome", Outcome),
    CheckConstraint(text("outcome <> 'confirmed' OR answered_by <> proposed_by"), name="second_person"),
    CheckConstraint(text("outcome <> 'withdrawn' OR answered_by = proposed_by"), name="own_word"),
    not_blank("reason"),
    comment="Another person confirmed a merge, or it was rejected, or whoever proposed it withdrew it; the key lets it be"
    " answered once.",
)

client_merge_undoing = Table(
    "client_merge_undoing",
    metadata,
    Column("merge_id", Uuid(), primary_key=True),
    Column("outcome", Text(), nullable=False),
    words("reason"),
    reference("undone_by", "staff"),
    Column("undone_at", INSTANT, nullable=False),
    ForeignKeyConstraint(
        ["merge_id", "outcome"],
        ["clinic.client_merge_answer.merge_id", "clinic.client_merge_answer.outcome"],
        name="client_merge_undoing_answer_fkey",
    ),
    CheckConstraint(text("outcome = 'confirmed'"), name="was_confirmed"),
    not_blank("reason"),
    comment="A merge that was confirmed is undone: each registration stands for itself again.",
)

client_merge_side = Table(
    "client_merge_side",
    metadata,
    Column("merge_id", Uuid(), primary_key=True),
    Column("side", Text(), primary_key=True),
    reference("client_id", "client"),
    Column("duplicate_id", Uuid(), nullable=False),
    Column("survivor_id", Uuid(), nullable=False),
    words("standing"),
    ForeignKeyConstraint(
        ["merge_id", "duplicate_id", "survivor_id"],
        ["clinic.client_merge.id", "clinic.client_merge.duplicate_id", "clinic.client_merge.survivor_id"],
        name="client_merge_side_merge_fkey",
    ),
    one_of("side", Side),
    one_of("standing", Standing),
    CheckConstraint(
        text("client_id = CASE side WHEN 'duplicate' THEN duplicate_id ELSE survivor_id END"), name="its_own_side"
    ),
    ExcludeConstraint(
        ("client_id", "="),
        ("side", "<>"),
        name="client_merge_side_star",
        using="gist",
        where=text("standing <> 'apart'"),
    ),
    Index(
        "client_merge_side_one_survivor",
        "client_id",
        unique=True,
        postgresql_where=text("side = 'duplicate' AND standing <> 'apart'"),
    ),
    Index("client_merge_side_survivor_idx", "survivor_id", postgresql_where=text("standing <> 'apart'")),
    Index(None, "client_id"),
    comment="How the two registrations of each merge stand now; written by triggers alone. A survivor is nobody's duplicate,"
    " and a duplicate has one survivor.",
)
