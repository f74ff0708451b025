"""Arrivals at the desk: added in versions, never changed."""

from alembic import op

revision = "20261122_042"
down_revision = "20261122_041"

TABLES = (
    """
    CREATE TABLE clinic.arrival (
        appointment_id UUID GENERATED ALWAYS AS (COALESCE(session_id, check_in_id)) STORED NOT NULL,
        client_id UUID NOT NULL,
        version SMALLINT NOT NULL,
        session_id UUID,
        check_in_id UUID,
        arrived_at TIMESTAMP WITH TIME ZONE,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT arrival_pkey PRIMARY KEY (appointment_id, client_id, version),
        CONSTRAINT arrival_of_one_appointment_check CHECK (num_nonnulls(session_id, check_in_id) = 1),
        CONSTRAINT arrival_version_check CHECK (version >= 1),
        CONSTRAINT arrival_first_says_when_check CHECK (version > 1 OR arrived_at IS NOT NULL),
        CONSTRAINT arrival_not_in_the_future_check CHECK (arrived_at <= recorded_at),
        CONSTRAINT arrival_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id),
        CONSTRAINT arrival_session_id_fkey FOREIGN KEY(session_id) REFERENCES clinic.therapy_session (id),
        CONSTRAINT arrival_check_in_id_fkey FOREIGN KEY(check_in_id) REFERENCES clinic.check_in (id),
        CONSTRAINT arrival_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
    """,
)

COMMENTS = {
    "arrival": "Who has arrived for what, as versions of which the last counts; one without a time takes it back.",
}


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    for statement in TABLES:
        op.execute(statement)
    for table, comment in COMMENTS.items():
        op.execute(f"comment on table clinic.{table} is $${comment}$$")
