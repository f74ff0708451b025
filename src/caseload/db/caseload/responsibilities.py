"""Who looks after whom in PostgreSQL: responsibility, handing over, cover, and the caseload that they make."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import BindParameter, ColumnElement, Row, Select, bindparam, exists, func, insert, select, update
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.exc import IntegrityError

from caseload.db.access import reach_of, within_reach
from caseload.db.caseload.absences import COVERS, NIL, Absences, cover_of
from caseload.db.people.accounts import Accounts
from caseload.db.people.grants import in_force
from caseload.db.periods import running
from caseload.db.tables.base import INSTANT
from caseload.db.tables.caseload import client, client_identity, cover, episode, keyworker, responsibility
from caseload.db.tables.people import role_grant, staff_deactivation
from caseload.domain.access import Reach, Role
from caseload.domain.caseload import CaseloadMoved, Cover, EpisodeUnknown, OnCaseload, Responsibility
from caseload.domain.ids import ClientId, EpisodeId, HandoverId, ProgrammeId, StaffId

MOVED: Final = "Read the client's caseload again and decide anew."
"""What somebody does who was overtaken by another change."""

_AT = bindparam("at", type_=INSTANT)

STANDS: Final[Sequence[ColumnElement[Any]]] = (
    responsibility.c.id,
    responsibility.c.client_id,
    responsibility.c.episode_id,
    responsibility.c.counsellor_id,
    func.lower(responsibility.c.period).label("since"),
    func.upper(responsibility.c.period).label("until"),
    responsibility.c.note,
    responsibility.c.recorded_by,
    responsibility.c.recorded_at,
    responsibility.c.handover_id,
)
"""What `responsibility_of` reads."""
_RESPONSIBILITY = (
    select(*STANDS)
    .join(client, client.c.id == responsibility.c.client_id)
    .where(responsibility.c.id == bindparam("wanted"), within_reach())
)
_COVER = (
    select(*COVERS)
    .join(client, client.c.id == cover.c.client_id)
    .where(cover.c.id == bindparam("wanted"), within_reach())
)
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

END_RESPONSIBILITY = (
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

_NOW: Final[BindParameter[Any]] = bindparam("now", type_=INSTANT)
_LOOKED_AFTER = (
    select(responsibility.c.client_id)
    .where(responsibility.c.counsellor_id == bindparam("counsellor"), responsibility.c.period.op("@>")(_NOW))
    .union(
        select(cover.c.client_id).where(
            cover.c.counsellor_id == bindparam("counsellor"), cover.c.period.op("@>")(_NOW)
        ),
        select(keyworker.c.client_id).where(
            keyworker.c.staff_id == bindparam("counsellor"), running(keyworker.c.period, _NOW)
        ),
    )
)
_stands_in = exists().where(
    cover.c.client_id == client.c.id,
    cover.c.counsellor_id == bindparam("counsellor"),
    cover.c.period.op("@>")(_NOW),
)
_ON_CASELOAD = (
    select(
        client.c.id,
        client.c.programme_id,
        _identity.c.given_name,
        _identity.c.family_name,
        _identity.c.birth_date,
        _current.c.counsellor_id,
        _stands_in.label("stands_in"),
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


class Responsibilities(Absences):
    """Who is responsible for whom, and who stands in."""

    async def counsels_in(self, staff: StaffId, programme: ProgrammeId, *, at: datetime) -> bool:
        """See `domain.caseload.Caseloads.counsels_in`."""
        await Accounts(self._connection).hold_still(staff, shared=True)
        found = await self._connection.execute(_COUNSELS, {"staff": staff, "programme": programme, "at": at})
        return bool(found.scalar_one())

    async def pass_on(self, new: Responsibility) -> None:
        """See `domain.caseload.Caseloads.pass_on`."""
        given = {"episode": new.episode, "at": new.since}
        held = (await self._connection.execute(_HELD_AT, given)).first()
        if held is None or held.since == new.since:
            raise CaseloadMoved(MOVED)
        planned = (await self._connection.execute(_NEXT_HANDOVER, given)).first()
        if planned is not None and planned.recorded_at >= new.recorded_at:
            raise CaseloadMoved(MOVED)  # not planned: made since this piece of work read its clock
        await self._connection.execute(END_RESPONSIBILITY, given)
        try:
            await self.add_responsibility(new, until=None if planned is None else planned.since)
        except IntegrityError as raced:
            raise CaseloadMoved(MOVED) from raced
        await self.follow([new.client], by=new.recorded_by)

    async def add_responsibility(self, new: Responsibility, *, until: datetime | None = None) -> None:
        """Keep a responsibility, without an end unless one is known."""
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

    async def caseload(self, of: StaffId, *, reach: Reach, after: ClientId | None, limit: int) -> Sequence[OnCaseload]:
        """Whom this counsellor is responsible for, covers or is the keyworker of now, in the order of registration."""
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
                covering=row.counsellor_id != of and row.stands_in,
                keyworking=row.counsellor_id != of and not row.stands_in,
                admitted_on=row.admitted_on,
            )
            for row in rows
        ]

    async def responsibility(self, wanted: UUID, *, reach: Reach) -> Responsibility:
        """One period of responsibility; `EpisodeUnknown` outside the reach."""
        return responsibility_of(await self._shown(_RESPONSIBILITY, wanted, reach))

    async def cover(self, wanted: UUID, *, reach: Reach) -> Cover:
        """One cover; `EpisodeUnknown` outside the reach."""
        return cover_of(await self._shown(_COVER, wanted, reach))

    async def _shown(self, statement: Select[*tuple[Any, ...]], wanted: UUID, reach: Reach) -> Row[*tuple[Any, ...]]:
        given = {"wanted": wanted, **reach_of(reach, at=self._now, by_identifier=True)}
        row = (await self._connection.execute(statement, given)).first()
        if row is None:
            raise EpisodeUnknown
        self._journal.saw(ClientId(row.client_id), "caseload")
        return row


def responsibility_of(row: Row[*tuple[Any, ...]]) -> Responsibility:
    """The responsibility in a row with `STANDS`."""
    return Responsibility(
        id=row.id,
        client=ClientId(row.client_id),
        episode=EpisodeId(row.episode_id),
        counsellor=StaffId(row.counsellor_id),
        since=row.since,
        until=row.until,
        note=row.note,
        recorded_by=StaffId(row.recorded_by),
        recorded_at=row.recorded_at,
        handover=None if row.handover_id is None else HandoverId(row.handover_id),
    )
