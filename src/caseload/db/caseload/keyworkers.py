"""Keyworkers in PostgreSQL: one at a time for each client, by an exclusion constraint."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, Uuid, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from caseload.db.access import reach_of, within_reach
from caseload.db.caseload.responsibilities import MOVED, Responsibilities
from caseload.db.tables.base import INSTANT
from caseload.db.tables.caseload import client, keyworker
from caseload.domain.access import Reach
from caseload.domain.caseload import CaseloadMoved, KeyworkEnded, Keyworker, KeyworkOver
from caseload.domain.client import ClientUnknown
from caseload.domain.ids import ClientId, EpisodeId, KeyworkerId, StaffId

_CLIENT = bindparam("client", type_=Uuid())
OF_CLIENT: Final = (
    select(
        keyworker.c.id,
        keyworker.c.client_id,
        keyworker.c.episode_id,
        keyworker.c.staff_id,
        keyworker.c.starts_at,
        keyworker.c.until_at,
        keyworker.c.reason,
        keyworker.c.recorded_by,
        keyworker.c.recorded_at,
        keyworker.c.ended_at,
        keyworker.c.ended_by,
        keyworker.c.ended_why,
    )
    .where(keyworker.c.client_id == _CLIENT)
    .order_by(keyworker.c.starts_at.desc())
)
_IS_WITHIN_REACH = select(client.c.id).where(client.c.id == _CLIENT, within_reach())
_END = (
    update(keyworker)
    .where(keyworker.c.id == bindparam("ending", type_=Uuid()), keyworker.c.ended_at.is_(None))
    .values(
        ended_at=bindparam("at", type_=INSTANT),
        ended_by=bindparam("by", type_=Uuid()),
        ended_why=bindparam("why"),
    )
)
END_OF_CLIENT: Final = (
    update(keyworker)
    .where(
        keyworker.c.client_id == _CLIENT,
        keyworker.c.ended_at.is_(None),
        keyworker.c.period.op("@>")(bindparam("at", type_=INSTANT)),
    )
    .values(
        ended_at=bindparam("at", type_=INSTANT),
        ended_by=bindparam("by", type_=Uuid()),
        ended_why=KeyworkEnded.DISCHARGED,
    )
)
"""With the episode; when we are told, as a cover."""


class KeyworkerBook(Responsibilities):
    """Satisfies `domain.caseload.keyworker.Keyworkers`."""

    async def keyworkers_of(self, of: ClientId, /) -> Sequence[Keyworker]:
        """See `domain.caseload.keyworker.Keyworkers.keyworkers_of`."""
        return [_keyworker(row) for row in (await self._connection.execute(OF_CLIENT, {"client": of})).all()]

    async def keyworkers(self, of: ClientId, *, reach: Reach) -> Sequence[Keyworker]:
        """The same, within a reach; `ClientUnknown` outside it."""
        given = {"client": of, **reach_of(reach, at=self._now, by_identifier=True)}
        if (await self._connection.execute(_IS_WITHIN_REACH, given)).first() is None:
            raise ClientUnknown
        self._journal.saw(of, "caseload")
        return await self.keyworkers_of(of)

    async def add_keyworker(self, new: Keyworker) -> None:
        """See `domain.caseload.keyworker.Keyworkers.add_keyworker`."""
        try:
            await self._connection.execute(
                insert(keyworker).values(
                    id=new.id,
                    client_id=new.client,
                    episode_id=new.episode,
                    staff_id=new.staff,
                    starts_at=new.starts_at,
                    until_at=new.until_at,
                    reason=new.reason,
                    recorded_by=new.recorded_by,
                    recorded_at=new.recorded_at,
                )
            )
        except IntegrityError as raced:
            raise CaseloadMoved(MOVED) from raced

    async def end_keywork(self, ending: Keyworker, why: KeyworkEnded, *, by: StaffId, now: datetime) -> None:
        """See `domain.caseload.keyworker.Keyworkers.end_keywork`."""
        given = {"ending": ending.id, "at": now, "by": by, "why": why}
        if (await self._connection.execute(_END, given)).rowcount != 1:
            raise KeyworkOver


def _keyworker(row: Row[*tuple[Any, ...]]) -> Keyworker:
    return Keyworker(
        id=KeyworkerId(row.id),
        client=ClientId(row.client_id),
        episode=EpisodeId(row.episode_id),
        staff=StaffId(row.staff_id),
        starts_at=row.starts_at,
        until_at=row.until_at,
        reason=row.reason,
        recorded_by=StaffId(row.recorded_by),
        recorded_at=row.recorded_at,
        ended_at=row.ended_at,
        ended_by=None if row.ended_by is None else StaffId(row.ended_by),
        ended_why=None if row.ended_why is None else KeyworkEnded(row.ended_why),
    )
