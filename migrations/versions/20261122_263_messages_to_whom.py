"""A message is for whoever sees the client next at one of its places: at the window, a counsellor, who leads a group."""

from alembic import op

revision = "20261122_263"
down_revision = "20261122_262"


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    # Every message of before was left for the window. The default is for those alone.
    op.execute("ALTER TABLE clinic.window_message ADD COLUMN places TEXT[] NOT NULL DEFAULT '{window}'")
    op.execute("-- squawk-ignore ban-drop-default\nALTER TABLE clinic.window_message ALTER COLUMN places DROP DEFAULT")
    op.execute(
        "ALTER TABLE clinic.window_message ADD CONSTRAINT window_message_places_check CHECK"
        " (cardinality(places) >= 1 AND places <@ ARRAY['window', 'counsellor', 'group']) NOT VALID"
    )
    op.execute(
        "-- squawk-ignore constraint-missing-not-valid\n"
        "ALTER TABLE clinic.window_message VALIDATE CONSTRAINT window_message_places_check"
    )
    op.execute(
        "comment on table clinic.window_message is $$What whoever sees the client next should know, at the window, as"
        " counsellor or leading a group; it stands there until it is cleared.$$"
    )
