"""Accountings of disclosures that were made for clients' requests, as they were given."""

from alembic import op

revision = "20261123_376"
down_revision = "20261123_375"

TABLE = """
    CREATE TABLE clinic.rights_accounting (
        id UUID NOT NULL,
        request_id UUID NOT NULL,
        kind TEXT NOT NULL,
        client_id UUID NOT NULL,
        definition TEXT NOT NULL,
        rule TEXT NOT NULL,
        since_on DATE NOT NULL,
        lines INTEGER NOT NULL,
        left_out INTEGER NOT NULL,
        written BYTEA NOT NULL,
        sha256 BYTEA NOT NULL,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT rights_accounting_pkey PRIMARY KEY (id),
        CONSTRAINT rights_accounting_request_fkey FOREIGN KEY(request_id, kind, client_id)
            REFERENCES clinic.rights_request (id, kind, client_id),
        CONSTRAINT rights_accounting_of_an_accounting_check CHECK (kind = 'accounting'),
        CONSTRAINT rights_accounting_definition_check CHECK (definition IN ('part2', 'hipaa')),
        CONSTRAINT rights_accounting_rule_not_blank_check CHECK (btrim(rule) <> ''),
        CONSTRAINT rights_accounting_counted_check CHECK (lines >= 0 AND left_out >= 0),
        CONSTRAINT rights_accounting_digest_check CHECK (sha256 = sha256(written)),
        CONSTRAINT rights_accounting_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
"""
COMMENT = "An accounting of disclosures as it was made for a client''s request, word for word (45 CFR 164.528(d))."


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '1min'")
    op.execute(TABLE)
    op.execute("CREATE INDEX rights_accounting_request_id_idx ON clinic.rights_accounting (request_id)")
    op.execute(f"comment on table clinic.rights_accounting is '{COMMENT}'")
