"""Copies of records that clients asked for: their entries as of one moment, what was decided of them, and what left."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Table,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from caseload.db.tables.base import (
    INSTANT,
    identifier,
    metadata,
    not_blank,
    of_32_bytes,
    one_of,
    reference,
    words,
)
from caseload.domain.profiles.rights import WithholdingReason
from caseload.domain.recordcopy import HandedOver, Section

record_copy = Table(
    "record_copy",
    metadata,
    identifier(),
    Column("request_id", Uuid(), nullable=False),
    words("kind"),
    Column("client_id", Uuid(), nullable=False),
    reference("prepared_by", "staff"),
    Column("prepared_at", INSTANT, nullable=False),
    Column("labels", JSONB(none_as_null=True)),
    UniqueConstraint("id", "request_id"),
    ForeignKeyConstraint(
        ["request_id", "kind", "client_id"],
        ["clinic.rights_request.id", "clinic.rights_request.kind", "clinic.rights_request.client_id"],
        name="record_copy_request_fkey",
    ),
    CheckConstraint(text("kind = 'record_copy'"), name="for_a_copy"),
    Index(None, "request_id", "id"),
    comment="A copy of a client's record, as of the moment at which it was prepared for a request.",
)

record_copy_entry = Table(
    "record_copy_entry",
    metadata,
    identifier(),
    reference("copy_id", "record_copy"),
    words("section"),
    words("kind"),
    Column("told_at", INSTANT),
    words("held_for", nullable=True),
    words("content", nullable=True),
    UniqueConstraint("copy_id", "id"),
    one_of("section", Section),
    one_of("held_for", WithholdingReason),
    not_blank("kind"),
    CheckConstraint(
        text("(content IS NULL) = (held_for IS NOT DISTINCT FROM 'counselling_note')"), name="apart_is_empty"
    ),
    comment="One entry of the record as it stood; what is held for a reason leaves only if somebody decides so.",
)

record_copy_decision = Table(
    "record_copy_decision",
    metadata,
    Column("copy_id", Uuid(), primary_key=True),
    Column("entry_id", Uuid(), primary_key=True),
    Column("leaves", Boolean(), nullable=False),
    words("reason", nullable=True),
    words("note"),
    reference("decided_by", "staff"),
    Column("decided_at", INSTANT, nullable=False),
    ForeignKeyConstraint(
        ["copy_id", "entry_id"],
        ["clinic.record_copy_entry.copy_id", "clinic.record_copy_entry.id"],
        name="record_copy_decision_entry_fkey",
    ),
    one_of("reason", WithholdingReason),
    not_blank("note"),
    CheckConstraint(text("leaves = (reason IS NULL)"), name="withheld_for_a_reason"),
    comment="Whether an entry leaves, and what that rests on; once for each, and before the copy leaves.",
)

record_copy_release = Table(
    "record_copy_release",
    metadata,
    reference("copy_id", "record_copy", primary_key=True),
    Column("request_id", Uuid(), nullable=False),
    Column("to_representative", Boolean(), nullable=False),
    words("manner"),
    words("detail"),
    Column("entries", Integer(), nullable=False),
    Column("withheld", Integer(), nullable=False),
    Column("unsaid", Integer(), nullable=False),
    Column("later", Integer(), nullable=False),
    Column("sha256", LargeBinary(), nullable=False),
    reference("released_by", "staff"),
    Column("released_at", INSTANT, nullable=False),
    words("address", nullable=True),
    UniqueConstraint("request_id"),
    ForeignKeyConstraint(
        ["copy_id", "request_id"],
        ["clinic.record_copy.id", "clinic.record_copy.request_id"],
        name="record_copy_release_request_fkey",
    ),
    one_of("manner", HandedOver),
    not_blank("detail"),
    not_blank("address"),
    CheckConstraint(text("address IS NULL OR manner = 'post' AND NOT to_representative"), name="posted_to_the_client"),
    of_32_bytes("sha256"),
    CheckConstraint(text("withheld >= 0 AND unsaid >= 0 AND withheld + unsaid <= entries"), name="withheld"),
    CheckConstraint(text("later >= 0"), name="later"),
    comment="A privacy officer has looked through a copy, and it leaves: to whom, how, and what exactly; once for a request.",
)
