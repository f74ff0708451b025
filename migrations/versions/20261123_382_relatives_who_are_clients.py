"""Relatives who are clients too."""

from alembic import op

revision = "20261123_382"
down_revision = "20261123_363"

TABLE = """
    CREATE TABLE clinic.related_person_link (
        id UUID NOT NULL,
        client_id UUID NOT NULL,
        person_id UUID NOT NULL,
        own_client_id UUID NOT NULL,
        reason TEXT NOT NULL,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        undone_by UUID,
        undone_at TIMESTAMP WITH TIME ZONE,
        undone_because TEXT,
        CONSTRAINT related_person_link_pkey PRIMARY KEY (id),
        CONSTRAINT related_person_link_person_fkey FOREIGN KEY(client_id, person_id)
            REFERENCES clinic.related_person (client_id, id),
        CONSTRAINT related_person_link_reason_not_blank_check CHECK (btrim(reason) <> ''),
        CONSTRAINT related_person_link_undone_because_not_blank_check CHECK (btrim(undone_because) <> ''),
        CONSTRAINT related_person_link_another_client_check CHECK (own_client_id <> client_id),
        CONSTRAINT related_person_link_undone_after_linked_check CHECK (undone_at >= recorded_at),
        CONSTRAINT related_person_link_whole_undoing_check
            CHECK (num_nonnulls(undone_by, undone_at, undone_because) IN (0, 3)),
        CONSTRAINT related_person_link_own_client_id_fkey FOREIGN KEY(own_client_id) REFERENCES clinic.client (id),
        CONSTRAINT related_person_link_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id),
        CONSTRAINT related_person_link_undone_by_fkey FOREIGN KEY(undone_by) REFERENCES clinic.staff (id)
    )
"""
COMMENT = "Whose relative is a client too, for the privacy officer alone; only the undoing is ever written later."
INDEXES = (
    "CREATE INDEX related_person_link_client_id_idx ON clinic.related_person_link (client_id)",
    "CREATE INDEX related_person_link_own_client_id_idx ON clinic.related_person_link (own_client_id)",
    "CREATE UNIQUE INDEX related_person_link_standing_key ON clinic.related_person_link (person_id) WHERE undone_at IS NULL",
)


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '1min'")
    op.execute(TABLE)
    for statement in INDEXES:
        op.execute(statement)
    op.execute(f"comment on table clinic.related_person_link is $${COMMENT}$$")
    op.execute("grant update (undone_by, undone_at, undone_because) on clinic.related_person_link to caseload_app")
