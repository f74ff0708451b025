"""Who is on whose caseload."""

from datetime import date
from typing import Annotated
from uuid import UUID

from litestar.params import QueryParameter

from caseload.api.caseload.store import caseloads_of
from caseload.api.pages import USUAL, After, Limit, Page
from caseload.api.route import reading
from caseload.api.wire import Wire
from caseload.api.work import TheWork
from caseload.domain.access import Act
from caseload.domain.ids import ClientId, StaffId


class OnCaseloadOut(Wire, frozen=True, kw_only=True):
    """One client on a caseload."""

    client_id: UUID
    given_name: str
    family_name: str
    birth_date: date
    programme_id: UUID
    responsible_counsellor_id: UUID
    covering: bool
    """On this caseload because the counsellor covers for the responsible one."""
    keyworking: bool
    """On this caseload because the counsellor is the client's keyworker."""
    admitted_on: date


@reading("/caseload", act=Act.SEE_CASELOAD, name="list_caseload", problems=())
async def list_caseload(
    work: TheWork,
    counsellor: Annotated[
        UUID | None, QueryParameter(name="counsellor", required=False, description="Whose; yours when left out.")
    ] = None,
    after: After = None,
    limit: Limit = USUAL,
) -> Page[OnCaseloadOut]:
    """Whom a counsellor is responsible for, covers or is the keyworker of now, within your reach."""
    of = StaffId(counsellor) if counsellor else work.by.id
    lines = await caseloads_of(work).caseload(
        of,
        reach=work.by.reach(Act.SEE_CASELOAD),
        after=None if after is None else ClientId(after),
        limit=limit,
    )
    items = [
        OnCaseloadOut(
            client_id=line.client,
            given_name=line.given_name,
            family_name=line.family_name,
            birth_date=line.birth_date,
            programme_id=line.programme,
            responsible_counsellor_id=line.responsible,
            covering=line.covering,
            keyworking=line.keyworking,
            admitted_on=line.admitted_on,
        )
        for line in lines
    ]
    return Page(items=items, next=items[-1].client_id if len(items) == limit else None)
