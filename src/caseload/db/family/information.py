"""What was heard from people around clients, in PostgreSQL."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, bindparam, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.tables.family import (
    family_information,
)
from caseload.domain.family import (
    Information,
    InformationUnknown,
    Told,
)
from caseload.domain.ids import ClientId, InformationId, RelatedPersonId, StaffId
from caseload.domain.journal import Journal

_INFORMATION = select(
    family_information.c.id,
    family_information.c.client_id,
    family_information.c.person_id,
    family_information.c.source,
    family_information.c.text,
    family_information.c.confidential,
    family_information.c.received_at,
    family_information.c.recorded_at,
    family_information.c.recorded_by,
).where(family_information.c.client_id == bindparam("client"))
_ONE_INFORMATION = _INFORMATION.where(family_information.c.id == bindparam("information"))
_ALL_INFORMATION = _INFORMATION.order_by(family_information.c.received_at.desc(), family_information.c.id.desc())


class InformationBook:
    """What of `domain.family.Families` is about what was heard."""

    def __init__(self, connection: AsyncConnection, journal: Journal) -> None:
        self._connection = connection
        self._journal = journal

    async def add_information(self, information: Information) -> None:
        """See `domain.family.Families.add_information`."""
        told = information.told
        await self._connection.execute(
            insert(family_information).values(
                id=information.id,
                client_id=information.client,
                person_id=told.person,
                source=told.source,
                text=told.text,
                confidential=told.confidential,
                received_at=told.received_at,
                recorded_by=information.recorded_by,
                recorded_at=information.recorded_at,
            )
        )

    async def get_information(self, information: InformationId, *, client: ClientId) -> Information:
        """See `domain.family.Families.get_information`."""
        row = (await self._connection.execute(_ONE_INFORMATION, {"client": client, "information": information})).first()
        if row is None:
            raise InformationUnknown
        self._journal.saw(client, "family_information")
        return _information(row)

    async def information(self, client: ClientId) -> Sequence[Information]:
        """See `domain.family.Families.information`."""
        rows = (await self._connection.execute(_ALL_INFORMATION, {"client": client})).all()
        self._journal.saw(client, "family_information")
        return [_information(row) for row in rows]


def _information(row: Row[*tuple[Any, ...]]) -> Information:
    return Information(
        id=InformationId(row.id),
        client=ClientId(row.client_id),
        told=Told(
            text=row.text,
            received_at=row.received_at,
            person=None if row.person_id is None else RelatedPersonId(row.person_id),
            source=row.source,
            confidential=row.confidential,
        ),
        recorded_at=row.recorded_at,
        recorded_by=StaffId(row.recorded_by),
    )
