"""Safety warnings about somebody around a client."""

from uuid import UUID

from litestar.params import FromPath, JSONBody

from caseload.api.family.wire import LiftIn, PersonOut, WarningIn
from caseload.api.route import writing
from caseload.api.work import TheKey, TheWork, client_within
from caseload.db.family import Families
from caseload.db.idempotency import Kept
from caseload.domain import family as domain
from caseload.domain.access import Act
from caseload.domain.family import RelatedPerson
from caseload.domain.ids import RelatedPersonId, WarningId
from caseload.request.idempotency import once


@writing(
    "/clients/{client_id:uuid}/related-people/{person_id:uuid}/warnings",
    act=Act.RECORD_FAMILY,
    name="warn_of_related_person",
)
async def warn_of_related_person(
    client_id: FromPath[UUID], person_id: FromPath[UUID], data: JSONBody[WarningIn], work: TheWork, key: TheKey
) -> PersonOut:
    """Record that somebody must not be called, or told anything. It counts at once, whatever the client has signed."""
    client = await client_within(work, client_id, Act.RECORD_FAMILY)
    families, wanted = Families(work.connection, work.journal), RelatedPersonId(person_id)

    async def warn() -> RelatedPerson:
        return await domain.warn_of(
            await families.get(wanted, client=client.id),
            data.kind,
            data.note,
            client=client,
            by=work.by,
            now=work.now,
            families=families,
            journal=work.journal,
        )

    async def again(_: Kept) -> RelatedPerson:
        return await families.get(wanted, client=client.id)

    warned = await once(work, key, Kept(status=201, resource=wanted), do=warn, again=again)
    return PersonOut.of(warned, at=work.now)


@writing(
    "/clients/{client_id:uuid}/related-people/{person_id:uuid}/warnings/{warning_id:uuid}/lifting",
    act=Act.RECORD_FAMILY,
    name="lift_warning",
)
async def lift_warning(
    client_id: FromPath[UUID],
    person_id: FromPath[UUID],
    warning_id: FromPath[UUID],
    data: JSONBody[LiftIn],
    work: TheWork,
    key: TheKey,
) -> PersonOut:
    """Lift a safety warning, with the reason. It stays readable."""
    client = await client_within(work, client_id, Act.RECORD_FAMILY)
    families, wanted = Families(work.connection, work.journal), RelatedPersonId(person_id)

    async def lift() -> RelatedPerson:
        return await domain.lift_warning(
            await families.get(wanted, client=client.id),
            WarningId(warning_id),
            reason=data.reason,
            client=client,
            by=work.by,
            now=work.now,
            families=families,
            journal=work.journal,
        )

    async def again(_: Kept) -> RelatedPerson:
        return await families.get(wanted, client=client.id)

    lifted = await once(work, key, Kept(status=201, resource=wanted), do=lift, again=again)
    return PersonOut.of(lifted, at=work.now)
