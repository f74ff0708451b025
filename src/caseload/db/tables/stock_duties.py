"""Stock: what its keeper owes the authorities. Inventories rest on counts that two people signed; losses have deadlines."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    ForeignKeyConstraint,
    Index,
    SmallInteger,
    Table,
    UniqueConstraint,
    Uuid,
    text,
)

from caseload.db.tables.base import INSTANT, identifier, metadata, not_blank, one_of, recorded, reference, words
from caseload.db.tables.stock import STOCK_AMOUNT
from caseload.domain.stock.words import LossKind, LossStep, Moment

stock_inventory = Table(
    "stock_inventory",
    metadata,
    identifier(),
    reference("programme_id", "programme"),
    Column("taken_on", Date(), nullable=False),
    words("moment"),
    *recorded(),
    UniqueConstraint("programme_id", "taken_on", "moment"),
    one_of("moment", Moment),
    comment="Everything was counted on this day, at its opening or close; its lines are the counts.",
)

stock_inventory_line = Table(
    "stock_inventory_line",
    metadata,
    reference("inventory_id", "stock_inventory", primary_key=True),
    Column("container_id", Uuid(), primary_key=True),
    Column("count_id", Uuid(), nullable=False),
    ForeignKeyConstraint(
        ["count_id"], ["clinic.stock_count_confirmed.count_id"], name="stock_inventory_line_confirmed_fkey"
    ),
    ForeignKeyConstraint(
        ["count_id", "container_id"],
        ["clinic.stock_count.id", "clinic.stock_count.container_id"],
        name="stock_inventory_line_count_fkey",
    ),
    comment="One container of an inventory, by a count of it that two people signed.",
)

stock_loss = Table(
    "stock_loss",
    metadata,
    identifier(),
    reference("programme_id", "programme"),
    reference("container_id", "stock_container", nullable=True),
    words("kind"),
    Column("amount_mg", STOCK_AMOUNT),
    words("what"),
    Column("discovered_at", INSTANT, nullable=False),
    words("profile"),
    Column("profile_version", SmallInteger(), nullable=False),
    Column("notice_by", Date(), nullable=False),
    Column("form_by", Date()),
    *recorded(),
    one_of("kind", LossKind),
    not_blank("what"),
    CheckConstraint(text("amount_mg > 0"), name="amount_mg"),
    CheckConstraint(text("discovered_at <= recorded_at"), name="not_in_the_future"),
    Index(None, "programme_id"),
    comment="A theft or a loss, with the deadlines that its profile version set. It is no line of the ledger: a count is.",
)

stock_loss_step = Table(
    "stock_loss_step",
    metadata,
    reference("loss_id", "stock_loss", primary_key=True),
    Column("step", words("step").type, primary_key=True),
    Column("done_at", INSTANT, nullable=False),
    words("document"),
    *recorded(),
    one_of("step", LossStep),
    not_blank("document"),
    CheckConstraint(text("done_at <= recorded_at"), name="not_in_the_future"),
    comment="What the authority was sent about a loss, and when.",
)
