"""What was observed of clients, by which version of which instrument."""

from sqlalchemy import ARRAY, CheckConstraint, Column, Index, SmallInteger, Table, text

from caseload.db.tables.base import (
    INSTANT,
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
from caseload.domain.observation import InstrumentName

observation = Table(
    "observation",
    metadata,
    identifier(),
    version(),
    reference("client_id", "client"),
    reference("check_in_id", "check_in", nullable=True),
    words("instrument"),
    Column("instrument_version", SmallInteger(), nullable=False),
    Column("observed_at", INSTANT, nullable=False),
    Column("answers", ARRAY(SmallInteger())),
    Column("total", SmallInteger()),
    words("band", nullable=True),
    words("note", nullable=True),
    words("reason", nullable=True),
    *recorded(),
    from_one("version"),
    one_of("instrument", InstrumentName),
    not_blank("reason"),
    CheckConstraint(text("observed_at <= recorded_at"), name="not_in_the_future"),
    CheckConstraint(text("(version = 1) = (reason IS NULL)"), name="correction_has_reason"),
    CheckConstraint(text("version > 1 OR answers IS NOT NULL"), name="first_says_what"),
    CheckConstraint(
        text(
            "cardinality(answers) = CASE instrument WHEN 'cows' THEN 11 WHEN 'sows' THEN 16 WHEN 'qtc' THEN 1"
            " WHEN 'bam' THEN 23 WHEN 'bam_continuous' THEN 23 WHEN 'top' THEN 50 WHEN 'phq9' THEN 9 WHEN 'gad7' THEN 7"
            " WHEN 'ciwa_ar' THEN 10 END"
        ),
        name="answers",
    ),
    CheckConstraint(
        text(
            "num_nonnulls(total, band) = "
            "CASE WHEN answers IS NULL OR array_position(answers, NULL) IS NOT NULL"
            " OR instrument IN ('bam', 'bam_continuous', 'top') THEN 0 ELSE 2 END"
        ),
        name="score_of_all_answers",
    ),
    Index(None, "client_id", "id", "version"),
    Index(
        "observation_check_in_id_idx",
        "check_in_id",
        "instrument",
        unique=True,
        postgresql_where=text("check_in_id IS NOT NULL AND version = 1"),
    ),
    comment="Scales and measurements of a client, as versions; one without answers takes the observation back.",
)
