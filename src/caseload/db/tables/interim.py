"""Interim treatment: its first day, the plan for going on, its end, and what of it was recorded by mistake."""

from sqlalchemy import CheckConstraint, Column, Date, SmallInteger, Table, UniqueConstraint, text

from caseload.db.tables.base import (
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
from caseload.domain.interim import Ended

interim_treatment = Table(
    "interim_treatment",
    metadata,
    identifier(),
    reference("client_id", "client"),
    Column("number", SmallInteger(), nullable=False),
    reference("episode_id", "episode", nullable=True),
    words("elsewhere", nullable=True),
    Column("started_on", Date(), nullable=False),
    Column("last_on", Date()),
    *recorded(),
    from_one("number"),
    not_blank("elsewhere"),
    CheckConstraint(
        text("num_nonnulls(episode_id, elsewhere) = 1 AND (elsewhere IS NULL) = (last_on IS NULL)"),
        name="here_or_elsewhere",
    ),
    CheckConstraint(text("last_on >= started_on"), name="days"),
    UniqueConstraint("client_id", "number"),
    comment="Interim treatment: here, under an episode, or elsewhere, with its last day; the number settles who was first.",
)

interim_plan = Table(
    "interim_plan",
    metadata,
    reference("interim_treatment_id", "interim_treatment", primary_key=True),
    version(),
    Column("made_on", Date()),
    words("made_by", nullable=True),
    words("reason", nullable=True),
    *recorded(),
    from_one("version"),
    not_blank("made_by"),
    not_blank("reason"),
    CheckConstraint(text("(version = 1) = (reason IS NULL)"), name="says_why"),
    CheckConstraint(text("(made_on IS NULL) = (made_by IS NULL)"), name="whole"),
    CheckConstraint(text("version > 1 OR made_on IS NOT NULL"), name="first"),
    comment="That there is a plan for going on after an interim treatment; a version without one takes it back.",
)

interim_end = Table(
    "interim_end",
    metadata,
    reference("interim_treatment_id", "interim_treatment", primary_key=True),
    Column("last_on", Date(), nullable=False),
    words("how"),
    *recorded(),
    one_of("how", Ended),
    comment="The last day of an interim treatment here, and how it ended; a discharge ends it without.",
)

interim_taken_back = Table(
    "interim_taken_back",
    metadata,
    reference("interim_treatment_id", "interim_treatment", primary_key=True),
    words("reason"),
    *recorded(),
    not_blank("reason"),
    comment="That an interim treatment was recorded by mistake, and why: once for each.",
)
