"""Addresses under which somebody's calendar is read elsewhere; of each the digest of its secret is kept."""

from sqlalchemy import CheckConstraint, Column, LargeBinary, SmallInteger, Table, UniqueConstraint, text

from caseload.db.tables.base import INSTANT, from_one, identifier, metadata, of_32_bytes, reference
from caseload.domain.people.staff import COMMAND_LINE

calendar_feed = Table(
    "calendar_feed",
    metadata,
    identifier(),
    reference("staff_id", "staff"),
    Column("number", SmallInteger(), nullable=False),
    Column("token_digest", LargeBinary(), nullable=False),
    Column("made_at", INSTANT, nullable=False),
    UniqueConstraint("staff_id", "number"),
    UniqueConstraint("token_digest"),
    from_one("number"),
    of_32_bytes("token_digest"),
    CheckConstraint(text(f"staff_id <> '{COMMAND_LINE}'::uuid"), name="a_person"),
    comment="A calendar of somebody's own, found by the SHA-256 of the secret in its address.",
)

calendar_feed_revocation = Table(
    "calendar_feed_revocation",
    metadata,
    reference("feed_id", "calendar_feed", primary_key=True),
    Column("revoked_at", INSTANT, nullable=False),
    comment="That the address of a calendar shows nothing any more.",
)
