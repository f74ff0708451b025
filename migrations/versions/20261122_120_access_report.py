"""Reports of who looked at a client's record: prepared as of a size of the log, looked through, released.

Their lines stand in the log and nowhere else. What is withheld is kept by marks made with the client's key, so that
nothing here leads from a client to an entry once that key is destroyed. A trigger keeps what has left as it was.
"""

from alembic import op

revision = "20261122_120"
down_revision = "20261122_111"

TABLES = (
    """
    CREATE TABLE clinic.access_report (
        id UUID NOT NULL,
        client_id UUID NOT NULL,
        since TIMESTAMP WITH TIME ZONE,
        size BIGINT NOT NULL,
        prepared_by UUID NOT NULL,
        prepared_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT access_report_pkey PRIMARY KEY (id),
        CONSTRAINT access_report_size_check CHECK (size >= 1),
        CONSTRAINT access_report_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id),
        CONSTRAINT access_report_prepared_by_fkey FOREIGN KEY(prepared_by) REFERENCES clinic.staff (id)
    )
    """,
    "CREATE INDEX access_report_client_id_id_idx ON clinic.access_report (client_id, id)",
    """
    CREATE TABLE clinic.access_report_withheld (
        report_id UUID NOT NULL,
        mark BYTEA NOT NULL,
        reason TEXT NOT NULL,
        note TEXT NOT NULL,
        withheld_by UUID NOT NULL,
        withheld_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT access_report_withheld_pkey PRIMARY KEY (report_id, mark),
        CONSTRAINT access_report_withheld_reason_check CHECK (reason IN ('safety', 'investigation', 'third_party')),
        CONSTRAINT access_report_withheld_note_not_blank_check CHECK (btrim(note) <> ''),
        CONSTRAINT access_report_withheld_mark_check CHECK (octet_length(mark) = 32),
        CONSTRAINT access_report_withheld_report_id_fkey FOREIGN KEY(report_id) REFERENCES clinic.access_report (id),
        CONSTRAINT access_report_withheld_withheld_by_fkey FOREIGN KEY(withheld_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.access_report_release (
        report_id UUID NOT NULL,
        released_by UUID NOT NULL,
        released_at TIMESTAMP WITH TIME ZONE NOT NULL,
        lines INTEGER NOT NULL,
        withheld INTEGER NOT NULL,
        CONSTRAINT access_report_release_pkey PRIMARY KEY (report_id),
        CONSTRAINT access_report_release_withheld_check CHECK (withheld BETWEEN 0 AND lines),
        CONSTRAINT access_report_release_report_id_fkey FOREIGN KEY(report_id) REFERENCES clinic.access_report (id),
        CONSTRAINT access_report_release_released_by_fkey FOREIGN KEY(released_by) REFERENCES clinic.staff (id)
    )
    """,
)

CLOSED = """
    CREATE FUNCTION clinic.access_report_is_open() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
    BEGIN
        IF EXISTS (SELECT FROM clinic.access_report_release WHERE report_id = new.report_id) THEN
            RAISE EXCEPTION 'this report has been released' USING ERRCODE = 'check_violation';
        END IF;
        RETURN new;
    END
    $$
"""

TRIGGERS = (
    CLOSED,
    """
    CREATE TRIGGER only_before_release BEFORE INSERT ON clinic.access_report_withheld
    FOR EACH ROW EXECUTE FUNCTION clinic.access_report_is_open()
    """,
)

COMMENTS = {
    "access_report": "As of which size of the log a report was prepared. Its lines stand in the log and nowhere else.",
    "access_report_withheld": "Lines that do not leave, by a mark that says nothing once the client's key is destroyed.",
    "access_report_release": "A privacy officer has looked through the report, and it may leave.",
}


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    for statement in (*TABLES, *TRIGGERS):
        op.execute(statement)
    for table, comment in COMMENTS.items():
        op.execute(f"comment on table clinic.{table} is $${comment}$$")
