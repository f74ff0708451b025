"""Holds, and the signed decisions that clear them or allow a dose: each a row whose key lets it happen once."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    ForeignKeyConstraint,
    Index,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from caseload.db.tables.base import INSTANT, identifier, metadata, not_blank, one_of, reference, words
from caseload.db.tables.medication import AMOUNT
from caseload.domain.medication import DecisionKind, HoldReason
from caseload.domain.medicines import DosePart, Medicine

hold = Table(
    "hold",
    metadata,
    identifier(),
    reference("client_id", "client"),
    reference("programme_id", "programme"),
    words("reason"),
    words("note"),
    reference("raised_by", "staff"),
    Column("raised_at", INSTANT, nullable=False),
    words("by_rule", nullable=True),
    Column("dose_id", Uuid()),
    Column("dose_version", SmallInteger()),
    Column("order_id", Uuid()),
    Column("on_day", Date()),
    words("part", nullable=True),
    Column("told", ARRAY(Text()), nullable=False, server_default=text("'{}'")),
    words("clears", nullable=True),
    words("policy", nullable=True),
    UniqueConstraint("id", "client_id"),
    ForeignKeyConstraint(
        ["order_id", "client_id"],
        ["clinic.medication_order.id", "clinic.medication_order.client_id"],
        name="hold_order_fkey",
    ),
    one_of("reason", HoldReason),
    one_of("part", DosePart),
    not_blank("clears"),
    not_blank("policy"),
    CheckConstraint(text("policy IS NULL OR by_rule IS NOT NULL"), name="policy_of_its_rule"),
    CheckConstraint(
        text("num_nonnulls(order_id, on_day) <= 1 AND (part IS NULL OR on_day IS NOT NULL)"), name="one_aim"
    ),
    CheckConstraint(
        text("reason <> 'exception' OR num_nonnulls(order_id, on_day) = 0"), name="exception_holds_the_client"
    ),
    CheckConstraint(
        text("reason <> 'missed_doses' OR num_nonnulls(by_rule, order_id) = 2"), name="missed_doses_hold_an_order"
    ),
    CheckConstraint(text("reason <> 'other' OR btrim(note) <> ''"), name="other_is_explained"),
    CheckConstraint(
        text("(reason = 'exception') = (by_rule IS NOT NULL AND dose_id IS NOT NULL AND dose_version IS NOT NULL)"),
        name="exception_names_its_dose",
    ),
    Index(None, "client_id"),
    Index(None, "programme_id", "raised_at"),
    comment="Nothing is given to the client, under the order or on the day until a prescriber's signed decision clears it.",
)

medication_decision = Table(
    "medication_decision",
    metadata,
    identifier(),
    reference("client_id", "client"),
    reference("programme_id", "programme"),
    words("kind"),
    Column("hold_id", Uuid()),
    Column("days", ARRAY(Date()), nullable=False),
    Column("at_most_mg", AMOUNT),
    words("reason"),
    reference("decided_by", "staff"),
    Column("decided_at", INSTANT, nullable=False),
    words("profile"),
    Column("profile_version", SmallInteger(), nullable=False),
    Column("rules", ARRAY(Text()), nullable=False),
    Column("last_taken_on", Date()),
    Column("missed", SmallInteger(), nullable=False),
    words("medicine", nullable=True),
    reference("signature_id", "signature"),
    UniqueConstraint("hold_id"),
    UniqueConstraint("signature_id"),
    UniqueConstraint("id", "client_id"),
    ForeignKeyConstraint(
        ["hold_id", "client_id"], ["clinic.hold.id", "clinic.hold.client_id"], name="medication_decision_hold_fkey"
    ),
    one_of("kind", DecisionKind),
    one_of("medicine", Medicine),
    CheckConstraint(text("kind = 'allow_dose' OR medicine IS NULL"), name="medicine_of_a_dose"),
    CheckConstraint(text("(kind = 'clear_hold') = (hold_id IS NOT NULL)"), name="clears_a_hold"),
    CheckConstraint(text("(kind = 'allow_dose') = (cardinality(days) > 0)"), name="names_days"),
    CheckConstraint(text("at_most_mg > 0"), name="at_most_mg"),
    not_blank("reason"),
    Index(None, "client_id"),
    comment="A prescriber's signed decision: it clears one hold, or allows one dose on one of the days it names.",
)
