"""What the window is told of clients: excused days, messages until they are cleared, and from when the photograph is."""

from alembic import op

revision = "20261122_165"
down_revision = "20261122_173"

TABLES = (
    """
    CREATE TABLE clinic.excusal (
        id UUID NOT NULL,
        client_id UUID NOT NULL,
        programme_id UUID NOT NULL,
        reason TEXT NOT NULL,
        first_on DATE NOT NULL,
        last_on DATE,
        told_by TEXT NOT NULL,
        note TEXT NOT NULL,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT excusal_pkey PRIMARY KEY (id),
        CONSTRAINT excusal_reason_check CHECK (reason IN ('hospital', 'prison', 'detox', 'travel', 'other')),
        CONSTRAINT excusal_days_check CHECK (first_on <= last_on),
        CONSTRAINT excusal_told_by_not_blank_check CHECK (btrim(told_by) <> ''),
        CONSTRAINT excusal_other_is_explained_check CHECK (reason <> 'other' OR btrim(note) <> ''),
        CONSTRAINT excusal_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id),
        CONSTRAINT excusal_programme_id_fkey FOREIGN KEY(programme_id) REFERENCES clinic.programme (id),
        CONSTRAINT excusal_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
    """,
    "CREATE INDEX excusal_client_id_first_on_idx ON clinic.excusal (client_id, first_on)",
    """
    CREATE TABLE clinic.excusal_end (
        excusal_id UUID NOT NULL,
        last_on DATE NOT NULL,
        reason TEXT NOT NULL,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT excusal_end_pkey PRIMARY KEY (excusal_id),
        CONSTRAINT excusal_end_reason_not_blank_check CHECK (btrim(reason) <> ''),
        CONSTRAINT excusal_end_excusal_id_fkey FOREIGN KEY(excusal_id) REFERENCES clinic.excusal (id),
        CONSTRAINT excusal_end_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.window_message (
        id UUID NOT NULL,
        client_id UUID NOT NULL,
        programme_id UUID NOT NULL,
        text TEXT NOT NULL,
        left_by UUID NOT NULL,
        left_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT window_message_pkey PRIMARY KEY (id),
        CONSTRAINT window_message_text_not_blank_check CHECK (btrim(text) <> ''),
        CONSTRAINT window_message_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id),
        CONSTRAINT window_message_programme_id_fkey FOREIGN KEY(programme_id) REFERENCES clinic.programme (id),
        CONSTRAINT window_message_left_by_fkey FOREIGN KEY(left_by) REFERENCES clinic.staff (id)
    )
    """,
    "CREATE INDEX window_message_client_id_idx ON clinic.window_message (client_id)",
    """
    CREATE TABLE clinic.window_message_cleared (
        message_id UUID NOT NULL,
        cleared_by UUID NOT NULL,
        cleared_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT window_message_cleared_pkey PRIMARY KEY (message_id),
        CONSTRAINT window_message_cleared_message_id_fkey FOREIGN KEY(message_id) REFERENCES clinic.window_message (id),
        CONSTRAINT window_message_cleared_cleared_by_fkey FOREIGN KEY(cleared_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.photograph (
        id UUID NOT NULL,
        client_id UUID NOT NULL,
        taken_on DATE,
        kept_where TEXT NOT NULL,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT photograph_pkey PRIMARY KEY (id),
        CONSTRAINT photograph_kept_where_not_blank_check CHECK (btrim(kept_where) <> ''),
        CONSTRAINT photograph_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id),
        CONSTRAINT photograph_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
    """,
    "CREATE INDEX photograph_client_id_id_idx ON clinic.photograph (client_id, id)",
)

COMMENTS = {
    "excusal": (
        "Days on which the window does not expect a client. They change attendance, never the missed-dose ladder."
    ),
    "excusal_end": "The last excused day after all; the day before the first where it never was.",
    "window_message": "What whoever gives the next dose should know; it stands in the queue until it is cleared.",
    "window_message_cleared": "Somebody at the window has seen to a message.",
    "photograph": "From when a client's photograph is, or that none is held any more; the newest row counts.",
}


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    for statement in TABLES:
        op.execute(statement)
    for table, comment in COMMENTS.items():
        op.execute(f"comment on table clinic.{table} is $${comment}$$")
