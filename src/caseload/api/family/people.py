"""Who is around a client: added, read, and changed in versions."""

from uuid import UUID

from litestar import Response
from litestar.params import FromPath, JSONBody

from caseload.api.family.wire import PeopleOut, PersonChangeIn, PersonIn, PersonOut
from caseload.api.route import reading, writing
from caseload.api.work import IfMatch, TheKey, TheWork, client_within, etag, require_version
from caseload.db.family import Families
from caseload.db.idempotency import Kept
from caseload.db.programme import Programmes
from caseload.domain import family as domain
from caseload.domain.access import Act
from caseload.domain.family import RelatedPerson
from caseload.domain.ids import RelatedPersonId, new_id
from caseload.request.idempotency import once
from caseload.request.work import Work


def _versioned(person: RelatedPerson, status: int, *, work: Work) -> Response[PersonOut]:
    shown = PersonOut.of(person, at=work.now)
    return Response(shown, status_code=status, headers={"etag": etag(person.version)})


@reading("/clients/{client_id:uuid}/related-people", act=Act.SEE_FAMILY, name="list_related_people")
async def list_related_people(client_id: FromPath[UUID], work: TheWork) -> PeopleOut:
    """Everybody around a client, each in the newest version, and whether nobody is to be called in an emergency."""
    client = await client_within(work, client_id, Act.SEE_FAMILY)
    around = await Families(work.connection, work.journal).around(client.id)
    return PeopleOut(
        items=[PersonOut.of(person, at=work.now) for person in around],
        is_without_emergency_contact=domain.without_emergency_contact(around, at=work.now),
    )


@writing("/clients/{client_id:uuid}/related-people", act=Act.RECORD_FAMILY, name="add_related_person")
async def add_related_person(
    client_id: FromPath[UUID], data: JSONBody[PersonIn], work: TheWork, key: TheKey
) -> Response[PersonOut]:
    """Put somebody on the list of people around a client. It allows nobody to be told anything."""
    client = await client_within(work, client_id, Act.RECORD_FAMILY)
    programme = await Programmes(work.connection).get(client.programme)
    families = Families(work.connection, work.journal)
    new = RelatedPersonId(new_id())

    async def add() -> RelatedPerson:
        return await domain.add_person(
            client,
            data.read(),
            [each.read() for each in data.involvements],
            as_id=new,
            programme=programme,
            by=work.by,
            now=work.now,
            families=families,
            journal=work.journal,
        )

    async def again(kept: Kept) -> RelatedPerson:
        return await families.get(RelatedPersonId(kept.resource), client=client.id)

    added = await once(work, key, Kept(status=201, resource=new, version=1), do=add, again=again)
    return _versioned(added, 201, work=work)


@reading("/clients/{client_id:uuid}/related-people/{person_id:uuid}", act=Act.SEE_FAMILY, name="read_related_person")
async def read_related_person(
    client_id: FromPath[UUID], person_id: FromPath[UUID], work: TheWork
) -> Response[PersonOut]:
    """Somebody around a client, in the newest version."""
    client = await client_within(work, client_id, Act.SEE_FAMILY)
    found = await Families(work.connection, work.journal).get(RelatedPersonId(person_id), client=client.id)
    return _versioned(found, 200, work=work)


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
    return _versioned(changed, 200, work=work)
