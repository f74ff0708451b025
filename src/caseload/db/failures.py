"""What went wrong in the database, in three words that the outside understands."""

from enum import StrEnum
from typing import Final

import asyncpg
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_dbapi
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError


class Failure(StrEnum):
    """How a failure of the database is answered."""

    UNAVAILABLE = "unavailable"
    """Down, full, starting, stopping or too busy: nothing was kept, try again."""
    BUSY = "busy"
    """Somebody else holds the same record for too long, or two transactions crossed: try again."""
    UNSTORABLE = "unstorable"
    """A value that PostgreSQL cannot hold."""


_BUSY: Final = frozenset({
    "55P03",  # lock_not_available
    "40P01",  # deadlock_detected
    "40001",  # serialization_failure
    "0A000",  # feature_not_supported: a cached plan after a migration
})  # fmt: skip
_UNSTORABLE: Final = ("22",)
_UNAVAILABLE: Final = ("08", "25006", "53", "57", "58", "XX")
"""Connection, read-only server, out of resources, operator intervention, system error, internal error."""

SERVER_GOES: Final = frozenset({"57P01", "57P02", "57P03", "25006"})
"""Shut down by an administrator, crashed, not yet up, read-only after a failover (PostgreSQL, appendix A)."""

DRIVER_LOST: Final = (asyncpg.InternalClientError, AsyncAdapt_asyncpg_dbapi.InternalClientError)
"""The driver cannot go on: it has read the server's last word, and not yet that the server has hung up."""

_GONE: Final = (
    *DRIVER_LOST,
    PoolTimeoutError,
    InterfaceError,
    OSError,
    asyncpg.InterfaceError,
    AsyncAdapt_asyncpg_dbapi.InterfaceError,
)
"""The connection could not be had, or is found dead before a statement was sent: then nobody has wrapped the error."""


def failure_of(error: BaseException) -> Failure | None:
    """Which failure of the database this is, or None when it is not one (PostgreSQL, appendix A)."""
    state = _sqlstate(error)
    if state in _BUSY:
        return Failure.BUSY
    if state.startswith(_UNSTORABLE):
        return Failure.UNSTORABLE
    if state.startswith(_UNAVAILABLE) or isinstance(error, _GONE):
        return Failure.UNAVAILABLE
    if isinstance(error, DBAPIError) and (error.connection_invalidated or not state):
        return Failure.UNAVAILABLE
    return None


def _sqlstate(error: BaseException) -> str:
    cause = error.orig if isinstance(error, DBAPIError) else error
    state = getattr(cause, "sqlstate", None)
    return state if isinstance(state, str) else ""


def is_refusal(error: BaseException) -> bool:
    """Whether a constraint refused it (class 23), so that it is certain that nothing was kept."""
    return _sqlstate(error).startswith("23")


def violated(error: IntegrityError) -> str:
    """The name of the constraint that refused a row, or an empty text when the server named none."""
    name = getattr(getattr(error.orig, "__cause__", None), "constraint_name", None)
    return name if isinstance(name, str) else ""
