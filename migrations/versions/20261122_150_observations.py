"""Observations: withdrawal scales and QTc, added in versions, never changed."""

from alembic import op

revision = "20261122_150"
down_revision = "20261122_130"

TABLES = (
    """
    CREATE TABLE clinic.observation (
        id UUID NOT NULL,
        version SMALLINT NOT NULL,
        client_id UUID NOT NULL,
        instrument TEXT NOT NULL,
        instrument_version SMALLINT NOT NULL,
        observed_at TIMESTAMP WITH TIME ZONE NOT NULL,
        answers SMALLINT[],
        total SMALLINT,
        band TEXT,
        note TEXT,
        reason TEXT,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT observation_pkey PRIMARY KEY (id, version),
        CONSTRAINT observation_version_check CHECK (version >= 1),
        CONSTRAINT observation_instrument_check CHECK (instrument IN ('cows', 'sows', 'qtc')),
        CONSTRAINT observation_reason_not_blank_check CHECK (btrim(reason) <> ''),
        CONSTRAINT observation_not_in_the_future_check CHECK (observed_at <= recorded_at),
        CONSTRAINT observation_correction_has_reason_check CHECK ((version = 1) = (reason IS NULL)),
        CONSTRAINT observation_first_says_what_check CHECK (version > 1 OR answers IS NOT NULL),
        CONSTRAINT observation_answers_check CHECK (
            cardinality(answers) = CASE instrument WHEN 'cows' THEN 11 WHEN 'sows' THEN 16 WHEN 'qtc' THEN 1 END
        ),
        CONSTRAINT observation_score_of_all_answers_check CHECK (
            num_nonnulls(total, band)
            = CASE WHEN answers IS NULL OR array_position(answers, NULL) IS NOT NULL THEN 0 ELSE 2 END
        ),
        CONSTRAINT observation_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id),
        CONSTRAINT observation_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
    """,
    "CREATE INDEX observation_client_id_id_version_idx ON clinic.observation (client_id, id, version)",
)

COMMENTS = {
    "observation": "Scales and measurements of a client, as versions; one without answers takes the observation back.",
}


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    for statement in TABLES:
        op.execute(statement)
    for table, comment in COMMENTS.items():
        op.execute(f"comment on table clinic.{table} is $${comment}$$")
