"""Relatives who are clients too. Read and written for the privacy officer, and by no chart."""

from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, Index, Table, Uuid, text

from caseload.db.tables.base import INSTANT, identifier, metadata, not_blank, recorded, reference, words

related_person_link = Table(
    "related_person_link",
    metadata,
    identifier(),
    reference("client_id", "client"),
    Column("person_id", Uuid(), nullable=False),
    reference("own_client_id", "client"),
    words("reason"),
    *recorded(),
    reference("undone_by", "staff", nullable=True),
    Column("undone_at", INSTANT),
    words("undone_because", nullable=True),
    ForeignKeyConstraint(
        ["client_id", "person_id"],
        ["clinic.related_person.client_id", "clinic.related_person.id"],
        name="related_person_link_person_fkey",
    ),
    not_blank("reason"),
    not_blank("undone_because"),
    CheckConstraint(text("own_client_id <> client_id"), name="another_client"),
    CheckConstraint(text("undone_at >= recorded_at"), name="undone_after_linked"),
    CheckConstraint(text("num_nonnulls(undone_by, undone_at, undone_because) IN (0, 3)"), name="whole_undoing"),
    Index("related_person_link_standing_key", "person_id", unique=True, postgresql_where=text("undone_at IS NULL")),
    Index(None, "client_id"),
    Index(None, "own_client_id"),
    comment="Whose relative is a client too, for the privacy officer alone; only the undoing is ever written later.",
)
