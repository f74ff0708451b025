"""Who stands in while a counsellor is away, in PostgreSQL: absences, and the covers that follow from them."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Row,
    Uuid,
    and_,
    any_,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, Range
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.people.accounts import Accounts
from caseload.db.tables.base import INSTANT
from caseload.db.tables.caseload import cover, cover_taken_back, episode, responsibility
from caseload.db.tables.caseload_acts import absence
from caseload.domain.caseload import (
    Absence,
    AbsenceOver,
    AbsenceUnknown,
    AlreadyAway,
    AlreadyCovered,
    Cover,
    Stretch,
    to_change,
)
from caseload.domain.ids import AbsenceId, ClientId, ProgrammeId, StaffId
from caseload.domain.journal import Journal

NIL: Final = UUID(int=0)
"""Sorts before every identifier that was ever made."""

_NOW: Final[BindParameter[Any]] = bindparam("now", type_=INSTANT)
_CLIENTS: Final[BindParameter[Sequence[UUID]]] = bindparam("clients", type_=ARRAY(Uuid()))
_THESE: Final[BindParameter[Sequence[UUID]]] = bindparam("these", type_=ARRAY(Uuid()))
_ABSENCE: Final[Sequence[ColumnElement[Any]]] = (
    absence.c.id,
    absence.c.programme_id,
    absence.c.counsellor_id,
    absence.c.covered_by,
    absence.c.starts_at,
    absence.c.ends_at,
    absence.c.reason,
    absence.c.recorded_by,
    absence.c.recorded_at,
    absence.c.back_at,
)

COVERS: Final[Sequence[ColumnElement[Any]]] = (
    cover.c.id,
    cover.c.client_id,
    cover.c.counsellor_id,
    func.lower(cover.c.period).label("starts_at"),
    func.upper(cover.c.period).label("ends_at"),
    cover.c.reason,
    cover.c.recorded_by,
    cover.c.recorded_at,
    cover.c.absence_id,
)
"""What `cover_of` reads."""

STANDING = select(*COVERS).where(
    cover.c.client_id == any_(_CLIENTS), cover.c.absence_id.is_not(None), func.upper(cover.c.period) > _NOW
)
WANTED = (
    select(
        responsibility.c.client_id,
        absence.c.id,
        absence.c.covered_by,
        func.greatest(func.lower(responsibility.c.period), func.lower(absence.c.period), _NOW).label("starts_at"),
        func.least(func.upper(responsibility.c.period), func.upper(absence.c.period)).label("ends_at"),
        absence.c.reason,
    )
    .join(episode, episode.c.id == responsibility.c.episode_id)
    .join(
        absence,
        and_(
            absence.c.programme_id == episode.c.programme_id,
            absence.c.counsellor_id == responsibility.c.counsellor_id,
            absence.c.period.op("&&")(responsibility.c.period),
            func.upper(absence.c.period) > _NOW,
        ),
    )
    .where(
        responsibility.c.client_id == any_(_CLIENTS),
        or_(func.upper_inf(responsibility.c.period), func.upper(responsibility.c.period) > _NOW),
    )
)
_KEEP = insert(cover_taken_back).from_select(
    list(cover_taken_back.c),
    select(*cover.c, bindparam("by", type_=Uuid()), _NOW).where(cover.c.id == any_(_THESE)),
)
_DROP = delete(cover).where(cover.c.id == any_(_THESE), func.lower(cover.c.period) >= _NOW)
_END = (
    update(cover)
    .where(cover.c.id == any_(_THESE), func.upper(cover.c.period) > _NOW)
    .values(period=func.tstzrange(func.lower(cover.c.period), _NOW))
)

THEIRS = (
    select(responsibility.c.client_id)
    .join(episode, episode.c.id == responsibility.c.episode_id)
    .where(
        responsibility.c.counsellor_id == bindparam("counsellor"),
        episode.c.programme_id == bindparam("programme"),
        or_(func.upper_inf(responsibility.c.period), func.upper(responsibility.c.period) > _NOW),
    )
    .order_by(responsibility.c.client_id, func.lower(responsibility.c.period))
    .with_for_update(of=responsibility)
)
COVERED = (
    select(cover.c.client_id)
    .where(cover.c.absence_id == bindparam("absence"), func.upper(cover.c.period) > _NOW)
    .order_by(cover.c.client_id)
)
_BACK = (
    update(absence)
    .where(absence.c.id == bindparam("absence"), absence.c.back_at.is_(None), absence.c.ends_at > _NOW)
    .values(back_at=_NOW, back_said_by=bindparam("by", type_=Uuid()))
)
_ONE = select(*_ABSENCE).where(
    absence.c.id == bindparam("wanted"), absence.c.programme_id == any_(bindparam("programmes", type_=ARRAY(Uuid())))
)
NOT_OVER = (
    select(*_ABSENCE)
    .where(
        absence.c.programme_id == bindparam("programme"),
        func.upper(absence.c.period) > _NOW,
        absence.c.id > bindparam("after"),
    )
    .order_by(absence.c.id)
    .limit(bindparam("limit"))
)


class Absences:
    """Absences, and the covers that follow from them."""

    def __init__(self, connection: AsyncConnection, journal: Journal, *, now: datetime) -> None:
        self._connection = connection
        self._journal = journal
        self._now = now

    async def hold_still(self, *, of: StaffId | None, to: StaffId) -> None:
        """See `domain.caseload.together.HandsOver.hold_still`. In one order for everybody, so that nobody waits in a ring."""
        accounts = Accounts(self._connection)
        both: set[StaffId] = {to} if of is None else {to, of}
        for who in sorted(both):
            await accounts.hold_still(who, shared=who != of)

    async def add_cover(self, new: Cover) -> None:
        """See `domain.caseload.Caseloads.add_cover`."""
        try:
            await self._connection.execute(insert(cover).values(_kept(new)))
        except IntegrityError as overlapping:
            raise AlreadyCovered from overlapping

    async def add_absence(self, new: Absence) -> Sequence[ClientId]:
        """See `domain.caseload.absence.Absences.add_absence`."""
        try:
            await self._connection.execute(
                insert(absence).values(
                    id=new.id,
                    programme_id=new.programme,
                    counsellor_id=new.counsellor,
                    covered_by=new.covered_by,
                    starts_at=new.starts_at,
                    ends_at=new.ends_at,
                    reason=new.reason,
                    recorded_by=new.recorded_by,
                    recorded_at=new.recorded_at,
                )
            )
        except IntegrityError as overlapping:
            raise AlreadyAway from overlapping
        theirs = {"counsellor": new.counsellor, "programme": new.programme, "now": self._now}
        clients = {ClientId(row.client_id) for row in await self._connection.execute(THEIRS, theirs)}
        await self.follow(clients, by=new.recorded_by)
        return await self._covered_by(new.id)

    async def end_absence(self, ending: Absence, *, by: StaffId, now: datetime) -> Sequence[ClientId]:
        """See `domain.caseload.absence.Absences.end_absence`."""
        covered = await self._covered_by(ending.id)
        ended = await self._connection.execute(_BACK, {"absence": ending.id, "now": now, "by": by})
        if ended.rowcount != 1:
            raise AbsenceOver
        await self.follow(covered, by=by)
        return covered

    async def _covered_by(self, wanted: AbsenceId) -> Sequence[ClientId]:
        rows = (await self._connection.execute(COVERED, {"absence": wanted, "now": self._now})).all()
        found = list(dict.fromkeys(ClientId(row.client_id) for row in rows))
        for client in found:
            self._journal.saw(client, "caseload")
        return found

    async def follow(self, clients: Collection[ClientId], *, by: StaffId) -> None:
        """Let exactly those of these clients be covered, from now on, whose counsellor is away: see `to_change`.

        For whoever has changed who answers for them, while nobody else can.
        """
        given = {"clients": list(clients), "now": self._now}
        standing = [cover_of(row) for row in await self._connection.execute(STANDING, given)]
        wanted = [_stretch_of(row) for row in await self._connection.execute(WANTED, given)]
        ending, anew = to_change(standing, wanted, now=self._now)
        if ending:
            these = {"these": [each.id for each in ending], "now": self._now}
            await self._connection.execute(_KEEP, {**these, "by": by})
            await self._connection.execute(_DROP, these)
            await self._connection.execute(_END, these)
        if anew:
            covers = [_kept(each.cover(by=by, now=self._now)) for each in anew]
            await self._connection.execute(insert(cover), covers)

    async def absence(self, wanted: AbsenceId, *, programmes: Collection[ProgrammeId]) -> Absence:
        """One absence from one of these programmes; `AbsenceUnknown`."""
        given = {"wanted": wanted, "programmes": sorted(programmes)}
        row = (await self._connection.execute(_ONE, given)).one_or_none()
        if row is None:
            raise AbsenceUnknown
        return _absence_of(row)

    async def absences(self, of: ProgrammeId, *, after: AbsenceId | None, limit: int) -> Sequence[Absence]:
        """Who is away now or will be, in the order in which it was arranged."""
        given = {"programme": of, "now": self._now, "after": after or NIL, "limit": limit}
        return [_absence_of(row) for row in await self._connection.execute(NOT_OVER, given)]


def cover_of(row: Row[*tuple[Any, ...]]) -> Cover:
    """The cover in a row with `COVERS`."""
    return Cover(
        id=row.id,
        client=ClientId(row.client_id),
        counsellor=StaffId(row.counsellor_id),
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        reason=row.reason,
        recorded_by=StaffId(row.recorded_by),
        recorded_at=row.recorded_at,
        absence=None if row.absence_id is None else AbsenceId(row.absence_id),
    )


def _kept(new: Cover) -> dict[str, Any]:
    return {
        "id": new.id,
        "client_id": new.client,
        "counsellor_id": new.counsellor,
        "period": Range(new.starts_at, new.ends_at),
        "reason": new.reason,
        "recorded_by": new.recorded_by,
        "recorded_at": new.recorded_at,
        "absence_id": new.absence,
    }


def _stretch_of(row: Row[*tuple[Any, ...]]) -> Stretch:
    return Stretch(
        client=ClientId(row.client_id),
        absence=AbsenceId(row.id),
        covered_by=StaffId(row.covered_by),
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        reason=row.reason,
    )


def _absence_of(row: Row[*tuple[Any, ...]]) -> Absence:
    return Absence(
        id=AbsenceId(row.id),
        programme=ProgrammeId(row.programme_id),
        counsellor=StaffId(row.counsellor_id),
        covered_by=StaffId(row.covered_by),
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        reason=row.reason,
        recorded_by=StaffId(row.recorded_by),
        recorded_at=row.recorded_at,
        back_at=row.back_at,
    )
