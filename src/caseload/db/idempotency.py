"""Request keys in PostgreSQL: the primary key settles which of two twins does the work."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.tables.idempotency import request_key
from caseload.domain.ids import StaffId

_CLAIM = insert(request_key).on_conflict_do_nothing().returning(request_key.c.status)
_FIND = select(request_key.c.digest, request_key.c.status, request_key.c.resource, request_key.c.version).where(
    request_key.c.staff_id == bindparam("staff"),
    request_key.c.route == bindparam("route"),
    request_key.c.key == bindparam("key"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """How a request ended the first time, and which record it made."""

    status: int
    resource: UUID
    version: int | None = None


class RequestKeys:
    """The keys that have been used."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def claim(self, staff: StaffId, route: str, key: str, digest: bytes, kept: Kept, *, at: datetime) -> bool:
        """Keep the key with what its request is about to make; False when it has been used.

        Waits for a twin that is still in flight, up to the lock timeout of the connection.
        """
        made = await self._connection.execute(
            _CLAIM,
            {
                "staff_id": staff,
                "route": route,
                "key": key,
                "digest": digest,
                "status": kept.status,
                "resource": kept.resource,
                "version": kept.version,
                "recorded_at": at,
            },
        )
        return made.first() is not None

    async def find(self, staff: StaffId, route: str, key: str) -> tuple[bytes, Kept] | None:
        """The digest and the outcome kept under the key."""
        row = (await self._connection.execute(_FIND, {"staff": staff, "route": route, "key": key})).first()
        return (
            None if row is None else (row.digest, Kept(status=row.status, resource=row.resource, version=row.version))
        )
