"""What others tell us about a client."""

from datetime import datetime
from uuid import UUID

from litestar.params import FromPath, JSONBody

from caseload.api.route import reading, writing
from caseload.api.wire import Instant, Wire
from caseload.api.work import TheKey, TheWork, client_within
from caseload.db.family import Families
from caseload.db.idempotency import Kept
from caseload.domain import family as domain
from caseload.domain.access import Act
from caseload.domain.family import Information, Told
from caseload.domain.ids import InformationId, RelatedPersonId, new_id
from caseload.request.idempotency import once


class InformationIn(Wire, frozen=True, kw_only=True):
    """What somebody told us: name either a person on the client's list or, for anybody else, a source in words."""

    text: str
    person_id: UUID | None = None
    source: str | None = None
    confidential: bool = False
    """Given in confidence: to be withheld from the client's own copy of the record."""
    received_at: Instant | None = None
    """When you were told; now when left out."""


class InformationOut(Wire, frozen=True, kw_only=True):
    """What somebody told us about a client."""

    id: UUID
    client_id: UUID
    text: str
    person_id: UUID | None
    source: str | None
    confidential: bool
    received_at: datetime
    recorded_at: datetime
    recorded_by: UUID

    @classmethod
    def of(cls, information: Information) -> "InformationOut":
        """From the domain."""
        told = information.told
        return cls(
            id=information.id,
            client_id=information.client,
            text=told.text,
            person_id=told.person,
            source=told.source,
            confidential=told.confidential,
            received_at=told.received_at,
            recorded_at=information.recorded_at,
            recorded_by=information.recorded_by,
        )


class InformationPage(Wire, frozen=True, kw_only=True):
    """What was told about a client, the newest first."""

    items: list[InformationOut]


@reading("/clients/{client_id:uuid}/family-information", act=Act.SEE_FAMILY, name="list_family_information")
async def list_family_information(client_id: FromPath[UUID], work: TheWork) -> InformationPage:
    """What others told us about a client, the newest first."""
    client = await client_within(work, client_id, Act.SEE_FAMILY)
    told = await Families(work.connection, work.journal).information(client.id)
    return InformationPage(items=[InformationOut.of(each) for each in told])


@writing("/clients/{client_id:uuid}/family-information", act=Act.RECORD_FAMILY, name="receive_family_information")
async def receive_family_information(
    client_id: FromPath[UUID], data: JSONBody[InformationIn], work: TheWork, key: TheKey
) -> InformationOut:
    """Keep what somebody told you about a client. It needs no consent: listening discloses nothing."""
    client = await client_within(work, client_id, Act.RECORD_FAMILY)
    families = Families(work.connection, work.journal)
    new = InformationId(new_id())

    async def receive() -> Information:
        told = Told(
            text=data.text,
            person=None if data.person_id is None else RelatedPersonId(data.person_id),
            source=data.source,
            confidential=data.confidential,
            received_at=data.received_at or work.now,
        )
        return await domain.receive_information(
            told, as_id=new, client=client, by=work.by, now=work.now, families=families, journal=work.journal
        )

    async def again(kept: Kept) -> Information:
        return await families.get_information(InformationId(kept.resource), client=client.id)

    return InformationOut.of(await once(work, key, Kept(status=201, resource=new), do=receive, again=again))
