"""Around single doses: who it was given to, what was lost of it, and whether it is replaced."""

from sqlalchemy import (
    Boolean,
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

from caseload.db.tables.base import (
    INSTANT,
    identifier,
    metadata,
    not_blank,
    one_of,
    recorded,
    reference,
    words,
)
from caseload.db.tables.medication import AMOUNT, made_as
from caseload.domain.medicines import DosePart
from caseload.domain.profiles.around import IdentifiedBy
from caseload.domain.window import Verdict


def _dose(name: str) -> ForeignKeyConstraint:
    """A version of a dose."""
    return ForeignKeyConstraint(["dose_id", "dose_version"], ["clinic.dose.id", "clinic.dose.version"], name=name)


dose_identity_check = Table(
    "dose_identity_check",
    metadata,
    Column("dose_id", Uuid(), primary_key=True),
    Column("dose_version", SmallInteger(), nullable=False),
    words("identified_by"),
    _dose("dose_identity_check_dose_fkey"),
    one_of("identified_by", IdentifiedBy),
    CheckConstraint(text("dose_version = 1"), name="as_it_was_given"),
    comment="How whoever gave a dose made sure who it was; by whom and when stands in the dose.",
)

dose_vomited = Table(
    "dose_vomited",
    metadata,
    identifier(),
    Column("dose_id", Uuid(), nullable=False),
    Column("dose_version", SmallInteger(), nullable=False),
    reference("client_id", "client"),
    reference("programme_id", "programme"),
    Column("dosing_day", Date(), nullable=False),
    words("part"),
    Column("minutes_after", SmallInteger(), nullable=False),
    Column("witnessed", Boolean(), nullable=False),
    words("note"),
    *recorded(),
    UniqueConstraint("dose_id"),
    _dose("dose_vomited_dose_fkey"),
    one_of("part", DosePart),
    CheckConstraint(text("minutes_after BETWEEN 0 AND 1440"), name="minutes_after"),
    Index(None, "client_id"),
    Index(None, "programme_id", "recorded_at"),
    comment="A dose came back. The dose itself stays as it was given.",
)

dose_spill = Table(
    "dose_spill",
    metadata,
    identifier(),
    reference("client_id", "client"),
    reference("programme_id", "programme"),
    Column("order_id", Uuid(), nullable=False),
    Column("dosing_day", Date(), nullable=False),
    words("part"),
    words("medicine"),
    words("form"),
    Column("amount_mg", AMOUNT, nullable=False),
    Column("happened_at", INSTANT, nullable=False),
    words("reason"),
    Column("dose_id", Uuid()),
    Column("dose_version", SmallInteger()),
    Column("waste_id", Uuid()),
    Column("hold_id", Uuid()),
    *recorded(),
    UniqueConstraint("id", "recorded_by"),
    UniqueConstraint("waste_id"),
    UniqueConstraint("hold_id"),
    ForeignKeyConstraint(
        ["order_id", "client_id"],
        ["clinic.medication_order.id", "clinic.medication_order.client_id"],
        name="dose_spill_order_fkey",
    ),
    _dose("dose_spill_dose_fkey"),
    ForeignKeyConstraint(
        ["waste_id", "recorded_by"],
        ["clinic.stock_waste.id", "clinic.stock_waste.handled_by"],
        name="dose_spill_waste_fkey",
    ),
    ForeignKeyConstraint(
        ["hold_id", "client_id"], ["clinic.hold.id", "clinic.hold.client_id"], name="dose_spill_hold_fkey"
    ),
    one_of("part", DosePart),
    made_as(),
    CheckConstraint(text("amount_mg > 0"), name="amount_mg"),
    CheckConstraint(text("happened_at <= recorded_at"), name="not_in_the_future"),
    CheckConstraint(text("num_nonnulls(dose_id, dose_version) <> 1"), name="rest_of_a_dose"),
    CheckConstraint(text("(dose_id IS NULL) = (hold_id IS NOT NULL)"), name="whole_one_holds"),
    not_blank("reason"),
    Index(None, "client_id", "dosing_day"),
    Index(None, "dose_id"),
    Index(None, "programme_id", "recorded_at"),
    comment="Medicine meant for a client was spilled: the rest of a dose, or all of it, which holds the client.",
)

dose_spill_witness = Table(
    "dose_spill_witness",
    metadata,
    Column("spill_id", Uuid(), primary_key=True),
    Column("handled_by", Uuid(), nullable=False),
    reference("witness_id", "staff"),
    Column("witnessed_at", INSTANT, nullable=False),
    reference("signature_id", "signature"),
    UniqueConstraint("signature_id"),
    ForeignKeyConstraint(
        ["spill_id", "handled_by"], ["clinic.dose_spill.id", "clinic.dose_spill.recorded_by"], name="dose_spill_fkey"
    ),
    CheckConstraint(text("witness_id <> handled_by"), name="witness_is_another"),
    comment="Somebody who did not handle it signed that it was spilled.",
)

dose_replacement = Table(
    "dose_replacement",
    metadata,
    identifier(),
    Column("dose_id", Uuid(), nullable=False),
    Column("dose_version", SmallInteger(), nullable=False),
    reference("client_id", "client"),
    reference("programme_id", "programme"),
    Column("dosing_day", Date(), nullable=False),
    words("part"),
    words("verdict"),
    Column("at_most_mg", AMOUNT),
    words("reason"),
    Column("asked", ARRAY(Text()), nullable=False),
    reference("decided_by", "staff"),
    Column("decided_at", INSTANT, nullable=False),
    words("profile"),
    Column("profile_version", SmallInteger(), nullable=False),
    reference("signature_id", "signature"),
    UniqueConstraint("signature_id"),
    UniqueConstraint("id", "client_id", "dosing_day", "part"),
    _dose("dose_replacement_dose_fkey"),
    one_of("part", DosePart),
    one_of("verdict", Verdict),
    CheckConstraint(text("at_most_mg > 0"), name="at_most_mg"),
    CheckConstraint(text("(verdict = 'replace') = (at_most_mg IS NOT NULL)"), name="replaced_by_so_much"),
    not_blank("reason"),
    Index(None, "dose_id"),
    comment="A clinician's signed decision whether a vomited or spilled dose is replaced; the newest counts.",
)
