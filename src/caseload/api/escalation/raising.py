"""What does not wait, over HTTP: raised, listed while it is open, and acknowledged."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from litestar.params import FromPath, JSONBody, QueryParameter

from caseload.api.escalation.instruction import emergency
from caseload.api.escalation.wire import AcknowledgementIn, EmergencyOut, EscalatedOut, EscalationIn, EscalationOut
from caseload.api.on_call import reached
from caseload.api.pages import USUAL, After, Limit, Page
from caseload.api.route import reading, writing
from caseload.api.work import TheKey, TheWork, client_within
from caseload.db.escalation import Escalations
from caseload.db.idempotency import Kept
from caseload.db.on_call import KeptRotas
from caseload.db.versions import AFTER_ALL
from caseload.domain import escalation as domain
from caseload.domain.access import Act
from caseload.domain.escalation import Escalation
from caseload.domain.ids import EscalationId, ProgrammeId, new_id
from caseload.request.idempotency import once
from caseload.request.work import Work

OfProgramme = Annotated[
    UUID | None,
    QueryParameter(name="programme", required=False, description="Of this programme only; else of all you reach."),
]


@writing("/clients/{client_id:uuid}/escalations", act=Act.ESCALATE, name="raise_escalation")
async def raise_escalation(
    client_id: FromPath[UUID], data: JSONBody[EscalationIn], work: TheWork, key: TheKey
) -> EscalatedOut:
    """Tell the clinicians what does not wait. The answer says what to do on the spot."""
    client = await client_within(work, client_id, Act.ESCALATE)
    new = EscalationId(new_id())

    async def raise_it() -> Escalation:
        return await domain.escalate(
            client.id,
            data.ground,
            data.said,
            as_id=new,
            programme=client.programme,
            by=work.by,
            now=work.now,
            escalations=escalations_of(work),
            journal=work.journal,
        )

    async def again(kept: Kept) -> Escalation:
        return await escalations_of(work).get(EscalationId(kept.resource), reach=work.by.reach(Act.ESCALATE))

    made = await once(work, key, Kept(status=201, resource=new), do=raise_it, again=again)
    return EscalatedOut(
        escalation=(await shown(work, [made]))[0],
        instruction=await emergency(work, made.programme),
        reaches=await reached(work, made.programme),
    )


@reading("/clients/{client_id:uuid}/escalations", act=Act.SEE_ESCALATIONS, name="list_escalations")
async def list_escalations(
    client_id: FromPath[UUID], work: TheWork, after: After = None, limit: Limit = USUAL
) -> Page[EscalationOut]:
    """Everything that was escalated of a client, the newest first."""
    client = await client_within(work, client_id, Act.SEE_ESCALATIONS)
    found = await escalations_of(work).of_client(client.id, after=after or AFTER_ALL, limit=limit)
    items = await shown(work, found)
    return Page(items=items, next=items[-1].id if len(items) == limit else None)


@reading("/open-escalations", act=Act.SEE_ESCALATIONS, name="list_open_escalations", problems=())
async def list_open_escalations(
    work: TheWork, programme: OfProgramme = None, after: After = None, limit: Limit = USUAL
) -> Page[EscalationOut]:
    """What no clinician has acknowledged yet, within your reach, the oldest first."""
    found = await escalations_of(work).open(
        programme=None if programme is None else ProgrammeId(programme),
        reach=work.by.reach(Act.SEE_ESCALATIONS),
        after=after,
        limit=limit,
    )
    items = await shown(work, found)
    return Page(items=items, next=items[-1].id if len(items) == limit else None)


@writing(
    "/escalations/{escalation_id:uuid}/acknowledgement",
    act=Act.ACKNOWLEDGE_ESCALATION,
    name="acknowledge_escalation",
)
async def acknowledge_escalation(
    escalation_id: FromPath[UUID], data: JSONBody[AcknowledgementIn], work: TheWork, key: TheKey
) -> EscalationOut:
    """Take an escalation on as a clinician, and say what is being done. Whoever comes second learns who was first."""
    escalations, wanted = escalations_of(work), EscalationId(escalation_id)
    reach = work.by.reach(Act.ACKNOWLEDGE_ESCALATION)

    async def acknowledge() -> Escalation:
        return await domain.acknowledge(
            await escalations.hold(wanted, reach=reach),
            data.doing,
            by=work.by,
            now=work.now,
            escalations=escalations,
            journal=work.journal,
        )

    async def again(kept: Kept) -> Escalation:
        return await escalations.get(EscalationId(kept.resource), reach=reach)

    kept = await once(work, key, Kept(status=201, resource=escalation_id), do=acknowledge, again=again)
    return (await shown(work, [kept]))[0]


async def told_on_the_spot(work: Work, raised: Sequence[Escalation], programme_id: ProgrammeId) -> EmergencyOut | None:
    """What whoever gave the answers is told of what they have raised; None where that is nothing."""
    if not raised:
        return None
    return EmergencyOut(
        instruction=await emergency(work, programme_id),
        escalations=await shown(work, raised),
        reaches=await reached(work, programme_id),
    )


async def shown(work: Work, found: Sequence[Escalation]) -> list[EscalationOut]:
    """Escalations, each with where it went."""
    passings = await KeptRotas(work.connection, now=work.now).passings([each.id for each in found])
    return [EscalationOut.of(each, passings.get(each.id, ())) for each in found]


def escalations_of(work: Work) -> Escalations:
    """The escalations, for one piece of work."""
    return Escalations(work.connection, work.journal, now=work.now)
