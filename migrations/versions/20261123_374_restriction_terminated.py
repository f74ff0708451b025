"""A programme ends by itself what it had agreed not to tell, for what comes into the record afterwards."""

from alembic import op

revision = "20261123_374"
down_revision = "20261123_373"

STATEMENTS = (
    # The identifier alone is unique already: whatever is there satisfies it.
    (
        "-- squawk-ignore disallowed-unique-constraint, constraint-missing-not-valid\n"
        "ALTER TABLE clinic.rights_request ADD CONSTRAINT rights_request_paid_key UNIQUE (id, is_self_paid)"
    ),
    """
    CREATE TABLE clinic.rights_restriction_termination (
        request_id UUID NOT NULL,
        is_self_paid BOOLEAN DEFAULT false NOT NULL,
        told_at TIMESTAMP WITH TIME ZONE NOT NULL,
        says TEXT NOT NULL,
        rule TEXT NOT NULL,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT rights_restriction_termination_pkey PRIMARY KEY (request_id),
        CONSTRAINT rights_restriction_termination_restriction_fkey FOREIGN KEY(request_id) REFERENCES clinic.rights_restriction (request_id),
        CONSTRAINT rights_restriction_termination_request_fkey FOREIGN KEY(request_id, is_self_paid) REFERENCES clinic.rights_request (id, is_self_paid),
        CONSTRAINT rights_restriction_termination_not_what_was_paid_for_check CHECK (NOT is_self_paid),
        CONSTRAINT rights_restriction_termination_told_before_check CHECK (told_at <= recorded_at),
        CONSTRAINT rights_restriction_termination_says_not_blank_check CHECK (btrim(says) <> ''),
        CONSTRAINT rights_restriction_termination_rule_not_blank_check CHECK (btrim(rule) <> ''),
        CONSTRAINT rights_restriction_termination_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
    """,
    (
        "-- squawk-ignore constraint-missing-not-valid\n"
        "ALTER TABLE clinic.disclosure_made ADD COLUMN since TIMESTAMP WITH TIME ZONE,"
        " ADD CONSTRAINT disclosure_made_since_before_check CHECK (since <= recorded_at)"
    ),
    (
        "comment on table clinic.rights_restriction_termination is $$That the programme ended what it had agreed to; what came into the record"
        " before the client was told stays restricted.$$"
    ),
)


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '1min'")
    for statement in STATEMENTS:
        op.execute(statement)
