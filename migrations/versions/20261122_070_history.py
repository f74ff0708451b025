"""History: where a programme's history came from, and what was brought in of each client.

All of it is insert-only, with the rights of the first revision. A brought-in dose names the history it came with.
"""

from alembic import op

revision = "20261122_070"
down_revision = "20261122_040"

TABLES = (
    """
    CREATE TABLE clinic.history_import (
        id UUID NOT NULL,
        source TEXT NOT NULL,
        begun_by UUID NOT NULL,
        begun_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT history_import_pkey PRIMARY KEY (id),
        CONSTRAINT history_import_source_not_blank_check CHECK (btrim(source) <> ''),
        CONSTRAINT history_import_source_check CHECK (char_length(source) <= 64),
        CONSTRAINT history_import_begun_by_fkey FOREIGN KEY(begun_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.history_import_end (
        import_id UUID NOT NULL,
        ended_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT history_import_end_pkey PRIMARY KEY (import_id),
        CONSTRAINT history_import_end_import_id_fkey FOREIGN KEY(import_id) REFERENCES clinic.history_import (id)
    )
    """,
    """
    CREATE TABLE clinic.history_file (
        import_id UUID NOT NULL,
        file TEXT NOT NULL,
        sha256 TEXT NOT NULL,
        rows INTEGER NOT NULL,
        accepted INTEGER NOT NULL,
        CONSTRAINT history_file_pkey PRIMARY KEY (import_id, file),
        CONSTRAINT history_file_sha256_check CHECK (sha256 ~ '^[0-9a-f]{64}$'),
        CONSTRAINT history_file_accepted_check CHECK (0 <= accepted AND accepted <= rows),
        CONSTRAINT history_file_import_id_fkey FOREIGN KEY(import_id) REFERENCES clinic.history_import (id)
    )
    """,
    """
    CREATE TABLE clinic.history_refusal (
        import_id UUID NOT NULL,
        file TEXT NOT NULL,
        line INTEGER NOT NULL,
        reason TEXT NOT NULL,
        CONSTRAINT history_refusal_pkey PRIMARY KEY (import_id, file, line),
        CONSTRAINT history_refusal_line_check CHECK (line >= 1),
        CONSTRAINT history_refusal_import_id_fkey FOREIGN KEY(import_id) REFERENCES clinic.history_import (id)
    )
    """,
    """
    CREATE TABLE clinic.client_history (
        id UUID NOT NULL,
        import_id UUID NOT NULL,
        client_id UUID NOT NULL,
        source TEXT NOT NULL,
        external_id TEXT NOT NULL,
        number SMALLINT NOT NULL,
        content BYTEA NOT NULL,
        last_day_covered DATE NOT NULL,
        recorded JSONB NOT NULL,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT client_history_pkey PRIMARY KEY (id),
        CONSTRAINT client_history_source_external_id_number_key UNIQUE (source, external_id, number),
        CONSTRAINT client_history_client_id_source_number_key UNIQUE (client_id, source, number),
        CONSTRAINT client_history_number_check CHECK (number >= 1),
        CONSTRAINT client_history_content_check CHECK (octet_length(content) = 32),
        CONSTRAINT client_history_recorded_check CHECK (jsonb_typeof(recorded) = 'object'),
        CONSTRAINT client_history_import_id_fkey FOREIGN KEY(import_id) REFERENCES clinic.history_import (id),
        CONSTRAINT client_history_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id),
        CONSTRAINT client_history_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.history_visit (
        history_id UUID NOT NULL,
        line INTEGER NOT NULL,
        client_id UUID NOT NULL,
        scheduled_on DATE,
        label TEXT NOT NULL,
        status TEXT NOT NULL,
        reason TEXT NOT NULL,
        replaces_history_id UUID,
        replaces_line INTEGER,
        CONSTRAINT history_visit_pkey PRIMARY KEY (history_id, line),
        CONSTRAINT history_visit_history_id_fkey FOREIGN KEY(history_id) REFERENCES clinic.client_history (id),
        CONSTRAINT history_visit_replaces_fkey FOREIGN KEY(replaces_history_id, replaces_line)
            REFERENCES clinic.history_visit (history_id, line),
        CONSTRAINT history_visit_replaces_history_id_replaces_line_key UNIQUE (replaces_history_id, replaces_line),
        CONSTRAINT history_visit_status_check CHECK (status IN ('attended', 'did_not_attend', 'unknown')),
        CONSTRAINT history_visit_has_its_day_check CHECK (scheduled_on IS NOT NULL OR status = 'did_not_attend'),
        CONSTRAINT history_visit_replaces_check CHECK ((replaces_history_id IS NULL) = (replaces_line IS NULL)),
        CONSTRAINT history_visit_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id)
    )
    """,
    """
    CREATE TABLE clinic.history_drug_screen (
        history_id UUID NOT NULL,
        line INTEGER NOT NULL,
        client_id UUID NOT NULL,
        collected_on DATE NOT NULL,
        substance TEXT NOT NULL,
        result TEXT NOT NULL,
        CONSTRAINT history_drug_screen_pkey PRIMARY KEY (history_id, line),
        CONSTRAINT history_drug_screen_history_id_fkey FOREIGN KEY(history_id) REFERENCES clinic.client_history (id),
        CONSTRAINT history_drug_screen_result_check CHECK (result IN ('negative', 'positive', 'unknown')),
        CONSTRAINT history_drug_screen_substance_not_blank_check CHECK (btrim(substance) <> ''),
        CONSTRAINT history_drug_screen_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id)
    )
    """,
    """
    CREATE TABLE clinic.history_replaced_dose (
        history_id UUID NOT NULL,
        line INTEGER NOT NULL,
        client_id UUID NOT NULL,
        given_on DATE NOT NULL,
        medicine TEXT NOT NULL,
        form TEXT NOT NULL,
        amount_mg NUMERIC(7, 3) NOT NULL,
        CONSTRAINT history_replaced_dose_pkey PRIMARY KEY (history_id, line),
        CONSTRAINT history_replaced_dose_history_id_fkey FOREIGN KEY(history_id)
            REFERENCES clinic.client_history (id),
        CONSTRAINT history_replaced_dose_made_as_check
            CHECK ((medicine = 'methadone' AND form IN ('dispersible_tablet', 'oral_concentrate', 'oral_solution', 'tablet')) OR
                (medicine = 'buprenorphine' AND form IN ('extended_release_injection', 'oral_lyophilisate', 'sublingual_tablet')) OR
                (medicine = 'buprenorphine_naloxone' AND form IN ('sublingual_film', 'sublingual_tablet')) OR
                (medicine = 'naltrexone' AND form IN ('extended_release_injection', 'tablet'))),
        CONSTRAINT history_replaced_dose_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id)
    )
    """,
    """
    CREATE TABLE clinic.history_verification (
        id UUID NOT NULL,
        client_id UUID NOT NULL,
        until DATE NOT NULL,
        finding TEXT NOT NULL,
        note TEXT NOT NULL,
        verified_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT history_verification_pkey PRIMARY KEY (id),
        CONSTRAINT history_verification_finding_check
            CHECK (finding IN ('no_doses', 'doses_elsewhere', 'cannot_be_known')),
        CONSTRAINT history_verification_note_not_blank_check CHECK (btrim(note) <> ''),
        CONSTRAINT history_verification_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id),
        CONSTRAINT history_verification_verified_by_fkey FOREIGN KEY(verified_by) REFERENCES clinic.staff (id)
    )
    """,
)

INDEXES = (
    "CREATE INDEX client_history_import_id_idx ON clinic.client_history (import_id)",
    "CREATE INDEX history_visit_client_id_scheduled_on_idx ON clinic.history_visit (client_id, scheduled_on)",
    "CREATE INDEX history_drug_screen_client_id_collected_on_idx ON clinic.history_drug_screen (client_id, collected_on)",
    "CREATE INDEX history_replaced_dose_client_id_idx ON clinic.history_replaced_dose (client_id)",
    "CREATE INDEX history_verification_client_id_recorded_at_idx ON clinic.history_verification (client_id, recorded_at)",
)

COMMENTS = {
    "history_import": "One run over one folder of history, and who made it.",
    "history_import_end": "A run that saw everybody. Without one it was stopped on the way; running it again goes on.",
    "history_file": "A file of the folder by its digest: the file itself stays with whoever keeps the former record.",
    "history_refusal": "A row that was left out, and why. It names nobody.",
    "client_history": "What one run brought in of one client. Days after last_day_covered are not known.",
    "history_visit": "A visit as others recorded it. It counts for attendance and is never billable.",
    "history_drug_screen": "One substance of one drug screen as others recorded it.",
    "history_replaced_dose": "A dose row that somebody decided was corrected by a lower line of its day: to be read, counted nowhere.",
    "history_verification": "What somebody found out about the days after a brought-in history ends.",
}

# Nothing was brought in before this revision, so there is nothing to check and nobody to wait.
SOURCE_OF_A_DOSE = (
    """
    -- squawk-ignore constraint-missing-not-valid, adding-foreign-key-constraint
    ALTER TABLE clinic.dose ADD CONSTRAINT dose_source_id_fkey FOREIGN KEY(source_id)
        REFERENCES clinic.client_history (id)
    """,
    """
    -- squawk-ignore require-concurrent-index-creation
    CREATE UNIQUE INDEX dose_source_line_key ON clinic.dose (source_id, source_line)
    WHERE source_id IS NOT NULL
    """,
)


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    for statement in (*TABLES, *INDEXES, *SOURCE_OF_A_DOSE):
        op.execute(statement)
    for table, comment in COMMENTS.items():
        op.execute(f"comment on table clinic.{table} is $${comment}$$")
