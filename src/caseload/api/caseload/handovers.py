"""The handovers of a client, and the cancelling of one that is planned."""

from datetime import datetime
from uuid import UUID

from litestar import Response
from litestar.params import FromPath

from caseload.api.caseload.store import caseloads_of
from caseload.api.route import reading, writing
from caseload.api.wire import Wire
from caseload.api.work import IfMatch, TheKey, TheWork, etag, nothing_more, require_version
from caseload.db.idempotency import Kept
from caseload.domain import caseload as domain
from caseload.domain.access import Act
from caseload.domain.caseload import Responsibility
from caseload.domain.ids import ClientId
from caseload.request.idempotency import once


class HandoverOut(Wire, frozen=True, kw_only=True):
    """One counsellor answers for the client, from a handover (or the admission) until the next."""

    id: UUID
    counsellor_id: UUID
    since: datetime
    until: datetime | None
    """The next handover, or the discharge; null while neither is known."""
    is_planned: bool
    """Still to come: it can be cancelled."""
    recorded_by: UUID
    recorded_at: datetime

    @classmethod
    def of(cls, period: Responsibility, now: datetime) -> "HandoverOut":
        """From the domain."""
        return cls(
            id=period.id,
            counsellor_id=period.counsellor,
            since=period.since,
            until=period.until,
            is_planned=period.since > now,
            recorded_by=period.recorded_by,
            recorded_at=period.recorded_at,
        )


class HandoversOut(Wire, frozen=True, kw_only=True):
    """Who has answered for a client from when on, and who will, newest first."""

    items: list[HandoverOut]


@reading("/clients/{client_id:uuid}/handovers", act=Act.SEE_CASELOAD, name="list_handovers")
async def list_handovers(client_id: FromPath[UUID], work: TheWork) -> Response[HandoversOut]:
    """Who has answered for a client from when on, and who will by what is planned. The ETag changes with each."""
    found = await caseloads_of(work).handovers(ClientId(client_id), reach=work.by.reach(Act.SEE_CASELOAD))
    items = [HandoverOut.of(each, work.now) for each in found.periods]
    return Response(HandoversOut(items=items), headers={"etag": etag(found.version)})


@writing(
    "/clients/{client_id:uuid}/handovers/{handover_id:uuid}/cancellation",
    act=Act.HAND_OVER,
    name="cancel_handover",
    status=204,
    problems=(404, 412, 428),
)
async def cancel_handover(
    client_id: FromPath[UUID], handover_id: FromPath[UUID], work: TheWork, key: TheKey, if_match: IfMatch = None
) -> None:
    """Cancel a handover before its moment comes: whoever is responsible until then stays so.

    If-Match names the handovers as they were read, so that nobody undoes what a colleague has planned since.
    """
    client, reach, caseloads = ClientId(client_id), work.by.reach(Act.HAND_OVER), caseloads_of(work)

    async def cancel() -> None:
        episode = await caseloads.open_episode(client, reach=reach, held=True)
        handovers = await caseloads.handovers(client, reach=reach)
        require_version(if_match, handovers.version)
        await domain.cancel_handover(
            handover_id,
            episode,
            handovers,
            by=work.by,
            now=work.now,
            caseloads=caseloads,
            journal=work.journal,
        )

    await once(work, key, Kept(status=204, resource=handover_id), do=cancel, again=nothing_more)
