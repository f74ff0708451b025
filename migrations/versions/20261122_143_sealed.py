"""A signature is sealed by the service's own key, and a session remembers that somebody proved everything to sign in it."""

from alembic import op

revision = "20261122_143"
down_revision = "20261122_172"

SEAL = (
    "ALTER TABLE clinic.signature ADD COLUMN seal_key SMALLINT, ADD COLUMN seal BYTEA",
    # What was signed before has no seal, and no key could be asked for one now: it stays, and `signatures verify` says so.
    # Where nothing was signed before, the constraint counts for every row there is.
    """
    ALTER TABLE clinic.signature ADD CONSTRAINT signature_seal_check
        CHECK (num_nonnulls(seal_key, seal) = 2 AND seal_key >= 1 AND octet_length(seal) = 64) NOT VALID
    """,
    """
    DO $$
    BEGIN
        IF NOT EXISTS (SELECT FROM clinic.signature WHERE seal IS NULL) THEN
            ALTER TABLE clinic.signature VALIDATE CONSTRAINT signature_seal_check;
        END IF;
    END
    $$
    """,
)

TABLE = """
    CREATE TABLE clinic.session_proof (
        session_id UUID NOT NULL,
        methods TEXT[] NOT NULL,
        proved_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT session_proof_pkey PRIMARY KEY (session_id),
        CONSTRAINT session_proof_methods_check CHECK (cardinality(methods) >= 1),
        CONSTRAINT session_proof_session_id_fkey FOREIGN KEY(session_id) REFERENCES clinic.sign_in_session (id)
    )
"""

COMMENT = "A session in which something was signed with every proof of the account; later signings of it need one."


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    for statement in (*SEAL, TABLE):
        op.execute(statement)
    op.execute(f"comment on table clinic.session_proof is $${COMMENT}$$")
