"""A client's request is taken, put off once at most, and answered; and which of them wait for an answer."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from litestar.params import FromPath, JSONBody

from caseload.api.reaching import reach_by_where_shown
from caseload.api.rights.agreed import RightsContactEndIn, RightsRestrictionEndIn, RightsTerminationIn
from caseload.api.rights.amended import RightsAskedAlongIn, RightsStatementIn
from caseload.api.rights.wire import (
    DueRightsRequestOut,
    DueRightsRequestsOut,
    RightsAnswerIn,
    RightsPutOffIn,
    RightsRequestIn,
    RightsRequestOut,
    RightsRequestsOut,
)
from caseload.api.route import reading, writing
from caseload.api.work import TheKey, TheWork, client_within, concerns
from caseload.db.idempotency import Kept
from caseload.db.programme import Programmes
from caseload.db.rights import MOST, KeptRights
from caseload.domain import rights as domain
from caseload.domain.access import Act
from caseload.domain.ids import RightsRequestId, new_id
from caseload.domain.programme import Programme
from caseload.domain.rights import RightsRequest
from caseload.request.idempotency import RequestKey, once
from caseload.request.work import Work


@writing("/clients/{client_id:uuid}/rights-requests", act=Act.TAKE_RIGHTS_REQUEST, name="take_rights_request")
async def take_rights_request(
    client_id: FromPath[UUID], data: JSONBody[RightsRequestIn], work: TheWork, key: TheKey
) -> RightsRequestOut:
    """Take what a client asks for about their own record. The clock runs since the local day on which it was received."""
    client = await client_within(work, client_id, Act.TAKE_RIGHTS_REQUEST)
    programme, new = await Programmes(work.connection).get(client.programme), RightsRequestId(new_id())

    async def take() -> RightsRequest:
        return await domain.take_request(
            data.read(),
            client,
            programme,
            as_id=new,
            by=work.by,
            now=work.now,
            requests=kept_in(work),
            journal=work.journal,
        )

    return await _once(work, key, Kept(status=201, resource=new), Act.TAKE_RIGHTS_REQUEST, do=take)


@reading("/clients/{client_id:uuid}/rights-requests", act=Act.SEE_RIGHTS_REQUESTS, name="list_rights_requests")
async def list_rights_requests(client_id: FromPath[UUID], work: TheWork) -> RightsRequestsOut:
    """Everything that a client has asked for, and what came of it."""
    client = await client_within(work, client_id, Act.SEE_RIGHTS_REQUESTS)
    found = await kept_in(work).of_client(client.id, by=work.by, act=Act.SEE_RIGHTS_REQUESTS)
    ways = await reach_by_where_shown(work, client.id)
    return RightsRequestsOut(items=[RightsRequestOut.of(each, ways) for each in found])


@reading("/rights-requests/due", act=Act.SEE_RIGHTS_REQUESTS, name="list_due_rights_requests", problems=())
async def list_due_rights_requests(work: TheWork) -> DueRightsRequestsOut:
    """Every request that nobody has answered, the longest overdue first."""
    programmes = await Programmes(work.connection).all()
    due = await domain.due_requests(by=work.by, now=work.now, programmes=programmes, requests=kept_in(work))
    return DueRightsRequestsOut(
        items=[DueRightsRequestOut.of(each) for each in due[:MOST]],
        overdue=sum(each.days_left < 0 for each in due),
        there_are_more=len(due) > MOST,
    )


@reading("/rights-requests/{request_id:uuid}", act=Act.SEE_RIGHTS_REQUESTS, name="read_rights_request")
async def read_rights_request(request_id: FromPath[UUID], work: TheWork) -> RightsRequestOut:
    """One request, and how far it has come."""
    wanted = RightsRequestId(request_id)
    found = await kept_in(work).get(wanted, by=work.by, act=Act.SEE_RIGHTS_REQUESTS)
    return RightsRequestOut.of(found, await reach_by_where_shown(work, found.client))


@writing("/rights-requests/{request_id:uuid}/put-off", act=Act.ANSWER_RIGHTS_REQUEST, name="put_off_rights_request")
async def put_off_rights_request(
    request_id: FromPath[UUID], data: JSONBody[RightsPutOffIn], work: TheWork, key: TheKey
) -> RightsRequestOut:
    """Take longer to answer, once and while the first time runs, after telling the client why and by when."""
    wanted = RightsRequestId(request_id)

    async def later() -> RightsRequest:
        return await domain.put_off(
            wanted,
            data.reason,
            data.told_on,
            programme=await _programme_of(work, wanted),
            by=work.by,
            now=work.now,
            requests=kept_in(work),
            journal=work.journal,
        )

    return await _added(work, key, wanted, do=later)


@writing("/rights-requests/{request_id:uuid}/answer", act=Act.ANSWER_RIGHTS_REQUEST, name="answer_rights_request")
async def answer_rights_request(
    request_id: FromPath[UUID], data: JSONBody[RightsAnswerIn], work: TheWork, key: TheKey
) -> RightsRequestOut:
    """Keep what came of a request, as the client was told. It is denied only on a ground that the profile knows for it."""
    wanted = RightsRequestId(request_id)

    async def answer() -> RightsRequest:
        return await domain.answer_request(
            wanted,
            data.read(),
            programme=await _programme_of(work, wanted),
            by=work.by,
            now=work.now,
            answers=kept_in(work),
            journal=work.journal,
        )

    return await _added(work, key, wanted, do=answer)


@writing("/rights-requests/{request_id:uuid}/statements", act=Act.ANSWER_RIGHTS_REQUEST, name="add_rights_statement")
async def add_rights_statement(
    request_id: FromPath[UUID], data: JSONBody[RightsStatementIn], work: TheWork, key: TheKey
) -> RightsRequestOut:
    """Put the client's disagreement to a denied amendment, or the programme's rebuttal to that; each once."""
    wanted = RightsRequestId(request_id)

    async def add() -> RightsRequest:
        return await domain.add_statement(
            wanted,
            data.side,
            data.says,
            by=work.by,
            now=work.now,
            statements=kept_in(work),
            journal=work.journal,
        )

    return await _added(work, key, wanted, do=add)


@writing("/rights-requests/{request_id:uuid}/asked-along", act=Act.ANSWER_RIGHTS_REQUEST, name="ask_rights_along")
async def ask_rights_along(
    request_id: FromPath[UUID], data: JSONBody[RightsAskedAlongIn], work: TheWork, key: TheKey
) -> RightsRequestOut:
    """Record that the client asks that a denied amendment go with what is told of the entry, without a statement."""
    wanted = RightsRequestId(request_id)

    async def along() -> RightsRequest:
        return await domain.ask_along(
            wanted, data.says, by=work.by, now=work.now, amendments=kept_in(work), journal=work.journal
        )

    return await _added(work, key, wanted, do=along)


@writing(
    "/rights-requests/{request_id:uuid}/restriction-end", act=Act.ANSWER_RIGHTS_REQUEST, name="end_agreed_restriction"
)
async def end_agreed_restriction(
    request_id: FromPath[UUID], data: JSONBody[RightsRestrictionEndIn], work: TheWork, key: TheKey
) -> RightsRequestOut:
    """Record that the client gives up a restriction that was agreed with them."""
    wanted = RightsRequestId(request_id)

    async def end() -> RightsRequest:
        return await domain.end_restriction(
            wanted,
            data.how,
            data.says,
            by=work.by,
            now=work.now,
            restrictions=kept_in(work),
            journal=work.journal,
        )

    return await _added(work, key, wanted, do=end)


@writing(
    "/rights-requests/{request_id:uuid}/restriction-termination",
    act=Act.ANSWER_RIGHTS_REQUEST,
    name="terminate_agreed_restriction",
)
async def terminate_agreed_restriction(
    request_id: FromPath[UUID], data: JSONBody[RightsTerminationIn], work: TheWork, key: TheKey
) -> RightsRequestOut:
    """Record that the programme ended by itself what it agreed to: what came in before the client was told stays restricted."""
    wanted = RightsRequestId(request_id)

    async def terminate() -> RightsRequest:
        return await domain.terminate_restriction(
            wanted,
            data.told_at,
            data.says,
            programme=await _programme_of(work, wanted),
            by=work.by,
            now=work.now,
            restrictions=kept_in(work),
            journal=work.journal,
        )

    return await _added(work, key, wanted, do=terminate)


@writing("/rights-requests/{request_id:uuid}/contact-end", act=Act.ANSWER_RIGHTS_REQUEST, name="end_agreed_contact")
async def end_agreed_contact(
    request_id: FromPath[UUID], data: JSONBody[RightsContactEndIn], work: TheWork, key: TheKey
) -> RightsRequestOut:
    """Record that the client gives up what was agreed of how they are reached; what they said last stays, and may be changed."""
    wanted = RightsRequestId(request_id)

    async def end() -> RightsRequest:
        return await domain.end_contact(
            wanted, data.says, by=work.by, now=work.now, contacts=kept_in(work), journal=work.journal
        )

    return await _added(work, key, wanted, do=end)


def kept_in(work: Work) -> KeptRights:
    """The requests, as this piece of work sees them."""
    return KeptRights(work.connection, work.journal, now=work.now)


async def _programme_of(work: Work, wanted: RightsRequestId) -> Programme:
    request = await kept_in(work).get(wanted, by=work.by, act=Act.ANSWER_RIGHTS_REQUEST)
    return await Programmes(work.connection).get(request.programme)


async def _added(
    work: Work, key: RequestKey | None, to: RightsRequestId, *, do: Callable[[], Awaitable[RightsRequest]]
) -> RightsRequestOut:
    return await _once(work, key, Kept(status=201, resource=to), Act.ANSWER_RIGHTS_REQUEST, do=do)


async def _once(
    work: Work, key: RequestKey | None, kept: Kept, act: Act, *, do: Callable[[], Awaitable[RightsRequest]]
) -> RightsRequestOut:
    async def again(found: Kept) -> RightsRequest:
        return await kept_in(work).get(RightsRequestId(found.resource), by=work.by, act=act)

    request = await once(work, key, kept, do=do, again=again)
    concerns(work, request.programme, act)
    return RightsRequestOut.of(request, await reach_by_where_shown(work, request.client))
