"""Episodes of care and their levels in PostgreSQL."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Date, Row, bindparam, cast, func, insert, select, true
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.access import reach_of, within_reach
from caseload.db.caseload.responsibilities import MOVED
from caseload.db.tables.base import INSTANT
from caseload.db.tables.caseload import client, discharge, episode, level_of_care, responsibility
from caseload.db.tables.programme import programme
from caseload.domain.access import Reach
from caseload.domain.caseload import (
    CaseloadMoved,
    DischargeReason,
    Edition,
    Episode,
    EpisodeUnknown,
    LevelOfCare,
    NoOpenEpisode,
)
from caseload.domain.client import ClientUnknown
from caseload.domain.ids import ClientId, EpisodeId, ProgrammeId, StaffId
from caseload.domain.journal import Journal

_LEVEL = (
    select(level_of_care.c.edition, level_of_care.c.level)
    .where(
        level_of_care.c.episode_id == episode.c.id,
        level_of_care.c.from_on <= cast(func.timezone(programme.c.time_zone, bindparam("now", type_=INSTANT)), Date),
    )
    .order_by(level_of_care.c.from_on.desc())
    .limit(1)
    .lateral("level")
)
_RESPONSIBLE = (
    select(responsibility.c.counsellor_id)
    .where(responsibility.c.episode_id == episode.c.id, func.lower(responsibility.c.period) <= bindparam("now"))
    .order_by(func.lower(responsibility.c.period).desc())
    .limit(1)
    .scalar_subquery()
)

_EPISODE = (
    select(
        episode.c.id,
        episode.c.client_id,
        episode.c.programme_id,
        episode.c.admitted_on,
        func.lower(episode.c.period).label("starts_at"),
        func.upper(episode.c.period).label("ends_at"),
        episode.c.returns_from,
        _LEVEL.c.edition,
        _LEVEL.c.level,
        discharge.c.reason.label("discharge_reason"),
        discharge.c.note.label("discharge_note"),
        discharge.c.recorded_at.label("discharge_recorded_at"),
        _RESPONSIBLE.label("responsible"),
    )
    .join(client, client.c.id == episode.c.client_id)
    .join(programme, programme.c.id == episode.c.programme_id)
    .join(_LEVEL, onclause=true())
    .outerjoin(discharge, discharge.c.episode_id == episode.c.id)
)

_OF_CLIENT = _EPISODE.where(episode.c.client_id == bindparam("client")).order_by(func.lower(episode.c.period).desc())

_OF_CLIENT_WITHIN_REACH = _OF_CLIENT.where(within_reach()).limit(1)
_HELD_WITHIN_REACH = _OF_CLIENT_WITHIN_REACH.with_for_update(read=True, of=episode)
_HELD = _EPISODE.where(episode.c.id == bindparam("episode")).with_for_update(read=True, of=episode)
_ONE_EPISODE = _EPISODE.where(episode.c.id == bindparam("episode"), within_reach())
_IS_WITHIN_REACH = select(client.c.id).where(client.c.id == bindparam("client"), within_reach())


class Episodes:
    """Episodes and levels of care, each as it stands now."""

    def __init__(self, connection: AsyncConnection, journal: Journal, *, now: datetime) -> None:
        self._connection = connection
        self._journal = journal
        self._now = now

    async def open_episode(self, of: ClientId, *, reach: Reach, held: bool = False) -> Episode:
        """See `domain.caseload.Caseloads.open_episode`."""
        given = {"client": of, "now": self._now, **reach_of(reach, at=self._now, by_identifier=True)}
        statement = _HELD_WITHIN_REACH if held else _OF_CLIENT_WITHIN_REACH
        row = (await self._connection.execute(statement, given)).first()
        if row is None:
            await self._require_within(of, reach)
        if row is None or row.ends_at is not None:
            raise NoOpenEpisode("Admit the client first.")
        self._journal.saw(of, "episode")
        return _episode(row)

    async def _require_within(self, of: ClientId, reach: Reach) -> None:
        given = {"client": of, **reach_of(reach, at=self._now, by_identifier=True)}
        if (await self._connection.execute(_IS_WITHIN_REACH, given)).first() is None:
            raise ClientUnknown

    async def episodes(self, of: ClientId, *, reach: Reach) -> Sequence[Episode]:
        """Every episode of a client, newest first; `ClientUnknown` outside the reach."""
        await self._require_within(of, reach)
        rows = (await self._connection.execute(_OF_CLIENT, {"client": of, "now": self._now})).all()
        self._journal.saw(of, "episode")
        return [_episode(row) for row in rows]

    async def hold_episode(self, wanted: EpisodeId) -> Episode:
        """See `domain.caseload.offering.Offers.hold_episode`."""
        row = (await self._connection.execute(_HELD, {"episode": wanted, "now": self._now})).one()
        if row.ends_at is not None:
            raise NoOpenEpisode("The client has been discharged.")
        return _episode(row)

    async def last_episode(self, of: ClientId) -> Episode | None:
        """See `domain.caseload.Caseloads.last_episode`."""
        row = (await self._connection.execute(_OF_CLIENT.limit(1), {"client": of, "now": self._now})).first()
        return None if row is None else _episode(row)

    async def add_level(self, of: EpisodeId, level: LevelOfCare, *, on: date, by: StaffId, now: datetime) -> None:
        """See `domain.caseload.Caseloads.add_level`."""
        try:
            await self._connection.execute(
                insert(level_of_care).values(
                    episode_id=of,
                    from_on=on,
                    edition=level.edition,
                    level=level.level,
                    recorded_by=by,
                    recorded_at=now,
                )
            )
        except IntegrityError as raced:
            raise CaseloadMoved(MOVED) from raced

    async def episode(self, wanted: EpisodeId, *, reach: Reach) -> Episode:
        """One episode, open or ended; `EpisodeUnknown` outside the reach."""
        given = {"episode": wanted, "now": self._now, **reach_of(reach, at=self._now, by_identifier=True)}
        row = (await self._connection.execute(_ONE_EPISODE, given)).first()
        if row is None:
            raise EpisodeUnknown
        self._journal.saw(ClientId(row.client_id), "episode")
        return _episode(row)


def _episode(row: Row[*tuple[Any, ...]]) -> Episode:
    return Episode(
        id=EpisodeId(row.id),
        client=ClientId(row.client_id),
        programme=ProgrammeId(row.programme_id),
        admitted_on=row.admitted_on,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        level=LevelOfCare(edition=Edition(row.edition), level=row.level),
        responsible=None if row.responsible is None else StaffId(row.responsible),
        returns_from=None if row.returns_from is None else EpisodeId(row.returns_from),
        discharge_reason=None if row.discharge_reason is None else DischargeReason(row.discharge_reason),
        discharge_note=row.discharge_note,
        discharge_recorded_at=row.discharge_recorded_at,
    )
