"""The people around clients, in versions, and what was heard from them. All insert-only."""

from sqlalchemy import (
    ARRAY,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Date,
    ForeignKeyConstraint,
    Index,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import TSTZRANGE, ExcludeConstraint

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
from caseload.domain.family import ContactWay, InvolvementKind, Relationship

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
    words("language", nullable=True),
    Column("contact_by", ARRAY(Text()), nullable=False, server_default=text("ARRAY[]::text[]")),
    words("phone", nullable=True),
    words("email", nullable=True),
    words("address", nullable=True),
    words("contact_note", nullable=True),
    words("reason", nullable=True),
    *recorded(),
    not_blank("name"),
    not_blank("language"),
    one_of("relationship", Relationship),
    any_of("contact_by", ContactWay),
    from_one("version"),
    CheckConstraint(text("version = 1 OR reason IS NOT NULL"), name="change_has_reason"),
    comment="What is known about somebody around a client, as versions.",
)

related_person_involvement = Table(
    "related_person_involvement",
    metadata,
    identifier(),
    Column("client_id", Uuid(), nullable=False),
    Column("person_id", Uuid(), nullable=False),
    words("kind"),
    Column("starts_at", INSTANT, nullable=False),
    Column("last_day", Date()),
    Column("until_at", INSTANT),
    words("evidence", nullable=True),
    *recorded(),
    Column("ended_at", INSTANT),
    reference("ended_by", "staff", nullable=True),
    words("ended_because", nullable=True),
    Column(
        "period",
        TSTZRANGE(),
        Computed("tstzrange(starts_at, LEAST(until_at, ended_at))", persisted=True),
        nullable=False,
    ),
    ForeignKeyConstraint(
        ["client_id", "person_id"],
        ["clinic.related_person.client_id", "clinic.related_person.id"],
        name="related_person_involvement_person_fkey",
    ),
    one_of("kind", InvolvementKind),
    not_blank("evidence"),
    not_blank("ended_because"),
    CheckConstraint(
        text("(kind = 'legal_representative') = (evidence IS NOT NULL)"), name="representative_has_evidence"
    ),
    CheckConstraint(text("(last_day IS NULL) = (until_at IS NULL)"), name="last_day_has_instant"),
    CheckConstraint(text("until_at > starts_at"), name="until_after_start"),
    CheckConstraint(text("ended_at >= starts_at"), name="ended_after_start"),
    CheckConstraint(text("num_nonnulls(ended_at, ended_by, ended_because) IN (0, 3)"), name="whole_end"),
    ExcludeConstraint(
        ("person_id", "="),
        ("kind", "="),
        ("period", "&&"),
        name="related_person_involvement_once",
        using="gist",
    ),
    Index(None, "client_id"),
    comment="How somebody around a client takes part, from when to when; only an early end is ever written later.",
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
