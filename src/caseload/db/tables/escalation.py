"""What clinicians must hear of at once, who took it on, and what is done in an emergency.

`escalation_open` holds no fact of its own: which escalations nobody has acknowledged yet, for the list that somebody
looks at all day. It can be worked out again from the other two.
"""

from sqlalchemy import (
    CheckConstraint,
    Column,
    Computed,
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
from sqlalchemy.dialects.postgresql import TSTZRANGE, ExcludeConstraint

from caseload.db.tables.base import (
    INSTANT,
    from_one,
    identifier,
    metadata,
    not_blank,
    one_of,
    recorded,
    reference,
    version,
    words,
)
from caseload.domain.escalation import Ground, PassedTo

escalation = Table(
    "escalation",
    metadata,
    identifier(),
    reference("client_id", "client"),
    reference("programme_id", "programme"),
    words("ground"),
    reference("check_in_id", "check_in", nullable=True),
    words("said", nullable=True),
    *recorded(),
    Column("missed_since", Date()),
    Column("observation_id", Uuid()),
    Column("observation_version", SmallInteger()),
    UniqueConstraint("check_in_id", "ground"),
    UniqueConstraint("observation_id", "ground"),
    ForeignKeyConstraint(
        ["observation_id", "observation_version"],
        ["clinic.observation.id", "clinic.observation.version"],
        name="escalation_observation_fkey",
    ),
    CheckConstraint(
        text(
            "num_nonnulls(observation_id, observation_version) IN (0, 2)"
            " AND num_nonnulls(check_in_id, observation_id, missed_since) <= 1"
        ),
        name="raised_by_one",
    ),
    one_of("ground", Ground),
    not_blank("said"),
    CheckConstraint(text("missed_since IS NULL OR ground = 'missed_doses'"), name="missed_since"),
    Index(None, "client_id"),
    Index(
        "escalation_missed_once_key",
        "client_id",
        "missed_since",
        unique=True,
        postgresql_where=text("missed_since IS NOT NULL"),
    ),
    comment="What a clinician must hear of at once; a check-in or an observation raises each ground once.",
)

escalation_acknowledgement = Table(
    "escalation_acknowledgement",
    metadata,
    reference("escalation_id", "escalation", primary_key=True),
    words("doing"),
    *recorded(),
    not_blank("doing"),
    comment="That a named clinician has taken an escalation on, and what is being done; once for each.",
)

escalation_open = Table(
    "escalation_open",
    metadata,
    reference("escalation_id", "escalation", primary_key=True),
    Column("programme_id", Uuid(), nullable=False),
    Index(None, "programme_id", "escalation_id"),
    comment="The escalations that no clinician has acknowledged, worked out from the others; locked to acknowledge one.",
)

escalation_passing = Table(
    "escalation_passing",
    metadata,
    reference("escalation_id", "escalation", primary_key=True),
    Column("passed_to", Text(), primary_key=True),
    words("rule"),
    Column("passed_at", INSTANT, nullable=False),
    one_of("passed_to", PassedTo),
    not_blank("rule"),
    comment="An escalation that nobody had acknowledged went on: to the clinician on call, to the supervisors.",
)

escalation_recipient = Table(
    "escalation_recipient",
    metadata,
    Column("escalation_id", Uuid(), primary_key=True),
    Column("passed_to", Text(), primary_key=True),
    reference("staff_id", "staff", primary_key=True),
    ForeignKeyConstraint(
        ("escalation_id", "passed_to"),
        ("clinic.escalation_passing.escalation_id", "clinic.escalation_passing.passed_to"),
        name="escalation_recipient_passing_fkey",
    ),
    comment="Who that was then; nobody where there was nobody.",
)

on_call = Table(
    "on_call",
    metadata,
    identifier(),
    reference("programme_id", "programme"),
    reference("staff_id", "staff"),
    Column("starts_at", INSTANT, nullable=False),
    Column("ends_at", INSTANT, nullable=False),
    *recorded(),
    Column("ended_at", INSTANT),
    reference("ended_by", "staff", nullable=True),
    Column(
        "period",
        TSTZRANGE(),
        Computed("tstzrange(starts_at, GREATEST(starts_at, LEAST(ends_at, ended_at)))", persisted=True),
        nullable=False,
    ),
    CheckConstraint(text("ends_at > starts_at"), name="ends_after_start"),
    CheckConstraint(text("(ended_at IS NULL) = (ended_by IS NULL)"), name="ended_with_who_said_so"),
    CheckConstraint(text("ended_at < ends_at"), name="ended_before_its_end"),
    ExcludeConstraint(("programme_id", "="), ("period", "&&"), name="on_call_one_at_a_time", using="gist"),
    comment="Which clinician is on call in a programme, from when to when; one at a time.",
)

emergency_instruction = Table(
    "emergency_instruction",
    metadata,
    reference("programme_id", "programme", primary_key=True),
    version(),
    words("says"),
    reference("decided_by", "staff"),
    Column("decided_at", INSTANT, nullable=False),
    from_one("version"),
    not_blank("says"),
    comment="What a programme says is done in an emergency, as versions; that of its country where it says nothing.",
)
