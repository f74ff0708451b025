"""The history with which programmes start: where it came from, and what was brought in of each client.

Doses stand among the doses (kind `brought_in`); everything else that others recorded stands here, as they recorded it.
A row names its import and its line, so that its source can be found for ever. Nothing is changed or taken away.
"""

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from caseload.db.tables.base import (
    INSTANT,
    from_one,
    identifier,
    metadata,
    not_blank,
    of_32_bytes,
    one_of,
    recorded,
    recorded_at,
    reference,
    words,
)
from caseload.db.tables.medication import AMOUNT, made_as
from caseload.domain.history import Outcome
from caseload.domain.history.rows import RESULTS
from caseload.domain.history.verifying import Finding

history_import = Table(
    "history_import",
    metadata,
    identifier(),
    words("source"),
    reference("begun_by", "staff"),
    Column("begun_at", INSTANT, nullable=False),
    not_blank("source"),
    CheckConstraint(text("char_length(source) <= 64"), name="source"),
    comment="One run over one folder of history, and who made it.",
)

history_import_end = Table(
    "history_import_end",
    metadata,
    reference("import_id", "history_import", primary_key=True),
    Column("ended_at", INSTANT, nullable=False),
    comment="A run that saw everybody. Without one it was stopped on the way; running it again goes on.",
)

history_file = Table(
    "history_file",
    metadata,
    reference("import_id", "history_import", primary_key=True),
    Column("file", Text(), primary_key=True),
    Column("sha256", Text(), nullable=False),
    Column("rows", Integer(), nullable=False),
    Column("accepted", Integer(), nullable=False),
    CheckConstraint(text("sha256 ~ '^[0-9a-f]{64}$'"), name="sha256"),
    CheckConstraint(text("0 <= accepted AND accepted <= rows"), name="accepted"),
    comment="A file of the folder by its digest: the file itself stays with whoever keeps the former record.",
)

history_refusal = Table(
    "history_refusal",
    metadata,
    reference("import_id", "history_import", primary_key=True),
    Column("file", Text(), primary_key=True),
    Column("line", Integer(), primary_key=True, autoincrement=False),
    words("reason"),
    from_one("line"),
    comment="A row that was left out, and why. It names nobody.",
)

client_history = Table(
    "client_history",
    metadata,
    identifier(),
    reference("import_id", "history_import"),
    reference("client_id", "client"),
    words("source"),
    words("external_id"),
    Column("number", SmallInteger(), nullable=False),
    Column("content", LargeBinary(), nullable=False),
    Column("last_day_covered", Date(), nullable=False),
    Column("recorded", JSONB(), nullable=False),
    *recorded(),
    UniqueConstraint("source", "external_id", "number"),
    UniqueConstraint("client_id", "source", "number"),
    from_one("number"),
    of_32_bytes("content"),
    CheckConstraint(text("jsonb_typeof(recorded) = 'object'"), name="recorded"),
    Index(None, "import_id"),
    comment="What one run brought in of one client. Days after last_day_covered are not known.",
)

history_visit = Table(
    "history_visit",
    metadata,
    Column("history_id", Uuid(), primary_key=True),
    Column("line", Integer(), primary_key=True, autoincrement=False),
    reference("client_id", "client"),
    Column("scheduled_on", Date()),
    words("label"),
    words("status"),
    words("reason"),
    Column("replaces_history_id", Uuid()),
    Column("replaces_line", Integer()),
    ForeignKeyConstraint(["history_id"], ["clinic.client_history.id"]),
    ForeignKeyConstraint(
        ["replaces_history_id", "replaces_line"],
        ["clinic.history_visit.history_id", "clinic.history_visit.line"],
        name="history_visit_replaces_fkey",
    ),
    UniqueConstraint("replaces_history_id", "replaces_line"),
    one_of("status", Outcome),
    CheckConstraint(text("scheduled_on IS NOT NULL OR status = 'did_not_attend'"), name="has_its_day"),
    CheckConstraint(text("(replaces_history_id IS NULL) = (replaces_line IS NULL)"), name="replaces"),
    Index(None, "client_id", "scheduled_on"),
    comment="A visit as others recorded it. It counts for attendance and is never billable.",
)

history_drug_screen = Table(
    "history_drug_screen",
    metadata,
    Column("history_id", Uuid(), primary_key=True),
    Column("line", Integer(), primary_key=True, autoincrement=False),
    reference("client_id", "client"),
    Column("collected_on", Date(), nullable=False),
    words("substance"),
    words("result"),
    ForeignKeyConstraint(["history_id"], ["clinic.client_history.id"]),
    one_of("result", sorted(RESULTS)),
    not_blank("substance"),
    Index(None, "client_id", "collected_on"),
    comment="One substance of one drug screen as others recorded it.",
)

history_replaced_dose = Table(
    "history_replaced_dose",
    metadata,
    Column("history_id", Uuid(), primary_key=True),
    Column("line", Integer(), primary_key=True, autoincrement=False),
    reference("client_id", "client"),
    Column("given_on", Date(), nullable=False),
    words("medicine"),
    words("form"),
    Column("amount_mg", AMOUNT, nullable=False),
    ForeignKeyConstraint(["history_id"], ["clinic.client_history.id"]),
    made_as(),
    Index(None, "client_id"),
    comment="A dose row that somebody decided was corrected by a lower line of its day: to be read, counted nowhere.",
)

history_verification = Table(
    "history_verification",
    metadata,
    identifier(),
    reference("client_id", "client"),
    Column("until", Date(), nullable=False),
    words("finding"),
    words("note"),
    reference("verified_by", "staff"),
    recorded_at(),
    one_of("finding", Finding),
    not_blank("note"),
    Index(None, "client_id", "recorded_at"),
    comment="What somebody found out about the days after a brought-in history ends.",
)
