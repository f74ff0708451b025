"""What others say of a client's medicine, verified or not. It is never a dose of ours and never touches our stock."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    ForeignKeyConstraint,
    Index,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from caseload.db.tables.base import INSTANT, identifier, metadata, not_blank, one_of, recorded, reference, words
from caseload.db.tables.medication import AMOUNT, INJECTIONS, made_as
from caseload.domain.dosing import DayOutcome, HowVerified, Source
from caseload.domain.medicines import DosePart

dose_statement = Table(
    "dose_statement",
    metadata,
    identifier(),
    reference("client_id", "client"),
    reference("programme_id", "programme"),
    words("source"),
    words("source_name"),
    words("informant"),
    Column("told_at", INSTANT, nullable=False),
    Column("order_id", Uuid()),
    words("medicine"),
    words("form"),
    words("note"),
    *recorded(),
    UniqueConstraint("id", "client_id"),
    ForeignKeyConstraint(
        ["order_id", "client_id"],
        ["clinic.medication_order.id", "clinic.medication_order.client_id"],
        name="dose_statement_order_fkey",
    ),
    one_of("source", Source),
    made_as(),
    CheckConstraint(text(f"form NOT IN ({INJECTIONS})"), name="no_injection"),
    CheckConstraint(text("order_id IS NULL OR source = 'pharmacy'"), name="order_is_a_pharmacys"),
    CheckConstraint(text("told_at <= recorded_at"), name="not_in_the_future"),
    not_blank("source_name"),
    not_blank("informant"),
    Index(None, "client_id", "id"),
    comment="What somebody else says about a client's medicine: who said it, and when. It never touches our stock.",
)

dose_statement_day = Table(
    "dose_statement_day",
    metadata,
    Column("statement_id", Uuid(), primary_key=True),
    Column("day", Date(), primary_key=True),
    Column("part", Text(), primary_key=True),
    Column("client_id", Uuid(), nullable=False),
    words("outcome"),
    Column("amount_mg", AMOUNT),
    Column("taken_at", INSTANT),
    words("reason", nullable=True),
    ForeignKeyConstraint(
        ["statement_id", "client_id"],
        ["clinic.dose_statement.id", "clinic.dose_statement.client_id"],
        name="dose_statement_day_statement_fkey",
    ),
    one_of("part", DosePart),
    one_of("outcome", DayOutcome),
    CheckConstraint(text("(outcome = 'taken') = (amount_mg IS NOT NULL)"), name="taken_has_an_amount"),
    CheckConstraint(text("amount_mg > 0"), name="amount_mg"),
    CheckConstraint(text("taken_at IS NULL OR outcome = 'taken'"), name="taken_at"),
    CheckConstraint(text("(outcome = 'withheld') = (reason IS NOT NULL)"), name="withheld_has_a_reason"),
    not_blank("reason"),
    Index(None, "client_id", "day"),
    comment="A day of a statement: taken with its amount, missed, or withheld.",
)

dose_statement_verification = Table(
    "dose_statement_verification",
    metadata,
    reference("statement_id", "dose_statement", primary_key=True),
    words("asked"),
    words("how"),
    reference("verified_by", "staff"),
    Column("verified_at", INSTANT, nullable=False),
    one_of("how", HowVerified),
    not_blank("asked"),
    comment="With whom it was verified, how and by whom; only then do its days count as taken.",
)

dose_statement_withdrawal = Table(
    "dose_statement_withdrawal",
    metadata,
    reference("statement_id", "dose_statement", primary_key=True),
    words("reason"),
    reference("withdrawn_by", "staff"),
    Column("withdrawn_at", INSTANT, nullable=False),
    not_blank("reason"),
    comment="It was wrong, and why; it counts no longer and stays readable.",
)
