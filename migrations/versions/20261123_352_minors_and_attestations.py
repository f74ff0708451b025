"""Who signed with a minor, and the exact words that were attested of a typed signature."""

from alembic import op

revision = "20261123_352"
down_revision = "20261123_340"

COLUMNS = {"co_signer_id": "UUID", "co_signed_name": "TEXT", "attestation": "TEXT"}
CHECKS = {
    "co_signed_name_not_blank": "btrim(co_signed_name) <> ''",
    "attestation_not_blank": "btrim(attestation) <> ''",
    "co_signer_whole": "num_nonnulls(co_signer_id, co_signed_name) IN (0, 2)",
    "co_signed_by_client": "co_signer_id IS NULL OR signatory = 'client'",
    "attestation_of_typed": "attestation IS NULL OR document_digest IS NULL",
}


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '1min'")
    for column, kind in COLUMNS.items():
        op.execute(f"ALTER TABLE clinic.consent ADD COLUMN {column} {kind}")
    for name, rule in CHECKS.items():
        op.execute(
            "-- squawk-ignore constraint-missing-not-valid\n"
            f"ALTER TABLE clinic.consent ADD CONSTRAINT consent_{name}_check CHECK ({rule})"
        )
    op.execute(
        "-- squawk-ignore adding-foreign-key-constraint, constraint-missing-not-valid\n"
        "ALTER TABLE clinic.consent ADD CONSTRAINT consent_co_signer_fkey "
        "FOREIGN KEY(client_id, co_signer_id) REFERENCES clinic.related_person (client_id, id)"
    )
