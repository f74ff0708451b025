"""Sessions, who is expected at them, and their registers.

Everything is added and nothing changed, but for where a session stands (`therapy_session_current`), which can be worked
out from the rest and is what every change of a session locks first.
"""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKeyConstraint,
    Index,
    SmallInteger,
    Table,
    Text,
    Time,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ExcludeConstraint

from caseload.db.tables.base import (
    INSTANT,
    begins_and_ends,
    from_one,
    identifier,
    metadata,
    not_blank,
    one_of,
    period,
    recorded,
    reference,
    version,
    words,
)
from caseload.domain.attendance import CancelledBy, SessionKind, Status
from caseload.domain.attendance.clash import ClaimOn
from caseload.domain.attendance.waiting import WaitOver
from caseload.domain.schedule import Unit, Weekday

session_series = Table(
    "session_series",
    metadata,
    identifier(),
    reference("programme_id", "programme"),
    Column("every", SmallInteger(), nullable=False),
    words("unit"),
    words("weekday", nullable=True),
    Column("month_day", SmallInteger()),
    Column("at", Time(), nullable=False),
    Column("starts_on", Date(), nullable=False),
    Column("ends_on", Date(), nullable=False),
    Column("minutes", SmallInteger(), nullable=False),
    reference("planned_by", "staff"),
    Column("planned_at", INSTANT, nullable=False),
    from_one("every"),
    from_one("minutes"),
    one_of("unit", Unit),
    one_of("weekday", Weekday),
    CheckConstraint(text("(weekday IS NOT NULL) = (unit = 'weeks')"), name="weekday_of_weeks"),
    CheckConstraint(text("(month_day IS NOT NULL) = (unit = 'months')"), name="day_of_months"),
    CheckConstraint(text("month_day BETWEEN 1 AND 31"), name="month_day"),
    CheckConstraint(text("ends_on BETWEEN starts_on AND starts_on + 731"), name="ends"),
    comment="A rule in the programme's zone, as it was planned; every occurrence is a session of its own.",
)

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
    words("link", nullable=True),
    reference("series_id", "session_series", nullable=True),
    Column("series_on", Date()),
    reference("planned_by", "staff"),
    Column("planned_at", INSTANT, nullable=False),
    one_of("kind", SessionKind),
    not_blank("title"),
    CheckConstraint(text("ends_at > starts_at"), name="ends_after_start"),
    from_one("capacity"),
    CheckConstraint(text("link ~ '^https://[!-~]+$'"), name="link"),
    CheckConstraint(text("num_nonnulls(series_id, series_on) <> 1"), name="series_and_day"),
    Index(None, "programme_id", "starts_at", "id"),
    Index(None, "series_id", "series_on", "id", postgresql_where=text("series_id IS NOT NULL")),
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

therapy_session_moved = Table(
    "therapy_session_moved",
    metadata,
    reference("session_id", "therapy_session", primary_key=True),
    reference("to_session_id", "therapy_session"),
    words("reason"),
    *recorded(),
    UniqueConstraint("to_session_id"),
    not_blank("reason"),
    CheckConstraint(text("session_id <> to_session_id"), name="another"),
    comment="Another session takes place instead of this one.",
)

therapy_session_claim = Table(
    "therapy_session_claim",
    metadata,
    reference("session_id", "therapy_session", primary_key=True),
    Column("claim_on", Text(), primary_key=True),
    Column("key", Text(), primary_key=True),
    period(),
    Column("agreed", Boolean(), nullable=False),
    one_of("claim_on", ClaimOn),
    begins_and_ends(),
    ExcludeConstraint(
        ("key", "="), ("period", "&&"), name="therapy_session_claim_free", using="gist", where=text("NOT agreed")
    ),
    Index("therapy_session_claim_taken_idx", "key", "period", postgresql_using="gist"),
    comment="A room or a person that a session has for itself; let go of when it does not take place.",
)

therapy_session_wait = Table(
    "therapy_session_wait",
    metadata,
    reference("session_id", "therapy_session", primary_key=True),
    reference("client_id", "client", primary_key=True),
    Column("number", SmallInteger(), nullable=False),
    *recorded(),
    UniqueConstraint("session_id", "number"),
    from_one("number"),
    Index(None, "client_id"),
    comment="Who waits for a place in a session that is full, in which order.",
)

therapy_session_wait_over = Table(
    "therapy_session_wait_over",
    metadata,
    Column("session_id", Uuid(), primary_key=True),
    Column("client_id", Uuid(), primary_key=True),
    words("how"),
    *recorded(),
    ForeignKeyConstraint(
        ("session_id", "client_id"),
        ("clinic.therapy_session_wait.session_id", "clinic.therapy_session_wait.client_id"),
        name="therapy_session_wait_over_wait_fkey",
    ),
    one_of("how", WaitOver),
    comment="The end of a wait: a place came free, or it was withdrawn.",
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
