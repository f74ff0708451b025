"""Session notes: every version, who signed it, what was sent back or voided, and how programmes hold their sessions.

Everything is added and nothing changed, but for where a note stands (`session_note_current`), which can be worked out from
the rest, is what every change of a note locks first, and is what the sign-off queue reads.
"""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    SmallInteger,
    Table,
    Text,
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
from caseload.domain.attendance.rules import LONGEST_SIGNING_HOURS
from caseload.domain.attendance.session import LARGEST_ROSTER
from caseload.domain.note import NoteKind, NoteStanding, SignedAs
from caseload.domain.schedule import Weekday

session_note = Table(
    "session_note",
    metadata,
    identifier(),
    reference("session_id", "therapy_session"),
    reference("client_id", "client", nullable=True),
    reference("programme_id", "programme"),
    words("kind"),
    reference("author_id", "staff"),
    UniqueConstraint("id", "author_id"),
    one_of("kind", NoteKind),
    Index(None, "session_id"),
    Index(None, "client_id", "id", postgresql_where=text("client_id IS NOT NULL")),
    comment="A note about one client of a session, or about what concerned everybody; its id says when it was begun.",
)

session_note_version = Table(
    "session_note_version",
    metadata,
    reference("note_id", "session_note", primary_key=True),
    version(),
    words("text"),
    words("reason", nullable=True),
    Column("written_at", INSTANT, nullable=False),
    from_one("version"),
    not_blank("text"),
    not_blank("reason"),
    CheckConstraint(text("version > 1 OR reason IS NULL"), name="first_replaces_nothing"),
    comment="One version of a note, by its author; the key settles who was first.",
)

_VERSION = ("clinic.session_note_version.note_id", "clinic.session_note_version.version")

session_note_signature = Table(
    "session_note_signature",
    metadata,
    Column("note_id", Uuid(), primary_key=True),
    version(),
    Column("signed_as", Text(), primary_key=True),
    Column("author_id", Uuid(), nullable=False),
    reference("signed_by", "staff"),
    Column("signed_at", INSTANT, nullable=False),
    Column("names_others", Boolean(), nullable=False),
    reference("signature_id", "signature"),
    UniqueConstraint("signature_id"),
    ForeignKeyConstraint(("note_id", "version"), _VERSION, name="session_note_signature_version_fkey"),
    ForeignKeyConstraint(
        ("note_id", "author_id"),
        ("clinic.session_note.id", "clinic.session_note.author_id"),
        name="session_note_signature_author_fkey",
    ),
    one_of("signed_as", SignedAs),
    CheckConstraint(text("(signed_as = 'author') = (signed_by = author_id)"), name="two_people"),
    CheckConstraint(text("signed_as = 'author' OR NOT names_others"), name="author_is_warned"),
    comment="Who signed a version of a note: its author, and a supervisor who is somebody else.",
)

session_note_sent_back = Table(
    "session_note_sent_back",
    metadata,
    Column("note_id", Uuid(), primary_key=True),
    version(),
    words("reason"),
    reference("sent_back_by", "staff"),
    Column("sent_back_at", INSTANT, nullable=False),
    ForeignKeyConstraint(("note_id", "version"), _VERSION, name="session_note_sent_back_version_fkey"),
    not_blank("reason"),
    comment="A version that a supervisor did not countersign, and why.",
)

session_note_voided = Table(
    "session_note_voided",
    metadata,
    reference("note_id", "session_note", primary_key=True),
    words("reason"),
    reference("voided_by", "staff"),
    Column("voided_at", INSTANT, nullable=False),
    not_blank("reason"),
    comment="A note that counts for nothing any more; it stays readable.",
)

session_note_current = Table(
    "session_note_current",
    metadata,
    reference("note_id", "session_note", primary_key=True),
    reference("programme_id", "programme"),
    reference("author_id", "staff"),
    Column("version", SmallInteger(), nullable=False),
    words("standing"),
    Column("sign_by", INSTANT, nullable=False),
    from_one("version"),
    one_of("standing", NoteStanding),
    Index(
        "session_note_current_drafts_idx",
        "author_id",
        "sign_by",
        "note_id",
        postgresql_where=text("standing = 'draft'"),
    ),
    Index(
        "session_note_current_waits_idx",
        "programme_id",
        "sign_by",
        "note_id",
        postgresql_where=text("standing = 'waits_for_co_signature'"),
    ),
    comment="Where a note stands; locked first by whatever changes it.",
)

programme_session_rules = Table(
    "programme_session_rules",
    metadata,
    reference("programme_id", "programme", primary_key=True),
    version(),
    words("week_starts_on"),
    Column("group_places", SmallInteger(), nullable=False),
    Column("notes_co_signed", Boolean(), nullable=False),
    Column("sign_within_hours", SmallInteger(), nullable=False),
    *recorded(),
    from_one("version"),
    one_of("week_starts_on", Weekday),
    CheckConstraint(text(f"group_places BETWEEN 1 AND {LARGEST_ROSTER}"), name="group_places"),
    CheckConstraint(text(f"sign_within_hours BETWEEN 1 AND {LONGEST_SIGNING_HOURS}"), name="sign_within_hours"),
    comment="How a programme holds its sessions, as versions of which the last counts.",
)
