"""Where a programme is and how to call it, as its labels say."""

from uuid import UUID

from litestar.params import FromPath, JSONBody

from caseload.api.route import reading, writing
from caseload.api.wire import Wire
from caseload.api.work import TheKey, TheWork
from caseload.db.idempotency import Kept
from caseload.db.takehome.premises import TheirPremises
from caseload.domain import takehome as domain
from caseload.domain.access import Act
from caseload.domain.ids import ProgrammeId
from caseload.domain.takehome import NoPremises, Premises
from caseload.request.idempotency import once


class PremisesIO(Wire, frozen=True, kw_only=True):
    """Where a programme is and how to call it."""

    address: str
    telephone: str

    @classmethod
    def of(cls, premises: Premises) -> "PremisesIO":
        """From the domain."""
        return cls(address=premises.address, telephone=premises.telephone)


@reading(
    "/programmes/{programme_id:uuid}/premises",
    act=Act.SEE_PROGRAMMES,
    name="read_premises",
    problems=(404, 409),
    unaudited="an address and a telephone number, which hang on the door",
)
async def read_premises(programme_id: FromPath[UUID], work: TheWork) -> PremisesIO:
    """Where the programme is and how to call it."""
    places = TheirPremises(work.connection)
    found = await places.premises((await places.programme(ProgrammeId(programme_id))).id)
    if found is None:
        raise NoPremises
    return PremisesIO.of(found)


@writing("/programmes/{programme_id:uuid}/premises", act=Act.MANAGE_PROGRAMMES, name="keep_premises")
async def keep_premises(
    programme_id: FromPath[UUID], data: JSONBody[PremisesIO], work: TheWork, key: TheKey
) -> PremisesIO:
    """Say where the programme is and how to call it: it stands on every label."""
    places, wanted = TheirPremises(work.connection), ProgrammeId(programme_id)

    async def keep() -> Premises:
        return await domain.keep_premises(
            wanted, data.address, data.telephone, by=work.by, now=work.now, places=places, journal=work.journal
        )

    async def again(_: Kept) -> Premises:
        found = await places.premises(wanted)
        if found is None:
            raise NoPremises
        return found

    return PremisesIO.of(await once(work, key, Kept(status=201, resource=programme_id), do=keep, again=again))
