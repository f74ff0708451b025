"""Injections: rapid start and the last opioid on an order, sites, and what a pharmacy delivered for one client.

An older version of the service writes no site: its injections are given as before.
"""

from alembic import op

revision = "20261122_173"
down_revision = "20261122_135"

ORDERS = (
    "ALTER TABLE clinic.medication_order ADD COLUMN rapid_start BOOLEAN DEFAULT false NOT NULL",
    "ALTER TABLE clinic.medication_order ADD COLUMN last_opioid_on DATE",
    """
    ALTER TABLE clinic.medication_order ADD CONSTRAINT medication_order_rapid_start_check
        CHECK (NOT rapid_start OR form IN ('extended_release_injection')) NOT VALID
    """,
    """
    ALTER TABLE clinic.medication_order ADD CONSTRAINT medication_order_last_opioid_on_check
        CHECK (last_opioid_on IS NULL OR medicine = 'naltrexone') NOT VALID
    """,
    "-- squawk-ignore constraint-missing-not-valid\nALTER TABLE clinic.medication_order VALIDATE CONSTRAINT medication_order_rapid_start_check",
    "-- squawk-ignore constraint-missing-not-valid\nALTER TABLE clinic.medication_order VALIDATE CONSTRAINT medication_order_last_opioid_on_check",
)

TABLES = (
    """
    CREATE TABLE clinic.named_delivery (
        id UUID NOT NULL,
        client_id UUID NOT NULL,
        programme_id UUID NOT NULL,
        medicine TEXT NOT NULL,
        form TEXT NOT NULL,
        strength_mg NUMERIC(7, 3) NOT NULL,
        pharmacy TEXT NOT NULL,
        lot TEXT NOT NULL,
        received_on DATE NOT NULL,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT named_delivery_pkey PRIMARY KEY (id),
        CONSTRAINT named_delivery_id_client_id_key UNIQUE (id, client_id),
        CONSTRAINT named_delivery_made_as_check CHECK ((medicine = 'buprenorphine' OR medicine = 'naltrexone')
                AND form IN ('extended_release_injection')),
        CONSTRAINT named_delivery_strength_mg_check CHECK (strength_mg > 0),
        CONSTRAINT named_delivery_pharmacy_not_blank_check CHECK (btrim(pharmacy) <> ''),
        CONSTRAINT named_delivery_lot_not_blank_check CHECK (btrim(lot) <> ''),
        CONSTRAINT named_delivery_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id),
        CONSTRAINT named_delivery_programme_id_fkey FOREIGN KEY(programme_id) REFERENCES clinic.programme (id),
        CONSTRAINT named_delivery_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.dose_injection (
        dose_id UUID NOT NULL,
        dose_version SMALLINT NOT NULL,
        client_id UUID NOT NULL,
        site TEXT,
        same_site_reason TEXT,
        delivery_id UUID,
        CONSTRAINT dose_injection_pkey PRIMARY KEY (dose_id),
        CONSTRAINT dose_injection_dose_version_check CHECK (dose_version = 1),
        CONSTRAINT dose_injection_site_check CHECK (site IN ('abdomen_left', 'abdomen_right', 'thigh_left',
                'thigh_right', 'buttock_left', 'buttock_right', 'upper_arm_left', 'upper_arm_right')),
        CONSTRAINT dose_injection_says_something_check CHECK (num_nonnulls(site, delivery_id) > 0),
        CONSTRAINT dose_injection_same_site_reason_not_blank_check CHECK (btrim(same_site_reason) <> ''),
        CONSTRAINT dose_injection_dose_fkey FOREIGN KEY(dose_id, dose_version) REFERENCES clinic.dose (id, version),
        CONSTRAINT dose_injection_delivery_fkey FOREIGN KEY(delivery_id, client_id)
                REFERENCES clinic.named_delivery (id, client_id)
    )
    """,
)

INDEXES = (
    "CREATE INDEX named_delivery_client_id_idx ON clinic.named_delivery (client_id)",
    "CREATE INDEX dose_injection_delivery_id_idx ON clinic.dose_injection (delivery_id) WHERE delivery_id IS NOT NULL",
)

COMMENTS = {
    "named_delivery": "An injection that a pharmacy delivered for one client by name (21 CFR 1306.07(f)(5)).",
    "dose_injection": "Where an injection was given, why there again, and what delivered for this client it was.",
}


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    for statement in (*ORDERS, *TABLES, *INDEXES):
        op.execute(statement)
    for table, comment in COMMENTS.items():
        op.execute(f"comment on table clinic.{table} is $${comment}$$")
