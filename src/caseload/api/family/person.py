"""A change to one person around a client, made once however often it is sent."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from caseload.api.work import client_within
from caseload.db.family import Families
from caseload.db.idempotency import Kept
from caseload.domain.access import Act
from caseload.domain.client import Client
from caseload.domain.family import RelatedPerson
from caseload.domain.ids import RelatedPersonId
from caseload.request.idempotency import RequestKey, once
from caseload.request.work import Work

Change = Callable[[RelatedPerson, Client, Families], Awaitable[RelatedPerson]]


async def change_once(
    work: Work, key: RequestKey | None, client_id: UUID, person_id: UUID, change: Change
) -> RelatedPerson:
    """The person as they stand after the change; a retry finds them as they stand by then."""
    client = await client_within(work, client_id, Act.RECORD_FAMILY)
    families, wanted = Families(work.connection, work.journal), RelatedPersonId(person_id)

    async def do() -> RelatedPerson:
        return await change(await families.get(wanted, client=client.id), client, families)

    async def again(_: Kept) -> RelatedPerson:
        return await families.get(wanted, client=client.id)

    return await once(work, key, Kept(status=201, resource=wanted), do=do, again=again)
