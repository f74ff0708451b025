"""Check-ins over HTTP: a client's, and one with everything that happened to it."""

from uuid import UUID

from litestar import Response
from litestar.params import FromPath
from msgspec import structs

from caseload.api.checkin.store import check_ins_of
from caseload.api.checkin.wire import CheckInOut
from caseload.api.pages import USUAL, After, Limit, Page
from caseload.api.reaching import ReachByOut, reach_by
from caseload.api.route import reading
from caseload.api.work import TheWork, etag
from caseload.domain.access import Act
from caseload.domain.ids import CheckInId, ClientId


class CheckInAndContactOut(CheckInOut, frozen=True, kw_only=True):
    """A check-in with everything that happened to it, for whoever is about to make it."""

    reach_by: ReachByOut
    """How and where the client is reached, whatever the plan says of the way."""


@reading("/clients/{client_id:uuid}/check-ins", act=Act.SEE_CHECK_INS, name="list_check_ins")
async def list_check_ins(
    client_id: FromPath[UUID], work: TheWork, after: After = None, limit: Limit = USUAL
) -> Page[CheckInOut]:
    """A client's check-ins by when they were scheduled, latest first, also those to come."""
    found = await check_ins_of(work).of_client(
        ClientId(client_id),
        reach=work.by.reach(Act.SEE_CHECK_INS),
        after=None if after is None else CheckInId(after),
        limit=limit,
    )
    items = [CheckInOut.of(each) for each in found]
    return Page(items=items, next=items[-1].id if len(items) == limit else None)


@reading("/check-ins/{check_in_id:uuid}", act=Act.SEE_CHECK_INS, name="read_check_in")
async def read_check_in(check_in_id: FromPath[UUID], work: TheWork) -> Response[CheckInAndContactOut]:
    """One check-in with everything that happened to it, and how and where the client is reached for it."""
    found = await check_ins_of(work).get(CheckInId(check_in_id), reach=work.by.reach(Act.SEE_CHECK_INS))
    ways = await reach_by(work, found.check_in.client)
    told = CheckInAndContactOut(**structs.asdict(CheckInOut.of(found)), reach_by=ways)
    return Response(told, headers={"ETag": etag(len(found.outcomes))})
