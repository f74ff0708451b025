"""Before an order is signed the profile may ask for reasons; each is kept under the signature and never changes."""

from alembic import op

revision = "20261122_131"
down_revision = "20261122_151"

KEY = """
    ALTER TABLE clinic.medication_order_signature
        -- squawk-ignore disallowed-unique-constraint, constraint-missing-not-valid
        ADD CONSTRAINT medication_order_signature_order_id_signed_at_key UNIQUE (order_id, signed_at)
"""

TABLE = """
    CREATE TABLE clinic.medication_order_confirmation (
        order_id UUID NOT NULL,
        rule TEXT NOT NULL,
        profile TEXT NOT NULL,
        profile_version SMALLINT NOT NULL,
        reason TEXT NOT NULL,
        facts JSONB NOT NULL,
        confirmed_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT medication_order_confirmation_pkey PRIMARY KEY (order_id, rule),
        CONSTRAINT medication_order_confirmation_signature_fkey FOREIGN KEY(order_id, confirmed_at)
            REFERENCES clinic.medication_order_signature (order_id, signed_at),
        CONSTRAINT medication_order_confirmation_rule_not_blank_check CHECK (btrim(rule) <> ''),
        CONSTRAINT medication_order_confirmation_reason_not_blank_check CHECK (btrim(reason) <> ''),
        CONSTRAINT medication_order_confirmation_facts_check CHECK (jsonb_typeof(facts) = 'object')
    )
"""

COMMENT = "What the profile asked before an order was signed, with the prescriber's reason; under the same signature."


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    op.execute(KEY)
    op.execute(TABLE)
    op.execute(f"comment on table clinic.medication_order_confirmation is $${COMMENT}$$")
