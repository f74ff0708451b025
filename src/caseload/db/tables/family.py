"""The people around clients, in versions, and what was heard from them. All insert-only."""

from sqlalchemy import (
    ARRAY,
    Boolean,
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

from caseload.db.tables.base import (
    INSTANT,
    any_of,
    from_one,
    identifier,
    metadata,
    not_blank,
    one_of,
    recorded,
    reference,
    version,
    words,
)
from caseload.domain.family import Involvement, Relationship

related_person = Table(
    "related_person",
    metadata,
    identifier(),
    reference("client_id", "client"),
    UniqueConstraint("client_id", "id"),
    comment="Somebody around a client. Being listed allows nobody to be told anything.",
)

related_person_version = Table(
    "related_person_version",
    metadata,
    reference("person_id", "related_person", primary_key=True),
    version(),
    words("name"),
    words("relationship"),
    Column("involvements", ARRAY(Text()), nullable=False),
    words("phone", nullable=True),
    words("email", nullable=True),
    words("address", nullable=True),
    words("contact_note", nullable=True),
    words("evidence", nullable=True),
    words("reason", nullable=True),
    *recorded(),
    not_blank("name"),
    one_of("relationship", Relationship),
    any_of("involvements", Involvement),
    CheckConstraint(
        text("evidence IS NOT NULL OR NOT involvements @> ARRAY['legal_representative']"),
        name="representative_has_evidence",
    ),
    from_one("version"),
    CheckConstraint(text("version = 1 OR reason IS NOT NULL"), name="change_has_reason"),
    comment="What is known about somebody around a client, as versions; no involvement means no longer involved.",
)

family_information = Table(
    "family_information",
    metadata,
    identifier(),
    reference("client_id", "client"),
    Column("person_id", Uuid()),
    words("source", nullable=True),
    words("text"),
    Column("confidential", Boolean(), nullable=False),
    Column("received_at", INSTANT, nullable=False),
    *recorded(),
    ForeignKeyConstraint(
        ["client_id", "person_id"],
        ["clinic.related_person.client_id", "clinic.related_person.id"],
        name="family_information_person_fkey",
    ),
    not_blank("text"),
    not_blank("source"),
    CheckConstraint(text("num_nonnulls(person_id, source) = 1"), name="one_source"),
    CheckConstraint(text("received_at <= recorded_at"), name="not_in_the_future"),
    Index(None, "client_id", "received_at"),
    comment="What others told us about a client: its source, and whether it was given in confidence.",
)
