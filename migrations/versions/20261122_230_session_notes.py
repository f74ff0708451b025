"""Session notes in versions that are signed and countersigned, and how a programme holds its sessions."""

from alembic import op

revision = "20261122_230"
down_revision = "20261122_211"

TABLES = (
    """
    CREATE TABLE clinic.session_note (
        id UUID NOT NULL,
        session_id UUID NOT NULL,
        client_id UUID,
        programme_id UUID NOT NULL,
        kind TEXT NOT NULL,
        author_id UUID NOT NULL,
        CONSTRAINT session_note_pkey PRIMARY KEY (id),
        CONSTRAINT session_note_id_author_id_key UNIQUE (id, author_id),
        CONSTRAINT session_note_kind_check CHECK (kind IN ('progress', 'counselling')),
        CONSTRAINT session_note_session_id_fkey FOREIGN KEY(session_id) REFERENCES clinic.therapy_session (id),
        CONSTRAINT session_note_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id),
        CONSTRAINT session_note_programme_id_fkey FOREIGN KEY(programme_id) REFERENCES clinic.programme (id),
        CONSTRAINT session_note_author_id_fkey FOREIGN KEY(author_id) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.session_note_version (
        note_id UUID NOT NULL,
        version SMALLINT NOT NULL,
        text TEXT NOT NULL,
        reason TEXT,
        written_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT session_note_version_pkey PRIMARY KEY (note_id, version),
        CONSTRAINT session_note_version_version_check CHECK (version >= 1),
        CONSTRAINT session_note_version_text_not_blank_check CHECK (btrim(text) <> ''),
        CONSTRAINT session_note_version_reason_not_blank_check CHECK (btrim(reason) <> ''),
        CONSTRAINT session_note_version_first_replaces_nothing_check CHECK (version > 1 OR reason IS NULL),
        CONSTRAINT session_note_version_note_id_fkey FOREIGN KEY(note_id) REFERENCES clinic.session_note (id)
    )
    """,
    """
    CREATE TABLE clinic.session_note_signature (
        note_id UUID NOT NULL,
        version SMALLINT NOT NULL,
        signed_as TEXT NOT NULL,
        author_id UUID NOT NULL,
        signed_by UUID NOT NULL,
        signed_at TIMESTAMP WITH TIME ZONE NOT NULL,
        names_others BOOLEAN NOT NULL,
        signature_id UUID NOT NULL,
        CONSTRAINT session_note_signature_pkey PRIMARY KEY (note_id, version, signed_as),
        CONSTRAINT session_note_signature_signature_id_key UNIQUE (signature_id),
        CONSTRAINT session_note_signature_version_fkey FOREIGN KEY(note_id, version) REFERENCES
            clinic.session_note_version (note_id, version),
        CONSTRAINT session_note_signature_author_fkey FOREIGN KEY(note_id, author_id) REFERENCES clinic.session_note
            (id, author_id),
        CONSTRAINT session_note_signature_signed_as_check CHECK (signed_as IN ('author', 'co_signer')),
        CONSTRAINT session_note_signature_two_people_check CHECK ((signed_as = 'author') = (signed_by = author_id)),
        CONSTRAINT session_note_signature_author_is_warned_check CHECK (signed_as = 'author' OR NOT names_others),
        CONSTRAINT session_note_signature_signed_by_fkey FOREIGN KEY(signed_by) REFERENCES clinic.staff (id),
        CONSTRAINT session_note_signature_signature_id_fkey FOREIGN KEY(signature_id) REFERENCES clinic.signature (id)
    )
    """,
    """
    CREATE TABLE clinic.session_note_sent_back (
        note_id UUID NOT NULL,
        version SMALLINT NOT NULL,
        reason TEXT NOT NULL,
        sent_back_by UUID NOT NULL,
        sent_back_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT session_note_sent_back_pkey PRIMARY KEY (note_id, version),
        CONSTRAINT session_note_sent_back_version_fkey FOREIGN KEY(note_id, version) REFERENCES
            clinic.session_note_version (note_id, version),
        CONSTRAINT session_note_sent_back_reason_not_blank_check CHECK (btrim(reason) <> ''),
        CONSTRAINT session_note_sent_back_sent_back_by_fkey FOREIGN KEY(sent_back_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.session_note_voided (
        note_id UUID NOT NULL,
        reason TEXT NOT NULL,
        voided_by UUID NOT NULL,
        voided_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT session_note_voided_pkey PRIMARY KEY (note_id),
        CONSTRAINT session_note_voided_reason_not_blank_check CHECK (btrim(reason) <> ''),
        CONSTRAINT session_note_voided_note_id_fkey FOREIGN KEY(note_id) REFERENCES clinic.session_note (id),
        CONSTRAINT session_note_voided_voided_by_fkey FOREIGN KEY(voided_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.session_note_current (
        note_id UUID NOT NULL,
        programme_id UUID NOT NULL,
        author_id UUID NOT NULL,
        version SMALLINT NOT NULL,
        standing TEXT NOT NULL,
        sign_by TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT session_note_current_pkey PRIMARY KEY (note_id),
        CONSTRAINT session_note_current_version_check CHECK (version >= 1),
        CONSTRAINT session_note_current_standing_check CHECK (standing IN ('draft', 'waits_for_co_signature',
            'signed', 'voided')),
        CONSTRAINT session_note_current_note_id_fkey FOREIGN KEY(note_id) REFERENCES clinic.session_note (id),
        CONSTRAINT session_note_current_programme_id_fkey FOREIGN KEY(programme_id) REFERENCES clinic.programme (id),
        CONSTRAINT session_note_current_author_id_fkey FOREIGN KEY(author_id) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.programme_session_rules (
        programme_id UUID NOT NULL,
        version SMALLINT NOT NULL,
        week_starts_on TEXT NOT NULL,
        group_places SMALLINT NOT NULL,
        notes_co_signed BOOLEAN NOT NULL,
        sign_within_hours SMALLINT NOT NULL,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT programme_session_rules_pkey PRIMARY KEY (programme_id, version),
        CONSTRAINT programme_session_rules_version_check CHECK (version >= 1),
        CONSTRAINT programme_session_rules_week_starts_on_check CHECK (week_starts_on IN ('monday', 'tuesday',
            'wednesday', 'thursday', 'friday', 'saturday', 'sunday')),
        CONSTRAINT programme_session_rules_group_places_check CHECK (group_places BETWEEN 1 AND 200),
        CONSTRAINT programme_session_rules_sign_within_hours_check CHECK (sign_within_hours BETWEEN 1 AND 744),
        CONSTRAINT programme_session_rules_programme_id_fkey FOREIGN KEY(programme_id) REFERENCES clinic.programme
            (id),
        CONSTRAINT programme_session_rules_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
    """,
)

INDEXES = (
    # The tables are those of one clinic: it takes less than the time a form takes to be filled in.
    """
    -- squawk-ignore require-concurrent-index-creation
    CREATE INDEX therapy_session_register_started_at_idx ON clinic.therapy_session_register (started_at)
    """,
    """
    CREATE INDEX session_note_client_id_id_idx ON clinic.session_note (client_id, id) WHERE client_id IS NOT NULL
    """,
    "CREATE INDEX session_note_session_id_idx ON clinic.session_note (session_id)",
    """
    CREATE INDEX session_note_current_drafts_idx ON clinic.session_note_current (author_id, sign_by, note_id) WHERE
    standing = 'draft'
    """,
    """
    CREATE INDEX session_note_current_waits_idx ON clinic.session_note_current (programme_id, sign_by, note_id)
    WHERE standing = 'waits_for_co_signature'
    """,
)

COMMENTS = {
    "session_note": "A note about one client of a session, or about what concerned everybody; its id says when it was begun.",
    "session_note_version": "One version of a note, by its author; the key settles who was first.",
    "session_note_signature": "Who signed a version of a note: its author, and a supervisor who is somebody else.",
    "session_note_sent_back": "A version that a supervisor did not countersign, and why.",
    "session_note_voided": "A note that counts for nothing any more; it stays readable.",
    "session_note_current": "Where a note stands; locked first by whatever changes it.",
    "programme_session_rules": "How a programme holds its sessions, as versions of which the last counts.",
}

SUBJECTS = (
    "'order', 'order_stop', 'decision', 'dose', 'dose_correction', 'dose_replacement', 'dose_spill', 'stock_waste',"
    " 'stock_count', 'discharge', 'take_home_decision', 'take_home_suspension', 'session_note'"
)
CLINICAL = "'medical_director', 'nurse', 'pharmacist', 'prescriber'"
SIGNING = "'counsellor', 'medical_director', 'nurse', 'pharmacist', 'prescriber', 'supervisor'"

CHECKS = {
    "signature_subject_check": f"subject IN ({SUBJECTS})",
    "signature_role_check": f"role IN ({SIGNING})",
    "signature_registration_of_clinicians_check": f"(registration IS NOT NULL) = (role IN ({CLINICAL}))",
}

TRIGGER = """
    create trigger session_note_signature_of_its_record before insert on clinic.session_note_signature
    for each row execute function clinic.check_signature('session_note', 'note_id', 'signed_by', 'version')
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    for statement in (*TABLES, *INDEXES):
        op.execute(statement)
    for table, comment in COMMENTS.items():
        op.execute(f"comment on table clinic.{table} is $${comment}$$")
    # An older version of the service reads these signatures, too, but for the new ones, which lie under notes alone.
    op.execute(
        "-- squawk-ignore ban-drop-not-null\nALTER TABLE clinic.signature ALTER COLUMN registration DROP NOT NULL"
    )
    for name, condition in CHECKS.items():
        if name != "signature_registration_of_clinicians_check":
            op.execute(f"-- squawk-ignore ban-drop-constraint\nALTER TABLE clinic.signature DROP CONSTRAINT {name}")
        op.execute(f"ALTER TABLE clinic.signature ADD CONSTRAINT {name} CHECK ({condition}) NOT VALID")
        op.execute(
            f"-- squawk-ignore constraint-missing-not-valid\nALTER TABLE clinic.signature VALIDATE CONSTRAINT {name}"
        )
    op.execute(TRIGGER)
    op.execute("grant update (version, standing, sign_by) on clinic.session_note_current to caseload_app")
