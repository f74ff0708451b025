"""The course of an episode in PostgreSQL: its levels of care and its phases, each from its day on."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Date, Row, Uuid, bindparam, cast, func, insert, literal_column, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.access import reach_of, within_reach
from caseload.db.caseload.responsibilities import MOVED
from caseload.db.programme import zone_at
from caseload.db.tables.caseload import client, episode, episode_phase, level_of_care
from caseload.db.tables.programme import programme
from caseload.domain.access import Reach
from caseload.domain.caseload import CaseloadMoved, Edition, InPhase, LevelHeld, LevelOfCare, Phase
from caseload.domain.client import ClientUnknown
from caseload.domain.ids import ClientId, EpisodeId, StaffId
from caseload.domain.journal import Journal

_CLIENT = bindparam("client", type_=Uuid())
_IS_WITHIN_REACH = select(client.c.id).where(client.c.id == _CLIENT, within_reach())
_next_on = func.lead(level_of_care.c.from_on).over(
    partition_by=level_of_care.c.episode_id, order_by=level_of_care.c.from_on
)
_last_on = cast(func.timezone(zone_at(func.upper(episode.c.period)), func.upper(episode.c.period)), Date)
LEVELS_OF_CLIENT = (
    select(
        level_of_care.c.episode_id,
        level_of_care.c.edition,
        level_of_care.c.level,
        level_of_care.c.from_on,
        # A move that was to begin after the discharge never began, and ends before it begins.
        func.least(_next_on - literal_column("1"), _last_on).label("until_on"),
        level_of_care.c.recorded_by,
        level_of_care.c.recorded_at,
    )
    .select_from(
        episode.join(level_of_care, level_of_care.c.episode_id == episode.c.id).join(
            programme, programme.c.id == episode.c.programme_id
        )
    )
    .where(episode.c.client_id == _CLIENT)
    .order_by(level_of_care.c.from_on.desc(), func.lower(episode.c.period).desc())
)
_PHASES = select(
    episode_phase.c.episode_id,
    episode_phase.c.phase,
    episode_phase.c.from_on,
    episode_phase.c.reason,
    episode_phase.c.recorded_by,
    episode_phase.c.recorded_at,
)
_PHASES_OF = _PHASES.where(episode_phase.c.episode_id == bindparam("episode", type_=Uuid())).order_by(
    episode_phase.c.from_on.desc()
)
PHASES_OF_CLIENT = (
    _PHASES.join(episode, episode.c.id == episode_phase.c.episode_id)
    .where(episode.c.client_id == _CLIENT)
    .order_by(func.lower(episode.c.period).desc(), episode_phase.c.from_on.desc())
)


class Courses:
    """Levels of care and phases. Satisfies `domain.caseload.phase.Phases`."""

    def __init__(self, connection: AsyncConnection, journal: Journal, *, now: datetime) -> None:
        self._connection = connection
        self._journal = journal
        self._now = now

    async def levels_of_client(self, of: ClientId, *, reach: Reach) -> Sequence[LevelHeld]:
        """Every level of care of a client, of all episodes, the latest first; `ClientUnknown` outside the reach."""
        await self._require_within(of, reach)
        rows = (await self._connection.execute(LEVELS_OF_CLIENT, {"client": of})).all()
        found = [
            LevelHeld(
                episode=EpisodeId(row.episode_id),
                level=LevelOfCare(edition=Edition(row.edition), level=row.level),
                from_on=row.from_on,
                until_on=row.until_on,
                recorded_by=StaffId(row.recorded_by),
                recorded_at=row.recorded_at,
            )
            for row in rows
        ]
        return [each for each in found if each.until_on is None or each.until_on >= each.from_on]

    async def phases_of_client(self, of: ClientId, *, reach: Reach) -> Sequence[InPhase]:
        """Every phase of a client, of all episodes, the latest first; `ClientUnknown` outside the reach."""
        await self._require_within(of, reach)
        return [_phase(row) for row in (await self._connection.execute(PHASES_OF_CLIENT, {"client": of})).all()]

    async def phases_of(self, wanted: EpisodeId) -> Sequence[InPhase]:
        """See `domain.caseload.phase.Phases.phases_of`."""
        return [_phase(row) for row in (await self._connection.execute(_PHASES_OF, {"episode": wanted})).all()]

    async def add_phase(self, new: InPhase) -> None:
        """See `domain.caseload.phase.Phases.add_phase`."""
        try:
            await self._connection.execute(
                insert(episode_phase).values(
                    episode_id=new.episode,
                    from_on=new.from_on,
                    phase=new.phase,
                    reason=new.reason,
                    recorded_by=new.recorded_by,
                    recorded_at=new.recorded_at,
                )
            )
        except IntegrityError as raced:
            raise CaseloadMoved(MOVED) from raced

    async def _require_within(self, of: ClientId, reach: Reach) -> None:
        given = {"client": of, **reach_of(reach, at=self._now, by_identifier=True)}
        if (await self._connection.execute(_IS_WITHIN_REACH, given)).first() is None:
            raise ClientUnknown
        self._journal.saw(of, "episode")


def _phase(row: Row[*tuple[Any, ...]]) -> InPhase:
    return InPhase(
        episode=EpisodeId(row.episode_id),
        phase=Phase(row.phase),
        from_on=row.from_on,
        reason=row.reason,
        recorded_by=StaffId(row.recorded_by),
        recorded_at=row.recorded_at,
    )
