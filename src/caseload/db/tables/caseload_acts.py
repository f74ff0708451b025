"""What a supervisor does with whole caseloads: handing many clients over, covering an absence, setting ceilings."""

from sqlalchemy import Boolean, CheckConstraint, Column, Computed, Index, SmallInteger, Table, text
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
from caseload.domain.caseload import Answer, Left, Priority

caseload_handover = Table(
    "caseload_handover",
    metadata,
    identifier(),
    reference("programme_id", "programme"),
    reference("from_id", "staff", nullable=True),
    reference("to_id", "staff"),
    Column("effective_at", INSTANT, nullable=False),
    words("note", nullable=True),
    *recorded(),
    CheckConstraint(text("from_id <> to_id"), name="to_somebody_else"),
    comment="Clients handed over in one call: those that were named, or everybody whom one counsellor answers for.",
)

absence = Table(
    "absence",
    metadata,
    identifier(),
    reference("programme_id", "programme"),
    reference("counsellor_id", "staff"),
    reference("covered_by", "staff"),
    Column("starts_at", INSTANT, nullable=False),
    Column("ends_at", INSTANT, nullable=False),
    words("reason"),
    *recorded(),
    Column("back_at", INSTANT),
    reference("back_said_by", "staff", nullable=True),
    Column(
        "period",
        TSTZRANGE(),
        Computed("tstzrange(starts_at, GREATEST(starts_at, LEAST(ends_at, back_at)))", persisted=True),
        nullable=False,
    ),
    CheckConstraint(text("ends_at > starts_at"), name="ends_after_start"),
    CheckConstraint(text("(back_at IS NULL) = (back_said_by IS NULL)"), name="back_with_who_said_so"),
    CheckConstraint(text("back_at < ends_at"), name="back_before_its_end"),
    not_blank("reason"),
    CheckConstraint(text("covered_by <> counsellor_id"), name="by_somebody_else"),
    ExcludeConstraint(
        ("programme_id", "="), ("counsellor_id", "="), ("period", "&&"), name="absence_one_at_a_time", using="gist"
    ),
    comment="A counsellor is away and another stands in for all their clients; it ends by itself, or when they are back.",
)

caseload_ceiling = Table(
    "caseload_ceiling",
    metadata,
    identifier(),
    reference("programme_id", "programme"),
    reference("counsellor_id", "staff", nullable=True),
    Column("ceiling", SmallInteger(), nullable=True),
    *recorded(),
    CheckConstraint(text("ceiling BETWEEN 1 AND 500"), name="ceiling"),
    Index(None, "programme_id", "counsellor_id", "id"),
    comment="From how many clients on a supervisor is warned: of one counsellor, or of everybody. The newest word counts.",
)

caseload_terms = Table(
    "caseload_terms",
    metadata,
    reference("programme_id", "programme", primary_key=True),
    version(),
    Column("handovers_wait", Boolean(), nullable=False),
    words("reason"),
    *recorded(),
    from_one("version"),
    not_blank("reason"),
    comment="Whether handovers of a programme wait until the new counsellor accepts. The newest version counts.",
)

handover_offer = Table(
    "handover_offer",
    metadata,
    identifier(),
    reference("client_id", "client"),
    reference("episode_id", "episode"),
    reference("programme_id", "programme"),
    reference("to_id", "staff"),
    Column("effective_at", INSTANT, nullable=False),
    words("note", nullable=True),
    reference("handover_id", "caseload_handover", nullable=True),
    *recorded(),
    words("answer", nullable=True),
    words("answer_note", nullable=True),
    reference("answered_by", "staff", nullable=True),
    Column("answered_at", INSTANT),
    one_of("answer", Answer),
    CheckConstraint(text("num_nonnulls(answer, answered_by, answered_at) IN (0, 3)"), name="whole_answer"),
    CheckConstraint(text("answer NOT IN ('accepted', 'declined') OR answered_by = to_id"), name="own_answer"),
    CheckConstraint(text("(answer = 'declined') = (answer_note IS NOT NULL)"), name="declined_with_reason"),
    Index("handover_offer_one_waits", "episode_id", unique=True, postgresql_where=text("answer IS NULL")),
    Index("handover_offer_to_idx", "to_id", "id", postgresql_where=text("answer IS NULL")),
    Index("handover_offer_programme_idx", "programme_id", "id", postgresql_where=text("answer IS NULL")),
    Index("handover_offer_handover_id_idx", "handover_id", postgresql_where=text("handover_id IS NOT NULL")),
    comment="Handovers that wait for the new counsellor; accepted, one is the responsibility of the same id.",
)

waiting_word = Table(
    "waiting_word",
    metadata,
    reference("client_id", "client", primary_key=True),
    version(),
    Column("since", INSTANT),
    words("priority", nullable=True),
    words("left_why", nullable=True),
    words("reason"),
    *recorded(),
    from_one("version"),
    not_blank("reason"),
    one_of("priority", Priority),
    one_of("left_why", Left),
    CheckConstraint(text("(priority IS NULL) <> (left_why IS NULL)"), name="waits_or_left"),
    CheckConstraint(text("(priority IS NULL) = (since IS NULL)"), name="waits_since"),
    CheckConstraint(text("since <= recorded_at"), name="not_in_the_future"),
    comment="What was said of a client's waiting for admission. The newest counts until the next admission.",
)
