"""Relatives who are clients too, in PostgreSQL."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import bindparam, exists, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.consent import hold_what_may_be_told
from caseload.db.tables.base import INSTANT
from caseload.db.tables.family import related_person
from caseload.db.tables.family_link import related_person_link
from caseload.domain.family import AlreadyLinked, LinkUnknown, RelativeLink
from caseload.domain.ids import ClientId, RelatedPersonId, RelativeLinkId, StaffId
from caseload.domain.journal import Journal

_stands = related_person_link.c.undone_at.is_(None)
_STANDING = (
    select(related_person_link)
    .where(related_person_link.c.client_id == bindparam("client"), _stands)
    .order_by(related_person_link.c.id)
)
_UNDO = (
    update(related_person_link)
    .where(related_person_link.c.id == bindparam("undoing"), _stands)
    .values(undone_by=bindparam("by"), undone_at=bindparam("at", type_=INSTANT), undone_because=bindparam("because"))
)
IS_CLIENT_TOO: Final = exists().where(related_person_link.c.person_id == related_person.c.id, _stands)
"""Whether a person of a list is linked to a registration of their own."""


class LinkBook:
    """Satisfies `domain.family.linked.RelativeLinks`. Whoever asks has been let through to both clients before."""

    def __init__(self, connection: AsyncConnection, journal: Journal) -> None:
        self._connection = connection
        self._journal = journal

    async def add_link(self, link: RelativeLink) -> None:
        """See `domain.family.linked.RelativeLinks.add_link`."""
        await hold_what_may_be_told(self._connection, link.client)
        try:
            await self._connection.execute(
                insert(related_person_link).values(
                    id=link.id,
                    client_id=link.client,
                    person_id=link.person,
                    own_client_id=link.own,
                    reason=link.reason,
                    recorded_by=link.linked_by,
                    recorded_at=link.linked_at,
                )
            )
        except IntegrityError as raced:
            raise AlreadyLinked from raced

    async def undo_link(self, undone: RelativeLink) -> None:
        """See `domain.family.linked.RelativeLinks.undo_link`."""
        given = {
            "undoing": undone.id,
            "by": undone.undone_by,
            "at": undone.undone_at,
            "because": undone.undone_because,
        }
        if (await self._connection.execute(_UNDO, given)).rowcount != 1:
            raise LinkUnknown

    async def links_of(self, client: ClientId) -> Sequence[RelativeLink]:
        """See `domain.family.linked.RelativeLinks.links_of`."""
        self._journal.saw(client, "family")
        return [
            RelativeLink(
                id=RelativeLinkId(row.id),
                client=ClientId(row.client_id),
                person=RelatedPersonId(row.person_id),
                own=ClientId(row.own_client_id),
                reason=row.reason,
                linked_by=StaffId(row.recorded_by),
                linked_at=row.recorded_at,
            )
            for row in await self._connection.execute(_STANDING, {"client": client})
        ]
