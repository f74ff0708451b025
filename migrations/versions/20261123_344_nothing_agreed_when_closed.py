"""Nothing is agreed, warned of or linked under a registration that has been closed, whichever of the two comes first.

Each of these rows names its client by a key now: whoever confirms a merge waits for it, and whoever is later is refused.
"""

from alembic import op

revision = "20261123_344"
down_revision = "20261123_392"

NAMES_ITS_CLIENT = ("related_person_link", "related_person_warning", "rights_contact", "rights_restriction")
ONLY_WHILE_OPEN = (*NAMES_ITS_CLIENT, "rights_request")


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '1min'")
    for table in NAMES_ITS_CLIENT:
        key = f"{table}_client_id_fkey"
        op.execute(
            f"ALTER TABLE clinic.{table} ADD CONSTRAINT {key} FOREIGN KEY(client_id)"
            " REFERENCES clinic.client (id) NOT VALID"
        )
        op.execute(
            f"-- squawk-ignore constraint-missing-not-valid\nALTER TABLE clinic.{table} VALIDATE CONSTRAINT {key}"
        )
    for table in ONLY_WHILE_OPEN:
        op.execute(
            f"create trigger registration_is_open after insert on clinic.{table}"
            " for each row execute function clinic.registration_is_open()"
        )
