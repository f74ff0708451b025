"""Alerts that were raised: of a consent that ends soon or has ended, and of an emergency whose record is not complete."""

from alembic import op

revision = "20261123_371"
down_revision = "20261123_383"

CONSENT_ALERT = """
    CREATE TABLE clinic.consent_alert (
        consent_id UUID NOT NULL,
        step SMALLINT NOT NULL,
        task_id UUID,
        raised_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT consent_alert_pkey PRIMARY KEY (consent_id, step),
        CONSTRAINT consent_alert_task_id_key UNIQUE (task_id),
        CONSTRAINT consent_alert_step_check CHECK (step >= 0),
        CONSTRAINT consent_alert_task_until_expired_check CHECK ((step = 0) = (task_id IS NULL)),
        CONSTRAINT consent_alert_consent_id_fkey FOREIGN KEY(consent_id) REFERENCES clinic.consent (id),
        CONSTRAINT consent_alert_task_id_fkey FOREIGN KEY(task_id) REFERENCES clinic.care_task (id)
            DEFERRABLE INITIALLY DEFERRED
    )
"""
RELEASE_ALERT = """
    CREATE TABLE clinic.release_alert (
        disclosure_id UUID NOT NULL,
        ground TEXT NOT NULL,
        task_id UUID NOT NULL,
        raised_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT release_alert_pkey PRIMARY KEY (disclosure_id),
        CONSTRAINT release_alert_task_id_key UNIQUE (task_id),
        CONSTRAINT release_alert_only_emergencies_check CHECK (ground = 'emergency'),
        CONSTRAINT release_alert_disclosure_fkey FOREIGN KEY(disclosure_id, ground)
            REFERENCES clinic.disclosure_made (id, ground),
        CONSTRAINT release_alert_task_id_fkey FOREIGN KEY(task_id) REFERENCES clinic.care_task (id)
            DEFERRABLE INITIALLY DEFERRED
    )
"""
COMMENTS = {
    "consent_alert": "That somebody was told so many days before a consent ends; 0: that it has ended. Once for each step.",
    "release_alert": "That somebody was told that the record of an emergency is overdue; once for each.",
}


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '1min'")
    op.execute(CONSENT_ALERT)
    op.execute(RELEASE_ALERT)
    for table, comment in COMMENTS.items():
        op.execute(f"comment on table clinic.{table} is $${comment}$$")
