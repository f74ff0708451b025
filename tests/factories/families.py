"""A programme with somebody who records, clients, and people around them; a journal that remembers whom it was shown."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.family import Families
from caseload.db.tables.caseload import client as client_table
from caseload.domain.family import ContactWay, Involvement, InvolvementKind, PersonDetails, RelatedPerson, Relationship
from caseload.domain.ids import ClientId, InvolvementId, ProgrammeId, RelatedPersonId, StaffId, new_id
from caseload.domain.journal import Event
from tests.factories import people
from tests.factories.people import NOW

MOTHER = PersonDetails(
    name="Rosa Example",
    relationship=Relationship.MOTHER,
    language="en-GB",
    contact_by=(ContactWay.TELEPHONE, ContactWay.POST),
    phone="020 7946 0000",
    contact_note="evenings only",
)


@dataclass
class Seen:
    """A journal that remembers whom it was shown."""

    clients: list[tuple[ClientId, str]] = field(default_factory=list[tuple[ClientId, str]])

    def saw(self, client: ClientId, kind: str) -> None:
        self.clients.append((client, kind))

    def tell(self, event: Event) -> None: ...


@dataclass
class Place:
    """A programme with somebody who records, and clients."""

    connection: AsyncConnection
    programme: ProgrammeId
    recorder: StaffId

    async def client(self) -> ClientId:
        made = ClientId(new_id())
        await self.connection.execute(
            insert(client_table).values(
                id=made, programme_id=self.programme, registered_by=self.recorder, recorded_at=NOW
            )
        )
        return made

    async def person(self, client: ClientId, details: PersonDetails = MOTHER) -> RelatedPerson:
        made = RelatedPerson(
            id=RelatedPersonId(new_id()),
            client=client,
            version=1,
            details=details,
            reason=None,
            recorded_at=NOW,
            recorded_by=self.recorder,
        )
        await Families(self.connection, Seen()).add(made)
        return made

    async def involved(self, person: RelatedPerson, kind: InvolvementKind, **changes: Any) -> Involvement:
        """This person takes part in this way since long ago, or as the changes say."""
        made = replace(
            Involvement(
                id=InvolvementId(new_id()),
                client=person.client,
                person=person.id,
                kind=kind,
                starts_at=NOW - timedelta(days=400),
                last_day=None,
                until_at=None,
                evidence="court order" if kind is InvolvementKind.LEGAL_REPRESENTATIVE else None,
                recorded_by=self.recorder,
                recorded_at=NOW,
            ),
            **changes,
        )
        await Families(self.connection, Seen()).begin(made)
        return made


async def place(connection: AsyncConnection) -> Place:
    """A programme in London with somebody who records."""
    return Place(
        connection=connection,
        programme=await people.programme(connection),
        recorder=await people.bystander(connection),
    )


async def refused(connection: AsyncConnection, act: Callable[[], Awaitable[Any]], constraint: str) -> None:
    """The database refuses the act by the constraint of this name."""
    savepoint = await connection.begin_nested()
    with pytest.raises((IntegrityError, ProgrammingError), match=constraint):
        await act()
    await savepoint.rollback()
