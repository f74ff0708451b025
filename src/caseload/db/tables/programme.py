"""Programmes: the sites of the clinic, each with its zone and the profile of its rules."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    Table,
    UniqueConstraint,
    text,
)

from caseload.db.tables.base import (
    INSTANT,
    identifier,
    metadata,
    not_blank,
    words,
)

programme = Table(
    "programme",
    metadata,
    identifier(),
    words("code"),
    words("name"),
    words("time_zone"),
    words("profile"),
    Column("opened_at", INSTANT, nullable=False),
    UniqueConstraint("code"),
    CheckConstraint(text("code ~ '^[A-Z0-9][A-Z0-9-]{0,15}$'"), name="code"),
    not_blank("name"),
    CheckConstraint(text("time_zone ~ '^[A-Za-z0-9_+/-]{1,64}$'"), name="time_zone"),
    CheckConstraint(text("profile ~ '^[A-Z]{2}(-[A-Z0-9-]{1,30})?$'"), name="profile"),
    comment="A site of the clinic, with the time zone of its days and the jurisdiction profile of its rules.",
)
