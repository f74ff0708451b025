"""Naloxone: offered to whom, what came of it, and what was recorded by mistake."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKeyConstraint,
    Index,
    SmallInteger,
    Table,
    Uuid,
    text,
)

from caseload.db.tables.base import identifier, metadata, not_blank, one_of, recorded, reference, words
from caseload.domain.naloxone import MOST_UNITS, NaloxoneForm, Outcome, Recipient

naloxone = Table(
    "naloxone",
    metadata,
    identifier(),
    reference("client_id", "client"),
    reference("programme_id", "programme"),
    Column("offered_on", Date(), nullable=False),
    words("recipient"),
    Column("person_id", Uuid()),
    words("outcome"),
    words("form", nullable=True),
    Column("units", SmallInteger()),
    Column("trained", Boolean(), nullable=False),
    words("note"),
    *recorded(),
    ForeignKeyConstraint(
        ["client_id", "person_id"],
        ["clinic.related_person.client_id", "clinic.related_person.id"],
        name="naloxone_person_fkey",
    ),
    one_of("recipient", Recipient),
    one_of("outcome", Outcome),
    one_of("form", NaloxoneForm),
    CheckConstraint(
        text("num_nonnulls(form, units) = CASE outcome WHEN 'supplied' THEN 2 ELSE 0 END"), name="supplied_says_what"
    ),
    CheckConstraint(text(f"units BETWEEN 1 AND {MOST_UNITS}"), name="units"),
    CheckConstraint(text("person_id IS NULL OR recipient = 'household'"), name="person_of_household"),
    Index(None, "client_id"),
    comment="Each time naloxone was offered to a client or their household, and what came of it.",
)

naloxone_taken_back = Table(
    "naloxone_taken_back",
    metadata,
    reference("naloxone_id", "naloxone", primary_key=True),
    words("reason"),
    *recorded(),
    not_blank("reason"),
    comment="That a record of naloxone was a mistake, and why: once for each.",
)
