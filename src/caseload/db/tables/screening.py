"""Who was drawn for a drug screen, and what came of it."""

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
from caseload.domain.screening import Expected, Finding, Matrix, Method, Substance, Why

screen_draw = Table(
    "screen_draw",
    metadata,
    reference("programme_id", "programme", primary_key=True),
    Column("day", Date(), primary_key=True),
    Column("id", Uuid(), nullable=False),
    words("rule"),
    Column("required", SmallInteger(), nullable=False),
    Column("considered", SmallInteger(), nullable=False),
    reference("drawn_by", "staff"),
    Column("drawn_at", INSTANT, nullable=False),
    UniqueConstraint("id"),
    comment="That it was drawn who is screened in a programme on a day; the key lets nobody draw twice.",
)

screen_draw_line = Table(
    "screen_draw_line",
    metadata,
    Column("programme_id", Uuid(), primary_key=True),
    Column("day", Date(), primary_key=True),
    reference("client_id", "client", primary_key=True),
    Column("done", SmallInteger(), nullable=False),
    ForeignKeyConstraint(
        ["programme_id", "day"],
        ["clinic.screen_draw.programme_id", "clinic.screen_draw.day"],
        name="screen_draw_line_draw_fkey",
    ),
    Index(None, "client_id"),
    comment="A client whom a draw named, with how many random screens they had in this year of treatment.",
)

drug_screen = Table(
    "drug_screen",
    metadata,
    identifier(),
    version(),
    reference("client_id", "client"),
    reference("programme_id", "programme"),
    words("why", nullable=True),
    Column("drawn_on", Date()),
    Column("collected_at", INSTANT),
    words("matrix", nullable=True),
    Column("observed", Boolean()),
    Column("refused", Boolean()),
    words("expected", nullable=True),
    words("interpretation", nullable=True),
    words("reason", nullable=True),
    *recorded(),
    from_one("version"),
    one_of("why", Why),
    one_of("matrix", Matrix),
    one_of("expected", Expected),
    not_blank("reason"),
    CheckConstraint(text("collected_at <= recorded_at"), name="not_in_the_future"),
    CheckConstraint(text("(version = 1) = (reason IS NULL)"), name="later_has_reason"),
    CheckConstraint(
        text(
            "num_nonnulls(why, collected_at, matrix, observed, refused) IN (0, 5) AND (version > 1 OR why IS NOT NULL)"
        ),
        name="whole_or_taken_back",
    ),
    CheckConstraint(text("why IS NOT NULL OR num_nonnulls(drawn_on, expected, interpretation) = 0"), name="taken_back"),
    CheckConstraint(text("(why IS NOT DISTINCT FROM 'random') = (drawn_on IS NOT NULL)"), name="random_was_drawn"),
    CheckConstraint(text("expected IS NULL OR NOT refused"), name="refused_has_no_result"),
    UniqueConstraint("id", "version", "refused"),
    ForeignKeyConstraint(
        ["programme_id", "drawn_on", "client_id"],
        ["clinic.screen_draw_line.programme_id", "clinic.screen_draw_line.day", "clinic.screen_draw_line.client_id"],
        name="drug_screen_draw_fkey",
    ),
    Index(None, "client_id", "id", "version"),
    comment="Drug screens, as versions; one without a sample takes the screen back.",
)

drug_screen_result = Table(
    "drug_screen_result",
    metadata,
    Column("screen_id", Uuid(), primary_key=True),
    Column("version", SmallInteger(), primary_key=True, autoincrement=False),
    Column("substance", Text(), primary_key=True),
    Column("method", Text(), primary_key=True),
    words("finding"),
    Column("refused", Boolean(), nullable=False),
    one_of("substance", Substance),
    one_of("method", Method),
    one_of("finding", Finding),
    CheckConstraint(text("NOT refused"), name="refused_has_none"),
    ForeignKeyConstraint(
        ["screen_id", "version", "refused"],
        ["clinic.drug_screen.id", "clinic.drug_screen.version", "clinic.drug_screen.refused"],
        name="drug_screen_result_screen_fkey",
    ),
    comment="What each method found of each substance, in that version of a screen. A refusal has no result.",
)
