"""Which requests have been carried out, so that a retry gets the first answer again."""

from sqlalchemy import CheckConstraint, Column, Index, LargeBinary, SmallInteger, Table, Text, Uuid, text

from caseload.db.tables.base import metadata, of_32_bytes, recorded_at, reference

request_key = Table(
    "request_key",
    metadata,
    reference("staff_id", "staff", primary_key=True),
    Column("route", Text(), primary_key=True),
    Column("key", Text(), primary_key=True),
    Column("digest", LargeBinary(), nullable=False),
    Column("status", SmallInteger(), nullable=False),
    Column("resource", Uuid(), nullable=False),
    Column("version", SmallInteger()),
    recorded_at(),
    of_32_bytes("digest"),
    CheckConstraint(text("length(key) BETWEEN 1 AND 255"), name="key"),
    CheckConstraint(text("status BETWEEN 200 AND 299"), name="only_successes"),
    Index(None, "recorded_at"),
    comment="Kept in the transaction that did the work; holds no client data, only which record was made.",
)
