"""Medication records and orders.

What happens to an order is a row of its own whose key lets it happen once. `medication_record` is the row
that everything about a client's doses locks first; it holds nothing clinical.
"""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Numeric,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    false,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, DATERANGE, INT4RANGE, JSONB, ExcludeConstraint

from caseload.db.tables.base import INSTANT, identifier, metadata, not_blank, one_of, reference, words
from caseload.domain.medication import Supply
from caseload.domain.medicines import FORMS, LONG_ACTING

AMOUNT = Numeric(7, 3)
"""Milligrams, never a binary fraction."""

_MADE_AS = " OR ".join(
    f"(medicine = '{medicine}' AND form IN ({', '.join(repr(form.value) for form in sorted(forms))}))"
    for medicine, forms in FORMS.items()
)
INJECTIONS = ", ".join(f"'{form}'" for form in sorted(LONG_ACTING))


def made_as() -> CheckConstraint:
    """A CHECK that the medicine exists in this form."""
    return CheckConstraint(text(_MADE_AS), name="made_as")


medication_record = Table(
    "medication_record",
    metadata,
    reference("client_id", "client", primary_key=True),
    Column("history_until", Date()),
    Column("covered_until", Date()),
    Column("gaps_until", Date()),
    Column("has_guest_days", Boolean(), nullable=False, server_default=false()),
    Column("merged_into", Uuid()),
    Column("suspected_with", Uuid()),
    Column("home_id", Uuid()),
    comment="Locked first by whatever touches a client's doses. Brought-in history tells of the days until history_until,"
    " anything besides our own doses of no day after covered_until, and whoever ever was a guest has_guest_days."
    " A closed registration is merged_into another; what may be one person's with others is suspected_with the survivor"
    " of them, and the home of whoever was transferred is home_id (triggers hold that).",
)

medication_order = Table(
    "medication_order",
    metadata,
    identifier(),
    Column("chain_id", Uuid(), nullable=False),
    Column("version", SmallInteger(), nullable=False),
    Column("replaces_id", Uuid()),
    reference("client_id", "client"),
    reference("programme_id", "programme"),
    words("medicine"),
    words("form"),
    Column("strength_mg", AMOUNT, nullable=False),
    Column("whole_mg", AMOUNT),
    Column("morning_mg", AMOUNT),
    Column("evening_mg", AMOUNT),
    Column("every_days", SmallInteger(), nullable=False),
    Column("starts_on", Date(), nullable=False),
    Column("ends_on", Date()),
    Column("supervised", Boolean(), nullable=False),
    words("note"),
    words("product", nullable=True),
    Column("supply", Text(), nullable=False, server_default=text("'window'")),
    reference("verbal_by", "staff", nullable=True),
    Column("countersign_by", INSTANT),
    Column("read_back", Boolean()),
    Column("step_from", ARRAY(Date())),
    Column("step_whole_mg", ARRAY(AMOUNT)),
    Column("step_morning_mg", ARRAY(AMOUNT)),
    Column("step_evening_mg", ARRAY(AMOUNT)),
    reference("written_by", "staff"),
    Column("written_at", INSTANT, nullable=False),
    Column("rapid_start", Boolean(), nullable=False, server_default=false()),
    Column("last_opioid_on", Date()),
    words("no_opioid_known", nullable=True),
    Column("beside_id", Uuid()),
    UniqueConstraint("chain_id", "version"),
    UniqueConstraint("id", "client_id"),
    ForeignKeyConstraint(
        ["replaces_id", "client_id"],
        ["clinic.medication_order.id", "clinic.medication_order.client_id"],
        name="medication_order_replaces_fkey",
    ),
    ForeignKeyConstraint(
        ["beside_id", "client_id"],
        ["clinic.medication_order.id", "clinic.medication_order.client_id"],
        name="medication_order_beside_fkey",
    ),
    made_as(),
    CheckConstraint(text("strength_mg > 0"), name="strength_mg"),
    CheckConstraint(
        text("(whole_mg IS NOT NULL) <> (morning_mg IS NOT NULL OR evening_mg IS NOT NULL)"), name="whole_or_parts"
    ),
    CheckConstraint(text("whole_mg > 0 AND morning_mg > 0 AND evening_mg > 0"), name="amounts"),
    CheckConstraint(text(f"form NOT IN ({INJECTIONS}) OR whole_mg IS NOT NULL"), name="injection_is_whole"),
    CheckConstraint(text(f"form NOT IN ({INJECTIONS}) OR supervised"), name="injection_is_given_here"),
    one_of("supply", Supply),
    CheckConstraint(
        text(
            "num_nonnulls(verbal_by, countersign_by, read_back) = 0 OR (num_nonnulls(verbal_by, countersign_by, read_back)"
            " = 3 AND read_back AND verbal_by <> written_by AND countersign_by > written_at AND replaces_id IS NULL)"
        ),
        name="verbal",
    ),
    CheckConstraint(
        text(f"form NOT IN ({INJECTIONS}) OR (supply = 'window' AND step_from IS NULL)"), name="injection_at_our_window"
    ),
    CheckConstraint(
        text(
            "CASE WHEN step_from IS NULL THEN num_nonnulls(step_whole_mg, step_morning_mg, step_evening_mg) = 0"
            " ELSE (step_whole_mg IS NULL) = (whole_mg IS NULL) AND (step_morning_mg IS NULL) = (morning_mg IS NULL)"
            " AND (step_evening_mg IS NULL) = (evening_mg IS NULL) END"
        ),
        name="steps_have_the_same_parts",
    ),
    CheckConstraint(
        text(
            "step_from IS NULL OR (cardinality(step_from) BETWEEN 1 AND 60"
            " AND cardinality(coalesce(step_whole_mg, step_morning_mg, step_evening_mg)) = cardinality(step_from)"
            " AND cardinality(coalesce(step_evening_mg, step_morning_mg, step_whole_mg)) = cardinality(step_from)"
            " AND array_position(step_from, NULL) IS NULL AND array_position(step_whole_mg, NULL) IS NULL"
            " AND array_position(step_morning_mg, NULL) IS NULL AND array_position(step_evening_mg, NULL) IS NULL)"
        ),
        name="steps_are_complete",
    ),
    CheckConstraint(
        text("0 < ALL (step_whole_mg) AND 0 < ALL (step_morning_mg) AND 0 < ALL (step_evening_mg)"), name="step_amounts"
    ),
    CheckConstraint(
        text(
            "step_from IS NULL OR (clinic.is_rising(step_from) AND starts_on < step_from[1]"
            " AND (ends_on IS NULL OR step_from[cardinality(step_from)] <= ends_on))"
        ),
        name="steps_rise_in_its_days",
    ),
    CheckConstraint(text(f"NOT rapid_start OR form IN ({INJECTIONS})"), name="rapid_start"),
    CheckConstraint(text("last_opioid_on IS NULL OR medicine = 'naltrexone'"), name="last_opioid_on"),
    CheckConstraint(
        text("num_nonnulls(last_opioid_on, no_opioid_known) <= CASE medicine WHEN 'naltrexone' THEN 1 ELSE 0 END"),
        name="last_opioid_is_answered_once",
    ),
    not_blank("no_opioid_known"),
    CheckConstraint(
        text(
            "beside_id IS NULL OR (num_nonnulls(whole_mg, morning_mg, evening_mg) = 1 AND whole_mg IS NULL"
            " AND verbal_by IS NULL AND beside_id <> id AND beside_id IS DISTINCT FROM replaces_id)"
        ),
        name="beside_in_a_part",
    ),
    CheckConstraint(text("product ~ '^[a-z0-9_]{1,60}$'"), name="product"),
    CheckConstraint(text("every_days BETWEEN 1 AND 92"), name="every_days"),
    CheckConstraint(text("ends_on >= starts_on"), name="ends_on"),
    CheckConstraint(text("version >= 1 AND (version = 1) = (replaces_id IS NULL)"), name="chain"),
    CheckConstraint(text("(version = 1) = (chain_id = id)"), name="first_of_chain"),
    Index(None, "client_id", "starts_on"),
    Index(None, "programme_id"),
    Index(None, "programme_id", "starts_on"),
    Index(
        "medication_order_spoken_idx",
        "programme_id",
        "countersign_by",
        postgresql_where=text("verbal_by IS NOT NULL"),
    ),
    Index(
        "medication_order_step_from_idx",
        "step_from",
        postgresql_using="gin",
        postgresql_where=text("step_from IS NOT NULL"),
    ),
    Index("medication_order_beside_idx", "client_id", postgresql_where=text("beside_id IS NOT NULL")),
    comment="A prescriber's instruction, never edited: a change is a new row of the same chain.",
)

medication_order_signature = Table(
    "medication_order_signature",
    metadata,
    reference("order_id", "medication_order", primary_key=True),
    reference("signature_id", "signature"),
    Column("signed_at", INSTANT, nullable=False),
    UniqueConstraint("signature_id"),
    UniqueConstraint("order_id", "signed_at"),
    comment="The signature that puts an order in force.",
)

medication_order_confirmation = Table(
    "medication_order_confirmation",
    metadata,
    Column("order_id", Uuid(), primary_key=True),
    Column("rule", Text(), primary_key=True),
    words("profile"),
    Column("profile_version", SmallInteger(), nullable=False),
    words("reason"),
    Column("facts", JSONB(), nullable=False),
    Column("confirmed_at", INSTANT, nullable=False),
    ForeignKeyConstraint(
        ["order_id", "confirmed_at"],
        ["clinic.medication_order_signature.order_id", "clinic.medication_order_signature.signed_at"],
        name="medication_order_confirmation_signature_fkey",
    ),
    not_blank("rule"),
    not_blank("reason"),
    CheckConstraint(text("jsonb_typeof(facts) = 'object'"), name="facts"),
    comment="What the profile asked before an order was signed, with the prescriber's reason; under the same signature.",
)

medication_order_replacement = Table(
    "medication_order_replacement",
    metadata,
    reference("replaced_id", "medication_order", primary_key=True),
    Column("order_id", Uuid(), ForeignKey("clinic.medication_order_signature.order_id"), nullable=False),
    Column("from_on", Date(), nullable=False),
    Column("replaced_at", INSTANT, nullable=False),
    UniqueConstraint("order_id"),
    CheckConstraint(text("order_id <> replaced_id"), name="another"),
    comment="A signed order took the place of another from its first day on; each order is replaced once.",
)

medication_order_days = Table(
    "medication_order_days",
    metadata,
    Column("order_id", Uuid(), primary_key=True),
    Column("client_id", Uuid(), nullable=False),
    words("kind"),
    Column("parts", INT4RANGE(), nullable=False),
    Column("days", DATERANGE(), nullable=False),
    Column("names_another", Boolean(), nullable=False),
    ForeignKeyConstraint(
        ["order_id", "client_id"],
        ["clinic.medication_order.id", "clinic.medication_order.client_id"],
        name="medication_order_days_order_fkey",
    ),
    ExcludeConstraint(
        ("client_id", "="), ("parts", "&&"), ("days", "&&"), name="order_in_its_own_part_of_the_day", using="gist"
    ),
    ExcludeConstraint(("client_id", "="), ("kind", "="), ("days", "&&"), name="order_of_its_own_kind", using="gist"),
    ExcludeConstraint(
        ("client_id", "="),
        ("days", "&&"),
        name="order_that_names_no_other_alone",
        using="gist",
        where=text("NOT names_another"),
    ),
    CheckConstraint(text("NOT isempty(parts)"), name="parts"),
    comment="The days and parts of the day in which an order that counts may be given; triggers keep it. Two share neither a"
    " part of a day nor a medicine, and share a day only where one was signed as standing beside another.",
)

medication_order_stop = Table(
    "medication_order_stop",
    metadata,
    reference("order_id", "medication_order", primary_key=True),
    words("reason"),
    reference("stopped_by", "staff"),
    Column("stopped_at", INSTANT, nullable=False),
    reference("signature_id", "signature", nullable=True),
    reference("death_id", "client_death", nullable=True),
    UniqueConstraint("signature_id"),
    CheckConstraint(text("num_nonnulls(signature_id, death_id) = 1"), name="signed_or_with_a_death"),
    not_blank("reason"),
    comment="An order stopped at once, or a draft withdrawn: by a prescriber's signature, or with the client's death.",
)
