"""The dispensing log, for inspectors and clinicians."""

from datetime import date, datetime
from typing import Annotated, Final
from uuid import UUID

from litestar import Response, Router
from litestar.params import FromPath, QueryParameter

from caseload.api.amounts import written
from caseload.api.pages import USUAL, After, Limit, Page
from caseload.api.route import reading
from caseload.api.spreadsheet import CSV_FILE, csv_file
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
    """One line of the dispensing log (21 CFR 1304.24(a)): a dose at the window, or a unit that was handed out."""

    dose_id: UUID
    """The dose, or the unit: `label` tells them apart."""
    version: int
    client_id: UUID
    chart_number: str | None
    dosing_day: date
    given_at: datetime | None
    medicine: str
    form: str
    strength_mg: str | None
    amount_consumed_mg: str
    """Never added to what was taken home: 1304.24(a)(6) and (7) are two fields."""
    taken_home_mg: str
    label: str | None
    for_on: date | None
    """The day for which a unit is."""
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
            taken_home_mg=written(line.taken_home_mg),
            label=line.label,
            for_on=line.for_on,
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


LOG: Final = (
    "date", "given_at", "substance", "strength_mg", "dosage_form", "patient", "amount_consumed_mg", "taken_home_mg",
    "taken_home_form", "dispensed_by", "initials", "entry", "rules_broken", "not_given", "dose",
    "label", "for_day",
)  # fmt: skip
"""The columns of the log: 21 CFR 1304.24(a)(1) to (8), and what an inspector asks next."""
_AT_ONCE: Final = 1000


@reading(
    "/programmes/{programme_id:uuid}/dispensing-log/file",
    act=Act.SEE_DISPENSING_LOG,
    name="export_dispensing_log",
    operation_class=CSV_FILE,
)
async def export_dispensing_log(
    programme_id: FromPath[UUID], work: TheWork, first: First = None, last: Last = None
) -> Response[str]:
    """The dispensing log as CSV, for 31 days at most; clients by number, not by name (21 CFR 1304.24(d))."""
    programme = await Programmes(work.connection).get(ProgrammeId(programme_id))
    begins = first or last or programme.today(work.now)
    period, log = Period(first=begins, last=last or begins), DispensingLog(work.connection, work.journal)
    lines: list[Dispensed] = []
    while True:
        after = lines[-1].dose if lines else None
        found = await read_log(programme.id, period, by=work.by, after=after, limit=_AT_ONCE, log=log)
        lines += found
        if len(found) < _AT_ONCE:
            return csv_file(LOG, [_log_line(line) for line in lines])


def _log_line(line: Dispensed) -> list[str | None]:
    return [
        str(line.dosing_day),
        None if line.given_at is None else line.given_at.isoformat(),
        line.medicine,
        None if line.strength_mg is None else written(line.strength_mg),
        line.form,
        line.chart_number or str(line.client),
        "0" if line.not_given else written(line.amount_consumed_mg),
        written(line.taken_home_mg),
        line.form if line.taken_home_mg else None,
        line.dispensed_by,
        "".join(word[0] for word in line.dispensed_by.split()),
        line.entry,
        " ".join(line.rules_broken),
        "corrected as not given" if line.not_given else None,
        str(line.dose),
        line.label,
        None if line.for_on is None else str(line.for_on),
    ]


router = Router("/", route_handlers=[read_dispensing_log, export_dispensing_log], tags=["Medication"])
