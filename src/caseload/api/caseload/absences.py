"""Who stands in while a counsellor is away: for the whole caseload, in one call, until it ends by itself."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from litestar.params import FromPath, JSONBody, QueryParameter

from caseload.api.caseload.store import caseloads_of
from caseload.api.pages import USUAL, After, Limit, Page
from caseload.api.route import reading, writing
from caseload.api.wire import Instant, Wire
from caseload.api.work import TheKey, TheWork, nothing_more
from caseload.db.idempotency import Kept
from caseload.domain import caseload as domain
from caseload.domain.access import Act
from caseload.domain.caseload import Absence
from caseload.domain.ids import AbsenceId, ProgrammeId, StaffId, new_id
from caseload.request.idempotency import once

OfProgramme = Annotated[UUID, QueryParameter(name="programme", description="Of which programme.")]


class AbsenceIn(Wire, frozen=True, kw_only=True):
    """A counsellor who is away, and who stands in for all their clients."""

    programme_id: UUID
    counsellor_id: UUID
    covered_by: UUID
    starts_at: Instant
    ends_at: Instant
    reason: str


class AbsenceOut(Wire, frozen=True, kw_only=True):
    """A counsellor who is away, and who stands in for all their clients."""

    id: UUID
    programme_id: UUID
    counsellor_id: UUID
    covered_by: UUID
    starts_at: datetime
    ends_at: datetime
    reason: str

    @classmethod
    def of(cls, absence: Absence) -> "AbsenceOut":
        """From the domain."""
        return cls(
            id=absence.id,
            programme_id=absence.programme,
            counsellor_id=absence.counsellor,
            covered_by=absence.covered_by,
            starts_at=absence.starts_at,
            ends_at=absence.ends_at,
            reason=absence.reason,
        )


@writing("/caseload/absences", act=Act.HAND_OVER, name="arrange_absence", problems=())
async def arrange_absence(data: JSONBody[AbsenceIn], work: TheWork, key: TheKey) -> AbsenceOut:
    """Let somebody stand in for everybody on a caseload while its counsellor is away; it ends by itself.

    The cover follows the caseload: a client who is handed to the counsellor meanwhile is covered too, and one who is
    handed to somebody else is not any more.
    """
    caseloads, new = caseloads_of(work), AbsenceId(new_id())

    async def arrange() -> Absence:
        arranged, _ = await domain.arrange_absence(
            domain.Away(
                programme=ProgrammeId(data.programme_id),
                counsellor=StaffId(data.counsellor_id),
                covered_by=StaffId(data.covered_by),
                starts_at=data.starts_at,
                ends_at=data.ends_at,
                reason=data.reason,
            ),
            as_id=new,
            by=work.by,
            now=work.now,
            caseloads=caseloads,
            journal=work.journal,
        )
        return arranged

    async def again(kept: Kept) -> Absence:
        return await caseloads.absence(AbsenceId(kept.resource), programmes=work.by.reach(Act.HAND_OVER).everyone_in)

    return AbsenceOut.of(await once(work, key, Kept(status=201, resource=new), do=arrange, again=again))


@reading("/caseload/absences", act=Act.HAND_OVER, name="list_absences", problems=())
async def list_absences(
    work: TheWork, programme: OfProgramme, after: After = None, limit: Limit = USUAL
) -> Page[AbsenceOut]:
    """Who is away from a programme now or will be, and who stands in, in the order in which it was arranged."""
    work.by.require(Act.HAND_OVER, ProgrammeId(programme))
    place = None if after is None else AbsenceId(after)
    found = await caseloads_of(work).absences(ProgrammeId(programme), after=place, limit=limit)
    items = [AbsenceOut.of(each) for each in found]
    return Page(items=items, next=items[-1].id if len(items) == limit else None)


@writing("/caseload/absences/{absence_id:uuid}/end", act=Act.HAND_OVER, name="end_absence", status=204)
async def end_absence(absence_id: FromPath[UUID], work: TheWork, key: TheKey) -> None:
    """The counsellor is back: the cover ends now. An absence that has not begun does not take place."""
    caseloads = caseloads_of(work)

    async def end() -> None:
        away = await caseloads.absence(AbsenceId(absence_id), programmes=work.by.reach(Act.HAND_OVER).everyone_in)
        await domain.end_absence(away, by=work.by, now=work.now, caseloads=caseloads, journal=work.journal)

    await once(work, key, Kept(status=204, resource=absence_id), do=end, again=nothing_more)
