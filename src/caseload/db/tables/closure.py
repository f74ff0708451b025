"""Closure days: what was said of the days of a programme, as versions; the newest counts."""

from sqlalchemy import Boolean, Column, Date, Table

from caseload.db.tables.base import from_one, metadata, not_blank, recorded, reference, version, words

closure_day = Table(
    "closure_day",
    metadata,
    reference("programme_id", "programme", primary_key=True),
    Column("day", Date(), primary_key=True),
    version(),
    Column("is_closed", Boolean(), nullable=False),
    words("reason"),
    *recorded(),
    from_one("version"),
    not_blank("reason"),
    comment="On which days a programme's window stays closed. The newest version of a day counts; its key settles a race.",
)
