"""Reports of who looked at a client's record: what was asked for, which lines are withheld, and what was released."""

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Integer, LargeBinary, Table, text

from caseload.db.tables.base import (
    INSTANT,
    from_one,
    identifier,
    metadata,
    not_blank,
    of_32_bytes,
    one_of,
    reference,
    words,
)
from caseload.domain.accessreport import Reason

access_report = Table(
    "access_report",
    metadata,
    identifier(),
    reference("client_id", "client"),
    Column("since", INSTANT),
    Column("size", BigInteger(), nullable=False),
    reference("prepared_by", "staff"),
    Column("prepared_at", INSTANT, nullable=False),
    from_one("size"),
    Index(None, "client_id", "id"),
    comment="As of which size of the log a report was prepared. Its lines stand in the log and nowhere else.",
)

access_report_withheld = Table(
    "access_report_withheld",
    metadata,
    reference("report_id", "access_report", primary_key=True),
    Column("mark", LargeBinary(), primary_key=True),
    words("reason"),
    words("note"),
    reference("withheld_by", "staff"),
    Column("withheld_at", INSTANT, nullable=False),
    one_of("reason", Reason),
    not_blank("note"),
    of_32_bytes("mark"),
    comment="Lines that do not leave, by a mark that says nothing once the client's key is destroyed.",
)

access_report_release = Table(
    "access_report_release",
    metadata,
    reference("report_id", "access_report", primary_key=True),
    reference("released_by", "staff"),
    Column("released_at", INSTANT, nullable=False),
    Column("lines", Integer(), nullable=False),
    Column("withheld", Integer(), nullable=False),
    CheckConstraint(text("withheld BETWEEN 0 AND lines"), name="withheld"),
    comment="A privacy officer has looked through the report, and it may leave.",
)
