"""Episodes, responsibility and cover in PostgreSQL."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Date,
    Row,
    Uuid,
    and_,
    bindparam,
    cast,
    delete,
    exists,
    func,
    insert,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.access import reach_of, within_reach
from caseload.db.people.accounts import Accounts
from caseload.db.people.grants import in_force
from caseload.db.tables.base import INSTANT
from caseload.db.tables.caseload import (
    client,
    client_identity,
    cover,
    cover_taken_back,
    discharge,
    episode,
    level_of_care,
    responsibility,
    responsibility_taken_back,
)
from caseload.db.tables.people import programme, role_grant, staff_deactivation
from caseload.domain.access import Reach, Role
from caseload.domain.caseload import (
    AlreadyInCare,
    CaseloadMoved,
    Cover,
    DischargeReason,
    Edition,
    Episode,
    EpisodeUnknown,
    LevelOfCare,
    NoOpenEpisode,
    OnCaseload,
    Responsibility,
)
from caseload.domain.client import ClientUnknown
from caseload.domain.ids import ClientId, EpisodeId, ProgrammeId, StaffId
from caseload.domain.journal import Journal

_MOVED: Final = "Read the client's caseload again and decide anew."

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
_ONE_EPISODE = _EPISODE.where(episode.c.id == bindparam("episode"), within_reach())
_IS_WITHIN_REACH = select(client.c.id).where(client.c.id == bindparam("client"), within_reach())

_RESPONSIBILITY = (
    select(
        responsibility.c.id,
        responsibility.c.client_id,
        responsibility.c.episode_id,
        responsibility.c.counsellor_id,
        func.lower(responsibility.c.period).label("since"),
        responsibility.c.note,
        responsibility.c.recorded_by,
        responsibility.c.recorded_at,
    )
    .join(client, client.c.id == responsibility.c.client_id)
    .where(responsibility.c.id == bindparam("wanted"), within_reach())
)
_COVER = (
    select(
        cover.c.id,
        cover.c.client_id,
        cover.c.counsellor_id,
        func.lower(cover.c.period).label("starts_at"),
        func.upper(cover.c.period).label("ends_at"),
        cover.c.reason,
        cover.c.recorded_by,
        cover.c.recorded_at,
    )
    .join(client, client.c.id == cover.c.client_id)
    .where(cover.c.id == bindparam("wanted"), within_reach())
)

_AT = bindparam("at", type_=INSTANT)
_COUNSELS = select(
    exists().where(
        role_grant.c.staff_id == bindparam("staff"),
        role_grant.c.programme_id == bindparam("programme"),
        role_grant.c.role == Role.COUNSELLOR,
        in_force(_AT),
        # Whatever the clock of the request says: what was taken away before the lock was had is taken away.
        role_grant.c.revoked_at.is_(None),
        ~exists().where(staff_deactivation.c.staff_id == role_grant.c.staff_id),
    )
)

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
_END_RESPONSIBILITY = (
    update(responsibility)
    .where(
        responsibility.c.episode_id == bindparam("episode"),
        responsibility.c.period.op("@>")(bindparam("at", type_=INSTANT)),
    )
    .values(period=func.tstzrange(func.lower(responsibility.c.period), bindparam("at", type_=INSTANT)))
)

_HELD_AT = (
    select(func.lower(responsibility.c.period).label("since"))
    .where(responsibility.c.episode_id == bindparam("episode"), responsibility.c.period.op("@>")(_AT))
    .with_for_update()
)
_NEXT_HANDOVER = (
    select(func.lower(responsibility.c.period).label("since"), responsibility.c.recorded_at)
    .where(responsibility.c.episode_id == bindparam("episode"), func.lower(responsibility.c.period) > _AT)
    .order_by(func.lower(responsibility.c.period))
    .limit(1)
)

_current = responsibility.alias("current")
_identity = client_identity.alias("identity")
_newer = client_identity.alias("newer")

NIL: Final = UUID(int=0)
"""Sorts before every identifier that was ever made."""

_NOW: Final[BindParameter[Any]] = bindparam("now", type_=INSTANT)
_LOOKED_AFTER = (
    select(responsibility.c.client_id)
    .where(responsibility.c.counsellor_id == bindparam("counsellor"), responsibility.c.period.op("@>")(_NOW))
    .union(
        select(cover.c.client_id).where(cover.c.counsellor_id == bindparam("counsellor"), cover.c.period.op("@>")(_NOW))
    )
)
_ON_CASELOAD = (
    select(
        client.c.id,
        client.c.programme_id,
        _identity.c.given_name,
        _identity.c.family_name,
        _identity.c.birth_date,
        _current.c.counsellor_id,
        episode.c.admitted_on,
    )
    .select_from(client)
    .join(
        _identity,
        (_identity.c.client_id == client.c.id)
        & ~exists().where(_newer.c.client_id == _identity.c.client_id, _newer.c.version > _identity.c.version),
    )
    .join(_current, (_current.c.client_id == client.c.id) & _current.c.period.op("@>")(_NOW))
    .join(episode, episode.c.id == _current.c.episode_id)
    .where(client.c.id.in_(_LOOKED_AFTER), client.c.id > bindparam("after"), within_reach())
    .order_by(client.c.id)
    .limit(bindparam("limit"))
)


class Caseloads:
    """Satisfies `domain.caseload.Caseloads`."""

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

    async def last_episode(self, of: ClientId) -> Episode | None:
        """See `domain.caseload.Caseloads.last_episode`."""
        row = (await self._connection.execute(_OF_CLIENT.limit(1), {"client": of, "now": self._now})).first()
        return None if row is None else _episode(row)

    async def counsels_in(self, staff: StaffId, programme: ProgrammeId, *, at: datetime) -> bool:
        """See `domain.caseload.Caseloads.counsels_in`."""
        await Accounts(self._connection).hold_still(staff, shared=True)
        found = await self._connection.execute(_COUNSELS, {"staff": staff, "programme": programme, "at": at})
        return bool(found.scalar_one())

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
        await self._insert(first)

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
            raise CaseloadMoved(_MOVED) from raced

    async def end_episode(
        self, ending: Episode, *, at: datetime, reason: DischargeReason, note: str | None, by: StaffId, now: datetime
    ) -> None:
        """See `domain.caseload.Caseloads.end_episode`.

        A cover ends when we are told and not at `at`: until then somebody did stand in, and saw the client.
        """
        ended = await self._connection.execute(_END_EPISODE, {"episode": ending.id, "at": at})
        if ended.rowcount != 1:
            raise CaseloadMoved(_MOVED)
        taken_back = {"taken_back_by": by, "taken_back_at": now}
        await self._connection.execute(_KEEP_LATER, {"episode": ending.id, "at": at, **taken_back})
        await self._connection.execute(_DROP_LATER, {"episode": ending.id, "at": at})
        await self._connection.execute(_KEEP_COVERS, {"client": ending.client, "at": now, **taken_back})
        for statement in (_DROP_COVERS, _END_COVERS):
            await self._connection.execute(statement, {"client": ending.client, "at": now})
        await self._connection.execute(_END_RESPONSIBILITY, {"episode": ending.id, "at": at})
        await self._connection.execute(
            insert(discharge).values(
                episode_id=ending.id, effective_at=at, reason=reason, note=note, recorded_by=by, recorded_at=now
            )
        )

    async def pass_on(self, new: Responsibility) -> None:
        """See `domain.caseload.Caseloads.pass_on`."""
        given = {"episode": new.episode, "at": new.since}
        held = (await self._connection.execute(_HELD_AT, given)).first()
        if held is None or held.since == new.since:
            raise CaseloadMoved(_MOVED)
        planned = (await self._connection.execute(_NEXT_HANDOVER, given)).first()
        if planned is not None and planned.recorded_at >= new.recorded_at:
            raise CaseloadMoved(_MOVED)  # not planned: made since this piece of work read its clock
        await self._connection.execute(_END_RESPONSIBILITY, given)
        try:
            await self._insert(new, until=None if planned is None else planned.since)
        except IntegrityError as raced:
            raise CaseloadMoved(_MOVED) from raced

    async def _insert(self, new: Responsibility, *, until: datetime | None = None) -> None:
        await self._connection.execute(
            insert(responsibility).values(
                id=new.id,
                client_id=new.client,
                episode_id=new.episode,
                counsellor_id=new.counsellor,
                period=Range(new.since, until),
                note=new.note,
                recorded_by=new.recorded_by,
                recorded_at=new.recorded_at,
            )
        )

    async def add_cover(self, new: Cover) -> None:
        """See `domain.caseload.Caseloads.add_cover`."""
        await self._connection.execute(
            insert(cover).values(
                id=new.id,
                client_id=new.client,
                counsellor_id=new.counsellor,
                period=Range(new.starts_at, new.ends_at),
                reason=new.reason,
                recorded_by=new.recorded_by,
                recorded_at=new.recorded_at,
            )
        )

    async def caseload(self, of: StaffId, *, reach: Reach, after: ClientId | None, limit: int) -> Sequence[OnCaseload]:
        """Whom this counsellor is responsible for or covers now, in the order of registration."""
        given = {
            "counsellor": of,
            "now": self._now,
            "after": after or NIL,
            "limit": limit,
            **reach_of(reach, at=self._now),
        }
        rows = (await self._connection.execute(_ON_CASELOAD, given)).all()
        for row in rows:
            self._journal.saw(row.id, "caseload")
        return [
            OnCaseload(
                client=ClientId(row.id),
                given_name=row.given_name,
                family_name=row.family_name,
                birth_date=row.birth_date,
                programme=ProgrammeId(row.programme_id),
                responsible=StaffId(row.counsellor_id),
                covering=row.counsellor_id != of,
                admitted_on=row.admitted_on,
            )
            for row in rows
        ]

    async def episode(self, wanted: EpisodeId, *, reach: Reach) -> Episode:
        """One episode, open or ended; `EpisodeUnknown` outside the reach."""
        given = {"episode": wanted, "now": self._now, **reach_of(reach, at=self._now, by_identifier=True)}
        row = (await self._connection.execute(_ONE_EPISODE, given)).first()
        if row is None:
            raise EpisodeUnknown
        self._journal.saw(ClientId(row.client_id), "episode")
        return _episode(row)

    async def responsibility(self, wanted: UUID, *, reach: Reach) -> Responsibility:
        """One period of responsibility; `EpisodeUnknown` outside the reach."""
        given = {"wanted": wanted, **reach_of(reach, at=self._now, by_identifier=True)}
        row = (await self._connection.execute(_RESPONSIBILITY, given)).first()
        if row is None:
            raise EpisodeUnknown
        self._journal.saw(ClientId(row.client_id), "caseload")
        return Responsibility(
            id=row.id,
            client=ClientId(row.client_id),
            episode=EpisodeId(row.episode_id),
            counsellor=StaffId(row.counsellor_id),
            since=row.since,
            note=row.note,
            recorded_by=StaffId(row.recorded_by),
            recorded_at=row.recorded_at,
        )

    async def cover(self, wanted: UUID, *, reach: Reach) -> Cover:
        """One cover; `EpisodeUnknown` outside the reach."""
        given = {"wanted": wanted, **reach_of(reach, at=self._now, by_identifier=True)}
        row = (await self._connection.execute(_COVER, given)).first()
        if row is None:
            raise EpisodeUnknown
        self._journal.saw(ClientId(row.client_id), "caseload")
        return Cover(
            id=row.id,
            client=ClientId(row.client_id),
            counsellor=StaffId(row.counsellor_id),
            starts_at=row.starts_at,
            ends_at=row.ends_at,
            reason=row.reason,
            recorded_by=StaffId(row.recorded_by),
            recorded_at=row.recorded_at,
        )


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
    )
