"""What was seen before a dose, and why one was not given."""

from sqlalchemy import (
    Boolean,
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

from caseload.db.tables.base import (
    INSTANT,
    identifier,
    metadata,
    one_of,
    recorded_at,
    reference,
    words,
)
from caseload.domain.dosing import NotGivenReason, Sedation
from caseload.domain.medicines import DosePart

pre_dose_observation = Table(
    "pre_dose_observation",
    metadata,
    identifier(),
    reference("client_id", "client"),
    reference("programme_id", "programme"),
    Column("dosing_day", Date(), nullable=False),
    words("sedation"),
    Column("intoxicated", Boolean(), nullable=False),
    words("note"),
    reference("recorded_by", "staff"),
    recorded_at(),
    Column("observation_id", Uuid()),
    Column("observation_version", SmallInteger()),
    Column("hold_id", Uuid()),
    Column("seen_at", INSTANT),
    ForeignKeyConstraint(
        ["observation_id", "observation_version"],
        ["clinic.observation.id", "clinic.observation.version"],
        name="pre_dose_observation_observation_fkey",
    ),
    ForeignKeyConstraint(
        ["hold_id", "client_id"], ["clinic.hold.id", "clinic.hold.client_id"], name="pre_dose_observation_hold_fkey"
    ),
    UniqueConstraint("hold_id"),
    CheckConstraint(text("num_nonnulls(observation_id, observation_version) <> 1"), name="measured"),
    CheckConstraint(text("seen_at <= recorded_at"), name="seen_before_it_is_told"),
    CheckConstraint(text("hold_id IS NULL OR intoxicated OR sedation <> 'alert'"), name="holds_for_what_was_seen"),
    one_of("sedation", Sedation),
    Index(None, "client_id", "dosing_day"),
    comment="How a client was before a dose of a day, as somebody saw it: a step up waits for one that found nothing.",
)


dose_not_given = Table(
    "dose_not_given",
    metadata,
    identifier(),
    reference("client_id", "client"),
    reference("programme_id", "programme"),
    Column("order_id", Uuid()),
    Column("dosing_day", Date(), nullable=False),
    words("part"),
    words("reason"),
    words("note"),
    recorded_at(),
    reference("recorded_by", "staff"),
    ForeignKeyConstraint(
        ["order_id", "client_id"],
        ["clinic.medication_order.id", "clinic.medication_order.client_id"],
        name="dose_not_given_order_fkey",
    ),
    one_of("part", DosePart),
    one_of("reason", NotGivenReason),
    CheckConstraint(text("reason <> 'other' OR btrim(note) <> ''"), name="other_is_explained"),
    Index(None, "client_id", "dosing_day"),
    comment="A dose that was not given, with the reason; never a dose of nothing.",
)
