"""What was heard from people around clients, in PostgreSQL."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, bindparam, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from caseload.db.tables.family import (
    family_information,
    family_information_confided,
    family_information_taken_back,
)
from caseload.domain.family import (
    Confided,
    ConfidentialBefore,
    Information,
    InformationTakenBack,
    InformationUnknown,
    Told,
)
from caseload.domain.ids import ClientId, InformationId, RelatedPersonId, StaffId
from caseload.domain.journal import Journal
from caseload.domain.taken_back import TakenBack


def _named(said: ReadOnlyColumnCollection[str, Any], name: str) -> list[ColumnElement[Any]]:
    return [
        said.reason.label(f"{name}_reason"),
        said.recorded_by.label(f"{name}_by"),
        said.recorded_at.label(f"{name}_at"),
    ]


_confided, _taken_back = family_information_confided.c, family_information_taken_back.c
_INFORMATION = (
    select(
        family_information.c.id,
        family_information.c.client_id,
        family_information.c.person_id,
        family_information.c.source,
        family_information.c.text,
        family_information.c.confidential,
        family_information.c.received_at,
        family_information.c.recorded_at,
        family_information.c.recorded_by,
        *_named(_confided, "confided"),
        *_named(_taken_back, "taken_back"),
    )
    .outerjoin(family_information_confided, _confided.information_id == family_information.c.id)
    .outerjoin(family_information_taken_back, _taken_back.information_id == family_information.c.id)
    .where(family_information.c.client_id == bindparam("client"))
)
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

    async def add_confided(self, information: Information, confided: Confided) -> None:
        """See `domain.family.Families.add_confided`."""
        try:
            await self._connection.execute(insert(family_information_confided).values(_said(information, confided)))
        except IntegrityError as raced:
            raise ConfidentialBefore("Nothing needs to be done.") from raced

    async def take_back_information(self, information: Information, taken_back: TakenBack) -> None:
        """See `domain.family.Families.take_back_information`."""
        try:
            await self._connection.execute(insert(family_information_taken_back).values(_said(information, taken_back)))
        except IntegrityError as raced:
            raise InformationTakenBack("Read the list of what was told about the client again.") from raced

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
        confided=None
        if row.confided_at is None
        else Confided(reason=row.confided_reason, by=StaffId(row.confided_by), at=row.confided_at),
        taken_back=None
        if row.taken_back_at is None
        else TakenBack(reason=row.taken_back_reason, by=StaffId(row.taken_back_by), at=row.taken_back_at),
    )


def _said(information: Information, said: Confided | TakenBack) -> dict[str, Any]:
    return {"information_id": information.id, "reason": said.reason, "recorded_by": said.by, "recorded_at": said.at}
