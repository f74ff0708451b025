"""How the service connects: one small pool per worker, over asyncpg, with limits set on the server's side."""

from typing import Any, cast

import asyncpg
import msgspec
from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection, ExceptionContext
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from caseload.db.failures import DRIVER_LOST, SERVER_GOES
from caseload.settings import Secret, Settings, SettingsError

RECYCLE_SECONDS = 1800


def make_engine(settings: Settings, *, application_name: str = "caseload") -> AsyncEngine:
    """The engine over `database_url`. The caller disposes of it.

    asyncpg reads the address itself, so every form it knows works: a socket folder as host, several hosts with
    `target_session_attrs=read-write`, TLS options. Raises `SettingsError` when there is no address.
    """
    if settings.database_url is None:
        message = "CASELOAD_DATABASE_URL is not set: start the service with `caseload serve`, which supplies it."
        raise SettingsError(message)
    engine = create_async_engine(
        "postgresql+asyncpg://",
        connect_args=_connect_args(settings, settings.database_url, application_name),
        pool_size=settings.db_pool_size,
        max_overflow=0,
        pool_timeout=settings.db_pool_timeout_seconds,
        pool_use_lifo=True,
        pool_recycle=RECYCLE_SECONDS,
        json_serializer=_to_json,
        json_deserializer=msgspec.json.decode,
        hide_parameters=True,
    )
    event.listen(engine.sync_engine, "handle_error", _give_up_connection)
    event.listen(engine.sync_engine, "checkout", _leave_out_dead_connections)
    return engine


def _give_up_connection(context: ExceptionContext) -> None:
    """Do not use a connection again on which the server has said that it goes, or that it is the primary no more.

    SQLAlchemy looks whether the socket is closed, and between the server's last word and that there is a moment in
    which it is not: the rollback would then fail in place of the statement.
    """
    error = context.original_exception
    if getattr(error, "sqlstate", None) in SERVER_GOES or isinstance(error, DRIVER_LOST):
        context.is_disconnect = True


def _leave_out_dead_connections(_found: DBAPIConnection, entry: ConnectionPoolEntry, _given: object) -> None:
    """Do not hand out a connection that has ended while it waited; those beside it have most likely ended with it."""
    if cast("asyncpg.Connection", entry.driver_connection).is_closed():
        raise InvalidatePoolError


def _connect_args(settings: Settings, url: Secret, application_name: str) -> dict[str, Any]:
    if settings.db_pooler == "transaction":
        # The next message may reach another server, so nothing may be left on this one. A statement without a name is
        # parsed again together with its execution (asyncpg does so where it caches none); one with a name would be
        # looked for where it is not. Of the settings a pooler follows only a few, and the zone is one of them.
        return {
            "dsn": url.reveal(),
            "statement_cache_size": 0,
            "prepared_statement_cache_size": 0,
            "prepared_statement_name_func": lambda: "",
            "server_settings": {"application_name": application_name, "timezone": "UTC"},
        }
    return {
        "dsn": url.reveal(),
        "server_settings": {
            "application_name": application_name,
            "jit": "off",
            "timezone": "UTC",
            "statement_timeout": _milliseconds(settings.db_statement_timeout_seconds),
            "lock_timeout": _milliseconds(settings.db_lock_timeout_seconds),
            "idle_in_transaction_session_timeout": _milliseconds(settings.db_idle_transaction_timeout_seconds),
        },
    }


def _milliseconds(seconds: float) -> str:
    return str(round(seconds * 1000))


def _to_json(value: object) -> str:
    return msgspec.json.encode(value).decode()
