"""Safety warnings about somebody around a client."""

from uuid import UUID

from litestar.params import FromPath, JSONBody

from caseload.api.family.person import change_once
from caseload.api.family.wire import LiftIn, PersonOut, WarningIn
from caseload.api.route import writing
from caseload.api.work import TheKey, TheWork
from caseload.db.family import Families
from caseload.domain import family as domain
from caseload.domain.access import Act
from caseload.domain.client import Client
from caseload.domain.family import RelatedPerson
from caseload.domain.ids import WarningId


@writing(
    "/clients/{client_id:uuid}/related-people/{person_id:uuid}/warnings",
    act=Act.RECORD_FAMILY,
    name="warn_of_related_person",
)
async def warn_of_related_person(
    client_id: FromPath[UUID], person_id: FromPath[UUID], data: JSONBody[WarningIn], work: TheWork, key: TheKey
) -> PersonOut:
    """Record that somebody must not be called, or told anything. It counts at once, whatever the client has signed."""

    async def warn(person: RelatedPerson, client: Client, families: Families) -> RelatedPerson:
        return await domain.warn_of(
            person,
            data.kind,
            data.note,
            said=data.said(now=work.now),
            client=client,
            by=work.by,
            now=work.now,
            families=families,
            journal=work.journal,
        )

    return PersonOut.of(await change_once(work, key, client_id, person_id, warn), at=work.now)


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

    async def lift(person: RelatedPerson, client: Client, families: Families) -> RelatedPerson:
        return await domain.lift_warning(
            person,
            WarningId(warning_id),
            reason=data.reason,
            client=client,
            by=work.by,
            now=work.now,
            families=families,
            journal=work.journal,
        )

    return PersonOut.of(await change_once(work, key, client_id, person_id, lift), at=work.now)
