"""Exports of the log with proofs: what was asked for, which worker is at it, and how it ended."""

from sqlalchemy import BigInteger, CheckConstraint, Column, Integer, LargeBinary, SmallInteger, Table, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY

from caseload.db.tables.base import INSTANT, identifier, metadata, one_of, reference, words
from caseload.domain.accesslog import LaidOpen, LogOutcome

bundle = Table(
    "bundle",
    metadata,
    identifier(),
    Column("request", Uuid(), nullable=False),
    reference("asked_by", "staff"),
    Column("asked_at", INSTANT, nullable=False),
    words("laid_open"),
    Column("scope", ARRAY(Uuid())),
    Column("towards", ARRAY(BigInteger()), nullable=False),
    Column("since", INSTANT),
    Column("until", INSTANT),
    Column("actor", Uuid()),
    words("event", nullable=True),
    words("outcome", nullable=True),
    Column("programme", Uuid()),
    Column("client", Uuid()),
    one_of("laid_open", LaidOpen),
    one_of("outcome", LogOutcome),
    comment="An export of the log as it was asked for. `scope` is null for the whole log.",
)

bundle_hold = Table(
    "bundle_hold",
    metadata,
    reference("bundle_id", "bundle", primary_key=True),
    Column("attempts", SmallInteger(), nullable=False),
    Column("held_until", INSTANT, nullable=False),
    Column("written", BigInteger(), nullable=False),
    Column("total", BigInteger(), nullable=False),
    CheckConstraint(text("attempts > 0"), name="attempts"),
    comment="Which exports a worker is at. Rows change as it goes on: nothing rests on them.",
)

bundle_end = Table(
    "bundle_end",
    metadata,
    reference("bundle_id", "bundle", primary_key=True),
    Column("at", INSTANT, nullable=False),
    words("problem", nullable=True),
    Column("entries", BigInteger(), nullable=False),
    Column("octets", BigInteger(), nullable=False),
    words("sha256"),
    comment="How an export ended, once. Its archive is in `bundle_piece`, for a day.",
)

bundle_piece = Table(
    "bundle_piece",
    metadata,
    reference("bundle_id", "bundle", primary_key=True),
    Column("number", Integer(), primary_key=True, autoincrement=False),
    Column("sealed", LargeBinary(), nullable=False),
    CheckConstraint(text("number >= 0"), name="number"),
    comment="The archive of a finished export, sealed, for a day. Not in backups.",
)
