"""Discharges that wait for a prescriber, deaths, and what has to be asked back after one.

The key of a chain lets one of a kind wait at a time: each names the one before, and that must have been answered.
"""

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from caseload.db.tables.base import INSTANT, identifier, metadata, not_blank, one_of, recorded, reference, words
from caseload.domain.caseload import DischargeReason
from caseload.domain.departure import Fate

discharge_asked = Table(
    "discharge_asked",
    metadata,
    identifier(),
    reference("client_id", "client"),
    reference("episode_id", "episode"),
    reference("programme_id", "programme"),
    Column("effective_at", INSTANT, nullable=False),
    words("reason"),
    words("note", nullable=True),
    Column("orders", ARRAY(Uuid()), nullable=False),
    Column("after_id", Uuid(), ForeignKey("clinic.discharge_answer.asked_id", use_alter=True)),
    reference("asked_by", "staff"),
    Column("asked_at", INSTANT, nullable=False),
    UniqueConstraint("episode_id", "after_id", postgresql_nulls_not_distinct=True),
    one_of("reason", DischargeReason),
    CheckConstraint(text("reason <> 'died'"), name="not_a_death"),
    CheckConstraint(text("effective_at <= asked_at"), name="not_in_the_future"),
    CheckConstraint(text("cardinality(orders) > 0"), name="orders"),
    CheckConstraint(text("after_id <> id"), name="after_another"),
    Index(None, "programme_id"),
    comment="A discharge that waits for a prescriber, because an order was in force as it was asked.",
)

discharge_answer = Table(
    "discharge_answer",
    metadata,
    Column("asked_id", Uuid(), ForeignKey("clinic.discharge_asked.id"), primary_key=True),
    words("fate", nullable=True),
    Column("until_on", Date()),
    words("transferred_to", nullable=True),
    Column("facts", JSONB(none_as_null=True)),
    words("reason"),
    reference("answered_by", "staff"),
    Column("answered_at", INSTANT, nullable=False),
    reference("signature_id", "signature", nullable=True),
    UniqueConstraint("signature_id"),
    one_of("fate", Fate),
    CheckConstraint(
        text("num_nonnulls(fate, facts, signature_id) = CASE WHEN fate IS NULL THEN 0 ELSE 3 END"),
        name="decided_is_signed",
    ),
    CheckConstraint(text("(until_on IS NULL) = (fate IS NULL OR fate = 'stop')"), name="until"),
    CheckConstraint(text("(transferred_to IS NOT NULL) = (fate IS NOT NULL AND fate = 'transfer')"), name="transfer"),
    CheckConstraint(text("jsonb_typeof(facts) = 'object'"), name="facts"),
    not_blank("reason"),
    not_blank("transferred_to"),
    comment="How the waiting of a discharge ended: decided and signed by a prescriber, or taken back.",
)

client_death = Table(
    "client_death",
    metadata,
    identifier(),
    reference("client_id", "client"),
    reference("programme_id", "programme"),
    Column("known_at", INSTANT, nullable=False),
    words("source"),
    Column("died_on", Date()),
    words("note"),
    Column("after_id", Uuid(), ForeignKey("clinic.client_death_correction.death_id", use_alter=True)),
    *recorded(),
    UniqueConstraint("client_id", "after_id", postgresql_nulls_not_distinct=True),
    UniqueConstraint("id", "recorded_by"),
    CheckConstraint(text("known_at <= recorded_at"), name="not_in_the_future"),
    CheckConstraint(text("died_on <= CAST(known_at AT TIME ZONE 'UTC' AS date) + 1"), name="died_before_it_was_known"),
    CheckConstraint(text("after_id <> id"), name="after_another"),
    not_blank("source"),
    comment="That a client has died, as somebody was told. A trigger lets nobody write an order while one stands.",
)

client_death_correction = Table(
    "client_death_correction",
    metadata,
    Column("death_id", Uuid(), primary_key=True),
    Column("recorded_by", Uuid(), nullable=False),
    words("reason"),
    reference("corrected_by", "staff"),
    Column("corrected_at", INSTANT, nullable=False),
    ForeignKeyConstraint(
        ["death_id", "recorded_by"],
        ["clinic.client_death.id", "clinic.client_death.recorded_by"],
        name="client_death_correction_death_fkey",
    ),
    CheckConstraint(text("corrected_by <> recorded_by"), name="by_another"),
    not_blank("reason"),
    comment="The report of a death was wrong, as a second person says.",
)

takehome_recovery = Table(
    "takehome_recovery",
    metadata,
    Column("death_id", Uuid(), ForeignKey("clinic.client_death.id"), primary_key=True),
    Column("opened_at", INSTANT, nullable=False),
    comment="Somebody has to ask for the medicine that a client who died had at home.",
)

takehome_recovery_closed = Table(
    "takehome_recovery_closed",
    metadata,
    Column("death_id", Uuid(), ForeignKey("clinic.takehome_recovery.death_id"), primary_key=True),
    Column("outcome", Text(), nullable=False),
    reference("closed_by", "staff"),
    Column("closed_at", INSTANT, nullable=False),
    not_blank("outcome"),
    comment="What came of it: what was handed back, or why nothing was.",
)
