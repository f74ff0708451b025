"""A verbal order is taken down and read back, counts until a deadline, and is countersigned by the same prescriber."""

from alembic import op

revision = "20261122_133"
down_revision = "20261122_132"

COLUMNS = """
    ALTER TABLE clinic.medication_order
        ADD COLUMN verbal_by UUID,
        ADD COLUMN countersign_by TIMESTAMP WITH TIME ZONE,
        ADD COLUMN read_back BOOLEAN
"""

CONSTRAINTS = {
    "medication_order_verbal_by_fkey": "FOREIGN KEY(verbal_by) REFERENCES clinic.staff (id)",
    "medication_order_verbal_check": """
        CHECK (num_nonnulls(verbal_by, countersign_by, read_back) = 0
            OR (num_nonnulls(verbal_by, countersign_by, read_back) = 3 AND read_back AND verbal_by <> written_by
                AND countersign_by > written_at AND replaces_id IS NULL))
    """,
}

SAME_PRESCRIBER = (
    """
    create function clinic.check_countersignature() returns trigger
    language plpgsql set search_path = pg_catalog as $$
    begin
      if exists (
        select from clinic.medication_order spoken
        join clinic.signature on signature.id = new.signature_id
        where spoken.id = new.order_id and spoken.verbal_by <> signature.signer_id
      ) then
        raise exception 'only the prescriber whose word it was countersigns a verbal order'
          using errcode = 'integrity_constraint_violation', constraint = 'order_countersigned_by_its_prescriber';
      end if;
      return new;
    end $$
    """,
    """
    create trigger order_countersigned_by_its_prescriber before insert on clinic.medication_order_signature
    for each row execute function clinic.check_countersignature()
    """,
)


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    op.execute(COLUMNS)
    for name, condition in CONSTRAINTS.items():
        op.execute(f"ALTER TABLE clinic.medication_order ADD CONSTRAINT {name} {condition} NOT VALID")
        op.execute(
            f"-- squawk-ignore constraint-missing-not-valid\nALTER TABLE clinic.medication_order VALIDATE CONSTRAINT {name}"
        )
    for statement in SAME_PRESCRIBER:
        op.execute(statement)
