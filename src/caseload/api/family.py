"""The people around a client, and what they tell us."""

from datetime import datetime
from uuid import UUID

from litestar import Response, Router
from litestar.params import FromPath, JSONBody

from caseload.api.route import reading, writing
from caseload.api.wire import Instant, Wire
from caseload.api.work import IfMatch, TheKey, TheWork, client_within, etag, require_version
from caseload.db.family import Families
from caseload.db.idempotency import Kept
from caseload.domain import family as domain
from caseload.domain.access import Act
from caseload.domain.family import Information, Involvement, PersonDetails, RelatedPerson, Relationship, Told
from caseload.domain.ids import InformationId, RelatedPersonId, new_id
from caseload.request.idempotency import once


class PersonIn(Wire, frozen=True, kw_only=True):
    """What is known about somebody around a client."""

    name: str
    relationship: Relationship
    involvements: tuple[Involvement, ...] = ()
    """How they take part; none means no longer involved."""
    phone: str | None = None
    email: str | None = None
    address: str | None = None
    contact_note: str | None = None
    evidence: str | None = None
    """The document that shows the authority of a legal representative, and where it is kept."""

    def read(self) -> PersonDetails:
        """As the domain speaks of it."""
        return PersonDetails(
            name=self.name,
            relationship=self.relationship,
            involvements=frozenset(self.involvements),
            phone=self.phone,
            email=self.email,
            address=self.address,
            contact_note=self.contact_note,
            evidence=self.evidence,
        )


class PersonChangeIn(Wire, frozen=True, kw_only=True):
    """A new version of what is known about somebody, and why."""

    person: PersonIn
    reason: str


class PersonOut(Wire, frozen=True, kw_only=True):
    """Somebody around a client, in the newest version. Being listed allows nobody to be told anything."""

    id: UUID
    client_id: UUID
    version: int
    name: str
    relationship: Relationship
    involvements: list[Involvement]
    phone: str | None
    email: str | None
    address: str | None
    contact_note: str | None
    evidence: str | None
    recorded_at: datetime

    @classmethod
    def of(cls, person: RelatedPerson) -> "PersonOut":
        """From the domain."""
        details = person.details
        return cls(
            id=person.id,
            client_id=person.client,
            version=person.version,
            name=details.name,
            relationship=details.relationship,
            involvements=sorted(details.involvements),
            phone=details.phone,
            email=details.email,
            address=details.address,
            contact_note=details.contact_note,
            evidence=details.evidence,
            recorded_at=person.recorded_at,
        )


class PeopleOut(Wire, frozen=True, kw_only=True):
    """Everybody around a client, in the order in which they were added."""

    items: list[PersonOut]


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


def _versioned(person: RelatedPerson, status: int) -> Response[PersonOut]:
    return Response(PersonOut.of(person), status_code=status, headers={"etag": etag(person.version)})


@reading("/clients/{client_id:uuid}/related-people", act=Act.SEE_FAMILY, name="list_related_people")
async def list_related_people(client_id: FromPath[UUID], work: TheWork) -> PeopleOut:
    """Everybody around a client, each in the newest version."""
    client = await client_within(work, client_id, Act.SEE_FAMILY)
    around = await Families(work.connection, work.journal).around(client.id)
    return PeopleOut(items=[PersonOut.of(person) for person in around])


@writing("/clients/{client_id:uuid}/related-people", act=Act.RECORD_FAMILY, name="add_related_person")
async def add_related_person(
    client_id: FromPath[UUID], data: JSONBody[PersonIn], work: TheWork, key: TheKey
) -> Response[PersonOut]:
    """Put somebody on the list of people around a client. It allows nobody to be told anything."""
    client = await client_within(work, client_id, Act.RECORD_FAMILY)
    families = Families(work.connection, work.journal)
    new = RelatedPersonId(new_id())

    async def add() -> RelatedPerson:
        return await domain.add_person(
            client, data.read(), as_id=new, by=work.by, now=work.now, families=families, journal=work.journal
        )

    async def again(kept: Kept) -> RelatedPerson:
        return await families.get(RelatedPersonId(kept.resource), client=client.id)

    return _versioned(await once(work, key, Kept(status=201, resource=new, version=1), do=add, again=again), 201)


@reading("/clients/{client_id:uuid}/related-people/{person_id:uuid}", act=Act.SEE_FAMILY, name="read_related_person")
async def read_related_person(
    client_id: FromPath[UUID], person_id: FromPath[UUID], work: TheWork
) -> Response[PersonOut]:
    """Somebody around a client, in the newest version."""
    client = await client_within(work, client_id, Act.SEE_FAMILY)
    found = await Families(work.connection, work.journal).get(RelatedPersonId(person_id), client=client.id)
    return _versioned(found, 200)


@writing(
    "/clients/{client_id:uuid}/related-people/{person_id:uuid}",
    act=Act.RECORD_FAMILY,
    name="change_related_person",
    method="PUT",
    status=200,
    problems=(404, 412, 428),
)
async def change_related_person(
    client_id: FromPath[UUID],
    person_id: FromPath[UUID],
    data: JSONBody[PersonChangeIn],
    work: TheWork,
    if_match: IfMatch = None,
) -> Response[PersonOut]:
    """Record a new version of what is known about somebody; every former version stays readable."""
    client = await client_within(work, client_id, Act.RECORD_FAMILY)
    families = Families(work.connection, work.journal)
    person = await families.get(RelatedPersonId(person_id), client=client.id)
    require_version(if_match, person.version)
    changed = await domain.change_person(
        person,
        data.person.read(),
        reason=data.reason,
        client=client,
        by=work.by,
        now=work.now,
        families=families,
        journal=work.journal,
    )
    return _versioned(changed, 200)


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


router = Router(
    "/",
    route_handlers=[
        list_related_people,
        add_related_person,
        read_related_person,
        change_related_person,
        list_family_information,
        receive_family_information,
    ],
    tags=["Family"],
)
