"""Relatives at sessions: their places, and their lines in registers. All insert-only."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    SmallInteger,
    Table,
    UniqueConstraint,
    Uuid,
    text,
)

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
from caseload.domain.attendance import CancelledBy, ComesAs, Status
from caseload.domain.consent import CheckMethod

session_relative = Table(
    "session_relative",
    metadata,
    identifier(),
    reference("session_id", "therapy_session"),
    Column("client_id", Uuid(), nullable=False),
    Column("person_id", Uuid(), nullable=False),
    words("comes_as"),
    Column("beside_client_id", Uuid()),
    reference("booked_by", "staff"),
    Column("booked_at", INSTANT, nullable=False),
    ForeignKeyConstraint(
        ["client_id", "person_id"],
        ["clinic.related_person.client_id", "clinic.related_person.id"],
        name="session_relative_person_fkey",
    ),
    ForeignKeyConstraint(
        ["session_id", "beside_client_id"],
        ["clinic.therapy_session_booking.session_id", "clinic.therapy_session_booking.client_id"],
        name="session_relative_beside_fkey",
    ),
    UniqueConstraint("session_id", "person_id"),
    UniqueConstraint("id", "session_id", "client_id", "comes_as", name="session_relative_whole_key"),
    one_of("comes_as", ComesAs),
    CheckConstraint(
        text("beside_client_id IS NOT DISTINCT FROM CASE comes_as WHEN 'with_client' THEN client_id END"),
        name="beside_their_client",
    ),
    Index(None, "client_id"),
    comment="The place of somebody around a client in a session; with the client only where the client has a place.",
)

session_relative_cancellation = Table(
    "session_relative_cancellation",
    metadata,
    reference("place_id", "session_relative", primary_key=True),
    words("cancelled_by"),
    words("reason"),
    *recorded(),
    one_of("cancelled_by", CancelledBy),
    not_blank("reason"),
    comment="A relative's place that was called off before the register was taken.",
)

session_relative_line = Table(
    "session_relative_line",
    metadata,
    Column("session_id", Uuid(), primary_key=True),
    version(),
    Column("place_id", Uuid(), primary_key=True),
    Column("client_id", Uuid(), nullable=False),
    words("comes_as"),
    Column("number", SmallInteger(), nullable=False),
    words("status"),
    Column("late_minutes", SmallInteger()),
    Column("left_early_minutes", SmallInteger()),
    Column("minutes", SmallInteger(), nullable=False),
    words("check_method", nullable=True),
    words("check_detail", nullable=True),
    Column("consent_id", Uuid()),
    words("in_spite_because", nullable=True),
    words("note", nullable=True),
    Column("told_id", Uuid()),
    ForeignKeyConstraint(
        ["session_id", "version"],
        ["clinic.therapy_session_register.session_id", "clinic.therapy_session_register.version"],
        name="session_relative_line_register_fkey",
    ),
    ForeignKeyConstraint(
        ["place_id", "session_id", "client_id", "comes_as"],
        [f"clinic.session_relative.{each}" for each in ("id", "session_id", "client_id", "comes_as")],
        name="session_relative_line_place_fkey",
    ),
    ForeignKeyConstraint(
        ["client_id", "consent_id"],
        ["clinic.consent.client_id", "clinic.consent.id"],
        name="session_relative_line_consent_fkey",
    ),
    one_of("status", Status),
    one_of("check_method", CheckMethod),
    not_blank("check_detail"),
    not_blank("in_spite_because"),
    from_one("late_minutes"),
    from_one("left_early_minutes"),
    CheckConstraint(
        text("(minutes > 0) = (status IN ('attended', 'attended_late', 'left_early')) AND minutes >= 0"),
        name="minutes_of_who_was_there",
    ),
    CheckConstraint(text("(status = 'left_early') = (left_early_minutes IS NOT NULL)"), name="left_early"),
    CheckConstraint(
        text(
            "num_nonnulls(consent_id, in_spite_because) ="
            " CASE WHEN comes_as = 'with_client' AND minutes > 0 THEN 1 ELSE 0 END"
        ),
        name="by_consent_or_in_spite",
    ),
    CheckConstraint(
        text("(told_id IS NOT NULL) = (comes_as = 'with_client' AND minutes > 0)"), name="told_with_client"
    ),
    CheckConstraint(text("consent_id IS NULL OR check_method IS NOT NULL"), name="checked"),
    CheckConstraint(text("check_method IS NOT NULL OR check_detail IS NULL"), name="detail_of_check"),
    Index("session_relative_line_told_idx", "client_id", "told_id", postgresql_where=text("told_id IS NOT NULL")),
    comment="What became of a relative's place, in one version of the register; it counts in nobody's hours.",
)
