"""Drug screens: the draw of a day, the samples with their results; added in versions, never changed."""

from alembic import op

revision = "20261122_151"
down_revision = "20261122_150"

TABLES = (
    """
    CREATE TABLE clinic.screen_draw (
        programme_id UUID NOT NULL,
        day DATE NOT NULL,
        rule TEXT NOT NULL,
        required SMALLINT NOT NULL,
        considered SMALLINT NOT NULL,
        drawn_by UUID NOT NULL,
        drawn_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT screen_draw_pkey PRIMARY KEY (programme_id, day),
        CONSTRAINT screen_draw_programme_id_fkey FOREIGN KEY(programme_id) REFERENCES clinic.programme (id),
        CONSTRAINT screen_draw_drawn_by_fkey FOREIGN KEY(drawn_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.screen_draw_line (
        programme_id UUID NOT NULL,
        day DATE NOT NULL,
        client_id UUID NOT NULL,
        done SMALLINT NOT NULL,
        CONSTRAINT screen_draw_line_pkey PRIMARY KEY (programme_id, day, client_id),
        CONSTRAINT screen_draw_line_draw_fkey FOREIGN KEY(programme_id, day) REFERENCES clinic.screen_draw
                (programme_id, day),
        CONSTRAINT screen_draw_line_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id)
    )
    """,
    """
    CREATE TABLE clinic.drug_screen (
        id UUID NOT NULL,
        version SMALLINT NOT NULL,
        client_id UUID NOT NULL,
        programme_id UUID NOT NULL,
        why TEXT,
        drawn_on DATE,
        collected_at TIMESTAMP WITH TIME ZONE,
        matrix TEXT,
        observed BOOLEAN,
        refused BOOLEAN,
        expected TEXT,
        interpretation TEXT,
        reason TEXT,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT drug_screen_pkey PRIMARY KEY (id, version),
        CONSTRAINT drug_screen_version_check CHECK (version >= 1),
        CONSTRAINT drug_screen_why_check CHECK (why IN ('random', 'admission', 'clinical', 'client_wish')),
        CONSTRAINT drug_screen_matrix_check CHECK (matrix IN ('urine', 'oral_fluid', 'blood', 'breath', 'hair')),
        CONSTRAINT drug_screen_expected_check CHECK (expected IN ('present', 'absent', 'not_looked_for')),
        CONSTRAINT drug_screen_reason_not_blank_check CHECK (btrim(reason) <> ''),
        CONSTRAINT drug_screen_not_in_the_future_check CHECK (collected_at <= recorded_at),
        CONSTRAINT drug_screen_later_has_reason_check CHECK ((version = 1) = (reason IS NULL)),
        CONSTRAINT drug_screen_whole_or_taken_back_check CHECK (num_nonnulls(why, collected_at, matrix, observed,
                refused) IN (0, 5) AND (version > 1 OR why IS NOT NULL)),
        CONSTRAINT drug_screen_taken_back_check CHECK (why IS NOT NULL OR num_nonnulls(drawn_on, expected,
                interpretation) = 0),
        CONSTRAINT drug_screen_random_was_drawn_check CHECK ((why IS NOT DISTINCT FROM 'random') = (drawn_on IS NOT
                NULL)),
        CONSTRAINT drug_screen_refused_has_no_result_check CHECK (expected IS NULL OR NOT refused),
        CONSTRAINT drug_screen_id_version_refused_key UNIQUE (id, version, refused),
        CONSTRAINT drug_screen_draw_fkey FOREIGN KEY(programme_id, drawn_on, client_id) REFERENCES
                clinic.screen_draw_line (programme_id, day, client_id),
        CONSTRAINT drug_screen_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id),
        CONSTRAINT drug_screen_programme_id_fkey FOREIGN KEY(programme_id) REFERENCES clinic.programme (id),
        CONSTRAINT drug_screen_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.drug_screen_result (
        screen_id UUID NOT NULL,
        version SMALLINT NOT NULL,
        substance TEXT NOT NULL,
        method TEXT NOT NULL,
        finding TEXT NOT NULL,
        refused BOOLEAN NOT NULL,
        CONSTRAINT drug_screen_result_pkey PRIMARY KEY (screen_id, version, substance, method),
        CONSTRAINT drug_screen_result_substance_check CHECK (substance IN ('opiates', 'six_mam', 'fentanyl',
                'oxycodone', 'methadone', 'methadone_metabolite', 'buprenorphine', 'buprenorphine_metabolite',
                'benzodiazepines', 'cocaine', 'amphetamines', 'cannabis', 'gabapentinoids', 'xylazine', 'alcohol')),
        CONSTRAINT drug_screen_result_method_check CHECK (method IN ('point_of_care', 'laboratory', 'confirmatory')),
        CONSTRAINT drug_screen_result_finding_check CHECK (finding IN ('positive', 'negative', 'invalid')),
        CONSTRAINT drug_screen_result_refused_has_none_check CHECK (NOT refused),
        CONSTRAINT drug_screen_result_screen_fkey FOREIGN KEY(screen_id, version, refused) REFERENCES clinic.drug_screen
                (id, version, refused)
    )
    """,
)

INDEXES = (
    "CREATE INDEX screen_draw_line_client_id_idx ON clinic.screen_draw_line (client_id)",
    "CREATE INDEX drug_screen_client_id_id_version_idx ON clinic.drug_screen (client_id, id, version)",
)

COMMENTS = {
    "screen_draw": "That it was drawn who is screened in a programme on a day; the key lets nobody draw twice.",
    "screen_draw_line": "A client whom a draw named, with how many random screens they had in this year of treatment.",
    "drug_screen": "Drug screens, as versions; one without a sample takes the screen back.",
    "drug_screen_result": "What each method found of each substance, in that version of a screen. A refusal has no result.",
}


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    for statement in (*TABLES, *INDEXES):
        op.execute(statement)
    for table, comment in COMMENTS.items():
        op.execute(f"comment on table clinic.{table} is $${comment}$$")
