"""What was told to somebody outside about a client, and what allowed it."""

from sqlalchemy import CheckConstraint, Column, Index, Table, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from caseload.db.tables.base import INSTANT, identifier, metadata, not_blank, one_of, reference, some_of, words
from caseload.domain.consent import Category, Purpose, RecipientClass
from caseload.domain.dosing import Ground

disclosure_made = Table(
    "disclosure_made",
    metadata,
    identifier(),
    reference("client_id", "client"),
    reference("programme_id", "programme"),
    reference("person_id", "related_person", nullable=True),
    words("named", nullable=True),
    words("group", nullable=True),
    words("name"),
    words("facility"),
    words("purpose"),
    words("ground"),
    reference("consent_id", "consent", nullable=True),
    words("emergency", nullable=True),
    Column("categories", ARRAY(Text()), nullable=False),
    words("rule"),
    words("rules_version"),
    words("notice", nullable=True),
    Column("content", JSONB(), nullable=False),
    reference("disclosed_by", "staff"),
    Column("disclosed_at", INSTANT, nullable=False),
    UniqueConstraint("id", "client_id"),
    CheckConstraint(text('num_nonnulls(person_id, named, "group") = 1'), name="one_recipient"),
    one_of('"group"', RecipientClass, name="group"),
    one_of("purpose", Purpose),
    one_of("ground", Ground),
    some_of("categories", Category),
    CheckConstraint(
        text("(ground = 'consent') = (consent_id IS NOT NULL) AND (ground = 'emergency') = (emergency IS NOT NULL)"),
        name="by_its_ground",
    ),
    not_blank("name"),
    not_blank("facility"),
    not_blank("emergency"),
    CheckConstraint(text("jsonb_typeof(content) = 'object'"), name="content"),
    Index(None, "client_id", "id"),
    comment="What was told to somebody outside, as it was told, and what allowed it: the client's account of disclosures.",
)
