"""What others tell us about a client."""

from datetime import datetime
from typing import Protocol
from uuid import UUID

from litestar.params import FromPath, JSONBody

from caseload.api.route import reading, writing
from caseload.api.wire import Instant, Wire
from caseload.api.work import TheKey, TheWork, client_within
from caseload.db.family import Families
from caseload.db.idempotency import Kept
from caseload.domain import family as domain
from caseload.domain.access import Act
from caseload.domain.client import Client
from caseload.domain.family import Confided, Information, Told
from caseload.domain.ids import InformationId, RelatedPersonId, new_id
from caseload.domain.journal import Journal
from caseload.domain.people import Staff
from caseload.domain.taken_back import TakenBack
from caseload.request.idempotency import RequestKey, once
from caseload.request.work import Work


class Mend(Protocol):
    """What is said afterwards of something that was told."""

    async def __call__(
        self,
        information: Information,
        reason: str,
        *,
        client: Client,
        by: Staff,
        now: datetime,
        families: domain.Families,
        journal: Journal,
    ) -> Information:
        """As `domain.family` says it."""
        ...


class InformationIn(Wire, frozen=True, kw_only=True):
    """What somebody told us: name either a person on the client's list or, for anybody else, a source in words."""

    text: str
    person_id: UUID | None = None
    source: str | None = None
    confidential: bool = False
    """Given in confidence: to be withheld from the client's own copy of the record."""
    received_at: Instant | None = None
    """When you were told; now when left out."""


class InformationMendedIn(Wire, frozen=True, kw_only=True):
    """Why what was recorded is not as it was recorded."""

    reason: str


class SaidAfterwardsOut(Wire, frozen=True, kw_only=True):
    """What was said of a record after it was made."""

    reason: str
    recorded_by: UUID
    recorded_at: datetime

    @classmethod
    def of(cls, said: Confided | TakenBack | None) -> "SaidAfterwardsOut | None":
        """From the domain."""
        return None if said is None else cls(reason=said.reason, recorded_by=said.by, recorded_at=said.at)


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
    confided: SaidAfterwardsOut | None
    """Who said afterwards that it was in confidence, and why; null where it was said at once, or is not."""
    taken_back: SaidAfterwardsOut | None
    """Who took it back as a mistake, and why; null while it stands."""

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
            confidential=information.is_confidential,
            received_at=told.received_at,
            recorded_at=information.recorded_at,
            recorded_by=information.recorded_by,
            confided=SaidAfterwardsOut.of(information.confided),
            taken_back=SaidAfterwardsOut.of(information.taken_back),
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


@writing(
    "/clients/{client_id:uuid}/family-information/{information_id:uuid}/confidence",
    act=Act.RECORD_FAMILY,
    name="confide_family_information",
)
async def confide_family_information(
    client_id: FromPath[UUID],
    information_id: FromPath[UUID],
    data: JSONBody[InformationMendedIn],
    work: TheWork,
    key: TheKey,
) -> InformationOut:
    """Keep what was told as told in confidence: it is withheld from the client's own copy of the record from then on."""
    return await _mended(client_id, information_id, data, work, key, domain.confide_information)


@writing(
    "/clients/{client_id:uuid}/family-information/{information_id:uuid}/withdrawal",
    act=Act.RECORD_FAMILY,
    name="take_back_family_information",
)
async def take_back_family_information(
    client_id: FromPath[UUID],
    information_id: FromPath[UUID],
    data: JSONBody[InformationMendedIn],
    work: TheWork,
    key: TheKey,
) -> InformationOut:
    """Take back what was recorded by mistake, of somebody else for example; it stays readable with the reason."""
    return await _mended(client_id, information_id, data, work, key, domain.take_back_information)


async def _mended(
    client_id: UUID, information_id: UUID, data: InformationMendedIn, work: Work, key: RequestKey | None, mend: Mend
) -> InformationOut:
    client = await client_within(work, client_id, Act.RECORD_FAMILY)
    families, wanted = Families(work.connection, work.journal), InformationId(information_id)

    async def do() -> Information:
        heard = await families.get_information(wanted, client=client.id)
        return await mend(
            heard, data.reason, client=client, by=work.by, now=work.now, families=families, journal=work.journal
        )

    async def again(_: Kept) -> Information:
        return await families.get_information(wanted, client=client.id)

    return InformationOut.of(await once(work, key, Kept(status=201, resource=wanted), do=do, again=again))
