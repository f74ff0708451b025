"""An order may rise or fall in steps and be supplied by a pharmacy; what was seen before a dose is kept.

The steps stand in the order's own row: what was signed cannot get another one afterwards.
"""

from alembic import op

revision = "20261122_132"
down_revision = "20261122_141"

RISING = """
    create function clinic.is_rising(days date[]) returns boolean
    language sql immutable strict parallel safe set search_path = pg_catalog as $$
      select coalesce(bool_and(former is null or former < day), true)
      from (select day, lag(day) over (order by place) as former from unnest(days) with ordinality as d (day, place)) d
    $$
"""

COLUMNS = """
    ALTER TABLE clinic.medication_order
        ADD COLUMN supply TEXT DEFAULT 'window' NOT NULL,
        ADD COLUMN step_from DATE[],
        ADD COLUMN step_whole_mg NUMERIC(7, 3)[],
        ADD COLUMN step_morning_mg NUMERIC(7, 3)[],
        ADD COLUMN step_evening_mg NUMERIC(7, 3)[]
"""

CHECKS = {
    "medication_order_supply_check": "supply IN ('window', 'pharmacy')",
    "medication_order_injection_at_our_window_check": (
        "form NOT IN ('extended_release_injection') OR (supply = 'window' AND step_from IS NULL)"
    ),
    "medication_order_steps_have_the_same_parts_check": """
        CASE WHEN step_from IS NULL THEN num_nonnulls(step_whole_mg, step_morning_mg, step_evening_mg) = 0
        ELSE (step_whole_mg IS NULL) = (whole_mg IS NULL) AND (step_morning_mg IS NULL) = (morning_mg IS NULL)
            AND (step_evening_mg IS NULL) = (evening_mg IS NULL) END
    """,
    "medication_order_steps_are_complete_check": """
        step_from IS NULL OR (cardinality(step_from) BETWEEN 1 AND 60
            AND cardinality(coalesce(step_whole_mg, step_morning_mg, step_evening_mg)) = cardinality(step_from)
            AND cardinality(coalesce(step_evening_mg, step_morning_mg, step_whole_mg)) = cardinality(step_from)
            AND array_position(step_from, NULL) IS NULL AND array_position(step_whole_mg, NULL) IS NULL
            AND array_position(step_morning_mg, NULL) IS NULL AND array_position(step_evening_mg, NULL) IS NULL)
    """,
    "medication_order_step_amounts_check": (
        "0 < ALL (step_whole_mg) AND 0 < ALL (step_morning_mg) AND 0 < ALL (step_evening_mg)"
    ),
    "medication_order_steps_rise_in_its_days_check": """
        step_from IS NULL OR (clinic.is_rising(step_from) AND starts_on < step_from[1]
            AND (ends_on IS NULL OR step_from[cardinality(step_from)] <= ends_on))
    """,
}

TABLE = """
    CREATE TABLE clinic.pre_dose_observation (
        id UUID NOT NULL,
        client_id UUID NOT NULL,
        programme_id UUID NOT NULL,
        dosing_day DATE NOT NULL,
        sedation TEXT NOT NULL,
        intoxicated BOOLEAN NOT NULL,
        note TEXT NOT NULL,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT pre_dose_observation_pkey PRIMARY KEY (id),
        CONSTRAINT pre_dose_observation_sedation_check CHECK (sedation IN ('alert', 'drowsy', 'hard_to_rouse')),
        CONSTRAINT pre_dose_observation_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id),
        CONSTRAINT pre_dose_observation_programme_id_fkey FOREIGN KEY(programme_id) REFERENCES clinic.programme (id),
        CONSTRAINT pre_dose_observation_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
"""

INDEX = """
    CREATE INDEX pre_dose_observation_client_id_dosing_day_idx ON clinic.pre_dose_observation (client_id, dosing_day)
"""

COMMENT = "How a client was before a dose of a day, as somebody saw it: a step up waits for one that found nothing."


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    op.execute(RISING)
    op.execute(COLUMNS)
    for name, condition in CHECKS.items():
        op.execute(f"ALTER TABLE clinic.medication_order ADD CONSTRAINT {name} CHECK ({condition}) NOT VALID")
        op.execute(
            f"-- squawk-ignore constraint-missing-not-valid\nALTER TABLE clinic.medication_order VALIDATE CONSTRAINT {name}"
        )
    op.execute(TABLE)
    op.execute(INDEX)
    op.execute(f"comment on table clinic.pre_dose_observation is $${COMMENT}$$")
