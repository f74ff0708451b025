"""Interim treatment: its first day, the plan for going on, its end, and what of it was recorded by mistake."""

from alembic import op

revision = "20261123_370"
down_revision = "20261123_380"

KEY = "CONSTRAINT {0}_pkey PRIMARY KEY (interim_treatment_id)"
OF = "CONSTRAINT {0}_interim_treatment_id_fkey FOREIGN KEY(interim_treatment_id) REFERENCES clinic.interim_treatment (id)"
BY = "CONSTRAINT {0}_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)"

TREATMENT = """
    CREATE TABLE clinic.interim_treatment (
        id UUID NOT NULL,
        client_id UUID NOT NULL,
        number SMALLINT NOT NULL,
        episode_id UUID,
        elsewhere TEXT,
        started_on DATE NOT NULL,
        last_on DATE,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT interim_treatment_pkey PRIMARY KEY (id),
        CONSTRAINT interim_treatment_number_check CHECK (number >= 1),
        CONSTRAINT interim_treatment_elsewhere_not_blank_check CHECK (btrim(elsewhere) <> ''),
        CONSTRAINT interim_treatment_here_or_elsewhere_check
            CHECK (num_nonnulls(episode_id, elsewhere) = 1 AND (elsewhere IS NULL) = (last_on IS NULL)),
        CONSTRAINT interim_treatment_days_check CHECK (last_on >= started_on),
        CONSTRAINT interim_treatment_client_id_number_key UNIQUE (client_id, number),
        CONSTRAINT interim_treatment_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id),
        CONSTRAINT interim_treatment_episode_id_fkey FOREIGN KEY(episode_id) REFERENCES clinic.episode (id),
        CONSTRAINT interim_treatment_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
"""
SAID_LATER = {
    "interim_plan": """
        made_on DATE NOT NULL,
        made_by TEXT NOT NULL,
        CONSTRAINT interim_plan_made_by_not_blank_check CHECK (btrim(made_by) <> '')""",
    "interim_end": """
        last_on DATE NOT NULL,
        how TEXT NOT NULL,
        CONSTRAINT interim_end_how_check CHECK (how IN ('comprehensive', 'transferred', 'left'))""",
    "interim_taken_back": """
        reason TEXT NOT NULL,
        CONSTRAINT interim_taken_back_reason_not_blank_check CHECK (btrim(reason) <> '')""",
}
COMMENTS = {
    "interim_treatment": (
        "Interim treatment: here, under an episode, or elsewhere, with its last day; the number settles who was first."
    ),
    "interim_plan": "That there is a plan for going on after an interim treatment.",
    "interim_end": "The last day of an interim treatment here, and how it ended; a discharge ends it without.",
    "interim_taken_back": "That an interim treatment was recorded by mistake, and why: once for each.",
}


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '1min'")
    op.execute(TREATMENT)
    for table, columns in SAID_LATER.items():
        op.execute(f"""
            CREATE TABLE clinic.{table} (
                interim_treatment_id UUID NOT NULL,{columns},
                recorded_by UUID NOT NULL,
                recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
                {KEY.format(table)},
                {OF.format(table)},
                {BY.format(table)}
            )
        """)
    for table, comment in COMMENTS.items():
        op.execute(f"comment on table clinic.{table} is $${comment}$$")
