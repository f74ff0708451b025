"""An accounting of disclosures is made for a client's request, and given as it was made."""

import asyncio
from datetime import date, datetime
from typing import Any
from uuid import UUID

from litestar import Response
from litestar.params import FromPath, JSONBody

from caseload.api.disclosure.accountings import (
    MEDIA_TYPES,
    AccountingFormat,
    AccountingOperation,
    AccountingOut,
    As,
)
from caseload.api.disclosure.printing import printed
from caseload.api.reaching import ReachByOut, reach_by
from caseload.api.rights.requests import kept_in
from caseload.api.route import reading, writing
from caseload.api.wire import Wire
from caseload.api.work import TheKey, TheWork, client_within
from caseload.db.disclosure import KeptDisclosures
from caseload.db.idempotency import Kept
from caseload.db.programme import Programmes
from caseload.db.rights import KeptAccountings
from caseload.domain import rights as domain
from caseload.domain.access import Act
from caseload.domain.disclosure import AccountingKind
from caseload.domain.ids import AccountingId, RightsRequestId, new_id
from caseload.domain.rights import GivenAccounting
from caseload.request.idempotency import once
from caseload.request.work import Work
from caseload.typesetting import typeset

_ACT = Act.ANSWER_RIGHTS_REQUEST


class RightsAccountingIn(Wire, frozen=True, kw_only=True):
    """By which definition the accounting is made."""

    definition: AccountingKind


class RightsAccountingOut(Wire, frozen=True, kw_only=True):
    """An accounting that was made for a request; its file is the same each time."""

    id: UUID
    request_id: UUID
    client_id: UUID
    definition: AccountingKind
    rule: str
    since: date
    """The first local day that it covers; it ends when it was made."""
    lines: int
    left_out: int
    sha256: str
    """Of the JSON that is given."""
    made_by: UUID
    made_at: datetime
    reach_by: ReachByOut
    """How and where the client is reached: where it is sent, if they do not fetch it."""

    @classmethod
    def of(cls, made: GivenAccounting, reach_by: ReachByOut) -> "RightsAccountingOut":
        """From the domain."""
        return cls(
            id=made.id,
            request_id=made.request,
            client_id=made.client,
            definition=made.definition,
            rule=made.rule,
            since=made.since,
            lines=made.lines,
            left_out=made.left_out,
            sha256=made.sha256.hex(),
            made_by=made.made_by,
            made_at=made.made_at,
            reach_by=reach_by,
        )


class RightsAccountingsOut(Wire, frozen=True, kw_only=True):
    """The accountings made for one request, the last first."""

    items: list[RightsAccountingOut]


@writing("/rights-requests/{request_id:uuid}/accountings", act=_ACT, name="make_rights_accounting")
async def make_rights_accounting(
    request_id: FromPath[UUID], data: JSONBody[RightsAccountingIn], work: TheWork, key: TheKey
) -> RightsAccountingOut:
    """Make the accounting that a client asks for, as of now, and keep it as it is given. The request stays to be answered."""
    new = AccountingId(new_id())

    async def make() -> GivenAccounting:
        request = await kept_in(work).hold(RightsRequestId(request_id), by=work.by, act=_ACT)
        client = await client_within(work, request.client, _ACT)
        return await domain.make_accounting(
            request,
            data.definition,
            client,
            await Programmes(work.connection).get(client.programme),
            as_id=new,
            by=work.by,
            now=work.now,
            disclosures=KeptDisclosures(work.connection, work.journal, now=work.now),
            accountings=_kept(work),
            journal=work.journal,
        )

    async def again(found: Kept) -> GivenAccounting:
        return await _kept(work).get(AccountingId(found.resource), by=work.by, act=_ACT)

    made = await once(work, key, Kept(status=201, resource=new), do=make, again=again)
    return RightsAccountingOut.of(made, await reach_by(work, made.client))


@reading("/rights-requests/{request_id:uuid}/accountings", act=_ACT, name="list_rights_accountings")
async def list_rights_accountings(request_id: FromPath[UUID], work: TheWork) -> RightsAccountingsOut:
    """The accountings that were made for a request."""
    request = await kept_in(work).get(RightsRequestId(request_id), by=work.by, act=_ACT)
    found = await _kept(work).made_for(request.id, by=work.by, act=_ACT)
    ways = await reach_by(work, request.client)
    return RightsAccountingsOut(items=[RightsAccountingOut.of(each, ways) for each in found])


@reading(
    "/rights-accountings/{accounting_id:uuid}/file",
    act=_ACT,
    name="send_rights_accounting",
    operation_class=AccountingOperation,
)
async def send_rights_accounting(
    accounting_id: FromPath[UUID], work: TheWork, format_: As = AccountingFormat.JSON
) -> Response[AccountingOut]:
    """The accounting as it was made, the same bytes each time; the PDF is set from them."""
    made = await _kept(work).get(AccountingId(accounting_id), by=work.by, act=_ACT)
    content: Any = made.written
    if format_ is AccountingFormat.PDF:
        content = await asyncio.to_thread(typeset, "accounting.typ", printed(made.written))
    headers = {"Content-Disposition": f'attachment; filename="accounting-{made.definition}-{made.id}.{format_}"'}
    return Response(content, media_type=MEDIA_TYPES[format_], headers=headers)


def _kept(work: Work) -> KeptAccountings:
    return KeptAccountings(work.connection, work.journal, now=work.now)
