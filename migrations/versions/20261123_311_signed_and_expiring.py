"""The digest of a scanned signature, and finding the consents that expire soon."""

from alembic import op

revision = "20261123_311"
down_revision = "20261123_284"


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    op.execute("ALTER TABLE clinic.consent ADD COLUMN document_digest BYTEA")
    op.execute(
        "ALTER TABLE clinic.consent ADD CONSTRAINT consent_document_digest_check"
        " CHECK (octet_length(document_digest) = 32) NOT VALID"
    )
    op.execute(
        "-- squawk-ignore constraint-missing-not-valid\n"
        "ALTER TABLE clinic.consent VALIDATE CONSTRAINT consent_document_digest_check"
    )
    op.execute(
        "-- squawk-ignore require-concurrent-index-creation\n"
        "CREATE INDEX consent_expires_at_idx ON clinic.consent (expires_at) WHERE expires_at IS NOT NULL"
    )
