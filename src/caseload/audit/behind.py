"""How long the log has been waiting for its signature, and for its witnesses: seen from the service, for its operators.

The sequencer says in its own log when a witness is missed, or when it may not go on. Whoever watches numbers sees it here,
wherever the sequencer runs: from what the database holds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import LargeBinary, Text, bindparam, column, func, select, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.audit.accesslog import read_as_reader
from caseload.audit.published import TreeReader
from caseload.audit.tables import checkpoint_signature, log
from caseload.audit.tlog.note import VerifierKey
from caseload.domain.accesslog import NothingSigned


@dataclass(frozen=True, slots=True, kw_only=True)
class Behind:
    """For how long the oldest entry waits; nothing where none does."""

    signature: timedelta
    """To be under a head of the log that may be shown."""
    witness: timedelta | None
    """To be under a head that every witness of the policy has cosigned; None where there is no witness to wait for."""


async def behind(connection: AsyncConnection, witnesses: Sequence[VerifierKey], *, now: datetime) -> Behind:
    """How far behind the log is; `witnesses` are the keys of all that the policy names."""
    try:
        signed = (await TreeReader(connection).newest()).size
    except NothingSigned:
        signed = 0
    seen = None
    if witnesses:
        given = {"names": [key.name for key in witnesses], "ids": [key.key_id for key in witnesses]}
        (found,) = await read_as_reader(connection, _COSIGNED, given)
        seen = await _waiting(connection, min(found.size, signed), now=now)
    return Behind(signature=await _waiting(connection, signed, now=now), witness=seen)


async def _waiting(connection: AsyncConnection, size: int, *, now: datetime) -> timedelta:
    """For how long the oldest entry waits that is not among the first so many."""
    (found,) = await read_as_reader(connection, _OLDEST_AFTER, {"size": size})
    return max(now - found.at, timedelta()) if found.at is not None else timedelta()


_WANTED = (
    func.unnest(bindparam("names", type_=ARRAY(Text())), bindparam("ids", type_=ARRAY(LargeBinary())))
    .table_valued(column("key_name", Text()), column("key_id", LargeBinary()))
    .render_derived(name="wanted")
)
_BY_EACH = (
    select(func.coalesce(func.max(checkpoint_signature.c.size), 0).label("size"))
    .where(checkpoint_signature.c.key_name == _WANTED.c.key_name, checkpoint_signature.c.key_id == _WANTED.c.key_id)
    .lateral("by_each")
)
_COSIGNED = select(func.min(_BY_EACH.c.size).label("size")).select_from(_WANTED.join(_BY_EACH, true()))
_PLACED = select(log.c.at).where(log.c.idx == bindparam("size")).scalar_subquery()
_QUEUED = select(log.c.at).where(log.c.idx.is_(None)).order_by(log.c.entry_id).limit(1).scalar_subquery()
_OLDEST_AFTER = select(func.least(_PLACED, _QUEUED).label("at"))
