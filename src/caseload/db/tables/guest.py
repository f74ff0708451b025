"""Guest dosing: the days on which a client is dosed by another programme than their own, and how they came out."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKeyConstraint,
    Index,
    Table,
    UniqueConstraint,
    Uuid,
    column,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, ExcludeConstraint

from caseload.db.tables.base import INSTANT, identifier, metadata, not_blank, one_of, recorded, reference, words
from caseload.db.tables.medication import AMOUNT, INJECTIONS, made_as
from caseload.domain.dosing import HowVerified
from caseload.domain.medication import Direction

guest_agreement = Table(
    "guest_agreement",
    metadata,
    identifier(),
    reference("client_id", "client"),
    reference("programme_id", "programme"),
    words("direction"),
    reference("host_programme_id", "programme", nullable=True),
    words("facility"),
    Column("disclosure_id", Uuid()),
    Column("statement_id", Uuid()),
    Column("first_on", Date(), nullable=False),
    Column("last_on", Date(), nullable=False),
    Column("until_on", Date(), nullable=False),
    words("medicine"),
    words("form"),
    Column("amount_mg", AMOUNT, nullable=False),
    Column("holds_on", ARRAY(Date()), nullable=False),
    words("why"),
    words("other_enrolments"),
    words("confirmed_by"),
    words("how"),
    Column("confirmed_at", INSTANT, nullable=False),
    *recorded(),
    UniqueConstraint("id", "client_id"),
    ForeignKeyConstraint(
        ["disclosure_id", "client_id"],
        ["clinic.disclosure_made.id", "clinic.disclosure_made.client_id"],
        name="guest_agreement_disclosure_fkey",
    ),
    ForeignKeyConstraint(
        ["statement_id", "client_id"],
        ["clinic.dose_statement.id", "clinic.dose_statement.client_id"],
        name="guest_agreement_statement_fkey",
    ),
    ExcludeConstraint(
        ("client_id", "="),
        (func.daterange(column("first_on"), column("until_on")), "&&"),
        name="guest_agreement_one_at_a_time",
        using="gist",
    ),
    one_of("direction", Direction),
    one_of("how", HowVerified),
    made_as(),
    CheckConstraint(text(f"form NOT IN ({INJECTIONS})"), name="no_injection"),
    CheckConstraint(text("amount_mg > 0"), name="amount_mg"),
    CheckConstraint(
        text(
            "CASE direction WHEN 'elsewhere' THEN num_nonnulls(host_programme_id, disclosure_id) = 1"
            " AND statement_id IS NULL AND cardinality(holds_on) = 0"
            " ELSE num_nonnulls(host_programme_id, disclosure_id) = 0 AND statement_id IS NOT NULL END"
        ),
        name="by_its_direction",
    ),
    CheckConstraint(text("host_programme_id <> programme_id"), name="another_programme"),
    CheckConstraint(text("first_on <= last_on AND first_on <= until_on AND until_on <= last_on + 1"), name="days"),
    CheckConstraint(text("confirmed_at <= recorded_at"), name="not_in_the_future"),
    not_blank("facility"),
    not_blank("why"),
    not_blank("other_enrolments"),
    not_blank("confirmed_by"),
    Index(None, "client_id", "first_on"),
    Index(None, "programme_id", "until_on"),
    Index(None, "host_programme_id", "until_on"),
    comment="A client is dosed by another programme than their own, from first_on until the day before until_on; only"
    " until_on is written later, by the end.",
)

guest_end = Table(
    "guest_end",
    metadata,
    reference("agreement_id", "guest_agreement", primary_key=True),
    Column("last_on", Date(), nullable=False),
    words("reason"),
    Column("became_ours", Boolean(), nullable=False),
    *recorded(),
    not_blank("reason"),
    comment="The last guest day after all, the day before the first where it never was; or that a guest stays with us.",
)

guest_order = Table(
    "guest_order",
    metadata,
    Column("order_id", Uuid(), primary_key=True),
    Column("agreement_id", Uuid(), nullable=False),
    Column("client_id", Uuid(), nullable=False),
    ForeignKeyConstraint(
        ["order_id", "client_id"],
        ["clinic.medication_order.id", "clinic.medication_order.client_id"],
        name="guest_order_order_fkey",
    ),
    ForeignKeyConstraint(
        ["agreement_id", "client_id"],
        ["clinic.guest_agreement.id", "clinic.guest_agreement.client_id"],
        name="guest_order_agreement_fkey",
    ),
    Index(None, "agreement_id"),
    comment="For which agreement an order of a guest of ours was signed: nothing is given under it for another.",
)
