"""Safety warnings about people around clients, in PostgreSQL."""

from collections import defaultdict
from typing import Any

from sqlalchemy import Row, Uuid, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.consent import hold_what_may_be_told
from caseload.db.tables.base import INSTANT
from caseload.db.tables.family import (
    related_person_warning,
)
from caseload.domain.family import (
    AlreadyWarned,
    SafetyWarning,
    WarnedBy,
    WarningKind,
    WarningLifted,
)
from caseload.domain.ids import ClientId, RelatedPersonId, StaffId, WarningId
from caseload.domain.journal import Journal

_WARNINGS = (
    select(
        related_person_warning.c.id,
        related_person_warning.c.client_id,
        related_person_warning.c.person_id,
        related_person_warning.c.kind,
        related_person_warning.c.note,
        related_person_warning.c.recorded_by,
        related_person_warning.c.recorded_at,
        related_person_warning.c.lifted_at,
        related_person_warning.c.lifted_by,
        related_person_warning.c.lifted_because,
        related_person_warning.c.said_by,
        related_person_warning.c.said_at,
    )
    .where(related_person_warning.c.client_id == bindparam("client", type_=Uuid()))
    .order_by(related_person_warning.c.id)
)
_LIFT = (
    update(related_person_warning)
    .where(
        related_person_warning.c.id == bindparam("lifting", type_=Uuid()), related_person_warning.c.lifted_at.is_(None)
    )
    .values(
        lifted_at=bindparam("at", type_=INSTANT),
        lifted_by=bindparam("by", type_=Uuid()),
        lifted_because=bindparam("why"),
    )
)


class WarningBook:
    """Satisfies `domain.family.warning.Warnings`."""

    def __init__(self, connection: AsyncConnection, journal: Journal) -> None:
        self._connection = connection
        self._journal = journal

    async def warn(self, warning: SafetyWarning) -> None:
        """See `domain.family.warning.Warnings.warn`."""
        await hold_what_may_be_told(self._connection, warning.client)
        try:
            await self._connection.execute(
                insert(related_person_warning).values(
                    id=warning.id,
                    client_id=warning.client,
                    person_id=warning.person,
                    kind=warning.kind,
                    note=warning.note,
                    recorded_by=warning.recorded_by,
                    recorded_at=warning.recorded_at,
                    said_by=None if warning.said is None else warning.said.who,
                    said_at=None if warning.said is None else warning.said.at,
                )
            )
        except IntegrityError as standing:
            raise AlreadyWarned from standing

    async def lift(self, lifted: SafetyWarning) -> None:
        """See `domain.family.warning.Warnings.lift`."""
        given = {"lifting": lifted.id, "at": lifted.lifted_at, "by": lifted.lifted_by, "why": lifted.lifted_because}
        if (await self._connection.execute(_LIFT, given)).rowcount == 0:
            raise WarningLifted

    async def _warnings(self, client: ClientId) -> defaultdict[RelatedPersonId, tuple[SafetyWarning, ...]]:
        found = defaultdict[RelatedPersonId, tuple[SafetyWarning, ...]](tuple)
        for row in await self._connection.execute(_WARNINGS, {"client": client}):
            found[RelatedPersonId(row.person_id)] += (_warning(row),)
        return found


def _warning(row: Row[*tuple[Any, ...]]) -> SafetyWarning:
    return SafetyWarning(
        id=WarningId(row.id),
        client=ClientId(row.client_id),
        person=RelatedPersonId(row.person_id),
        kind=WarningKind(row.kind),
        note=row.note,
        recorded_by=StaffId(row.recorded_by),
        recorded_at=row.recorded_at,
        said=None if row.said_by is None else WarnedBy(who=row.said_by, at=row.said_at),
        lifted_at=row.lifted_at,
        lifted_by=None if row.lifted_by is None else StaffId(row.lifted_by),
        lifted_because=row.lifted_because,
    )
