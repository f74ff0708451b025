"""Escalations in PostgreSQL, and what a programme says is done in an emergency."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Date, Row, Select, Text, Uuid, bindparam, delete, exists, insert, literal, select
from sqlalchemy.dialects.postgresql import insert as insert_or
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.access import reach_of, within_reach
from caseload.db.tables.base import INSTANT
from caseload.db.tables.caseload import client
from caseload.db.tables.escalation import (
    emergency_instruction,
    escalation,
    escalation_acknowledgement,
    escalation_open,
)
from caseload.domain.access import Reach
from caseload.domain.escalation import (
    OWN,
    Acknowledgement,
    AlreadyAcknowledged,
    Escalation,
    EscalationUnknown,
    Ground,
    Instruction,
    InstructionChanged,
    OfObservation,
)
from caseload.domain.ids import CheckInId, ClientId, EscalationId, ProgrammeId, StaffId
from caseload.domain.journal import Journal

_WITHIN = within_reach()
_EVERY = select(
    *(column for column in escalation.c if column is not escalation.c.missed_since),
    escalation_acknowledgement.c.doing,
    escalation_acknowledgement.c.recorded_by.label("acknowledged_by"),
    escalation_acknowledgement.c.recorded_at.label("acknowledged_at"),
).select_from(
    escalation.outerjoin(
        escalation_acknowledgement, escalation_acknowledgement.c.escalation_id == escalation.c.id
    ).join(client, client.c.id == escalation.c.client_id)
)
_ONE = _EVERY.where(escalation.c.id == bindparam("escalation"), _WITHIN)
_HOLD = (
    select(escalation_open.c.escalation_id)
    .where(escalation_open.c.escalation_id == bindparam("escalation"))
    .with_for_update()
)
OF_CHECK_IN: Final = _EVERY.where(escalation.c.check_in_id == bindparam("check_in")).order_by(escalation.c.id)
OF_OBSERVATION: Final = _EVERY.where(escalation.c.observation_id == bindparam("observation")).order_by(escalation.c.id)
OF_CLIENT: Final = (
    _EVERY.where(escalation.c.client_id == bindparam("client"), escalation.c.id < bindparam("after"))
    .order_by(escalation.c.id.desc())
    .limit(bindparam("limit"))
)
OPEN: Final = (
    _EVERY.join(escalation_open, escalation_open.c.escalation_id == escalation.c.id)
    .where(escalation_open.c.escalation_id > bindparam("after"), _WITHIN)
    .order_by(escalation_open.c.escalation_id)
    .limit(bindparam("limit"))
)
"""The oldest first. What is open is little, so that walking all of it for whom one reaches costs little."""
OPEN_IN_PROGRAMME: Final = OPEN.where(escalation_open.c.programme_id == bindparam("programme"))
_ADD = insert_or(escalation).on_conflict_do_nothing().returning(escalation.c.id)
_OPENED = insert(escalation_open)
_waits = escalation.alias("waits")
_ADD_MISSED = (
    insert_or(escalation)
    .from_select(
        ["id", "client_id", "programme_id", "ground", "said", "recorded_by", "recorded_at", "missed_since"],
        select(
            bindparam("id", type_=Uuid()),
            bindparam("client_id", type_=Uuid()),
            bindparam("programme_id", type_=Uuid()),
            literal(Ground.MISSED_DOSES.value),
            bindparam("said", type_=Text()),
            bindparam("by", type_=Uuid()),
            bindparam("at", type_=INSTANT),
            bindparam("since", type_=Date()),
        ).where(
            ~exists(
                select(_waits.c.id)
                .join(escalation_open, escalation_open.c.escalation_id == _waits.c.id)
                .where(_waits.c.client_id == bindparam("client_id"), _waits.c.ground == Ground.MISSED_DOSES.value)
            )
        ),
    )
    .on_conflict_do_nothing()
    .returning(escalation.c.id)
)
"""Unless this run has been raised, or another one of the client waits for a clinician."""
_ACKNOWLEDGE = insert(escalation_acknowledgement)
_CLOSE = delete(escalation_open).where(escalation_open.c.escalation_id == bindparam("escalation"))
_INSTRUCTION = (
    select(
        emergency_instruction.c.version,
        emergency_instruction.c.says,
        emergency_instruction.c.decided_by,
        emergency_instruction.c.decided_at,
    )
    .where(emergency_instruction.c.programme_id == bindparam("programme"))
    .order_by(emergency_instruction.c.version.desc())
    .limit(1)
)
BEFORE_ALL: Final = UUID(int=0)


class Escalations:
    """Satisfies `domain.escalation.Escalations`."""

    def __init__(self, connection: AsyncConnection, journal: Journal, *, now: datetime) -> None:
        self._connection = connection
        self._journal = journal
        self._now = now

    async def get(self, wanted: EscalationId, *, reach: Reach) -> Escalation:
        """One escalation; or `EscalationUnknown`."""
        given = {"escalation": wanted, **reach_of(reach, at=self._now, by_identifier=True)}
        found = await self._found(_ONE, given)
        if not found:
            raise EscalationUnknown("Look at the list of what is open for its identifier.")
        return found[0]

    async def hold(self, wanted: EscalationId, *, reach: Reach) -> Escalation:
        """One escalation, held so that nobody else acknowledges it meanwhile; or `EscalationUnknown`."""
        await self._connection.execute(_HOLD, {"escalation": wanted})
        return await self.get(wanted, reach=reach)

    async def open(
        self, *, programme: ProgrammeId | None, reach: Reach, after: UUID | None, limit: int
    ) -> Sequence[Escalation]:
        """What nobody has acknowledged, of everybody within reach or of one programme, the oldest first."""
        given: dict[str, Any] = {"after": after or BEFORE_ALL, "limit": limit, **reach_of(reach, at=self._now)}
        if programme is None:
            return await self._found(OPEN, given)
        return await self._found(OPEN_IN_PROGRAMME, {**given, "programme": programme})

    async def of_client(self, of: ClientId, *, after: UUID, limit: int) -> Sequence[Escalation]:
        """Everything that was ever escalated of a client, the newest first. Whoever asks may see them."""
        self._journal.saw(of, "escalation")
        return await self._found(OF_CLIENT, {"client": of, "after": after, "limit": limit})

    async def of_check_in(self, check_in: UUID) -> Sequence[Escalation]:
        """See `domain.escalation.Escalations.of_check_in`."""
        return await self._found(OF_CHECK_IN, {"check_in": check_in})

    async def of_observation(self, observation: UUID) -> Sequence[Escalation]:
        """See `domain.escalation.Escalations.of_observation`."""
        return await self._found(OF_OBSERVATION, {"observation": observation})

    async def _found(self, statement: Select[*tuple[Any, ...]], given: dict[str, Any]) -> Sequence[Escalation]:
        found = [_escalation(row) for row in await self._connection.execute(statement, given)]
        for each in found:
            self._journal.saw(each.client, "escalation")
        return found

    async def add(self, escalations: Sequence[Escalation]) -> frozenset[EscalationId]:
        """See `domain.escalation.Escalations.add`."""
        found = await self._connection.execute(
            _ADD,
            [
                {
                    "id": each.id,
                    "client_id": each.client,
                    "programme_id": each.programme,
                    "ground": each.ground,
                    "check_in_id": each.check_in,
                    "observation_id": None if each.observation is None else each.observation.id,
                    "observation_version": None if each.observation is None else each.observation.version,
                    "said": each.said,
                    "recorded_by": each.raised_by,
                    "recorded_at": each.raised_at,
                }
                for each in escalations
            ],
        )
        kept = frozenset(EscalationId(row.id) for row in found)
        opened = [{"escalation_id": each.id, "programme_id": each.programme} for each in escalations if each.id in kept]
        if opened:
            await self._connection.execute(_OPENED, opened)
        return kept

    async def add_missed(self, raised: Escalation, since: date) -> bool:
        """See `domain.escalation.missed.MissedRuns.add_missed`."""
        values = {
            "id": raised.id,
            "client_id": raised.client,
            "programme_id": raised.programme,
            "said": raised.said,
            "by": raised.raised_by,
            "at": raised.raised_at,
            "since": since,
        }
        if (await self._connection.execute(_ADD_MISSED, values)).first() is None:
            return False
        await self._connection.execute(_OPENED, {"escalation_id": raised.id, "programme_id": raised.programme})
        return True

    async def add_acknowledgement(self, acknowledged: Escalation, acknowledgement: Acknowledgement) -> None:
        """See `domain.escalation.Escalations.add_acknowledgement`."""
        try:
            await self._connection.execute(
                _ACKNOWLEDGE,
                {
                    "escalation_id": acknowledged.id,
                    "doing": acknowledgement.doing,
                    "recorded_by": acknowledgement.by,
                    "recorded_at": acknowledgement.at,
                },
            )
        except IntegrityError as raced:
            raise AlreadyAcknowledged("Read it for what is being done.") from raced
        await self._connection.execute(_CLOSE, {"escalation": acknowledged.id})


class Instructions:
    """Satisfies `domain.escalation.Instructions`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def instruction(self, programme: ProgrammeId) -> Instruction | None:
        """See `domain.escalation.Instructions.instruction`."""
        row = (await self._connection.execute(_INSTRUCTION, {"programme": programme})).first()
        if row is None:
            return None
        return Instruction(
            programme=programme,
            version=row.version,
            says=row.says,
            source=OWN,
            decided_by=StaffId(row.decided_by),
            decided_at=row.decided_at,
        )

    async def add_instruction(self, instruction: Instruction) -> None:
        """See `domain.escalation.Instructions.add_instruction`."""
        try:
            await self._connection.execute(
                insert(emergency_instruction).values(
                    programme_id=instruction.programme,
                    version=instruction.version,
                    says=instruction.says,
                    decided_by=instruction.decided_by,
                    decided_at=instruction.decided_at,
                )
            )
        except IntegrityError as raced:
            raise InstructionChanged("Read it again and decide whether your change still holds.") from raced


def _escalation(row: Row[*tuple[Any, ...]]) -> Escalation:
    return Escalation(
        id=EscalationId(row.id),
        client=ClientId(row.client_id),
        programme=ProgrammeId(row.programme_id),
        ground=Ground(row.ground),
        check_in=None if row.check_in_id is None else CheckInId(row.check_in_id),
        observation=None
        if row.observation_id is None
        else OfObservation(id=row.observation_id, version=row.observation_version),
        said=row.said,
        raised_by=StaffId(row.recorded_by),
        raised_at=row.recorded_at,
        acknowledged=None
        if row.acknowledged_by is None
        else Acknowledgement(doing=row.doing, by=StaffId(row.acknowledged_by), at=row.acknowledged_at),
    )
