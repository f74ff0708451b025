"""Handovers that wait for the new counsellor, where a programme wants it; the former answers until then."""

from alembic import op

revision = "20261122_212"
down_revision = "20261122_231"

STATEMENTS = (
    """
    CREATE TABLE clinic.caseload_terms (
        programme_id UUID NOT NULL,
        version SMALLINT NOT NULL,
        handovers_wait BOOLEAN NOT NULL,
        reason TEXT NOT NULL,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT caseload_terms_pkey PRIMARY KEY (programme_id, version),
        CONSTRAINT caseload_terms_version_check CHECK (version >= 1),
        CONSTRAINT caseload_terms_reason_not_blank_check CHECK (btrim(reason) <> ''),
        CONSTRAINT caseload_terms_programme_id_fkey FOREIGN KEY(programme_id) REFERENCES clinic.programme (id),
        CONSTRAINT caseload_terms_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.handover_offer (
        id UUID NOT NULL,
        client_id UUID NOT NULL,
        episode_id UUID NOT NULL,
        programme_id UUID NOT NULL,
        to_id UUID NOT NULL,
        effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
        note TEXT,
        handover_id UUID,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        answer TEXT,
        answer_note TEXT,
        answered_by UUID,
        answered_at TIMESTAMP WITH TIME ZONE,
        CONSTRAINT handover_offer_pkey PRIMARY KEY (id),
        CONSTRAINT handover_offer_answer_check CHECK (answer IN ('accepted', 'declined', 'withdrawn')),
        CONSTRAINT handover_offer_whole_answer_check
            CHECK (num_nonnulls(answer, answered_by, answered_at) IN (0, 3)),
        CONSTRAINT handover_offer_own_answer_check
            CHECK (answer NOT IN ('accepted', 'declined') OR answered_by = to_id),
        CONSTRAINT handover_offer_declined_with_reason_check
            CHECK ((answer = 'declined') = (answer_note IS NOT NULL)),
        CONSTRAINT handover_offer_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id),
        CONSTRAINT handover_offer_episode_id_fkey FOREIGN KEY(episode_id) REFERENCES clinic.episode (id),
        CONSTRAINT handover_offer_programme_id_fkey FOREIGN KEY(programme_id) REFERENCES clinic.programme (id),
        CONSTRAINT handover_offer_to_id_fkey FOREIGN KEY(to_id) REFERENCES clinic.staff (id),
        CONSTRAINT handover_offer_handover_id_fkey FOREIGN KEY(handover_id) REFERENCES clinic.caseload_handover (id),
        CONSTRAINT handover_offer_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id),
        CONSTRAINT handover_offer_answered_by_fkey FOREIGN KEY(answered_by) REFERENCES clinic.staff (id)
    )
    """,
    "CREATE UNIQUE INDEX handover_offer_one_waits ON clinic.handover_offer (episode_id) WHERE answer IS NULL",
    "CREATE INDEX handover_offer_to_idx ON clinic.handover_offer (to_id, id) WHERE answer IS NULL",
    "CREATE INDEX handover_offer_programme_idx ON clinic.handover_offer (programme_id, id) WHERE answer IS NULL",
    """
    CREATE INDEX handover_offer_handover_id_idx ON clinic.handover_offer (handover_id) WHERE handover_id IS NOT NULL
    """,
)

COMMENTS = {
    "caseload_terms": "Whether handovers of a programme wait until the new counsellor accepts. The newest version counts.",
    "handover_offer": "Handovers that wait for the new counsellor; accepted, one is the responsibility of the same id.",
}


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '1min'")
    for statement in STATEMENTS:
        op.execute(statement)
    for table, comment in COMMENTS.items():
        op.execute(f"comment on table clinic.{table} is $${comment}$$")
    op.execute("grant update (answer, answer_note, answered_by, answered_at) on clinic.handover_offer to caseload_app")
