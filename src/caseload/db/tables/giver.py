"""The word of whoever gave a dose that somebody else entered."""

from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, SmallInteger, Table, Uuid, text

from caseload.db.tables.base import INSTANT, metadata, not_blank, one_of, reference, words
from caseload.domain.dosing.giver import Word

dose_giver_word = Table(
    "dose_giver_word",
    metadata,
    Column("dose_id", Uuid(), primary_key=True),
    Column("dose_version", SmallInteger(), primary_key=True, autoincrement=False),
    words("word"),
    words("reason", nullable=True),
    reference("said_by", "staff"),
    Column("said_at", INSTANT, nullable=False),
    ForeignKeyConstraint(
        ["dose_id", "dose_version"], ["clinic.dose.id", "clinic.dose.version"], name="dose_giver_word_dose_fkey"
    ),
    one_of("word", Word),
    CheckConstraint(text("(word <> 'confirmed') = (reason IS NOT NULL)"), name="all_but_yes_with_a_reason"),
    not_blank("reason"),
    comment="Whether whoever stands on a dose as its giver says so too, once of each version; where they have left somebody"
    " else closes the question (a trigger).",
)
