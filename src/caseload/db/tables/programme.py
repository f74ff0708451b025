"""Programmes: the sites of the clinic, each with its zone and the profiles of its rules."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from caseload.db.tables.base import (
    INSTANT,
    from_one,
    identifier,
    metadata,
    not_blank,
    recorded,
    reference,
    version,
    words,
)

_PROFILE = "profile ~ '^[A-Z]{2}(-[A-Z0-9-]{1,30})?$'"

programme = Table(
    "programme",
    metadata,
    identifier(),
    words("code"),
    words("name"),
    words("time_zone"),
    words("profile"),
    Column("opened_at", INSTANT, nullable=False),
    words("zones", nullable=True),
    UniqueConstraint("code"),
    CheckConstraint(text("code ~ '^[A-Z0-9][A-Z0-9-]{0,15}$'"), name="code"),
    not_blank("name"),
    CheckConstraint(text("time_zone ~ '^[A-Za-z0-9_+/-]{1,64}$'"), name="time_zone"),
    CheckConstraint(text(_PROFILE), name="profile"),
    CheckConstraint(text("zones IS NULL OR right(zones, length(time_zone) + 1) = ' ' || time_zone"), name="zones"),
    comment="A site of the clinic, with the time zone of its days and the jurisdiction profile it was opened with.",
)

programme_profile = Table(
    "programme_profile",
    metadata,
    identifier(),
    reference("programme_id", "programme"),
    Column("number", SmallInteger(), nullable=False),
    Column("from_on", Date(), nullable=False),
    words("profile"),
    Column("profile_version", SmallInteger(), nullable=False),
    Column("loosens", ARRAY(Text()), nullable=False),
    words("reason"),
    reference("selected_by", "staff"),
    Column("selected_at", INSTANT, nullable=False),
    UniqueConstraint("programme_id", "number"),
    from_one("number"),
    from_one("profile_version"),
    CheckConstraint(text(_PROFILE), name="profile"),
    CheckConstraint(text("from_on >= CAST(selected_at AT TIME ZONE 'UTC' AS date)"), name="from_a_later_day"),
    not_blank("reason"),
    comment="From a later local day on a programme goes by another profile: the last word whose day has come counts.",
)

programme_zone_move = Table(
    "programme_zone_move",
    metadata,
    identifier(),
    reference("programme_id", "programme"),
    Column("number", SmallInteger(), nullable=False),
    Column("moved_at", INSTANT, nullable=False),
    words("from_zone"),
    words("to_zone"),
    words("reason"),
    reference("moved_by", "staff"),
    UniqueConstraint("programme_id", "number"),
    from_one("number"),
    CheckConstraint(text("from_zone <> to_zone"), name="another"),
    CheckConstraint(text("to_zone ~ '^[A-Za-z0-9_+/-]{1,64}$'"), name="to_zone"),
    not_blank("reason"),
    comment="That a programme's days are those of another time zone from a moment on: who said so, when and why.",
)

programme_premises = Table(
    "programme_premises",
    metadata,
    reference("programme_id", "programme", primary_key=True),
    version(),
    words("address"),
    words("telephone"),
    *recorded(),
    from_one("version"),
    not_blank("address"),
    not_blank("telephone"),
    comment="Where a programme is and how to call it, as its labels say; the newest version counts.",
)
