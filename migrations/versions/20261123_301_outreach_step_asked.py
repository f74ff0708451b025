"""Whom around a client a step of the ladder would ask, and on which consent that rested.

An older version of the service goes on skipping the step, and reads one that was taken as any other.
"""

from alembic import op

revision = "20261123_301"
down_revision = "20261123_281"

TABLE = """
    CREATE TABLE clinic.outreach_step_asked (
        check_in_id UUID NOT NULL,
        overdue_since TIMESTAMP WITH TIME ZONE NOT NULL,
        step TEXT NOT NULL,
        person_id UUID NOT NULL,
        client_id UUID NOT NULL,
        consent_id UUID NOT NULL,
        CONSTRAINT outreach_step_asked_pkey PRIMARY KEY (check_in_id, overdue_since, step, person_id),
        CONSTRAINT outreach_step_asked_step_fkey FOREIGN KEY(check_in_id, overdue_since, step)
            REFERENCES clinic.outreach_step (check_in_id, overdue_since, step),
        CONSTRAINT outreach_step_asked_person_fkey FOREIGN KEY(client_id, person_id)
            REFERENCES clinic.related_person (client_id, id),
        CONSTRAINT outreach_step_asked_consent_id_fkey FOREIGN KEY(consent_id) REFERENCES clinic.consent (id),
        CONSTRAINT outreach_step_asked_a_step_that_asks_others_check CHECK (step = 'consented_contact')
    )
"""

COMMENT = "Whom around the client a step would ask, and on which consent that rested when it was taken."


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '1min'")
    op.execute(TABLE)
    op.execute(f"comment on table clinic.outreach_step_asked is $${COMMENT}$$")
