"""What the window is told of clients: excused days, messages, and from when the photograph is."""

from sqlalchemy import ARRAY, CheckConstraint, Column, Date, Index, Table, Text, text

from caseload.db.tables.base import (
    INSTANT,
    identifier,
    metadata,
    not_blank,
    one_of,
    recorded,
    reference,
    some_of,
    words,
)
from caseload.domain.window import ExcuseReason, Place

excusal = Table(
    "excusal",
    metadata,
    identifier(),
    reference("client_id", "client"),
    reference("programme_id", "programme"),
    words("reason"),
    Column("first_on", Date(), nullable=False),
    Column("last_on", Date()),
    words("told_by"),
    words("note"),
    *recorded(),
    one_of("reason", ExcuseReason),
    CheckConstraint(text("first_on <= last_on"), name="days"),
    not_blank("told_by"),
    CheckConstraint(text("reason <> 'other' OR btrim(note) <> ''"), name="other_is_explained"),
    Index(None, "client_id", "first_on"),
    Index(None, "last_on"),
    comment="Days on which the window does not expect a client. They change attendance, never the missed-dose ladder.",
)

excusal_end = Table(
    "excusal_end",
    metadata,
    reference("excusal_id", "excusal", primary_key=True),
    Column("last_on", Date(), nullable=False),
    words("reason"),
    *recorded(),
    not_blank("reason"),
    Index(None, "last_on"),
    comment="The last excused day after all; the day before the first where it never was.",
)

window_message = Table(
    "window_message",
    metadata,
    identifier(),
    reference("client_id", "client"),
    reference("programme_id", "programme"),
    words("text"),
    Column("places", ARRAY(Text()), nullable=False),
    reference("left_by", "staff"),
    Column("left_at", INSTANT, nullable=False),
    not_blank("text"),
    some_of("places", Place),
    Index(None, "client_id"),
    comment=(
        "What whoever sees the client next should know, at the window, as counsellor or leading a group; it stands there"
        " until it is cleared."
    ),
)

window_message_cleared = Table(
    "window_message_cleared",
    metadata,
    reference("message_id", "window_message", primary_key=True),
    reference("cleared_by", "staff"),
    Column("cleared_at", INSTANT, nullable=False),
    comment="Somebody at the window has seen to a message.",
)

photograph = Table(
    "photograph",
    metadata,
    identifier(),
    reference("client_id", "client"),
    Column("taken_on", Date()),
    words("kept_where"),
    *recorded(),
    not_blank("kept_where"),
    Index(None, "client_id", "id"),
    comment="From when a client's photograph is, or that none is held any more; the newest row counts.",
)
