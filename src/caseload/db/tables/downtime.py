"""Downtime sheets as they were entered: the form, and how each thing on each line was answered."""

from sqlalchemy import ARRAY, CheckConstraint, Column, Date, Index, SmallInteger, Table, Text, Uuid, text

from caseload.db.tables.base import INSTANT, identifier, metadata, not_blank, one_of, recorded, reference, words
from caseload.domain.downtime import LARGEST_NUMBER, Outcome, What

downtime_entry = Table(
    "downtime_entry",
    metadata,
    identifier(),
    reference("programme_id", "programme"),
    Column("day", Date(), nullable=False),
    words("reason"),
    *recorded(),
    not_blank("reason"),
    Index(None, "programme_id", "day"),
    comment="A sheet of one day that was completed on paper, as somebody entered it.",
)

downtime_line = Table(
    "downtime_line",
    metadata,
    reference("entry_id", "downtime_entry", primary_key=True),
    Column("line", SmallInteger(), primary_key=True, autoincrement=False),
    Column("what", Text(), primary_key=True),
    words("outcome"),
    reference("client_id", "client", nullable=True),
    reference("written_by", "staff", nullable=True),
    reference("observed_by", "staff", nullable=True),
    Column("record_id", Uuid()),
    Column("rules", ARRAY(Text()), nullable=False),
    reference("found_by", "staff", nullable=True),
    Column("found_at", INSTANT),
    words("says", nullable=True),
    CheckConstraint(text(f"line BETWEEN 1 AND {LARGEST_NUMBER}"), name="line"),
    one_of("what", What),
    one_of("outcome", Outcome),
    CheckConstraint(
        text(
            "CASE WHEN outcome = 'refused' THEN record_id IS NULL AND says IS NOT NULL"
            " ELSE num_nulls(client_id, written_by, record_id) = 0 AND says IS NULL END"
        ),
        name="in_the_record_or_refused",
    ),
    CheckConstraint(text("(outcome = 'exception') = (cardinality(rules) > 0)"), name="exception_names_its_rules"),
    CheckConstraint(
        text("num_nonnulls(found_by, found_at) = CASE WHEN outcome = 'already' THEN 2 ELSE 0 END"),
        name="already_says_by_whom",
    ),
    CheckConstraint(text("observed_by IS NULL OR what = 'given'"), name="observes_a_dose"),
    not_blank("says"),
    Index(None, "client_id"),
    comment="How one thing on a line was answered, beside whose name stood on the paper. Refused: nothing of it was kept.",
)
