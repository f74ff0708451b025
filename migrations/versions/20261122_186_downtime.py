"""Downtime sheets as they were entered from paper: the form, and how each thing on each line was answered."""

from alembic import op

revision = "20261122_186"
down_revision = "20261122_185"

TABLES = (
    """
    CREATE TABLE clinic.downtime_entry (
        id UUID NOT NULL,
        programme_id UUID NOT NULL,
        day DATE NOT NULL,
        reason TEXT NOT NULL,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT downtime_entry_pkey PRIMARY KEY (id),
        CONSTRAINT downtime_entry_reason_not_blank_check CHECK (btrim(reason) <> ''),
        CONSTRAINT downtime_entry_programme_id_fkey FOREIGN KEY(programme_id) REFERENCES clinic.programme (id),
        CONSTRAINT downtime_entry_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
    """,
    "CREATE INDEX downtime_entry_programme_id_day_idx ON clinic.downtime_entry (programme_id, day)",
    """
    CREATE TABLE clinic.downtime_line (
        entry_id UUID NOT NULL,
        line SMALLINT NOT NULL,
        what TEXT NOT NULL,
        outcome TEXT NOT NULL,
        client_id UUID,
        written_by UUID,
        observed_by UUID,
        record_id UUID,
        rules TEXT[] NOT NULL,
        found_by UUID,
        found_at TIMESTAMP WITH TIME ZONE,
        says TEXT,
        CONSTRAINT downtime_line_pkey PRIMARY KEY (entry_id, line, what),
        CONSTRAINT downtime_line_line_check CHECK (line BETWEEN 1 AND 9999),
        CONSTRAINT downtime_line_what_check CHECK (what IN ('observed', 'given', 'vomited', 'spilled', 'not_given')),
        CONSTRAINT downtime_line_outcome_check CHECK (outcome IN ('recorded', 'exception', 'already', 'refused')),
        CONSTRAINT downtime_line_in_the_record_or_refused_check CHECK (CASE WHEN outcome = 'refused' THEN record_id IS
            NULL AND says IS NOT NULL ELSE num_nulls(client_id, written_by, record_id) = 0 AND says IS NULL END),
        CONSTRAINT downtime_line_exception_names_its_rules_check CHECK ((outcome = 'exception') =
            (cardinality(rules) > 0)),
        CONSTRAINT downtime_line_already_says_by_whom_check CHECK (num_nonnulls(found_by, found_at) =
            CASE WHEN outcome = 'already' THEN 2 ELSE 0 END),
        CONSTRAINT downtime_line_observes_a_dose_check CHECK (observed_by IS NULL OR what = 'given'),
        CONSTRAINT downtime_line_says_not_blank_check CHECK (btrim(says) <> ''),
        CONSTRAINT downtime_line_entry_id_fkey FOREIGN KEY(entry_id) REFERENCES clinic.downtime_entry (id),
        CONSTRAINT downtime_line_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id),
        CONSTRAINT downtime_line_written_by_fkey FOREIGN KEY(written_by) REFERENCES clinic.staff (id),
        CONSTRAINT downtime_line_observed_by_fkey FOREIGN KEY(observed_by) REFERENCES clinic.staff (id),
        CONSTRAINT downtime_line_found_by_fkey FOREIGN KEY(found_by) REFERENCES clinic.staff (id)
    )
    """,
    "CREATE INDEX downtime_line_client_id_idx ON clinic.downtime_line (client_id)",
)

COMMENTS = {
    "downtime_entry": "A sheet of one day that was completed on paper, as somebody entered it.",
    "downtime_line": (
        "How one thing on a line was answered, beside whose name stood on the paper. Refused: nothing of it was kept."
    ),
}


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    for statement in TABLES:
        op.execute(statement)
    for table, comment in COMMENTS.items():
        op.execute(f"comment on table clinic.{table} is $${comment}$$")
