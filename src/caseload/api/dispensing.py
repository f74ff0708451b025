"""The dispensing log, for inspectors and clinicians."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from litestar import Router
from litestar.params import FromPath, QueryParameter

from caseload.api.amounts import written
from caseload.api.pages import USUAL, After, Limit, Page
from caseload.api.route import reading
from caseload.api.wire import Wire
from caseload.api.work import TheWork
from caseload.db.dispensing import DispensingLog
from caseload.db.programme import Programmes
from caseload.domain.access import Act
from caseload.domain.dispensing import Dispensed, Period, read_log
from caseload.domain.ids import DoseId, ProgrammeId

First = Annotated[
    date | None, QueryParameter(name="first", required=False, description="First local day; today when left out.")
]
Last = Annotated[
    date | None, QueryParameter(name="last", required=False, description="Last local day; the first when left out.")
]


class DispensedOut(Wire, frozen=True, kw_only=True):
    """One line of the dispensing log (21 CFR 1304.24(a))."""

    dose_id: UUID
    version: int
    client_id: UUID
    chart_number: str | None
    dosing_day: date
    given_at: datetime | None
    medicine: str
    form: str
    strength_mg: str | None
    amount_consumed_mg: str
    dispensed_by: str
    entry: str
    rules_broken: list[str]
    not_given: bool
    """A clinician has signed that it was in fact not given; the line stays."""

    @classmethod
    def of(cls, line: Dispensed) -> "DispensedOut":
        """From the domain."""
        return cls(
            dose_id=line.dose,
            version=line.version,
            client_id=line.client,
            chart_number=line.chart_number,
            dosing_day=line.dosing_day,
            given_at=line.given_at,
            medicine=line.medicine,
            form=line.form,
            strength_mg=None if line.strength_mg is None else written(line.strength_mg),
            amount_consumed_mg=written(line.amount_consumed_mg),
            dispensed_by=line.dispensed_by,
            entry=line.entry,
            rules_broken=list(line.rules_broken),
            not_given=line.not_given,
        )


@reading("/programmes/{programme_id:uuid}/dispensing-log", act=Act.SEE_DISPENSING_LOG, name="read_dispensing_log")
async def read_dispensing_log(
    programme_id: FromPath[UUID],
    work: TheWork,
    first: First = None,
    last: Last = None,
    after: After = None,
    limit: Limit = USUAL,
) -> Page[DispensedOut]:
    """What was dispensed to whom, day by day; clients by number, not by name."""
    programme = await Programmes(work.connection).get(ProgrammeId(programme_id))
    begins = first or last or programme.today(work.now)
    lines = await read_log(
        programme.id,
        Period(first=begins, last=last or begins),
        by=work.by,
        after=None if after is None else DoseId(after),
        limit=limit,
        log=DispensingLog(work.connection, work.journal),
    )
    items = [DispensedOut.of(line) for line in lines]
    return Page(items=items, next=items[-1].dose_id if len(items) == limit else None)


router = Router("/", route_handlers=[read_dispensing_log], tags=["Medication"])
