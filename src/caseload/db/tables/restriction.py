"""Restrictions: clients whom only named staff see."""

from sqlalchemy import CheckConstraint, Column, Computed, Index, Table, text
from sqlalchemy.dialects.postgresql import TSTZRANGE, ExcludeConstraint

from caseload.db.tables.base import INSTANT, identifier, metadata, not_blank, one_of, recorded, reference, words
from caseload.domain.restriction import RestrictionKind

restriction = Table(
    "restriction",
    metadata,
    identifier(),
    reference("client_id", "client"),
    words("kind"),
    words("reason"),
    Column("starts_at", INSTANT, nullable=False),
    Column("until_at", INSTANT),
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
    one_of("kind", RestrictionKind),
    not_blank("reason"),
    not_blank("ended_because"),
    CheckConstraint(text("until_at > starts_at"), name="until_after_start"),
    CheckConstraint(text("ended_at >= starts_at"), name="ended_after_start"),
    CheckConstraint(text("num_nonnulls(ended_at, ended_by, ended_because) IN (0, 3)"), name="whole_end"),
    ExcludeConstraint(("client_id", "="), ("period", "&&"), name="restriction_one_at_a_time", using="gist"),
    Index(None, "client_id"),
    Index("restriction_running_idx", "client_id", postgresql_where=text("ended_at IS NULL")),
    comment="A client whom only named staff see; only its end before the planned one is ever written later.",
)

restriction_naming = Table(
    "restriction_naming",
    metadata,
    identifier(),
    reference("restriction_id", "restriction"),
    reference("staff_id", "staff"),
    Column("starts_at", INSTANT, nullable=False),
    Column("until_at", INSTANT),
    *recorded(),
    Column("ended_at", INSTANT),
    reference("ended_by", "staff", nullable=True),
    Column(
        "period",
        TSTZRANGE(),
        Computed("tstzrange(starts_at, LEAST(until_at, ended_at))", persisted=True),
        nullable=False,
    ),
    CheckConstraint(text("until_at > starts_at"), name="until_after_start"),
    CheckConstraint(text("ended_at >= starts_at"), name="ended_after_start"),
    CheckConstraint(text("num_nonnulls(ended_at, ended_by) IN (0, 2)"), name="whole_end"),
    ExcludeConstraint(
        ("restriction_id", "="), ("staff_id", "="), ("period", "&&"), name="restriction_naming_once", using="gist"
    ),
    Index(None, "staff_id"),
    comment="Who sees a restricted client, from when to when; only an early end is ever written later.",
)
