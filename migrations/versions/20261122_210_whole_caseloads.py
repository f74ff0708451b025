"""A whole caseload in one call: handed over, or covered while its counsellor is away."""

from alembic import op

revision = "20261122_210"
down_revision = "20261122_222"

TABLES = (
    """
    CREATE TABLE clinic.caseload_handover (
        id UUID NOT NULL,
        programme_id UUID NOT NULL,
        from_id UUID,
        to_id UUID NOT NULL,
        effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
        note TEXT,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT caseload_handover_pkey PRIMARY KEY (id),
        CONSTRAINT caseload_handover_to_somebody_else_check CHECK (from_id <> to_id),
        CONSTRAINT caseload_handover_programme_id_fkey FOREIGN KEY(programme_id) REFERENCES clinic.programme (id),
        CONSTRAINT caseload_handover_from_id_fkey FOREIGN KEY(from_id) REFERENCES clinic.staff (id),
        CONSTRAINT caseload_handover_to_id_fkey FOREIGN KEY(to_id) REFERENCES clinic.staff (id),
        CONSTRAINT caseload_handover_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.absence (
        id UUID NOT NULL,
        programme_id UUID NOT NULL,
        counsellor_id UUID NOT NULL,
        covered_by UUID NOT NULL,
        starts_at TIMESTAMP WITH TIME ZONE NOT NULL,
        ends_at TIMESTAMP WITH TIME ZONE NOT NULL,
        reason TEXT NOT NULL,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        back_at TIMESTAMP WITH TIME ZONE,
        back_said_by UUID,
        period TSTZRANGE GENERATED ALWAYS AS
            (tstzrange(starts_at, GREATEST(starts_at, LEAST(ends_at, back_at)))) STORED NOT NULL,
        CONSTRAINT absence_pkey PRIMARY KEY (id),
        CONSTRAINT absence_ends_after_start_check CHECK (ends_at > starts_at),
        CONSTRAINT absence_back_with_who_said_so_check CHECK ((back_at IS NULL) = (back_said_by IS NULL)),
        CONSTRAINT absence_back_before_its_end_check CHECK (back_at < ends_at),
        CONSTRAINT absence_reason_not_blank_check CHECK (btrim(reason) <> ''),
        CONSTRAINT absence_by_somebody_else_check CHECK (covered_by <> counsellor_id),
        CONSTRAINT absence_one_at_a_time
            EXCLUDE USING gist (programme_id WITH =, counsellor_id WITH =, period WITH &&),
        CONSTRAINT absence_programme_id_fkey FOREIGN KEY(programme_id) REFERENCES clinic.programme (id),
        CONSTRAINT absence_counsellor_id_fkey FOREIGN KEY(counsellor_id) REFERENCES clinic.staff (id),
        CONSTRAINT absence_covered_by_fkey FOREIGN KEY(covered_by) REFERENCES clinic.staff (id),
        CONSTRAINT absence_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id),
        CONSTRAINT absence_back_said_by_fkey FOREIGN KEY(back_said_by) REFERENCES clinic.staff (id)
    )
    """,
)

COLUMNS = tuple(
    statement
    for table, column, named in (
        ("responsibility", "handover_id", "caseload_handover"),
        ("responsibility_taken_back", "handover_id", "caseload_handover"),
        ("cover", "absence_id", "absence"),
        ("cover_taken_back", "absence_id", "absence"),
    )
    for statement in (
        f"ALTER TABLE clinic.{table} ADD COLUMN {column} UUID",
        f"""
        ALTER TABLE clinic.{table} ADD CONSTRAINT {table}_{column}_fkey
            FOREIGN KEY({column}) REFERENCES clinic.{named} (id) NOT VALID
        """,
        f"""
        -- squawk-ignore constraint-missing-not-valid
        ALTER TABLE clinic.{table} VALIDATE CONSTRAINT {table}_{column}_fkey
        """,
    )
)

INDEXES = (
    """
    -- squawk-ignore require-concurrent-index-creation
    CREATE INDEX responsibility_handover_id_idx ON clinic.responsibility (handover_id) WHERE handover_id IS NOT NULL
    """,
    """
    -- squawk-ignore require-concurrent-index-creation
    CREATE INDEX cover_absence_id_idx ON clinic.cover (absence_id) WHERE absence_id IS NOT NULL
    """,
)

COMMENTS = {
    "caseload_handover": "Clients handed over in one call: those that were named, or everybody whom one counsellor answers for.",
    "absence": "A counsellor is away and another stands in for all their clients; it ends by itself, or when they are back.",
    "cover_taken_back": "Covers that ended before their time, as they were arranged: by a discharge, a handover, or an early return.",
}


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    for statement in (*TABLES, *COLUMNS, *INDEXES):
        op.execute(statement)
    for table, comment in COMMENTS.items():
        op.execute(f"comment on table clinic.{table} is $${comment}$$")
    op.execute("grant update (back_at, back_said_by) on clinic.absence to caseload_app")
