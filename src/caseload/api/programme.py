"""Programmes: the sites of the clinic."""

from uuid import UUID

from litestar import Router
from litestar.params import JSONBody

from caseload.api.route import reading, writing
from caseload.api.wire import Wire
from caseload.api.work import TheKey, TheWork
from caseload.db.idempotency import Kept
from caseload.db.programme import Programmes
from caseload.domain import programme as domain
from caseload.domain.access import Act
from caseload.domain.ids import ProgrammeId, new_id
from caseload.domain.programme import Programme
from caseload.request.idempotency import once


class ProgrammeIn(Wire, frozen=True, kw_only=True):
    """A programme to be opened."""

    code: str
    """Short and in capitals, such as NORTH; never used for another programme."""
    name: str
    time_zone: str
    """IANA name. Days, deadlines and dosing days are those of this zone."""
    profile: str
    """The jurisdiction profile whose rules apply: US, UK, AU, ..."""


class ProgrammeOut(Wire, frozen=True, kw_only=True):
    """A programme."""

    id: UUID
    code: str
    name: str
    time_zone: str
    profile: str

    @classmethod
    def of(cls, programme: Programme) -> "ProgrammeOut":
        """From the domain."""
        return cls(
            id=programme.id,
            code=programme.code,
            name=programme.name,
            time_zone=programme.time_zone,
            profile=programme.profile,
        )


class ProgrammesOut(Wire, frozen=True, kw_only=True):
    """Every programme, by code."""

    items: list[ProgrammeOut]


@reading(
    "/programmes",
    act=Act.SEE_PROGRAMMES,
    name="list_programmes",
    problems=(),
    unaudited="names of sites, which hang on their doors",
)
async def list_programmes(work: TheWork) -> ProgrammesOut:
    """Every programme."""
    return ProgrammesOut(items=[ProgrammeOut.of(each) for each in await Programmes(work.connection).all()])


@writing("/programmes", act=Act.MANAGE_PROGRAMMES, name="open_programme", problems=())
async def open_programme(data: JSONBody[ProgrammeIn], work: TheWork, key: TheKey) -> ProgrammeOut:
    """Open a programme. There is one of each code."""
    programmes, new = Programmes(work.connection), ProgrammeId(new_id())

    async def open_it() -> Programme:
        return await domain.open_programme(
            data.code,
            data.name,
            as_id=new,
            time_zone=data.time_zone,
            profile=data.profile,
            by=work.by,
            now=work.now,
            programmes=programmes,
            journal=work.journal,
        )

    async def again(kept: Kept) -> Programme:
        return await programmes.get(ProgrammeId(kept.resource))

    return ProgrammeOut.of(await once(work, key, Kept(status=201, resource=new), do=open_it, again=again))


router = Router("/", route_handlers=[list_programmes, open_programme], tags=["Programmes"])
