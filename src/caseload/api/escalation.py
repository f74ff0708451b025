"""Escalations over HTTP: raised, listed while they are open, acknowledged; and what is done in an emergency."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from litestar import Response, Router
from litestar.params import FromPath, JSONBody, QueryParameter

from caseload.api.on_call import ReachedOut, reached
from caseload.api.pages import USUAL, After, Limit, Page
from caseload.api.route import reading, writing
from caseload.api.wire import Wire
from caseload.api.work import IfMatch, TheKey, TheWork, client_within, require_version, versioned
from caseload.db.escalation import Escalations, Instructions
from caseload.db.idempotency import Kept
from caseload.db.on_call import KeptRotas
from caseload.db.programme import Programmes
from caseload.db.versions import AFTER_ALL
from caseload.domain import escalation as domain
from caseload.domain.access import Act
from caseload.domain.escalation import Escalation, Ground, Instruction, PassedTo, Passing, usual_instruction
from caseload.domain.ids import EscalationId, ProgrammeId, new_id
from caseload.request.idempotency import once
from caseload.request.work import Work

OfProgramme = Annotated[
    UUID | None,
    QueryParameter(name="programme", required=False, description="Of this programme only; else of all you reach."),
]


class EscalationIn(Wire, frozen=True, kw_only=True):
    """What does not wait."""

    ground: Ground
    said: str
    """What was said or seen."""


class AcknowledgementIn(Wire, frozen=True, kw_only=True):
    """That you take it on."""

    doing: str
    """What is being done."""


class EmergencyInstructionIn(Wire, frozen=True, kw_only=True):
    """What is done in an emergency, with the numbers to call."""

    says: str


class AcknowledgementOut(Wire, frozen=True, kw_only=True):
    """That a clinician has taken it on."""

    doing: str
    acknowledged_by: UUID
    acknowledged_at: datetime


class PassingOut(Wire, frozen=True, kw_only=True):
    """That nobody had acknowledged it in time, and to whom it went then. It stays open."""

    passed_to: PassedTo
    staff: list[UUID]
    """Who that was; empty where nobody was on call, or nobody supervised."""
    rule: str
    passed_at: datetime


class EscalationOut(Wire, frozen=True, kw_only=True):
    """What a clinician must hear of at once."""

    id: UUID
    client_id: UUID
    programme_id: UUID
    ground: Ground
    check_in_id: UUID | None
    """The check-in of which an answer raised it."""
    observation_id: UUID | None
    """The observation outside a check-in of which an answer raised it."""
    said: str | None
    raised_by: UUID
    raised_at: datetime
    acknowledgement: AcknowledgementOut | None
    """Null while it is open."""
    passed: list[PassingOut]
    """To whom it went because nobody acknowledged it in time, in their turn."""

    @classmethod
    def of(cls, one: Escalation, passings: Sequence[Passing] = ()) -> "EscalationOut":
        """From the domain."""
        taken_on = one.acknowledged
        return cls(
            id=one.id,
            client_id=one.client,
            programme_id=one.programme,
            ground=one.ground,
            check_in_id=one.check_in,
            observation_id=None if one.observation is None else one.observation.id,
            said=one.said,
            raised_by=one.raised_by,
            raised_at=one.raised_at,
            acknowledgement=None
            if taken_on is None
            else AcknowledgementOut(doing=taken_on.doing, acknowledged_by=taken_on.by, acknowledged_at=taken_on.at),
            passed=[
                PassingOut(passed_to=each.to, staff=list(each.staff), rule=each.rule, passed_at=each.passed_at)
                for each in passings
            ],
        )


class EmergencyInstructionOut(Wire, frozen=True, kw_only=True):
    """What whoever learns of an emergency does on the spot."""

    programme_id: UUID
    version: int
    """Also the ETag. 0 where the programme has written none, and that of its country stands."""
    says: str
    source: str
    decided_by: UUID | None
    decided_at: datetime | None

    @classmethod
    def of(cls, one: Instruction) -> "EmergencyInstructionOut":
        """From the domain."""
        return cls(
            programme_id=one.programme,
            version=one.version,
            says=one.says,
            source=one.source,
            decided_by=one.decided_by,
            decided_at=one.decided_at,
        )


class EscalatedOut(Wire, frozen=True, kw_only=True):
    """An escalation as it was raised, with what to do on the spot."""

    escalation: EscalationOut
    instruction: EmergencyInstructionOut
    reaches: ReachedOut
    """Which clinician it reaches; that nobody is on call, where that is so."""


class EmergencyOut(Wire, frozen=True, kw_only=True):
    """What of the answers does not wait: act on it now."""

    instruction: EmergencyInstructionOut
    """What to do on the spot."""
    escalations: list[EscalationOut]
    """Each stays open until a clinician has acknowledged it."""
    reaches: ReachedOut
    """Which clinician they reach; that nobody is on call, where that is so."""


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


@reading(
    "/programmes/{programme_id:uuid}/emergency-instruction",
    act=Act.SEE_PROGRAMMES,
    name="read_emergency_instruction",
    unaudited="what to do in an emergency, which everybody should know",
)
async def read_emergency_instruction(programme_id: FromPath[UUID], work: TheWork) -> Response[EmergencyInstructionOut]:
    """What is done in an emergency: the programme's own, or that of its country."""
    said = await emergency(work, ProgrammeId(programme_id))
    return versioned(said, said.version)


@writing(
    "/programmes/{programme_id:uuid}/emergency-instruction",
    act=Act.KEEP_CHECK_IN_RULES,
    name="write_emergency_instruction",
    method="PUT",
    status=200,
    problems=(404, 412, 428),
)
async def write_emergency_instruction(
    programme_id: FromPath[UUID], data: JSONBody[EmergencyInstructionIn], work: TheWork, if_match: IfMatch = None
) -> Response[EmergencyInstructionOut]:
    """Write what is done in an emergency in a programme: a new version; the former ones stay."""
    programme = await Programmes(work.connection).get(ProgrammeId(programme_id))
    before = await Instructions(work.connection).instruction(programme.id)
    version = 0 if before is None else before.version
    require_version(if_match, version)
    written = await domain.instruct(
        programme.id,
        data.says,
        version=version,
        by=work.by,
        now=work.now,
        instructions=Instructions(work.connection),
        journal=work.journal,
    )
    return versioned(EmergencyInstructionOut.of(written), written.version)


async def emergency(work: Work, programme_id: ProgrammeId) -> EmergencyInstructionOut:
    """What is done in an emergency in a programme."""
    programme = await Programmes(work.connection).get(programme_id)
    today = programme.today(work.now)
    own = await Instructions(work.connection).instruction(programme.id)
    return EmergencyInstructionOut.of(own or usual_instruction(programme.id, programme.rules_on(today).country, today))


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


router = Router(
    "/",
    route_handlers=[
        raise_escalation,
        list_escalations,
        list_open_escalations,
        acknowledge_escalation,
        read_emergency_instruction,
        write_emergency_instruction,
    ],
    tags=["Check-ins"],
)
