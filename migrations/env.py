"""How Alembic runs the migrations: with a connection it is given, or with none at all (`--sql`).

`caseload.db.migrate` is the only caller that connects; `alembic revision` from a clone needs no database. The models
are not loaded here: a service that starts need not wait for them, and a test compares them with what came out.
"""

from alembic import context
from sqlalchemy import Connection

config = context.config


def _given() -> Connection | None:
    if context.is_offline_mode():
        return None
    connection = config.attributes.get("connection")
    if not isinstance(connection, Connection):
        message = "Use `caseload db upgrade` to migrate a database: it knows how to connect."
        raise SystemExit(message)
    return connection


def _run(connection: Connection | None) -> None:
    context.configure(
        connection=connection,
        dialect_name=None if connection is not None else "postgresql",
        literal_binds=connection is None,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


_run(_given())
