"""Injections beside their dose: the site, and what a pharmacy delivered for one client by name."""

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

from caseload.db.tables.base import identifier, metadata, not_blank, one_of, recorded, reference, words
from caseload.db.tables.medication import AMOUNT, INJECTIONS
from caseload.domain.dosing import Site

named_delivery = Table(
    "named_delivery",
    metadata,
    identifier(),
    reference("client_id", "client"),
    reference("programme_id", "programme"),
    words("medicine"),
    words("form"),
    Column("strength_mg", AMOUNT, nullable=False),
    words("pharmacy"),
    words("lot"),
    Column("received_on", Date(), nullable=False),
    *recorded(),
    UniqueConstraint("id", "client_id"),
    CheckConstraint(
        text(f"(medicine = 'buprenorphine' OR medicine = 'naltrexone') AND form IN ({INJECTIONS})"), name="made_as"
    ),
    CheckConstraint(text("strength_mg > 0"), name="strength_mg"),
    not_blank("pharmacy"),
    not_blank("lot"),
    Index(None, "client_id"),
    comment="An injection that a pharmacy delivered for one client by name (21 CFR 1306.07(f)(5)).",
)

dose_injection = Table(
    "dose_injection",
    metadata,
    Column("dose_id", Uuid(), primary_key=True),
    Column("dose_version", SmallInteger(), nullable=False),
    Column("client_id", Uuid(), nullable=False),
    words("site", nullable=True),
    words("same_site_reason", nullable=True),
    Column("delivery_id", Uuid()),
    ForeignKeyConstraint(
        ["dose_id", "dose_version"], ["clinic.dose.id", "clinic.dose.version"], name="dose_injection_dose_fkey"
    ),
    ForeignKeyConstraint(
        ["delivery_id", "client_id"],
        ["clinic.named_delivery.id", "clinic.named_delivery.client_id"],
        name="dose_injection_delivery_fkey",
    ),
    CheckConstraint(text("dose_version = 1"), name="dose_version"),
    one_of("site", Site),
    CheckConstraint(text("num_nonnulls(site, delivery_id) > 0"), name="says_something"),
    not_blank("same_site_reason"),
    Index(None, "delivery_id", postgresql_where=text("delivery_id IS NOT NULL")),
    comment="Where an injection was given, why there again, and what delivered for this client it was.",
)
