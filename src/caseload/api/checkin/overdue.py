"""The overdue list over HTTP, and its count: one definition, whoever asks."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from litestar.params import QueryParameter

from caseload.api.pages import USUAL, After, Limit, Page
from caseload.api.route import reading
from caseload.api.wire import Wire
from caseload.api.work import TheWork
from caseload.db.checkin import OverdueCheckIns
from caseload.db.checkin.overdue import Line
from caseload.domain.access import Act, Reach
from caseload.domain.checkin import ClearedBy, LastFact, Mode
from caseload.domain.errors import Fault, Invalid
from caseload.domain.ids import CheckInId, ProgrammeId, StaffId
from caseload.request.work import Work

Counsellor = Annotated[
    UUID | None, QueryParameter(name="counsellor", required=False, description="Whose list; yours when left out.")
]
Programme = Annotated[
    UUID | None,
    QueryParameter(name="programme", required=False, description="The list of a programme instead of a person."),
]


class OverdueLineOut(Wire, frozen=True, kw_only=False):
    """Why a check-in is on the overdue list, since when, and what would clear it.

    The fields of a line (`domain.checkin.Overdue`), in its order: naming them would cost more than all else.
    """

    check_in_id: UUID
    client_id: UUID
    programme_id: UUID
    plan_id: UUID
    mode: Mode
    why: str
    rule: str
    """The rule of the plan in words."""
    grace_days: int
    grace_rule: str | None
    """Profile, version and rule that the grace follows; null where the plan says it itself."""
    due_at: datetime
    overdue_since: datetime
    days_late: int
    """Local days from the day it was due to today."""
    attempts: int
    last_fact: LastFact
    last_fact_at: datetime
    last_fact_by: UUID | None
    counts_from: datetime
    """From when a contact counts as this check-in."""
    movable_until: datetime
    """Until when it may be moved at the client's wish."""
    cleared_by: tuple[ClearedBy, ...]


class OverdueOut(OverdueLineOut, frozen=True, kw_only=False):
    """One overdue check-in: why it is on the list, since when, and what would clear it."""

    given_name: str
    family_name: str

    @classmethod
    def of(cls, line: Line) -> "OverdueOut":
        """From the domain."""
        return cls(*line.overdue, line.given_name, line.family_name)


class OverdueCountOut(Wire, frozen=True, kw_only=True):
    """How many lines the list has."""

    count: int


@reading("/overdue-check-ins", act=Act.SEE_CHECK_INS, name="list_overdue_check_ins", problems=())
async def list_overdue_check_ins(
    work: TheWork,
    counsellor: Counsellor = None,
    programme: Programme = None,
    after: After = None,
    limit: Limit = USUAL,
) -> Page[OverdueOut]:
    """Overdue check-ins within your reach, the longest overdue first: of a counsellor's clients, or of a programme."""
    lists, reach = _lists(work, counsellor, programme)
    place = None if after is None else CheckInId(after)
    lines = (
        await lists.of_counsellor(_whose(work, counsellor), reach=reach, after=place, limit=limit)
        if programme is None
        else await lists.of_programme(ProgrammeId(programme), reach=reach, after=place, limit=limit)
    )
    items = [OverdueOut.of(each) for each in lines]
    return Page(items=items, next=items[-1].check_in_id if len(items) == limit else None)


@reading("/overdue-check-ins/count", act=Act.SEE_CHECK_INS, name="count_overdue_check_ins", problems=())
async def count_overdue_check_ins(
    work: TheWork, counsellor: Counsellor = None, programme: Programme = None
) -> OverdueCountOut:
    """How many lines the same list has."""
    lists, reach = _lists(work, counsellor, programme)
    count = (
        await lists.count_of_counsellor(_whose(work, counsellor), reach=reach)
        if programme is None
        else await lists.count_of_programme(ProgrammeId(programme), reach=reach)
    )
    return OverdueCountOut(count=count)


def _lists(work: Work, counsellor: UUID | None, programme: UUID | None) -> tuple[OverdueCheckIns, Reach]:
    if counsellor is not None and programme is not None:
        raise Invalid(Fault("programme", "ask for a counsellor or for a programme, not for both"))
    if programme is not None:
        work.by.require(Act.SEE_CHECK_INS, ProgrammeId(programme))
    return OverdueCheckIns(work.connection, work.journal, now=work.now), work.by.reach(Act.SEE_CHECK_INS)


def _whose(work: Work, counsellor: UUID | None) -> StaffId:
    return work.by.id if counsellor is None else StaffId(counsellor)
