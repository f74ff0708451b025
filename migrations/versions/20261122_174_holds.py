"""Holds that are aimed at an order or at the dose of a day, who was told of them, and what clears them.

An older version of the service takes each of them for a hold on every dose of the client: the safe side.
"""

from alembic import op

revision = "20261122_174"
down_revision = "20261122_166"

CHECKS = {
    "hold_reason_check": (
        "reason IN ('intoxication', 'sedation', 'medical', 'identity', 'prescriber_asked', 'missed_doses', 'exception',"
        " 'other')"
    ),
    "hold_one_aim_check": "num_nonnulls(order_id, on_day) <= 1 AND (part IS NULL OR on_day IS NOT NULL)",
    "hold_exception_holds_the_client_check": "reason <> 'exception' OR num_nonnulls(order_id, on_day) = 0",
    "hold_missed_doses_hold_an_order_check": "reason <> 'missed_doses' OR num_nonnulls(by_rule, order_id) = 2",
    "hold_part_check": "part IN ('whole', 'morning', 'evening')",
    "hold_clears_not_blank_check": "btrim(clears) <> ''",
}

COLUMNS = (
    "ALTER TABLE clinic.hold ADD COLUMN order_id UUID",
    "ALTER TABLE clinic.hold ADD COLUMN on_day DATE",
    "ALTER TABLE clinic.hold ADD COLUMN part TEXT",
    "ALTER TABLE clinic.hold ADD COLUMN told TEXT[] DEFAULT '{}' NOT NULL",
    "ALTER TABLE clinic.hold ADD COLUMN clears TEXT",
    """
    ALTER TABLE clinic.hold ADD CONSTRAINT hold_order_fkey FOREIGN KEY(order_id, client_id)
        REFERENCES clinic.medication_order (id, client_id) NOT VALID
    """,
    "-- squawk-ignore constraint-missing-not-valid\nALTER TABLE clinic.hold VALIDATE CONSTRAINT hold_order_fkey",
)

COMMENT = (
    "Nothing is given to the client, under the order or on the day until a prescriber's signed decision clears it."
)


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    for statement in COLUMNS:
        op.execute(statement)
    for name, condition in CHECKS.items():
        if name == "hold_reason_check":
            op.execute(f"-- squawk-ignore ban-drop-constraint\nALTER TABLE clinic.hold DROP CONSTRAINT {name}")
        op.execute(f"ALTER TABLE clinic.hold ADD CONSTRAINT {name} CHECK ({condition}) NOT VALID")
        op.execute(f"-- squawk-ignore constraint-missing-not-valid\nALTER TABLE clinic.hold VALIDATE CONSTRAINT {name}")
    op.execute(f"comment on table clinic.hold is $${COMMENT}$$")
