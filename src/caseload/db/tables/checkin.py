"""The check-ins that plans scheduled, and what happened to each.

Everything is added and nothing changed, but for which check-ins wait to be settled (`check_in_waiting`), which can be worked
out again from the rest.
"""

from sqlalchemy import (
    ARRAY,
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

from caseload.db.tables.base import (
    INSTANT,
    from_one,
    identifier,
    metadata,
    not_blank,
    one_of,
    recorded,
    reference,
    some_of,
    version,
    words,
)
from caseload.domain.checkin import (
    AskedBy,
    Ended,
    Housing,
    LastFact,
    MedicationTaken,
    Mode,
    Occupation,
    Question,
    Result,
    Suicide,
)

check_in = Table(
    "check_in",
    metadata,
    identifier(),
    Column("plan_id", Uuid(), nullable=False),
    Column("plan_version", SmallInteger(), nullable=False),
    Column("client_id", Uuid(), nullable=False),
    Column("programme_id", Uuid(), nullable=False),
    Column("scheduled_on", Date(), nullable=False),
    Column("due_at", INSTANT, nullable=False),
    Column("grace_ends_at", INSTANT, nullable=False),
    Column("made_at", INSTANT, nullable=False),
    Column("later_phase", SmallInteger()),
    UniqueConstraint("plan_id", "scheduled_on", "plan_version"),
    ForeignKeyConstraint(
        ("plan_id", "plan_version", "later_phase"),
        (
            "clinic.check_in_plan_phase.plan_id",
            "clinic.check_in_plan_phase.version",
            "clinic.check_in_plan_phase.number",
        ),
        name="check_in_later_phase_fkey",
    ),
    ForeignKeyConstraint(
        ("plan_id", "plan_version"),
        ("clinic.check_in_plan_version.plan_id", "clinic.check_in_plan_version.version"),
        name="check_in_plan_version_fkey",
    ),
    ForeignKeyConstraint(
        ("plan_id", "client_id", "programme_id"),
        ("clinic.check_in_plan.id", "clinic.check_in_plan.client_id", "clinic.check_in_plan.programme_id"),
        name="check_in_plan_fkey",
    ),
    CheckConstraint(text("grace_ends_at >= due_at"), name="grace"),
    Index(None, "client_id", "due_at"),
    comment="One check-in as a version of a plan scheduled it; scheduling it twice meets the key.",
)

check_in_attempt = Table(
    "check_in_attempt",
    metadata,
    identifier(),
    reference("check_in_id", "check_in"),
    Column("attempted_at", INSTANT, nullable=False),
    words("mode"),
    words("result"),
    words("note", nullable=True),
    *recorded(),
    one_of("mode", Mode),
    one_of("result", Result),
    CheckConstraint(text("attempted_at <= recorded_at"), name="not_in_the_future"),
    Index(None, "check_in_id"),
    comment="Somebody tried to reach the client. Not a completion, however many there are.",
)

check_in_move = Table(
    "check_in_move",
    metadata,
    reference("check_in_id", "check_in", primary_key=True),
    Column("number", SmallInteger(), primary_key=True, autoincrement=False),
    Column("due_at", INSTANT, nullable=False),
    Column("grace_ends_at", INSTANT, nullable=False),
    words("asked_by"),
    words("reason", nullable=True),
    *recorded(),
    one_of("asked_by", AskedBy),
    from_one("number"),
    CheckConstraint(
        text("grace_ends_at >= due_at AND (due_at > recorded_at OR asked_by = 'closure')"), name="to_a_later_time"
    ),
    comment="A check-in was given another time; the last one counts.",
)

check_in_outcome = Table(
    "check_in_outcome",
    metadata,
    reference("check_in_id", "check_in", primary_key=True),
    version(),
    words("ended"),
    Column("occurred_at", INSTANT),
    words("mode", nullable=True),
    words("note", nullable=True),
    words("reason", nullable=True),
    reference("overtaken_by", "check_in", nullable=True),
    *recorded(),
    reference("on_behalf_of", "staff", nullable=True),
    one_of("ended", Ended),
    one_of("mode", Mode),
    from_one("version"),
    CheckConstraint(
        text("num_nonnulls(occurred_at, mode) = CASE ended WHEN 'completed' THEN 2 ELSE 0 END"), name="took_place"
    ),
    CheckConstraint(text("occurred_at <= recorded_at"), name="not_in_the_future"),
    CheckConstraint(text("(ended = 'overtaken') = (overtaken_by IS NOT NULL)"), name="overtaken"),
    CheckConstraint(
        text("ended IN ('completed', 'overtaken') OR (reason IS NOT NULL AND btrim(reason) <> '')"), name="says_why"
    ),
    CheckConstraint(text("on_behalf_of IS NULL OR ended = 'completed'"), name="on_behalf_of_a_contact"),
    Index(None, "overtaken_by", postgresql_where=text("overtaken_by IS NOT NULL")),
    comment="How a check-in was settled, as versions of which the last counts; the key settles who was first.",
)

check_in_template = Table(
    "check_in_template",
    metadata,
    reference("programme_id", "programme", primary_key=True),
    version(),
    Column("asks", ARRAY(Text()), nullable=False),
    words("reason"),
    reference("decided_by", "staff"),
    Column("decided_at", INSTANT, nullable=False),
    from_one("version"),
    some_of("asks", Question),
    not_blank("reason"),
    comment="What a programme asks in its check-ins, as versions.",
)

check_in_answers = Table(
    "check_in_answers",
    metadata,
    Column("check_in_id", Uuid(), primary_key=True),
    version(),
    reference("programme_id", "programme"),
    Column("template_version", SmallInteger()),
    Column("asked", ARRAY(Text()), nullable=False),
    Column("craving", SmallInteger()),
    Column("use_days_28", SmallInteger()),
    Column("use_days_30", SmallInteger()),
    Column("mood", SmallInteger()),
    words("housing", nullable=True),
    words("work", nullable=True),
    words("medication", nullable=True),
    Column("naloxone_held", Boolean()),
    Column("mutual_aid_days_28", SmallInteger()),
    words("triggers", nullable=True),
    words("new_events", nullable=True),
    words("next_contact", nullable=True),
    words("suicide", nullable=True),
    Column("overdose_since", Boolean()),
    Column("safeguarding", Boolean()),
    ForeignKeyConstraint(
        ("check_in_id", "version"),
        ("clinic.check_in_outcome.check_in_id", "clinic.check_in_outcome.version"),
        name="check_in_answers_outcome_fkey",
    ),
    ForeignKeyConstraint(
        ("programme_id", "template_version"),
        ("clinic.check_in_template.programme_id", "clinic.check_in_template.version"),
        name="check_in_answers_template_fkey",
    ),
    some_of("asked", Question),
    CheckConstraint(text("craving BETWEEN 0 AND 10"), name="craving"),
    CheckConstraint(text("use_days_28 BETWEEN 0 AND 28"), name="use_days_28"),
    CheckConstraint(text("use_days_30 BETWEEN 0 AND 30"), name="use_days_30"),
    CheckConstraint(text("mood BETWEEN 0 AND 10"), name="mood"),
    CheckConstraint(text("mutual_aid_days_28 BETWEEN 0 AND 28"), name="mutual_aid_days_28"),
    one_of("housing", Housing),
    one_of("work", Occupation),
    one_of("medication", MedicationTaken),
    one_of("suicide", Suicide),
    not_blank("triggers"),
    not_blank("new_events"),
    not_blank("next_contact"),
    CheckConstraint(
        text(
            "asked @> array_remove(ARRAY["
            + ", ".join(f"CASE WHEN {one} IS NOT NULL THEN '{one}' END" for one in Question)
            + "], NULL)"
        ),
        name="only_what_was_asked_is_answered",
    ),
    comment="What was asked in a check-in and what was answered; asked without an answer is not zero.",
)

check_in_waiting = Table(
    "check_in_waiting",
    metadata,
    reference("check_in_id", "check_in", primary_key=True),
    Column("plan_id", Uuid(), nullable=False),
    Column("plan_version", SmallInteger(), nullable=False),
    Column("client_id", Uuid(), nullable=False),
    Column("programme_id", Uuid(), nullable=False),
    Column("due_at", INSTANT, nullable=False),
    Column("grace_ends_at", INSTANT, nullable=False),
    Column("counts_from", INSTANT, nullable=False),
    Column("movable_until", INSTANT, nullable=False),
    Column("attempts", SmallInteger(), nullable=False),
    words("last_fact"),
    Column("last_fact_at", INSTANT, nullable=False),
    Column("last_fact_by", Uuid()),
    words("rule"),
    words("mode"),
    Column("grace_days", SmallInteger(), nullable=False),
    words("grace_rule", nullable=True),
    words("time_zone"),
    one_of("last_fact", LastFact),
    Index(None, "client_id", "grace_ends_at", "check_in_id"),
    Index(
        "check_in_waiting_overdue_idx", "programme_id", "grace_ends_at", "check_in_id", postgresql_include=["client_id"]
    ),
    Index(None, "programme_id", "due_at"),
    Index(None, "plan_id"),
    comment="The check-ins that wait to be settled, worked out from their facts; what the lists and counts read.",
)
