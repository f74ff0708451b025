"""Broken glasses: one client opened to one person for a while, every try, and who looked at it."""

from alembic import op

revision = "20261123_322"
down_revision = "20261123_302"

GLASS = """
    CREATE TABLE clinic.glass (
        id UUID NOT NULL,
        staff_id UUID NOT NULL,
        client_id UUID NOT NULL,
        programme_id UUID NOT NULL,
        code TEXT NOT NULL,
        reason TEXT NOT NULL,
        rule TEXT NOT NULL,
        starts_at TIMESTAMP WITH TIME ZONE NOT NULL,
        until_at TIMESTAMP WITH TIME ZONE NOT NULL,
        review_due_at TIMESTAMP WITH TIME ZONE NOT NULL,
        ended_at TIMESTAMP WITH TIME ZONE,
        ended_by UUID,
        period TSTZRANGE GENERATED ALWAYS AS (tstzrange(starts_at, LEAST(until_at, ended_at))) STORED NOT NULL,
        CONSTRAINT glass_pkey PRIMARY KEY (id),
        CONSTRAINT glass_code_check CHECK (code IN ('medical_emergency', 'overdose', 'risk_to_life', 'safeguarding',
            'nobody_named_there')),
        CONSTRAINT glass_reason_not_blank_check CHECK (btrim(reason) <> ''),
        CONSTRAINT glass_until_after_start_check CHECK (until_at > starts_at),
        CONSTRAINT glass_ended_within_check CHECK (ended_at >= starts_at AND ended_at <= until_at),
        CONSTRAINT glass_whole_end_check CHECK (num_nonnulls(ended_at, ended_by) IN (0, 2)),
        CONSTRAINT glass_due_after_start_check CHECK (review_due_at > starts_at),
        CONSTRAINT glass_id_staff_id_key UNIQUE (id, staff_id),
        CONSTRAINT glass_one_at_a_time EXCLUDE USING gist (staff_id WITH =, period WITH &&),
        CONSTRAINT glass_staff_id_fkey FOREIGN KEY(staff_id) REFERENCES clinic.staff (id),
        CONSTRAINT glass_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id),
        CONSTRAINT glass_programme_id_fkey FOREIGN KEY(programme_id) REFERENCES clinic.programme (id),
        CONSTRAINT glass_ended_by_fkey FOREIGN KEY(ended_by) REFERENCES clinic.staff (id)
    )
"""
TRY = """
    CREATE TABLE clinic.glass_try (
        id UUID NOT NULL,
        staff_id UUID NOT NULL,
        tried TEXT NOT NULL,
        tried_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT glass_try_pkey PRIMARY KEY (id),
        CONSTRAINT glass_try_tried_check CHECK (tried IN ('opened', 'nobody', 'several')),
        CONSTRAINT glass_try_staff_id_fkey FOREIGN KEY(staff_id) REFERENCES clinic.staff (id)
    )
"""
REVIEW = """
    CREATE TABLE clinic.glass_review (
        glass_id UUID NOT NULL,
        staff_id UUID NOT NULL,
        outcome TEXT NOT NULL,
        note TEXT NOT NULL,
        reviewed_by UUID NOT NULL,
        reviewed_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT glass_review_pkey PRIMARY KEY (glass_id),
        CONSTRAINT glass_review_outcome_check CHECK (outcome IN ('justified', 'not_justified')),
        CONSTRAINT glass_review_note_not_blank_check CHECK (btrim(note) <> ''),
        CONSTRAINT glass_review_by_another_check CHECK (reviewed_by <> staff_id),
        CONSTRAINT glass_review_glass_id_staff_id_fkey
            FOREIGN KEY(glass_id, staff_id) REFERENCES clinic.glass (id, staff_id),
        CONSTRAINT glass_review_reviewed_by_fkey FOREIGN KEY(reviewed_by) REFERENCES clinic.staff (id)
    )
"""
INDEXES = (
    "CREATE INDEX glass_staff_id_until_at_idx ON clinic.glass (staff_id, until_at)",
    "CREATE INDEX glass_programme_id_id_idx ON clinic.glass (programme_id, id)",
    "CREATE INDEX glass_try_staff_id_tried_at_idx ON clinic.glass_try (staff_id, tried_at)",
)
COMMENTS = {
    "glass": "One client opened to one person until a moment; only an early end is ever written later.",
    "glass_try": "Every name that was given to open a client, without the name.",
    "glass_review": "What somebody else came to who looked at a broken glass.",
}


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '1min'")
    for statement in (GLASS, TRY, REVIEW, *INDEXES):
        op.execute(statement)
    for table, comment in COMMENTS.items():
        op.execute(f"comment on table clinic.{table} is $${comment}$$")
    op.execute("grant update (ended_at, ended_by) on clinic.glass to caseload_app")
