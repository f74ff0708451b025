"""Doses, and the corrections that say one was not given.

The duplicate key of a dosing day is a unique index: ordinary doses only, over all orders, medicines and programmes.
A second ordinary dose of the same part of a day can be stored only by naming the signed correction that freed it.
"""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Date,
    ForeignKeyConstraint,
    Index,
    Integer,
    Numeric,
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
    from_one,
    identifier,
    metadata,
    not_blank,
    one_of,
    recorded_at,
    reference,
    version,
    words,
)
from caseload.db.tables.medication import AMOUNT, INJECTIONS, made_as
from caseload.domain.dosing import Entry, Kind
from caseload.domain.medicines import LIQUIDS, DosePart

LIQUID = ", ".join(f"'{form}'" for form in sorted(LIQUIDS))

dose = Table(
    "dose",
    metadata,
    identifier(),
    version(),
    Column("previous_version", SmallInteger(), Computed("nullif(version - 1, 0)", persisted=True)),
    reference("client_id", "client"),
    reference("programme_id", "programme"),
    Column("order_id", Uuid()),
    Column("dosing_day", Date(), nullable=False),
    words("part"),
    words("medicine"),
    words("form"),
    Column("amount_mg", AMOUNT, nullable=False),
    Column("amount_ml", Numeric(7, 2)),
    Column("strength_mg", AMOUNT),
    Column("supervised", Boolean()),
    Column("given_at", INSTANT),
    reference("given_by", "staff", nullable=True),
    recorded_at(),
    reference("recorded_by", "staff"),
    words("kind"),
    words("entry"),
    words("late_reason", nullable=True),
    words("less_reason", nullable=True),
    Column("rules", ARRAY(Text())),
    words("profile"),
    Column("profile_version", SmallInteger(), nullable=False),
    Column("decision_id", Uuid()),
    Column("freed_by", Uuid()),
    Column("replacement_id", Uuid()),
    Column("amended_at", INSTANT),
    reference("amended_by", "staff", nullable=True),
    words("amendment_reason", nullable=True),
    reference("source_id", "client_history", nullable=True),
    Column("source_line", Integer()),
    ForeignKeyConstraint(
        ["id", "previous_version"], ["clinic.dose.id", "clinic.dose.version"], name="dose_previous_fkey"
    ),
    ForeignKeyConstraint(
        ["order_id", "client_id"],
        ["clinic.medication_order.id", "clinic.medication_order.client_id"],
        name="dose_order_fkey",
    ),
    ForeignKeyConstraint(
        ["decision_id", "client_id"],
        ["clinic.medication_decision.id", "clinic.medication_decision.client_id"],
        name="dose_decision_fkey",
    ),
    ForeignKeyConstraint(
        ["freed_by", "client_id", "dosing_day", "part"],
        [
            "clinic.dose_correction.id",
            "clinic.dose_correction.client_id",
            "clinic.dose_correction.dosing_day",
            "clinic.dose_correction.part",
        ],
        name="dose_freed_by_fkey",
        use_alter=True,
    ),
    ForeignKeyConstraint(
        ["replacement_id", "client_id", "dosing_day", "part"],
        [
            "clinic.dose_replacement.id",
            "clinic.dose_replacement.client_id",
            "clinic.dose_replacement.dosing_day",
            "clinic.dose_replacement.part",
        ],
        name="dose_replacement_fkey",
        use_alter=True,
    ),
    one_of("part", DosePart),
    one_of("kind", Kind),
    one_of("entry", Entry),
    made_as(),
    from_one("version"),
    CheckConstraint(text("amount_mg > 0"), name="amount_mg"),
    CheckConstraint(
        text(
            "num_nonnulls(amount_ml, strength_mg) = 0 OR (num_nonnulls(amount_ml, strength_mg) = 2 AND amount_ml > 0"
            f" AND form IN ({LIQUID}) AND abs(amount_mg - amount_ml * strength_mg) <= 0.005 * strength_mg)"
        ),
        name="mg_are_ml_times_strength",
    ),
    CheckConstraint(text(f"form NOT IN ({INJECTIONS}) OR supervised IS NOT FALSE"), name="injection_is_given_here"),
    CheckConstraint(text("given_at <= coalesce(amended_at, recorded_at)"), name="not_in_the_future"),
    CheckConstraint(
        text(
            "num_nonnulls(source_id, source_line) = CASE kind WHEN 'brought_in' THEN 2 ELSE 0 END"
            " AND (kind = 'brought_in') = (entry = 'source') AND (kind <> 'brought_in' OR version = 1)"
        ),
        name="brought_in_has_a_source",
    ),
    CheckConstraint(
        text("kind = 'brought_in' OR (given_at IS NOT NULL AND supervised IS NOT NULL)"), name="known_in_full"
    ),
    CheckConstraint(
        text(
            "order_id IS NOT NULL OR kind = 'brought_in' OR (kind = 'exception' AND 'no_order_in_force' = ANY (rules))"
        ),
        name="without_an_order",
    ),
    CheckConstraint(text("kind <> 'brought_in' OR order_id IS NULL"), name="brought_in_has_no_order"),
    CheckConstraint(text("(kind = 'exception') = (rules IS NOT NULL)"), name="exception_names_its_rules"),
    CheckConstraint(text("cardinality(rules) > 0"), name="rules"),
    CheckConstraint(text("(entry = 'late') = (late_reason IS NOT NULL)"), name="late_has_a_reason"),
    CheckConstraint(text("(given_by IS NULL) = (kind = 'brought_in')"), name="given_by_somebody"),
    CheckConstraint(text("entry = 'late' OR given_by = recorded_by"), name="given_by_who_records"),
    CheckConstraint(
        text("entry <> 'window' OR kind IN ('ordinary', 'replacement') OR version > 1"), name="refused_at_the_window"
    ),
    CheckConstraint(
        text(
            "CASE kind WHEN 'replacement' THEN replacement_id IS NOT NULL AND freed_by IS NULL"
            " ELSE replacement_id IS NULL OR version > 1 END"
        ),
        name="replacement_was_decided",
    ),
    CheckConstraint(
        text("num_nonnulls(amended_at, amended_by, amendment_reason) = CASE WHEN version = 1 THEN 0 ELSE 3 END"),
        name="amendment",
    ),
    not_blank("late_reason"),
    not_blank("less_reason"),
    not_blank("amendment_reason"),
    Index(
        "dose_one_ordinary_per_part_key",
        "client_id",
        "dosing_day",
        "part",
        "freed_by",
        unique=True,
        postgresql_where=text("kind = 'ordinary' AND version = 1"),
        postgresql_nulls_not_distinct=True,
    ),
    Index(
        "dose_source_line_key",
        "source_id",
        "source_line",
        unique=True,
        postgresql_where=text("source_id IS NOT NULL"),
    ),
    Index(
        "dose_other_kinds_idx",
        "client_id",
        "dosing_day",
        postgresql_where=text("kind <> 'ordinary' AND version = 1"),
    ),
    Index(
        "dose_replacement_used_once_key",
        "replacement_id",
        unique=True,
        postgresql_where=text("replacement_id IS NOT NULL AND version = 1"),
    ),
    Index(
        None,
        "dosing_day",
        postgresql_using="brin",
        postgresql_with={"pages_per_range": 32, "autosummarize": True},
    ),
    Index(
        "dose_decision_used_once_key",
        "decision_id",
        "freed_by",
        unique=True,
        postgresql_where=text("decision_id IS NOT NULL AND version = 1"),
        postgresql_nulls_not_distinct=True,
    ),
    Index(
        "dose_entered_by_another_idx",
        "given_by",
        "id",
        postgresql_where=text("entry = 'late' AND given_by <> COALESCE(amended_by, recorded_by)"),
    ),
    comment="One row per version of a dose; a change is a new row. given_at is when it happened, recorded_at when told.",
)

dose_correction = Table(
    "dose_correction",
    metadata,
    identifier(),
    Column("dose_id", Uuid(), nullable=False),
    Column("dose_version", SmallInteger(), nullable=False),
    reference("client_id", "client"),
    Column("dosing_day", Date(), nullable=False),
    words("part"),
    words("reason"),
    reference("signed_by", "staff"),
    Column("signed_at", INSTANT, nullable=False),
    reference("signature_id", "signature"),
    UniqueConstraint("dose_id"),
    UniqueConstraint("signature_id"),
    UniqueConstraint("id", "client_id", "dosing_day", "part"),
    ForeignKeyConstraint(
        ["dose_id", "dose_version"], ["clinic.dose.id", "clinic.dose.version"], name="dose_correction_dose_fkey"
    ),
    one_of("part", DosePart),
    not_blank("reason"),
    Index(None, "client_id", "dosing_day"),
    comment="A recorded dose was in fact not given. A trigger refuses the signature of whoever gave or recorded it.",
)
