"""Erasures beside the clients' keys: proposed, withdrawn, and carried out by destroying one key."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import DateTime, LargeBinary, Row, Uuid, bindparam, delete, func, insert, literal_column, select, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.audit.accesslog import holds, read_as_reader
from caseload.audit.leaf import made_at
from caseload.audit.tables import disclosure, erasure, log
from caseload.audit.trail import AuditTrail
from caseload.domain.accesslog import ClientNotInLog
from caseload.domain.erasure import AlreadyProposed, Erased, Erasure, ErasureUnknown, Ground
from caseload.domain.ids import ClientId, ErasureId, StaffId

_ABOUT_THE_LOG: Final = tuple(
    b'"role":[' + roles + b"]" for roles in (b'"auditor"', b'"privacy_officer"', b'"auditor","privacy_officer"')
)
"""How a leaf says that somebody acted as auditor or privacy officer and as nothing else."""


class KeptErasures:
    """Implements `caseload.domain.erasure.Erasures` over the connection of a piece of work."""

    def __init__(self, connection: AsyncConnection, trail: AuditTrail) -> None:
        self._connection = connection
        self._keys = trail.keys

    async def last_access(self, client: ClientId) -> datetime | None:
        """See `Erasures.last_access`."""
        key = await self._keys.existing(self._connection, client)
        if key is None:
            raise ClientNotInLog
        rows = await read_as_reader(self._connection, _LAST_ACCESS, {"references": [key.reference]})
        return made_at(rows[0].entry_id) if rows else None

    async def add(self, new: Erasure) -> None:
        """See `Erasures.add`."""
        given = {
            "id": new.id,
            "client_id": new.client,
            "ground": new.ground,
            "proposed_by": new.proposed_by,
            "proposed_at": new.proposed_at,
        }
        try:
            await self._connection.execute(_ADD, given)
        except IntegrityError as twice:
            raise AlreadyProposed from twice

    async def waiting(self) -> Sequence[Erasure]:
        """See `Erasures.waiting`."""
        return [_erasure(row) for row in await self._connection.execute(_WAITING)]

    async def get(self, wanted: ErasureId) -> Erasure:
        """See `Erasures.get`."""
        row = (await self._connection.execute(_GET, {"erasure": wanted})).first()
        if row is None:
            raise ErasureUnknown
        return _erasure(row)

    async def withdraw(self, proposal: Erasure) -> None:
        """See `Erasures.withdraw`."""
        await self._connection.execute(_WITHDRAW, {"erasure": proposal.id})

    async def destroy_key(self, proposal: Erasure, *, by: StaffId, at: datetime) -> Erased:
        """See `Erasures.destroy_key`."""
        given = {"erasure": proposal.id, "by": by, "at": at}
        row = (await self._connection.execute(_DESTROY, given)).first()
        if row is None:
            raise ErasureUnknown
        self._keys.forget(proposal.client)
        return Erased(
            id=ErasureId(row.erasure_id),
            key=row.key_id,
            ground=Ground(row.ground),
            proposed_by=StaffId(row.proposed_by),
            confirmed_by=StaffId(row.confirmed_by),
            erased_at=row.erased_at,
        )


def _erasure(row: Row[*tuple[Any, ...]]) -> Erasure:
    return Erasure(
        id=ErasureId(row.id),
        client=ClientId(row.client_id),
        ground=Ground(row.ground),
        proposed_by=StaffId(row.proposed_by),
        proposed_at=row.proposed_at,
    )


_ERASURES = select(erasure.c.id, erasure.c.client_id, erasure.c.ground, erasure.c.proposed_by, erasure.c.proposed_at)
_WAITING = _ERASURES.order_by(erasure.c.proposed_at, erasure.c.id)
_GET = _ERASURES.where(erasure.c.id == bindparam("erasure"))
_ADD = insert(erasure)
_matches = (
    select(disclosure.c.entry_id)
    .where(disclosure.c.refs.contains(bindparam("references", type_=ARRAY(LargeBinary()))))
    .cte("matches")
    .prefix_with("MATERIALIZED")
)
_line = (
    select(log.c.entry_id, log.c.leaf)
    .where(log.c.entry_id == _matches.c.entry_id)
    .offset(literal_column("0"))
    .lateral("line")
)
_LAST_ACCESS = (
    select(_line.c.entry_id)
    .select_from(_matches.join(_line, true()))
    .where(*(~holds(_line.c.leaf, said) for said in _ABOUT_THE_LOG))
    .order_by(_line.c.entry_id.desc())
    .limit(literal_column("1"))
)
_WITHDRAW = delete(erasure).where(erasure.c.id == bindparam("erasure"))

_destroyed = func.keys.destroy(
    bindparam("erasure", type_=Uuid()), bindparam("by", type_=Uuid()), bindparam("at", type_=DateTime(timezone=True))
).table_valued("key_id", "erasure_id", "ground", "proposed_by", "confirmed_by", "erased_at", name="destroyed")
_DESTROY = select(
    _destroyed.c.key_id,
    _destroyed.c.erasure_id,
    _destroyed.c.ground,
    _destroyed.c.proposed_by,
    _destroyed.c.confirmed_by,
    _destroyed.c.erased_at,
)
