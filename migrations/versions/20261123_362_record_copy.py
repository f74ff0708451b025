"""Copies of records that clients asked for: the entries of each as of one moment, what was decided of them, and what left."""

from alembic import op

revision = "20261123_362"
down_revision = "20261123_341"

TABLES = (
    """
    CREATE TABLE clinic.record_copy (
        id UUID NOT NULL,
        request_id UUID NOT NULL,
        kind TEXT NOT NULL,
        client_id UUID NOT NULL,
        prepared_by UUID NOT NULL,
        prepared_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT record_copy_pkey PRIMARY KEY (id),
        CONSTRAINT record_copy_id_request_id_key UNIQUE (id, request_id),
        CONSTRAINT record_copy_request_fkey FOREIGN KEY(request_id, kind, client_id) REFERENCES clinic.rights_request (id, kind, client_id),
        CONSTRAINT record_copy_for_a_copy_check CHECK (kind = 'record_copy'),
        CONSTRAINT record_copy_prepared_by_fkey FOREIGN KEY(prepared_by) REFERENCES clinic.staff (id)
    )
    """,
    "CREATE INDEX record_copy_request_id_id_idx ON clinic.record_copy (request_id, id)",
    """
    CREATE TABLE clinic.record_copy_entry (
        id UUID NOT NULL,
        copy_id UUID NOT NULL,
        section TEXT NOT NULL,
        kind TEXT NOT NULL,
        told_at TIMESTAMP WITH TIME ZONE,
        held_for TEXT,
        content TEXT,
        CONSTRAINT record_copy_entry_pkey PRIMARY KEY (id),
        CONSTRAINT record_copy_entry_copy_id_id_key UNIQUE (copy_id, id),
        CONSTRAINT record_copy_entry_section_check CHECK (section IN ('person', 'care', 'medicines', 'doses', 'take_home', 'check_ins', 'measures', 'sessions', 'notes', 'people', 'consents', 'disclosures', 'requests', 'contact', 'safety', 'history')),
        CONSTRAINT record_copy_entry_held_for_check CHECK (held_for IN ('in_confidence', 'counselling_note', 'another_client', 'another_person', 'serious_harm', 'legal_proceedings', 'tip_off')),
        CONSTRAINT record_copy_entry_kind_not_blank_check CHECK (btrim(kind) <> ''),
        CONSTRAINT record_copy_entry_apart_is_empty_check CHECK ((content IS NULL) = (held_for IS NOT DISTINCT FROM 'counselling_note')),
        CONSTRAINT record_copy_entry_copy_id_fkey FOREIGN KEY(copy_id) REFERENCES clinic.record_copy (id)
    )
    """,
    """
    CREATE TABLE clinic.record_copy_decision (
        copy_id UUID NOT NULL,
        entry_id UUID NOT NULL,
        leaves BOOLEAN NOT NULL,
        reason TEXT,
        note TEXT NOT NULL,
        decided_by UUID NOT NULL,
        decided_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT record_copy_decision_pkey PRIMARY KEY (copy_id, entry_id),
        CONSTRAINT record_copy_decision_entry_fkey FOREIGN KEY(copy_id, entry_id) REFERENCES clinic.record_copy_entry (copy_id, id),
        CONSTRAINT record_copy_decision_reason_check CHECK (reason IN ('in_confidence', 'counselling_note', 'another_client', 'another_person', 'serious_harm', 'legal_proceedings', 'tip_off')),
        CONSTRAINT record_copy_decision_note_not_blank_check CHECK (btrim(note) <> ''),
        CONSTRAINT record_copy_decision_withheld_for_a_reason_check CHECK (leaves = (reason IS NULL)),
        CONSTRAINT record_copy_decision_decided_by_fkey FOREIGN KEY(decided_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.record_copy_release (
        copy_id UUID NOT NULL,
        request_id UUID NOT NULL,
        to_representative BOOLEAN NOT NULL,
        manner TEXT NOT NULL,
        detail TEXT NOT NULL,
        entries INTEGER NOT NULL,
        withheld INTEGER NOT NULL,
        unsaid INTEGER NOT NULL,
        later INTEGER NOT NULL,
        sha256 BYTEA NOT NULL,
        released_by UUID NOT NULL,
        released_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT record_copy_release_pkey PRIMARY KEY (copy_id),
        CONSTRAINT record_copy_release_request_id_key UNIQUE (request_id),
        CONSTRAINT record_copy_release_request_fkey FOREIGN KEY(copy_id, request_id) REFERENCES clinic.record_copy (id, request_id),
        CONSTRAINT record_copy_release_manner_check CHECK (manner IN ('in_person', 'post', 'electronic')),
        CONSTRAINT record_copy_release_detail_not_blank_check CHECK (btrim(detail) <> ''),
        CONSTRAINT record_copy_release_sha256_check CHECK (octet_length(sha256) = 32),
        CONSTRAINT record_copy_release_withheld_check CHECK (withheld >= 0 AND unsaid >= 0 AND withheld + unsaid <= entries),
        CONSTRAINT record_copy_release_later_check CHECK (later >= 0),
        CONSTRAINT record_copy_release_copy_id_fkey FOREIGN KEY(copy_id) REFERENCES clinic.record_copy (id),
        CONSTRAINT record_copy_release_released_by_fkey FOREIGN KEY(released_by) REFERENCES clinic.staff (id)
    )
    """,
)

OPEN = """
    CREATE FUNCTION clinic.record_copy_is_open() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
    BEGIN
        IF EXISTS (SELECT FROM clinic.record_copy_release WHERE copy_id = new.copy_id) THEN
            RAISE EXCEPTION 'this copy has been released' USING ERRCODE = 'check_violation';
        END IF;
        RETURN new;
    END
    $$
"""

DECIDED = """
    CREATE FUNCTION clinic.record_copy_is_decided() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
    BEGIN
        IF EXISTS (
            SELECT FROM clinic.record_copy_entry e
            WHERE e.copy_id = new.copy_id AND e.held_for <> 'counselling_note'
                AND NOT EXISTS (
                    SELECT FROM clinic.record_copy_decision d WHERE d.copy_id = e.copy_id AND d.entry_id = e.id
                )
        ) THEN
            RAISE EXCEPTION 'entries of this copy wait for a decision' USING ERRCODE = 'check_violation';
        END IF;
        RETURN new;
    END
    $$
"""

NEVER_APART = """
    CREATE FUNCTION clinic.record_copy_entry_is_decidable() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
    BEGIN
        IF EXISTS (SELECT FROM clinic.record_copy_entry WHERE id = new.entry_id AND content IS NULL) THEN
            RAISE EXCEPTION 'what lies apart is in no copy' USING ERRCODE = 'check_violation';
        END IF;
        RETURN new;
    END
    $$
"""

TRIGGERS = (
    OPEN,
    DECIDED,
    NEVER_APART,
    """
    CREATE TRIGGER only_before_release BEFORE INSERT ON clinic.record_copy_entry
    FOR EACH ROW EXECUTE FUNCTION clinic.record_copy_is_open()
    """,
    """
    CREATE TRIGGER only_before_release BEFORE INSERT ON clinic.record_copy_decision
    FOR EACH ROW EXECUTE FUNCTION clinic.record_copy_is_open()
    """,
    """
    CREATE TRIGGER never_what_lies_apart BEFORE INSERT ON clinic.record_copy_decision
    FOR EACH ROW EXECUTE FUNCTION clinic.record_copy_entry_is_decidable()
    """,
    """
    CREATE TRIGGER only_when_decided BEFORE INSERT ON clinic.record_copy_release
    FOR EACH ROW EXECUTE FUNCTION clinic.record_copy_is_decided()
    """,
)

COMMENTS = {
    "record_copy": "A copy of a client's record, as of the moment at which it was prepared for a request.",
    "record_copy_entry": "One entry of the record as it stood; what is held for a reason leaves only if somebody decides so.",
    "record_copy_decision": "Whether an entry leaves, and what that rests on; once for each, and before the copy leaves.",
    "record_copy_release": "A privacy officer has looked through a copy, and it leaves: to whom, how, and what exactly; once for a request.",
}


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '1min'")
    for statement in (*TABLES, *TRIGGERS):
        op.execute(statement)
    for table, comment in COMMENTS.items():
        op.execute(f"comment on table clinic.{table} is $${comment}$$")
