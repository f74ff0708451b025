"""The downtime sheets of a programme that were entered."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from litestar.params import FromPath, QueryParameter

from caseload.api.pages import USUAL, After, Limit, Page
from caseload.api.route import reading
from caseload.api.wire import Wire
from caseload.api.work import TheWork
from caseload.db.downtime.listing import entered_in
from caseload.db.programme import Programmes
from caseload.domain.access import Act
from caseload.domain.downtime import EnteredSheet, Outcome
from caseload.domain.ids import ProgrammeId

SheetDay = Annotated[
    date | None,
    QueryParameter(name="day", required=False, description="Sheets of this day; of every day when left out."),
]


class EnteredSheetOut(Wire, frozen=True, kw_only=True):
    """A sheet that was entered: what came of it, without a client."""

    id: UUID
    programme_id: UUID
    day: date
    reason: str
    entered_by: UUID
    entered_at: datetime
    lines: int
    """Lines of the paper. A line may say several things, each answered by itself."""
    recorded: int
    exceptions: int
    already: int
    refused: int
    """To be put right and entered in another form: nothing of it is in the record."""
    to_confirm: int
    """Doses of which whoever is named as the giver has said nothing yet."""
    disputed: int
    """Doses that whoever is named as the giver disputes."""
    closed: int
    """Doses of which a supervisor closed the question, because whoever is named as the giver had left."""

    @classmethod
    def of(cls, sheet: EnteredSheet) -> "EnteredSheetOut":
        """From the domain."""
        return cls(
            id=sheet.id,
            programme_id=sheet.programme,
            day=sheet.day,
            reason=sheet.reason,
            entered_by=sheet.entered_by,
            entered_at=sheet.entered_at,
            lines=sheet.lines,
            recorded=sheet.outcomes[Outcome.RECORDED],
            exceptions=sheet.outcomes[Outcome.EXCEPTION],
            already=sheet.outcomes[Outcome.ALREADY],
            refused=sheet.outcomes[Outcome.REFUSED],
            to_confirm=sheet.to_confirm,
            disputed=sheet.disputed,
            closed=sheet.closed,
        )


@reading("/programmes/{programme_id:uuid}/downtime-entries", act=Act.SEE_MEDICATION, name="list_downtime_entries")
async def list_downtime_entries(
    programme_id: FromPath[UUID], work: TheWork, day: SheetDay = None, after: After = None, limit: Limit = USUAL
) -> Page[EnteredSheetOut]:
    """The sheets that were entered in a programme, the last first: what came of each, and whose word is missing."""
    programme = await Programmes(work.connection).get(ProgrammeId(programme_id))
    work.by.require(Act.SEE_MEDICATION, programme.id)
    found = await entered_in(work.connection, programme.id, day=day, after=after, limit=limit)
    return Page(items=[EnteredSheetOut.of(each) for each in found], next=found[-1].id if len(found) == limit else None)
