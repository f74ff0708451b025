"""What the record says that a duty to keep depends on, in PostgreSQL."""

from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, false, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.tables.caseload import client, client_identity, discharge, episode
from caseload.db.tables.merge import client_merge_side
from caseload.domain.client import ClientUnknown
from caseload.domain.erasure import Kept
from caseload.domain.ids import ClientId, ProgrammeId
from caseload.domain.merge import Side, Standing

_BORN: Final = (
    select(func.max(client_identity.c.birth_date)).where(client_identity.c.client_id == client.c.id).scalar_subquery()
)
_USED: Final = (
    select(client_merge_side.c.survivor_id)
    .where(
        client_merge_side.c.client_id == client.c.id,
        client_merge_side.c.side == Side.DUPLICATE.value,
        client_merge_side.c.standing == Standing.MERGED.value,
    )
    .correlate(client)
    .scalar_subquery()
)
"""The registration that is used in place of a closed one: what is kept under either is of one person in care."""
_IN_CARE: Final = (
    select(func.coalesce(func.bool_or(func.upper_inf(episode.c.period)), false()))
    .where(or_(episode.c.client_id == client.c.id, episode.c.client_id == _USED))
    .scalar_subquery()
)
_ENDED: Final = (
    select(func.max(discharge.c.effective_at))
    .join(episode, episode.c.id == discharge.c.episode_id)
    .where(episode.c.client_id == client.c.id)
    .scalar_subquery()
)
_KEPT: Final = select(
    client.c.programme_id,
    client.c.recorded_at,
    _IN_CARE.label("in_care"),
    _ENDED.label("ended_at"),
    _BORN.label("born_on"),
).where(client.c.id == bindparam("client"))


class Record:
    """Satisfies `domain.erasure.Record`. It notes nobody as seen: nothing of what it reads is shown."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def kept(self, wanted: ClientId, *, last_access_at: datetime | None) -> Kept:
        """See `domain.erasure.Record.kept`."""
        row = (await self._connection.execute(_KEPT, {"client": wanted})).first()
        if row is None:
            raise ClientUnknown
        return Kept(
            programme=ProgrammeId(row.programme_id),
            registered_at=row.recorded_at,
            in_care=row.in_care,
            care_ended_at=row.ended_at,
            born_on=row.born_on,
            last_access_at=last_access_at,
        )
