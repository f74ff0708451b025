"""Sessions, who is expected at them, and their registers.

Everything is added and nothing changed, but for where a session stands (`therapy_session_current`), which can be worked
out from the rest and is what every change of a session locks first.
"""

from sqlalchemy import Boolean, CheckConstraint, Column, ForeignKeyConstraint, Index, SmallInteger, Table, Uuid, text

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
from caseload.domain.attendance import CancelledBy, SessionKind, Status

therapy_session = Table(
    "therapy_session",
    metadata,
    identifier(),
    reference("programme_id", "programme"),
    words("kind"),
    words("title"),
    Column("starts_at", INSTANT, nullable=False),
    Column("ends_at", INSTANT, nullable=False),
    Column("capacity", SmallInteger()),
    words("place", nullable=True),
    reference("planned_by", "staff"),
    Column("planned_at", INSTANT, nullable=False),
    one_of("kind", SessionKind),
    not_blank("title"),
    CheckConstraint(text("ends_at > starts_at"), name="ends_after_start"),
    from_one("capacity"),
    Index(None, "programme_id", "starts_at", "id"),
    comment="A session of one or of many; each client of it has a line of their own elsewhere.",
)

therapy_session_facilitator = Table(
    "therapy_session_facilitator",
    metadata,
    reference("session_id", "therapy_session", primary_key=True),
    reference("staff_id", "staff", primary_key=True),
    Index(None, "staff_id"),
    comment="Who leads a session, and may therefore see its roster and take its register.",
)

therapy_session_booking = Table(
    "therapy_session_booking",
    metadata,
    reference("session_id", "therapy_session", primary_key=True),
    reference("client_id", "client", primary_key=True),
    reference("booked_by", "staff"),
    Column("booked_at", INSTANT, nullable=False),
    Index(None, "client_id"),
    comment="A client's place on the roster; booking it twice meets the key.",
)

therapy_session_cancellation = Table(
    "therapy_session_cancellation",
    metadata,
    Column("session_id", Uuid(), primary_key=True),
    Column("client_id", Uuid(), primary_key=True),
    words("cancelled_by"),
    words("reason"),
    *recorded(),
    ForeignKeyConstraint(
        ("session_id", "client_id"),
        ("clinic.therapy_session_booking.session_id", "clinic.therapy_session_booking.client_id"),
        name="therapy_session_cancellation_booking_fkey",
    ),
    one_of("cancelled_by", CancelledBy),
    not_blank("reason"),
    comment="A place that was called off before the register was taken.",
)

therapy_session_register = Table(
    "therapy_session_register",
    metadata,
    reference("session_id", "therapy_session", primary_key=True),
    version(),
    Column("started_at", INSTANT, nullable=False),
    Column("ended_at", INSTANT, nullable=False),
    words("note", nullable=True),
    words("reason", nullable=True),
    reference("taken_by", "staff"),
    Column("taken_at", INSTANT, nullable=False),
    from_one("version"),
    CheckConstraint(text("(version = 1) = (reason IS NULL)"), name="correction_has_reason"),
    Index(None, "started_at"),
    CheckConstraint(text("ended_at > started_at"), name="ends_after_start"),
    comment="The register of a session, whole, as versions of which the last counts; the key settles who was first.",
)

therapy_session_line = Table(
    "therapy_session_line",
    metadata,
    Column("session_id", Uuid(), primary_key=True),
    version(),
    reference("client_id", "client", primary_key=True),
    Column("number", SmallInteger(), nullable=False),
    words("status"),
    Column("late_minutes", SmallInteger()),
    Column("left_early_minutes", SmallInteger()),
    Column("minutes", SmallInteger(), nullable=False),
    Column("walk_in", Boolean(), nullable=False),
    words("note", nullable=True),
    ForeignKeyConstraint(
        ("session_id", "version"),
        ("clinic.therapy_session_register.session_id", "clinic.therapy_session_register.version"),
        name="therapy_session_line_register_fkey",
    ),
    one_of("status", Status),
    CheckConstraint(
        text("(minutes > 0) = (status IN ('attended', 'attended_late', 'left_early')) AND minutes >= 0"),
        name="minutes_of_who_was_there",
    ),
    CheckConstraint(
        text("late_minutes IS NULL OR (late_minutes >= 1 AND status IN ('attended_late', 'left_early'))"),
        name="late_minutes",
    ),
    from_one("left_early_minutes"),
    CheckConstraint(text("(status = 'left_early') = (left_early_minutes IS NOT NULL)"), name="left_early"),
    CheckConstraint(text("status <> 'attended_late' OR late_minutes IS NOT NULL"), name="came_late"),
    Index(None, "client_id", "session_id", "version"),
    comment="What became of one client's place, in one version of the register.",
)

therapy_session_current = Table(
    "therapy_session_current",
    metadata,
    reference("session_id", "therapy_session", primary_key=True),
    Column("register_version", SmallInteger(), nullable=False),
    comment="Which version of the register counts, 0 where none was taken; locked first by whatever changes a session.",
)
