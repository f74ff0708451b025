"""One cover of a client at a time, besides that of an absence: who stands in is never two people's to guess.

An absence's cover needs no constraint of its own: a client has one responsible counsellor at a time, and a counsellor one
absence. Where two single covers overlap already, this migration stops; end one of them first.
"""

from alembic import op

revision = "20261123_272"
down_revision = "20261123_271"

# An exclusion constraint cannot be added NOT VALID; covers are few, and the lock is short.
CONSTRAINT = """
    -- squawk-ignore constraint-missing-not-valid
    ALTER TABLE clinic.cover ADD CONSTRAINT cover_one_at_a_time
    EXCLUDE USING gist (client_id WITH =, period WITH &&) WHERE (absence_id IS NULL)
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '1min'")
    op.execute(CONSTRAINT)
