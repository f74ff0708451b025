"""Before a dose: how the client is, and which steps of orders wait for a prescriber."""

from datetime import date, datetime
from uuid import UUID

from litestar.params import FromPath, JSONBody

from caseload.api.dosing.due import RefusalOut
from caseload.api.dosing.store import charts
from caseload.api.observation import Answers
from caseload.api.route import reading, writing
from caseload.api.wire import Wire
from caseload.api.work import TheKey, TheWork
from caseload.db.idempotency import Kept
from caseload.db.observation import KeptObservations
from caseload.db.programme import Programmes
from caseload.domain.access import Act
from caseload.domain.dosing import PreDose, Sedation, Seen, observe_before_dose
from caseload.domain.ids import ClientId, PreDoseId, ProgrammeId, new_id
from caseload.request.idempotency import once


class PreDoseIn(Wire, frozen=True, kw_only=True):
    """How the client is before today's dose. What the profile names holds the client until a prescriber has looked."""

    sedation: Sedation
    intoxicated: bool
    note: str = ""
    cows: Answers | None = None
    """Withdrawal, where it is measured: it is recorded as an observation too."""


class PreDoseOut(Wire, frozen=True, kw_only=True):
    """What somebody saw before a dose of a day."""

    id: UUID
    client_id: UUID
    dosing_day: date
    sedation: Sedation
    intoxicated: bool
    note: str
    recorded_by: UUID
    recorded_at: datetime
    seen_at: datetime
    """When it was seen; earlier than recorded where it was written down only afterwards."""
    observation_id: UUID | None
    """The withdrawal scale that was filled in with it."""
    hold_id: UUID | None
    """The hold that it raised; null where nothing was found, or the client is held for the same already."""

    @classmethod
    def of(cls, seen: PreDose) -> "PreDoseOut":
        """From the domain."""
        return cls(
            id=seen.id,
            client_id=seen.client,
            dosing_day=seen.dosing_day,
            sedation=seen.sedation,
            intoxicated=seen.intoxicated,
            note=seen.note,
            recorded_by=seen.recorded_by,
            recorded_at=seen.recorded_at,
            seen_at=seen.happened_at,
            observation_id=seen.withdrawal,
            hold_id=seen.hold,
        )


class WaitingStepOut(Wire, frozen=True, kw_only=True):
    """A client whose order has a step up that has come and not taken effect."""

    client_id: UUID
    order_id: UUID
    waits: RefusalOut


class WaitingStepsOut(Wire, frozen=True, kw_only=True):
    """The steps that wait for a prescriber today, by the client's family name."""

    items: list[WaitingStepOut]


@writing("/clients/{client_id:uuid}/pre-dose-observations", act=Act.RECORD_DOSE, name="observe_before_dose")
async def observe_before(
    client_id: FromPath[UUID], data: JSONBody[PreDoseIn], work: TheWork, key: TheKey
) -> PreDoseOut:
    """Record how the client is before today's dose: a step up waits for it, and what the profile names holds the client."""
    store, new = charts(work), PreDoseId(new_id())

    async def observe() -> PreDose:
        return await observe_before_dose(
            ClientId(client_id),
            Seen(sedation=data.sedation, intoxicated=data.intoxicated, note=data.note, cows=data.cows),
            as_id=new,
            by=work.by,
            now=work.now,
            doses=store,
            observations=KeptObservations(work.connection, work.journal),
            journal=work.journal,
        )

    async def again(kept: Kept) -> PreDose:
        return await store.pre_dose(PreDoseId(kept.resource), by=work.by, act=Act.RECORD_DOSE)

    return PreDoseOut.of(await once(work, key, Kept(status=201, resource=new), do=observe, again=again))


@reading("/programmes/{programme_id:uuid}/waiting-steps", act=Act.DECIDE_MEDICATION, name="list_waiting_steps")
async def list_waiting_steps(programme_id: FromPath[UUID], work: TheWork) -> WaitingStepsOut:
    """Whose dose should have risen by now and has not, with the days and doses that stand in the way."""
    programme = await Programmes(work.connection).get(ProgrammeId(programme_id))
    work.by.require(Act.DECIDE_MEDICATION, programme.id)
    lines = await charts(work).due_in(
        programme.id,
        programme.today(work.now),
        by=work.by,
        act=Act.DECIDE_MEDICATION,
        only=lambda due: due.waits is not None,
    )
    return WaitingStepsOut(
        items=[
            WaitingStepOut(client_id=line.client, order_id=line.due.order.id, waits=RefusalOut.of(line.due.waits))
            for line in lines
            if line.due.order is not None and line.due.waits is not None
        ]
    )
