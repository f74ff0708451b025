"""How somebody around a client takes part: it begins, it ends, and what of theirs is left afterwards."""

from uuid import UUID

from litestar.params import FromPath, JSONBody

from caseload.api.family.person import Change, change_once
from caseload.api.family.wire import AfterwardsOut, EndIn, InvolvementIn, PersonOut
from caseload.api.route import writing
from caseload.api.work import TheKey, TheWork
from caseload.db.consent import Consents
from caseload.db.family import Families
from caseload.db.programme import Programmes
from caseload.domain import family as domain
from caseload.domain.access import Act
from caseload.domain.client import Client
from caseload.domain.consent import Standing
from caseload.domain.family import RelatedPerson
from caseload.domain.ids import InvolvementId
from caseload.request.idempotency import RequestKey
from caseload.request.work import Work


@writing(
    "/clients/{client_id:uuid}/related-people/{person_id:uuid}/involvements",
    act=Act.RECORD_FAMILY,
    name="begin_involvement",
)
async def begin_involvement(
    client_id: FromPath[UUID], person_id: FromPath[UUID], data: JSONBody[InvolvementIn], work: TheWork, key: TheKey
) -> PersonOut:
    """Record that somebody begins to take part in a way, from a day on, and until which day where that is known."""

    async def begin(person: RelatedPerson, client: Client, families: Families) -> RelatedPerson:
        return await domain.begin_involvement(
            person,
            data.read(),
            client=client,
            programme=await Programmes(work.connection).get(client.programme),
            by=work.by,
            now=work.now,
            families=families,
            journal=work.journal,
        )

    return PersonOut.of(await change_once(work, key, client_id, person_id, begin), at=work.now)


@writing(
    "/clients/{client_id:uuid}/related-people/{person_id:uuid}/involvements/{involvement_id:uuid}/end",
    act=Act.RECORD_FAMILY,
    name="end_involvement",
)
async def end_involvement(
    client_id: FromPath[UUID],
    person_id: FromPath[UUID],
    involvement_id: FromPath[UUID],
    data: JSONBody[EndIn],
    work: TheWork,
    key: TheKey,
) -> AfterwardsOut:
    """Record that somebody takes part in one way no more. The answer says what of theirs is left."""

    async def end(person: RelatedPerson, client: Client, families: Families) -> RelatedPerson:
        return await domain.end_involvement(
            person,
            InvolvementId(involvement_id),
            reason=data.reason,
            ended_at=data.ended_at or work.now,
            client=client,
            by=work.by,
            now=work.now,
            families=families,
            journal=work.journal,
        )

    return await _afterwards(work, key, client_id, person_id, end)


@writing(
    "/clients/{client_id:uuid}/related-people/{person_id:uuid}/removal",
    act=Act.RECORD_FAMILY,
    name="remove_related_person",
)
async def remove_related_person(
    client_id: FromPath[UUID], person_id: FromPath[UUID], data: JSONBody[EndIn], work: TheWork, key: TheKey
) -> AfterwardsOut:
    """Record that somebody is not involved any more. Nothing is lost; the answer says what of theirs is left."""

    async def remove(person: RelatedPerson, client: Client, families: Families) -> RelatedPerson:
        return await domain.remove_person(
            person,
            reason=data.reason,
            ended_at=data.ended_at or work.now,
            client=client,
            by=work.by,
            now=work.now,
            families=families,
            journal=work.journal,
        )

    return await _afterwards(work, key, client_id, person_id, remove)


async def _afterwards(
    work: Work, key: RequestKey | None, client_id: UUID, person_id: UUID, end: Change
) -> AfterwardsOut:
    """End it once, and answer with how the client stands then."""
    person = await change_once(work, key, client_id, person_id, end)
    around = await Families(work.connection, work.journal).around(person.client)
    given = await Consents(work.connection, work.journal).of(person.client)
    in_force = [each for each in given if each.standing(work.now) is Standing.IN_FORCE]
    return AfterwardsOut(
        person=PersonOut.of(person, at=work.now),
        is_without_emergency_contact=domain.without_emergency_contact(around, at=work.now),
        names_them=[each.id for each in in_force if person.id in {one.person for one in each.recipients}],
        signed_by_them=[
            each.id for each in in_force if person.id in {each.signature.representative, each.signature.co_signer}
        ],
    )
