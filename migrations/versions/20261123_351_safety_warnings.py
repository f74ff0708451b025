"""Safety warnings about people around clients: not to be called, or told nothing at all, until they are lifted."""

from alembic import op

revision = "20261123_351"
down_revision = "20261123_360"

TABLE = """
    CREATE TABLE clinic.related_person_warning (
        id UUID NOT NULL,
        client_id UUID NOT NULL,
        person_id UUID NOT NULL,
        kind TEXT NOT NULL,
        note TEXT NOT NULL,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        lifted_at TIMESTAMP WITH TIME ZONE,
        lifted_by UUID,
        lifted_because TEXT,
        CONSTRAINT related_person_warning_pkey PRIMARY KEY (id),
        CONSTRAINT related_person_warning_kind_check CHECK (kind IN ('domestic_risk', 'do_not_call')),
        CONSTRAINT related_person_warning_note_not_blank_check CHECK (btrim(note) <> ''),
        CONSTRAINT related_person_warning_lifted_because_not_blank_check CHECK (btrim(lifted_because) <> ''),
        CONSTRAINT related_person_warning_lifted_after_recorded_check CHECK (lifted_at >= recorded_at),
        CONSTRAINT related_person_warning_whole_lifting_check
            CHECK (num_nonnulls(lifted_at, lifted_by, lifted_because) IN (0, 3)),
        CONSTRAINT related_person_warning_person_fkey
            FOREIGN KEY(client_id, person_id) REFERENCES clinic.related_person (client_id, id),
        CONSTRAINT related_person_warning_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id),
        CONSTRAINT related_person_warning_lifted_by_fkey FOREIGN KEY(lifted_by) REFERENCES clinic.staff (id)
    )
"""
OF_TABLE = (
    "Whom around a client nobody may call, or tell anything, and until when; only the lifting is ever written later."
)


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '1min'")
    op.execute(TABLE)
    op.execute("CREATE INDEX related_person_warning_client_id_idx ON clinic.related_person_warning (client_id)")
    op.execute(
        "CREATE UNIQUE INDEX related_person_warning_standing_key ON clinic.related_person_warning (person_id, kind) "
        "WHERE lifted_at IS NULL"
    )
    op.execute(f"comment on table clinic.related_person_warning is $${OF_TABLE}$$")
    op.execute("grant update (lifted_at, lifted_by, lifted_because) on clinic.related_person_warning to caseload_app")
