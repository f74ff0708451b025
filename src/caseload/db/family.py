"""The people around clients in PostgreSQL, and what was heard from them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, bindparam, exists, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.tables.family import family_information, related_person, related_person_version
from caseload.domain.family import (
    Information,
    InformationUnknown,
    Involvement,
    PersonChanged,
    PersonDetails,
    PersonUnknown,
    RelatedPerson,
    Relationship,
    Told,
)
from caseload.domain.ids import ClientId, InformationId, RelatedPersonId, StaffId
from caseload.domain.journal import Journal

_newest = related_person_version.alias("newest")
_newer = related_person_version.alias("newer")

_PERSON = (
    select(
        related_person.c.id,
        related_person.c.client_id,
        _newest.c.version,
        _newest.c.name,
        _newest.c.relationship,
        _newest.c.involvements,
        _newest.c.phone,
        _newest.c.email,
        _newest.c.address,
        _newest.c.contact_note,
        _newest.c.evidence,
        _newest.c.reason,
        _newest.c.recorded_at,
        _newest.c.recorded_by,
    )
    .join(_newest, _newest.c.person_id == related_person.c.id)
    .where(
        related_person.c.client_id == bindparam("client"),
        ~exists().where(_newer.c.person_id == _newest.c.person_id, _newer.c.version > _newest.c.version),
    )
)
_GET = _PERSON.where(related_person.c.id == bindparam("person"))
_AROUND = _PERSON.order_by(related_person.c.id)

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


class Families:
    """Satisfies `domain.family.Families`. Whoever asks has been let through to the client before."""

    def __init__(self, connection: AsyncConnection, journal: Journal) -> None:
        self._connection = connection
        self._journal = journal

    async def add(self, person: RelatedPerson) -> None:
        """See `domain.family.Families.add`."""
        if person.version == 1:
            await self._connection.execute(insert(related_person).values(id=person.id, client_id=person.client))
        details = person.details
        try:
            await self._connection.execute(
                insert(related_person_version).values(
                    person_id=person.id,
                    version=person.version,
                    name=details.name,
                    relationship=details.relationship,
                    involvements=sorted(details.involvements),
                    phone=details.phone,
                    email=details.email,
                    address=details.address,
                    contact_note=details.contact_note,
                    evidence=details.evidence,
                    reason=person.reason,
                    recorded_by=person.recorded_by,
                    recorded_at=person.recorded_at,
                )
            )
        except IntegrityError as raced:
            raise PersonChanged from raced

    async def get(self, person: RelatedPersonId, *, client: ClientId) -> RelatedPerson:
        """See `domain.family.Families.get`."""
        row = (await self._connection.execute(_GET, {"client": client, "person": person})).first()
        if row is None:
            raise PersonUnknown
        self._journal.saw(client, "family")
        return _person(row)

    async def around(self, client: ClientId) -> Sequence[RelatedPerson]:
        """See `domain.family.Families.around`."""
        rows = (await self._connection.execute(_AROUND, {"client": client})).all()
        self._journal.saw(client, "family")
        return [_person(row) for row in rows]

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


def _person(row: Row[*tuple[Any, ...]]) -> RelatedPerson:
    return RelatedPerson(
        id=RelatedPersonId(row.id),
        client=ClientId(row.client_id),
        version=row.version,
        details=PersonDetails(
            name=row.name,
            relationship=Relationship(row.relationship),
            involvements=frozenset(Involvement(word) for word in row.involvements),
            phone=row.phone,
            email=row.email,
            address=row.address,
            contact_note=row.contact_note,
            evidence=row.evidence,
        ),
        reason=row.reason,
        recorded_at=row.recorded_at,
        recorded_by=StaffId(row.recorded_by),
    )


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
