"""Plans of check-ins: what each version asks for, in which phases, and where a plan stands.

Everything is added and nothing changed, but for where a plan stands (`check_in_plan_current`, which is also what every change
of a plan or its check-ins locks first). It can be worked out again from the rest.
"""

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    ForeignKeyConstraint,
    Index,
    SmallInteger,
    Table,
    Text,
    Time,
    UniqueConstraint,
    Uuid,
    text,
)

from caseload.db.tables.base import (
    INSTANT,
    from_one,
    identifier,
    metadata,
    one_of,
    reference,
    version,
    words,
)
from caseload.domain.checkin import (
    Mode,
    StepUpGround,
)
from caseload.domain.schedule import Unit, Weekday

check_in_plan = Table(
    "check_in_plan",
    metadata,
    identifier(),
    reference("client_id", "client"),
    reference("programme_id", "programme"),
    UniqueConstraint("id", "client_id", "programme_id"),
    Index(None, "client_id"),
    comment="A regular check-in with one client; what it asks for stands in its versions.",
)

check_in_plan_version = Table(
    "check_in_plan_version",
    metadata,
    reference("plan_id", "check_in_plan", primary_key=True),
    version(),
    Column("every", SmallInteger()),
    Column("unit", Text()),
    Column("weekday", Text()),
    Column("month_day", SmallInteger()),
    Column("local_time", Time()),
    Column("starts_on", Date()),
    Column("ends_on", Date()),
    Column("grace_days", SmallInteger()),
    words("grace_rule", nullable=True),
    Column("early_days", SmallInteger()),
    Column("mode", Text()),
    Column("time_zone", Text()),
    Column("replaces_from", INSTANT, nullable=False),
    words("reason", nullable=True),
    reference("decided_by", "staff"),
    Column("decided_at", INSTANT, nullable=False),
    from_one("version"),
    CheckConstraint(text("(version = 1) = (reason IS NULL)"), name="change_has_reason"),
    CheckConstraint(
        text("num_nonnulls(every, unit, local_time, starts_on, grace_days, early_days, mode, time_zone) IN (0, 8)"),
        name="whole_or_stopped",
    ),
    CheckConstraint(text("every >= 1 AND grace_days >= 0 AND early_days >= 0"), name="counts"),
    CheckConstraint(text("(weekday IS NOT NULL) = (unit IS NOT DISTINCT FROM 'weeks')"), name="weeks_name_a_weekday"),
    CheckConstraint(text("(month_day IS NOT NULL) = (unit IS NOT DISTINCT FROM 'months')"), name="months_name_a_day"),
    CheckConstraint(text("month_day BETWEEN 1 AND 31"), name="month_day"),
    CheckConstraint(text("ends_on >= starts_on"), name="ends_on"),
    CheckConstraint(text("unit IS NOT NULL OR num_nonnulls(ends_on, grace_rule) = 0"), name="stopped_asks_for_nothing"),
    one_of("unit", Unit),
    one_of("weekday", Weekday),
    one_of("mode", Mode),
    comment="What a plan said from one decision to the next; a version without a rule is the decision to stop.",
)

check_in_plan_phase = Table(
    "check_in_plan_phase",
    metadata,
    Column("plan_id", Uuid(), primary_key=True),
    version(),
    Column("number", SmallInteger(), primary_key=True, autoincrement=False),
    Column("every", SmallInteger(), nullable=False),
    words("unit"),
    Column("weekday", Text()),
    Column("month_day", SmallInteger()),
    Column("starts_on", Date(), nullable=False),
    Column("ends_on", Date()),
    Column("grace_days", SmallInteger(), nullable=False),
    words("grace_rule", nullable=True),
    Column("early_days", SmallInteger(), nullable=False),
    ForeignKeyConstraint(
        ("plan_id", "version"),
        ("clinic.check_in_plan_version.plan_id", "clinic.check_in_plan_version.version"),
        name="check_in_plan_phase_version_fkey",
    ),
    CheckConstraint(text("number >= 2"), name="after_the_first"),
    CheckConstraint(text("every >= 1 AND grace_days >= 0 AND early_days >= 0"), name="counts"),
    CheckConstraint(text("(weekday IS NOT NULL) = (unit = 'weeks')"), name="weeks_name_a_weekday"),
    CheckConstraint(text("(month_day IS NOT NULL) = (unit = 'months')"), name="months_name_a_day"),
    CheckConstraint(text("month_day BETWEEN 1 AND 31"), name="month_day"),
    CheckConstraint(text("ends_on >= starts_on"), name="ends_on"),
    one_of("unit", Unit),
    one_of("weekday", Weekday),
    comment="How often a version of a plan asks in the phases after its first, which stands in the version itself.",
)

check_in_step_up = Table(
    "check_in_step_up",
    metadata,
    Column("plan_id", Uuid(), primary_key=True),
    version(),
    Column("base_version", SmallInteger(), nullable=False),
    words("ground"),
    Column("occurred_on", Date(), nullable=False),
    Column("last_on", Date(), nullable=False),
    Column("record_id", Uuid()),
    words("rule"),
    ForeignKeyConstraint(
        ("plan_id", "version"),
        ("clinic.check_in_plan_version.plan_id", "clinic.check_in_plan_version.version"),
        name="check_in_step_up_version_fkey",
    ),
    ForeignKeyConstraint(
        ("plan_id", "base_version"),
        ("clinic.check_in_plan_version.plan_id", "clinic.check_in_plan_version.version"),
        name="check_in_step_up_base_version_fkey",
    ),
    CheckConstraint(text("base_version < version"), name="base_version"),
    CheckConstraint(text("last_on > occurred_on"), name="days"),
    one_of("ground", StepUpGround),
    Index(
        "check_in_step_up_record_key",
        "plan_id",
        "record_id",
        "occurred_on",
        unique=True,
        postgresql_where=text("record_id IS NOT NULL"),
    ),
    comment="Which versions of plans are more contact for a while, and why; each day of a record leads to one at most.",
)

check_in_plan_current = Table(
    "check_in_plan_current",
    metadata,
    reference("plan_id", "check_in_plan", primary_key=True),
    Column("version", SmallInteger(), nullable=False),
    Column("scheduled_through", Date(), nullable=False),
    Index(None, "scheduled_through"),
    comment="Where a plan stands, worked out from its versions; locked first by whatever changes the plan.",
)
