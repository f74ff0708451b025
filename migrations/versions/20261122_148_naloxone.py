"""Naloxone: offered, supplied and shown, to the client or the household; rows that never change."""

from alembic import op

revision = "20261122_148"
down_revision = "20261122_147"

TABLES = (
    """
    CREATE TABLE clinic.naloxone (
        id UUID NOT NULL,
        client_id UUID NOT NULL,
        programme_id UUID NOT NULL,
        offered_on DATE NOT NULL,
        recipient TEXT NOT NULL,
        person_id UUID,
        outcome TEXT NOT NULL,
        form TEXT,
        units SMALLINT,
        trained BOOLEAN NOT NULL,
        note TEXT NOT NULL,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT naloxone_pkey PRIMARY KEY (id),
        CONSTRAINT naloxone_recipient_check CHECK (recipient IN ('client', 'household')),
        CONSTRAINT naloxone_outcome_check CHECK (outcome IN ('declined', 'supplied', 'has_some')),
        CONSTRAINT naloxone_form_check CHECK (form IN ('nasal_spray', 'injection')),
        CONSTRAINT naloxone_supplied_says_what_check CHECK (num_nonnulls(form, units) = CASE outcome WHEN 'supplied'
                THEN 2 ELSE 0 END),
        CONSTRAINT naloxone_units_check CHECK (units BETWEEN 1 AND 20),
        CONSTRAINT naloxone_person_of_household_check CHECK (person_id IS NULL OR recipient = 'household'),
        CONSTRAINT naloxone_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id),
        CONSTRAINT naloxone_programme_id_fkey FOREIGN KEY(programme_id) REFERENCES clinic.programme (id),
        CONSTRAINT naloxone_person_fkey FOREIGN KEY(client_id, person_id) REFERENCES clinic.related_person
                (client_id, id),
        CONSTRAINT naloxone_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.naloxone_taken_back (
        naloxone_id UUID NOT NULL,
        reason TEXT NOT NULL,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT naloxone_taken_back_pkey PRIMARY KEY (naloxone_id),
        CONSTRAINT naloxone_taken_back_reason_not_blank_check CHECK (btrim(reason) <> ''),
        CONSTRAINT naloxone_taken_back_naloxone_id_fkey FOREIGN KEY(naloxone_id) REFERENCES clinic.naloxone (id),
        CONSTRAINT naloxone_taken_back_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
    """,
)

INDEX = "CREATE INDEX naloxone_client_id_idx ON clinic.naloxone (client_id)"

COMMENTS = {
    "naloxone": "Each time naloxone was offered to a client or their household, and what came of it.",
    "naloxone_taken_back": "That a record of naloxone was a mistake, and why: once for each.",
}


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    for statement in (*TABLES, INDEX):
        op.execute(statement)
    for table, comment in COMMENTS.items():
        op.execute(f"comment on table clinic.{table} is $${comment}$$")
