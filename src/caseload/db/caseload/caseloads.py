"""Admission and discharge in PostgreSQL: where an episode and who looks after the client begin and end together."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Uuid, and_, bindparam, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.exc import IntegrityError

from caseload.db.caseload.episodes import Episodes
from caseload.db.caseload.keyworkers import END_OF_CLIENT, KeyworkerBook
from caseload.db.caseload.loads import Loads
from caseload.db.caseload.responsibilities import END_RESPONSIBILITY, MOVED
from caseload.db.tables.base import INSTANT
from caseload.db.tables.caseload import (
    cover,
    cover_taken_back,
    discharge,
    episode,
    responsibility,
    responsibility_taken_back,
)
from caseload.domain.caseload import AlreadyInCare, CaseloadMoved, DischargeReason, Episode, Responsibility
from caseload.domain.ids import StaffId

_AT = bindparam("at", type_=INSTANT)

_END_EPISODE = (
    update(episode)
    .where(episode.c.id == bindparam("episode"), func.upper_inf(episode.c.period))
    .values(period=func.tstzrange(func.lower(episode.c.period), bindparam("at", type_=INSTANT)))
)
_later = and_(responsibility.c.episode_id == bindparam("episode"), func.lower(responsibility.c.period) >= _AT)
_TAKEN_BACK: Final[Sequence[ColumnElement[Any]]] = (
    bindparam("taken_back_by", type_=Uuid()),
    bindparam("taken_back_at", type_=INSTANT),
)
_KEEP_LATER = insert(responsibility_taken_back).from_select(
    list(responsibility_taken_back.c), select(*responsibility.c, *_TAKEN_BACK).where(_later)
)
_DROP_LATER = delete(responsibility).where(_later)
_running_or_planned = and_(cover.c.client_id == bindparam("client"), func.upper(cover.c.period) > _AT)
_KEEP_COVERS = insert(cover_taken_back).from_select(
    list(cover_taken_back.c), select(*cover.c, *_TAKEN_BACK).where(_running_or_planned)
)
_DROP_COVERS = delete(cover).where(_running_or_planned, func.lower(cover.c.period) >= _AT)
_END_COVERS = update(cover).where(_running_or_planned).values(period=func.tstzrange(func.lower(cover.c.period), _AT))


class Caseloads(Episodes, Loads, KeyworkerBook):
    """Satisfies `domain.caseload.Caseloads`."""

    async def add_episode(self, new: Episode, first: Responsibility) -> None:
        """See `domain.caseload.Caseloads.add_episode`."""
        try:
            await self._connection.execute(
                insert(episode).values(
                    id=new.id,
                    client_id=new.client,
                    programme_id=new.programme,
                    admitted_on=new.admitted_on,
                    period=Range(new.starts_at, None),
                    returns_from=new.returns_from,
                    recorded_by=first.recorded_by,
                    recorded_at=first.recorded_at,
                )
            )
        except IntegrityError as overlapping:
            raise AlreadyInCare("Discharge the client from the open episode first.") from overlapping
        await self.add_level(new.id, new.level, on=new.admitted_on, by=first.recorded_by, now=first.recorded_at)
        await self.add_responsibility(first)
        await self.follow([new.client], by=first.recorded_by)

    async def end_episode(
        self, ending: Episode, *, at: datetime, reason: DischargeReason, note: str | None, by: StaffId, now: datetime
    ) -> None:
        """See `domain.caseload.Caseloads.end_episode`.

        A cover ends when we are told and not at `at`: until then somebody did stand in, and saw the client.
        """
        ended = await self._connection.execute(_END_EPISODE, {"episode": ending.id, "at": at})
        if ended.rowcount != 1:
            raise CaseloadMoved(MOVED)
        taken_back = {"taken_back_by": by, "taken_back_at": now}
        await self._connection.execute(_KEEP_LATER, {"episode": ending.id, "at": at, **taken_back})
        await self._connection.execute(_DROP_LATER, {"episode": ending.id, "at": at})
        await self.withdraw_of([ending.id], by=by, now=now)
        await self._connection.execute(_KEEP_COVERS, {"client": ending.client, "at": now, **taken_back})
        for statement in (_DROP_COVERS, _END_COVERS):
            await self._connection.execute(statement, {"client": ending.client, "at": now})
        await self._connection.execute(END_OF_CLIENT, {"client": ending.client, "at": now, "by": by})
        await self._connection.execute(END_RESPONSIBILITY, {"episode": ending.id, "at": at})
        await self._connection.execute(
            insert(discharge).values(
                episode_id=ending.id, effective_at=at, reason=reason, note=note, recorded_by=by, recorded_at=now
            )
        )
