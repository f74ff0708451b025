"""Stock: where it is kept. What happens to it is in `stock_acts` (decision 0306)."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    ForeignKeyConstraint,
    Index,
    Numeric,
    Table,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ExcludeConstraint

from caseload.db.tables.base import (
    INSTANT,
    begins,
    identifier,
    metadata,
    not_blank,
    one_of,
    period,
    recorded,
    reference,
    words,
)
from caseload.db.tables.medication import AMOUNT, made_as
from caseload.domain.stock.words import ContainerKind, ReceiptKind

STOCK_AMOUNT = Numeric(12, 3)
"""Milligrams; a bottle holds more than a dose can."""

_OF_THE_SAME = ("programme_id", "medicine", "form", "strength_mg")
"""What containers must share for their content to be the same."""


def container_reference(column: str, name: str) -> ForeignKeyConstraint:
    """A container of this programme that holds exactly this."""
    return ForeignKeyConstraint(
        [column, *_OF_THE_SAME], [f"clinic.stock_container.{each}" for each in ("id", *_OF_THE_SAME)], name=name
    )


stock_keeping = Table(
    "stock_keeping",
    metadata,
    reference("programme_id", "programme", primary_key=True),
    Column("from_on", Date(), nullable=False),
    *recorded(),
    comment="Since which dosing day a programme keeps its stock with us. A trigger refuses a day that has doses already.",
)

station = Table(
    "station",
    metadata,
    identifier(),
    reference("programme_id", "programme"),
    words("name"),
    *recorded(),
    UniqueConstraint("programme_id", "name"),
    UniqueConstraint("id", "programme_id"),
    not_blank("name"),
    comment="A place where doses are given: it uses one container of each medicine, form and strength at a time.",
)

stock_receipt = Table(
    "stock_receipt",
    metadata,
    identifier(),
    reference("programme_id", "programme"),
    words("kind"),
    Column("received_at", INSTANT, nullable=False),
    words("supplier_name"),
    words("supplier_address"),
    words("document"),
    *recorded(),
    UniqueConstraint("id", "programme_id"),
    one_of("kind", ReceiptKind),
    CheckConstraint(text("received_at <= recorded_at"), name="not_in_the_future"),
    CheckConstraint(
        text("kind <> 'delivery' OR (btrim(supplier_name) <> '' AND btrim(supplier_address) <> '')"),
        name="delivery_has_a_supplier",
    ),
    Index(None, "programme_id"),
    comment="A delivery, or what was there when the books were opened; its bottles name it.",
)

stock_container = Table(
    "stock_container",
    metadata,
    identifier(),
    reference("programme_id", "programme"),
    words("kind"),
    words("label"),
    words("medicine"),
    words("form"),
    Column("strength_mg", AMOUNT, nullable=False),
    Column("receipt_id", Uuid()),
    Column("received_mg", STOCK_AMOUNT),
    words("lot", nullable=True),
    Column("expires_on", Date()),
    *recorded(),
    Column("closed_at", INSTANT),
    reference("closed_by", "staff", nullable=True),
    UniqueConstraint("programme_id", "label"),
    UniqueConstraint("id", *_OF_THE_SAME, name="stock_container_same_key"),
    UniqueConstraint("id", "programme_id", "medicine", "form", name="stock_container_made_as_key"),
    ForeignKeyConstraint(
        ["receipt_id", "programme_id"],
        ["clinic.stock_receipt.id", "clinic.stock_receipt.programme_id"],
        name="stock_container_receipt_fkey",
    ),
    one_of("kind", ContainerKind),
    made_as(),
    not_blank("label"),
    not_blank("lot"),
    CheckConstraint(text("strength_mg > 0"), name="strength_mg"),
    CheckConstraint(text("received_mg > 0"), name="received_mg"),
    CheckConstraint(
        text("num_nonnulls(receipt_id, received_mg, lot, expires_on) = CASE kind WHEN 'bottle' THEN 4 ELSE 0 END"),
        name="bottle_came_from_somewhere",
    ),
    CheckConstraint(text("num_nonnulls(closed_at, closed_by) <> 1"), name="closed_by_somebody"),
    Index(None, "receipt_id"),
    comment="A bottle or a filling of a dispenser. Only its closing is ever written later, once (a trigger holds that).",
)

stock_use = Table(
    "stock_use",
    metadata,
    identifier(),
    Column("container_id", Uuid(), nullable=False),
    Column("station_id", Uuid(), nullable=False),
    Column("programme_id", Uuid(), nullable=False),
    words("medicine"),
    words("form"),
    Column("strength_mg", AMOUNT, nullable=False),
    period(),
    *recorded(),
    reference("ended_by", "staff", nullable=True),
    container_reference("container_id", "stock_use_container_fkey"),
    ForeignKeyConstraint(
        ["station_id", "programme_id"],
        ["clinic.station.id", "clinic.station.programme_id"],
        name="stock_use_station_fkey",
    ),
    begins(),
    CheckConstraint(text("upper_inf(period) = (ended_by IS NULL)"), name="ended_by_somebody"),
    ExcludeConstraint(("container_id", "="), ("period", "&&"), name="stock_use_one_station", using="gist"),
    ExcludeConstraint(
        ("programme_id", "="),
        ("medicine", "="),
        ("form", "="),
        ("strength_mg", "="),
        ("station_id", "="),
        ("period", "&&"),
        name="stock_use_one_container",
        using="gist",
    ),
    comment="Which station takes its doses from which container, from when to when; only the end is written later, once.",
)
