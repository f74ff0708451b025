"""How Alembic runs the migrations: with a connection it is given, or with none at all (`--sql`).

`caseload.db.migrate` is the only caller that connects; `alembic revision` from a clone needs no database.
"""

from alembic import context
from sqlalchemy import Connection, MetaData

from caseload.db.tables.base import SCHEMAS, complete

config = context.config


def _of_ours(name: str | None, kind: str, _parents: object) -> bool:
    return kind != "schema" or name in SCHEMAS


def _models() -> MetaData | None:
    """The tables as the code has them, loaded only to compare: a service that starts need not wait for it."""
    return complete() if getattr(config.cmd_opts, "autogenerate", False) else None


def _run(connection: Connection | None, metadata: MetaData | None) -> None:
    context.configure(
        connection=connection,
        dialect_name=None if connection is not None else "postgresql",
        target_metadata=metadata,
        include_schemas=True,
        include_name=_of_ours,
        compare_server_default=True,
        transaction_per_migration=True,
        literal_binds=connection is None,
    )
    with context.begin_transaction():
        context.run_migrations()


def _given() -> Connection | None:
    if context.is_offline_mode():
        return None
    connection = config.attributes.get("connection")
    if not isinstance(connection, Connection):
        message = "Use `caseload db upgrade` to migrate a database: it knows how to connect."
        raise SystemExit(message)
    return connection


_run(_given(), _models())
