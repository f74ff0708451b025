"""What became of units: brought back, empty, missing; taken or not."""

from datetime import datetime
from uuid import UUID

from litestar.params import FromPath, JSONBody

from caseload.api.route import writing
from caseload.api.takehome.store import take_homes
from caseload.api.wire import Wire
from caseload.api.work import TheKey, TheWork
from caseload.db.idempotency import Kept
from caseload.domain import takehome as domain
from caseload.domain.access import Act
from caseload.domain.ids import ClientId, ReturnId, UnitId, new_id
from caseload.domain.takehome import CameBack, Report, Told
from caseload.request.idempotency import once


class ToldIn(Wire, frozen=True, kw_only=True):
    """What is said of one unit. Once it has been said to be full, nothing else can be said of it."""

    unit_id: UUID
    state: CameBack
    taken: bool
    """Whether it is said to have been taken on its day."""
    reason: str | None = None
    """Why what was said of it before is not right; only then."""


class ReportIn(Wire, frozen=True, kw_only=True):
    """What is said of some of a client's units at one time."""

    units: tuple[ToldIn, ...]
    informant: str | None = None
    """Who says so, when it is not the client."""
    note: str = ""


class SaidOut(Wire, frozen=True, kw_only=True):
    """What was said of one unit."""

    unit_id: UUID
    version: int
    state: CameBack
    taken: bool
    reason: str | None
    waste_id: UUID | None


class ReportOut(Wire, frozen=True, kw_only=True):
    """What was said of some of a client's units at one time."""

    id: UUID
    client_id: UUID
    informant: str | None
    note: str
    recorded_by: UUID
    recorded_at: datetime
    units: list[SaidOut]

    @classmethod
    def of(cls, report: Report) -> "ReportOut":
        """From the domain."""
        return cls(
            id=report.id,
            client_id=report.client,
            informant=report.informant,
            note=report.note,
            recorded_by=report.recorded_by,
            recorded_at=report.recorded_at,
            units=[
                SaidOut(
                    unit_id=each.unit,
                    version=each.version,
                    state=each.state,
                    taken=each.taken,
                    reason=each.reason,
                    waste_id=each.waste,
                )
                for each in sorted(report.outcomes, key=lambda outcome: outcome.unit)
            ],
        )


@writing("/clients/{client_id:uuid}/take-home-returns", act=Act.RECORD_DOSE, name="report_take_homes")
async def report_units(client_id: FromPath[UUID], data: JSONBody[ReportIn], work: TheWork, key: TheKey) -> ReportOut:
    """Record what became of units. One that came back full becomes waste, which a colleague witnesses."""
    store, new = take_homes(work), ReturnId(new_id())

    async def do() -> Report:
        return await domain.report_units(
            ClientId(client_id),
            [
                Told(unit=UnitId(each.unit_id), state=each.state, taken=each.taken, reason=each.reason)
                for each in data.units
            ],
            informant=data.informant,
            note=data.note,
            as_id=new,
            by=work.by,
            now=work.now,
            returns=store,
            journal=work.journal,
        )

    async def again(kept: Kept) -> Report:
        return await store.report(ReturnId(kept.resource), by=work.by, act=Act.RECORD_DOSE)

    return ReportOut.of(await once(work, key, Kept(status=201, resource=new), do=do, again=again))
