"""Stock: what happens to it. The ledger is these acts, and a balance is their sum: there is no copy that could drift.

Every act names its container by a foreign key, so that whoever locks the container waits for the acts under way.
"""

from sqlalchemy import (
    CheckConstraint,
    Column,
    Computed,
    ForeignKeyConstraint,
    Index,
    SmallInteger,
    Table,
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
    recorded_at,
    reference,
    words,
)
from caseload.db.tables.medication import AMOUNT
from caseload.db.tables.stock import STOCK_AMOUNT, container_reference
from caseload.domain.stock.words import Cause, Verdict, WasteKind

stock_pour = Table(
    "stock_pour",
    metadata,
    identifier(),
    Column("source_id", Uuid(), nullable=False),
    Column("target_id", Uuid(), nullable=False),
    Column("programme_id", Uuid(), nullable=False),
    words("medicine"),
    words("form"),
    Column("strength_mg", AMOUNT, nullable=False),
    Column("amount_mg", STOCK_AMOUNT, nullable=False),
    Column("poured_at", INSTANT, nullable=False),
    *recorded(),
    container_reference("source_id", "stock_pour_source_fkey"),
    container_reference("target_id", "stock_pour_target_fkey"),
    CheckConstraint(text("source_id <> target_id"), name="another"),
    CheckConstraint(text("amount_mg > 0"), name="amount_mg"),
    CheckConstraint(text("poured_at <= recorded_at"), name="not_in_the_future"),
    Index(None, "source_id"),
    Index(None, "target_id"),
    comment="From one container into another that holds the same: one act, two lines of the ledger.",
)

stock_taking = Table(
    "stock_taking",
    metadata,
    Column("dose_id", Uuid(), primary_key=True),
    Column("line", SmallInteger(), primary_key=True, autoincrement=False),
    Column("dose_version", SmallInteger(), nullable=False),
    reference("programme_id", "programme"),
    words("medicine"),
    words("form"),
    Column("container_id", Uuid()),
    Column("station_id", Uuid()),
    Column("amount_mg", AMOUNT, nullable=False),
    Column("taken_at", INSTANT, nullable=False),
    reference("recorded_by", "staff"),
    recorded_at(),
    words("reason", nullable=True),
    ForeignKeyConstraint(
        ["dose_id", "dose_version"], ["clinic.dose.id", "clinic.dose.version"], name="stock_taking_dose_fkey"
    ),
    ForeignKeyConstraint(
        ["container_id", "programme_id", "medicine", "form"],
        [f"clinic.stock_container.{each}" for each in ("id", "programme_id", "medicine", "form")],
        name="stock_taking_container_fkey",
    ),
    ForeignKeyConstraint(
        ["station_id", "programme_id"],
        ["clinic.station.id", "clinic.station.programme_id"],
        name="stock_taking_station_fkey",
    ),
    from_one("line"),
    CheckConstraint(text("amount_mg <> 0"), name="amount_mg"),
    CheckConstraint(text("line > 1 OR amount_mg < 0"), name="first_takes"),
    not_blank("reason"),
    Index(None, "container_id"),
    Index("stock_taking_from_nowhere_idx", "programme_id", "dose_id", postgresql_where=text("container_id IS NULL")),
    Index(None, "programme_id", "recorded_at"),
    comment="What a dose took from stock, and what putting it right put back. A trigger holds the sum to what the dose says.",
)

stock_waste = Table(
    "stock_waste",
    metadata,
    identifier(),
    reference("container_id", "stock_container"),
    words("kind"),
    Column("amount_mg", STOCK_AMOUNT, nullable=False),
    words("reason"),
    Column("happened_at", INSTANT, nullable=False),
    reference("handled_by", "staff"),
    recorded_at(),
    Column("witness_by", INSTANT, nullable=False),
    Column("unit_id", Uuid()),
    UniqueConstraint("id", "handled_by"),
    UniqueConstraint("unit_id"),
    ForeignKeyConstraint(["unit_id"], ["clinic.take_home_unit.id"], name="stock_waste_unit_fkey"),
    one_of("kind", WasteKind),
    CheckConstraint(text("unit_id IS NULL OR kind = 'returned'"), name="unit_was_returned"),
    CheckConstraint(text("amount_mg > 0"), name="amount_mg"),
    CheckConstraint(text("happened_at <= recorded_at"), name="not_in_the_future"),
    not_blank("reason"),
    Index(None, "container_id"),
    comment="Medicine gone that nobody took. It counts at once, and waits for a witness until witness_by.",
)

stock_waste_settled = Table(
    "stock_waste_settled",
    metadata,
    Column("waste_id", Uuid(), primary_key=True),
    Column("handled_by", Uuid(), nullable=False),
    words("verdict"),
    reference("settled_by", "staff"),
    Column("settled_at", INSTANT, nullable=False),
    words("reason", nullable=True),
    reference("signature_id", "signature", nullable=True),
    UniqueConstraint("signature_id"),
    ForeignKeyConstraint(
        ["waste_id", "handled_by"],
        ["clinic.stock_waste.id", "clinic.stock_waste.handled_by"],
        name="stock_waste_settled_waste_fkey",
    ),
    one_of("verdict", Verdict),
    CheckConstraint(
        text("verdict <> 'witnessed' OR (settled_by <> handled_by AND signature_id IS NOT NULL AND reason IS NULL)"),
        name="witness_is_another",
    ),
    CheckConstraint(
        text("verdict <> 'withdrawn' OR (signature_id IS NULL AND reason IS NOT NULL)"), name="withdrawn_has_a_reason"
    ),
    not_blank("reason"),
    comment="Witnessed by somebody who did not handle it, under their signature, or withdrawn: one of the two, once.",
)

stock_count = Table(
    "stock_count",
    metadata,
    identifier(),
    reference("container_id", "stock_container"),
    Column("number", SmallInteger(), nullable=False),
    Column("expected_mg", STOCK_AMOUNT, nullable=False),
    Column("counted_mg", STOCK_AMOUNT, nullable=False),
    Column("variance_mg", STOCK_AMOUNT, Computed("counted_mg - expected_mg", persisted=True), nullable=False),
    words("cause", nullable=True),
    words("explanation", nullable=True),
    reference("counted_by", "staff"),
    Column("counted_at", INSTANT, nullable=False),
    reference("signature_id", "signature"),
    UniqueConstraint("container_id", "number"),
    UniqueConstraint("id", "counted_by"),
    UniqueConstraint("id", "container_id"),
    UniqueConstraint("signature_id"),
    from_one("number"),
    one_of("cause", Cause),
    CheckConstraint(text("counted_mg >= 0"), name="counted_mg"),
    CheckConstraint(
        text("num_nonnulls(cause, explanation) = CASE WHEN counted_mg = expected_mg THEN 0 ELSE 2 END"),
        name="variance_is_explained",
    ),
    not_blank("explanation"),
    comment="What somebody counted in a container against the books, signed. It changes nothing until a second person signs.",
)

stock_count_confirmed = Table(
    "stock_count_confirmed",
    metadata,
    Column("count_id", Uuid(), primary_key=True),
    Column("counted_by", Uuid(), nullable=False),
    reference("confirmed_by", "staff"),
    Column("confirmed_at", INSTANT, nullable=False),
    reference("signature_id", "signature"),
    UniqueConstraint("signature_id"),
    ForeignKeyConstraint(
        ["count_id", "counted_by"],
        ["clinic.stock_count.id", "clinic.stock_count.counted_by"],
        name="stock_count_confirmed_count_fkey",
    ),
    CheckConstraint(text("confirmed_by <> counted_by"), name="by_another"),
    comment="The second person's signature under a count: from here on its variance is in the books. Only the newest count.",
)

stock_take_home = Table(
    "stock_take_home",
    metadata,
    Column("unit_id", Uuid(), primary_key=True),
    Column("line", SmallInteger(), primary_key=True, autoincrement=False),
    Column("programme_id", Uuid(), nullable=False),
    words("medicine"),
    words("form"),
    Column("container_id", Uuid(), nullable=False),
    Column("station_id", Uuid()),
    Column("amount_mg", AMOUNT, nullable=False),
    Column("taken_at", INSTANT, nullable=False),
    *recorded(),
    ForeignKeyConstraint(
        ["unit_id", "programme_id", "medicine", "form"],
        [f"clinic.take_home_unit.{each}" for each in ("id", "programme_id", "medicine", "form")],
        name="stock_take_home_unit_fkey",
    ),
    ForeignKeyConstraint(
        ["container_id", "programme_id", "medicine", "form"],
        [f"clinic.stock_container.{each}" for each in ("id", "programme_id", "medicine", "form")],
        name="stock_take_home_container_fkey",
    ),
    ForeignKeyConstraint(
        ["station_id", "programme_id"],
        ["clinic.station.id", "clinic.station.programme_id"],
        name="stock_take_home_station_fkey",
    ),
    CheckConstraint(text("line IN (1, 2) AND (line = 1) = (amount_mg < 0)"), name="out_and_back"),
    Index(None, "container_id"),
    Index(None, "programme_id", "recorded_at"),
    comment="What a unit took from stock, and its coming back full, beside which stands its waste. A trigger holds the sum.",
)
