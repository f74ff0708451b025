"""What is done in an emergency in a programme, over HTTP: its own words, or those of its country."""

from datetime import datetime
from uuid import UUID

from litestar import Response
from litestar.params import FromPath, JSONBody

from caseload.api.route import reading, writing
from caseload.api.wire import Wire
from caseload.api.work import IfMatch, TheWork, require_version, versioned
from caseload.db.escalation import Instructions
from caseload.db.programme import Programmes
from caseload.domain import escalation as domain
from caseload.domain.access import Act
from caseload.domain.escalation import Instruction, usual_instruction
from caseload.domain.ids import ProgrammeId
from caseload.request.work import Work


class EmergencyInstructionIn(Wire, frozen=True, kw_only=True):
    """What is done in an emergency, with the numbers to call."""

    says: str


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
