"""How people around clients take part, and from when to when, in PostgreSQL."""

from collections import defaultdict
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Uuid, bindparam, exists, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.periods import running
from caseload.db.tables.base import INSTANT
from caseload.db.tables.family import (
    related_person,
    related_person_involvement,
)
from caseload.domain.family import (
    AlreadyInvolved,
    Involvement,
    InvolvementKind,
    InvolvementOver,
)
from caseload.domain.ids import ClientId, InvolvementId, RelatedPersonId, StaffId
from caseload.domain.journal import Journal

_INVOLVEMENTS = (
    select(
        related_person_involvement.c.id,
        related_person_involvement.c.client_id,
        related_person_involvement.c.person_id,
        related_person_involvement.c.kind,
        related_person_involvement.c.starts_at,
        related_person_involvement.c.last_day,
        related_person_involvement.c.until_at,
        related_person_involvement.c.evidence,
        related_person_involvement.c.recorded_by,
        related_person_involvement.c.recorded_at,
        related_person_involvement.c.ended_at,
        related_person_involvement.c.ended_by,
        related_person_involvement.c.ended_because,
    )
    .where(related_person_involvement.c.client_id == bindparam("client", type_=Uuid()))
    .order_by(related_person_involvement.c.starts_at, related_person_involvement.c.id)
)
_END = (
    update(related_person_involvement)
    .where(
        related_person_involvement.c.id == bindparam("ending", type_=Uuid()),
        related_person_involvement.c.ended_at.is_(None),
    )
    .values(
        ended_at=bindparam("at", type_=INSTANT), ended_by=bindparam("by", type_=Uuid()), ended_because=bindparam("why")
    )
)
_NO_LONGER = select(related_person.c.id).where(
    related_person.c.client_id == bindparam("client", type_=Uuid()),
    ~exists().where(
        related_person_involvement.c.person_id == related_person.c.id,
        running(related_person_involvement.c.period, bindparam("at", type_=INSTANT)),
    ),
)


class InvolvementBook:
    """Satisfies `domain.family.involvement.Involvements`."""

    def __init__(self, connection: AsyncConnection, journal: Journal) -> None:
        self._connection = connection
        self._journal = journal

    async def no_longer_involved(self, client: ClientId, *, at: datetime) -> frozenset[RelatedPersonId]:
        """Who on this client's list takes part in no way at that moment."""
        found = await self._connection.execute(_NO_LONGER, {"client": client, "at": at})
        return frozenset(RelatedPersonId(each) for each in found.scalars())

    async def begin(self, involvement: Involvement) -> None:
        """See `domain.family.involvement.Involvements.begin`."""
        try:
            await self._connection.execute(
                insert(related_person_involvement).values(
                    id=involvement.id,
                    client_id=involvement.client,
                    person_id=involvement.person,
                    kind=involvement.kind,
                    starts_at=involvement.starts_at,
                    last_day=involvement.last_day,
                    until_at=involvement.until_at,
                    evidence=involvement.evidence,
                    recorded_by=involvement.recorded_by,
                    recorded_at=involvement.recorded_at,
                )
            )
        except IntegrityError as overlapping:
            raise AlreadyInvolved from overlapping

    async def end(self, ended: Involvement) -> None:
        """See `domain.family.involvement.Involvements.end`."""
        given = {"ending": ended.id, "at": ended.ended_at, "by": ended.ended_by, "why": ended.ended_because}
        if (await self._connection.execute(_END, given)).rowcount == 0:
            raise InvolvementOver

    async def _involvements(self, client: ClientId) -> defaultdict[RelatedPersonId, tuple[Involvement, ...]]:
        found = defaultdict[RelatedPersonId, tuple[Involvement, ...]](tuple)
        for row in await self._connection.execute(_INVOLVEMENTS, {"client": client}):
            found[RelatedPersonId(row.person_id)] += (_involvement(row),)
        return found


def _involvement(row: Row[*tuple[Any, ...]]) -> Involvement:
    return Involvement(
        id=InvolvementId(row.id),
        client=ClientId(row.client_id),
        person=RelatedPersonId(row.person_id),
        kind=InvolvementKind(row.kind),
        starts_at=row.starts_at,
        last_day=row.last_day,
        until_at=row.until_at,
        evidence=row.evidence,
        recorded_by=StaffId(row.recorded_by),
        recorded_at=row.recorded_at,
        ended_at=row.ended_at,
        ended_by=None if row.ended_by is None else StaffId(row.ended_by),
        ended_because=row.ended_because,
    )
