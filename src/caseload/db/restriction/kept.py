"""Restrictions in PostgreSQL: one at a time for each client, and each person named once at a time."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, Uuid, any_, bindparam, insert, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.access import reach_of, within_reach
from caseload.db.people.grants import constants, in_force, works_here
from caseload.db.periods import running
from caseload.db.tables.base import INSTANT
from caseload.db.tables.caseload import client, cover, responsibility
from caseload.db.tables.people import role_grant
from caseload.db.tables.restriction import restriction, restriction_naming
from caseload.domain.access import MAY, Act
from caseload.domain.ids import ClientId, NamingId, ProgrammeId, RestrictionId, StaffId
from caseload.domain.journal import Journal
from caseload.domain.people import Staff
from caseload.domain.restriction import (
    AlreadyNamed,
    AlreadyRestricted,
    Naming,
    Restriction,
    RestrictionKind,
    RestrictionUnknown,
)

KIND: Final = "restriction"
"""What the journal calls it."""

_AT = bindparam("reach_at", type_=INSTANT)
_EVERY = (
    select(
        restriction.c.id,
        restriction.c.client_id,
        client.c.programme_id,
        restriction.c.kind,
        restriction.c.reason,
        restriction.c.starts_at,
        restriction.c.until_at,
        restriction.c.recorded_by,
        restriction.c.ended_at,
        restriction.c.ended_by,
        restriction.c.ended_because,
    )
    .join(client, client.c.id == restriction.c.client_id)
    .where(within_reach())
)
_ONE = _EVERY.where(restriction.c.id == bindparam("restriction", type_=Uuid()))
_HOLD = select(restriction.c.id).where(restriction.c.id == bindparam("restriction", type_=Uuid())).with_for_update()
_OF_CLIENT = _EVERY.where(restriction.c.client_id == bindparam("client", type_=Uuid())).order_by(
    restriction.c.starts_at.desc()
)
_NAMINGS = (
    select(
        restriction_naming.c.id,
        restriction_naming.c.restriction_id,
        restriction_naming.c.staff_id,
        restriction_naming.c.starts_at,
        restriction_naming.c.until_at,
        restriction_naming.c.ended_at,
    )
    .where(restriction_naming.c.restriction_id == any_(bindparam("of", type_=ARRAY(Uuid()))))
    .order_by(restriction_naming.c.starts_at, restriction_naming.c.id)
)
_ANSWER_FOR = (
    select(responsibility.c.counsellor_id)
    .where(responsibility.c.client_id == bindparam("client", type_=Uuid()), running(responsibility.c.period, _AT))
    .union(
        select(cover.c.counsellor_id).where(
            cover.c.client_id == bindparam("client", type_=Uuid()), running(cover.c.period, _AT)
        )
    )
)
_CARE_IN = (
    select(role_grant.c.staff_id)
    .distinct()
    .where(
        role_grant.c.staff_id == any_(bindparam("staff", type_=ARRAY(Uuid()))),
        role_grant.c.programme_id == bindparam("programme", type_=Uuid()),
        role_grant.c.role.in_(constants(MAY[Act.SEE_CLIENT])),
        in_force(_AT),
        works_here(_AT),
    )
)
_END = (
    update(restriction)
    .where(restriction.c.id == bindparam("ending", type_=Uuid()))
    .values(
        ended_at=bindparam("at", type_=INSTANT), ended_by=bindparam("by", type_=Uuid()), ended_because=bindparam("why")
    )
)
_END_NAMING = (
    update(restriction_naming)
    .where(restriction_naming.c.id == bindparam("ending", type_=Uuid()))
    .values(ended_at=bindparam("at", type_=INSTANT), ended_by=bindparam("by", type_=Uuid()))
)


class KeptRestrictions:
    """Satisfies `domain.restriction.Restrictions`."""

    def __init__(self, connection: AsyncConnection, journal: Journal, *, now: datetime) -> None:
        self._connection = connection
        self._journal = journal
        self._now = now

    async def get(self, wanted: RestrictionId, *, by: Staff) -> Restriction:
        """One restriction of a client within reach; or `RestrictionUnknown`."""
        reach = reach_of(by.reach(Act.RESTRICT_CLIENT), at=self._now, by_identifier=True)
        found = (await self._connection.execute(_ONE, {"restriction": wanted, **reach})).all()
        if not found:
            raise RestrictionUnknown("Read the restrictions of the client for their identifiers.")
        return (await self._with_named(found))[0]

    async def hold(self, wanted: RestrictionId, *, by: Staff) -> Restriction:
        """See `domain.restriction.Restrictions.hold`."""
        await self._connection.execute(_HOLD, {"restriction": wanted})
        return await self.get(wanted, by=by)

    async def of_client(self, of: ClientId, *, by: Staff) -> Sequence[Restriction]:
        """Every restriction that there is or was, the latest first."""
        reach = reach_of(by.reach(Act.RESTRICT_CLIENT), at=self._now, by_identifier=True)
        return await self._with_named((await self._connection.execute(_OF_CLIENT, {"client": of, **reach})).all())

    async def _with_named(self, rows: Sequence[Row[*tuple[Any, ...]]]) -> Sequence[Restriction]:
        named: Mapping[UUID, list[Naming]] = defaultdict(list)
        for row in await self._connection.execute(_NAMINGS, {"of": [row.id for row in rows]}):
            named[row.restriction_id].append(_naming(row))
        for row in rows:
            self._journal.saw(ClientId(row.client_id), KIND)
        return [_restriction(row, named[row.id]) for row in rows]

    async def answer_for(self, of: ClientId) -> Collection[StaffId]:
        """See `domain.restriction.Restrictions.answer_for`."""
        found = await self._connection.execute(_ANSWER_FOR, {"client": of, "reach_at": self._now})
        return {StaffId(each) for each in found.scalars()}

    async def care_in(self, programme: ProgrammeId, staff: Collection[StaffId]) -> Collection[StaffId]:
        """See `domain.restriction.Restrictions.care_in`."""
        given = {"staff": list(staff), "programme": programme, "reach_at": self._now}
        return {StaffId(each) for each in (await self._connection.execute(_CARE_IN, given)).scalars()}

    async def add(self, new: Restriction) -> None:
        """See `domain.restriction.Restrictions.add`."""
        try:
            await self._connection.execute(
                insert(restriction).values(
                    id=new.id,
                    client_id=new.client,
                    kind=new.kind,
                    reason=new.reason,
                    starts_at=new.starts_at,
                    until_at=new.until_at,
                    recorded_by=new.recorded_by,
                    recorded_at=self._now,
                )
            )
        except IntegrityError as overlapping:
            raise AlreadyRestricted("Read it, and name who is to see the client.") from overlapping
        for each in new.named:
            await self.add_naming(new.id, each, by=new.recorded_by)

    async def add_naming(self, of: RestrictionId, new: Naming, *, by: StaffId) -> None:
        """See `domain.restriction.Restrictions.add_naming`."""
        try:
            await self._connection.execute(
                insert(restriction_naming).values(
                    id=new.id,
                    restriction_id=of,
                    staff_id=new.staff,
                    starts_at=new.starts_at,
                    until_at=new.until_at,
                    recorded_by=by,
                    recorded_at=self._now,
                )
            )
        except IntegrityError as overlapping:
            raise AlreadyNamed("Read the restriction for who is named.") from overlapping

    async def end_naming(self, ending: Naming, *, by: StaffId) -> None:
        """See `domain.restriction.Restrictions.end_naming`."""
        await self._connection.execute(_END_NAMING, {"ending": ending.id, "at": ending.ended_at, "by": by})

    async def end(self, ending: Restriction) -> None:
        """See `domain.restriction.Restrictions.end`."""
        given = {"ending": ending.id, "at": ending.ended_at, "by": ending.ended_by, "why": ending.ended_because}
        await self._connection.execute(_END, given)


def _naming(row: Row[*tuple[Any, ...]]) -> Naming:
    return Naming(
        id=NamingId(row.id),
        staff=StaffId(row.staff_id),
        starts_at=row.starts_at,
        until_at=row.until_at,
        ended_at=row.ended_at,
    )


def _restriction(row: Row[*tuple[Any, ...]], named: Sequence[Naming]) -> Restriction:
    return Restriction(
        id=RestrictionId(row.id),
        client=ClientId(row.client_id),
        programme=ProgrammeId(row.programme_id),
        kind=RestrictionKind(row.kind),
        reason=row.reason,
        starts_at=row.starts_at,
        until_at=row.until_at,
        recorded_by=StaffId(row.recorded_by),
        named=tuple(named),
        ended_at=row.ended_at,
        ended_by=None if row.ended_by is None else StaffId(row.ended_by),
        ended_because=row.ended_because,
    )
