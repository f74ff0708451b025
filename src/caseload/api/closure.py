"""Closure days over HTTP: on which days a programme's window stays closed."""

from datetime import date, datetime, timedelta
from typing import Annotated
from uuid import UUID

from litestar import Router
from litestar.params import FromPath, JSONBody, QueryParameter

from caseload.api.route import reading, writing
from caseload.api.wire import Wire
from caseload.api.work import TheKey, TheWork
from caseload.db.checkin import Closing
from caseload.db.closure import ClosureDays
from caseload.db.idempotency import Kept
from caseload.domain import closure as domain
from caseload.domain.access import Act
from caseload.domain.checkin import make_way
from caseload.domain.closure import ClosureDay
from caseload.domain.dispensing import Period
from caseload.domain.ids import ProgrammeId
from caseload.request.idempotency import once

First = Annotated[
    date | None, QueryParameter(name="first", required=False, description="First local day; today when left out.")
]
Last = Annotated[
    date | None, QueryParameter(name="last", required=False, description="Last local day; 30 days on when left out.")
]


class ClosureIn(Wire, frozen=True, kw_only=True):
    """Days on which the window stays closed, and why: Sundays, a public holiday."""

    days: tuple[date, ...]
    reason: str


class ReopeningIn(Wire, frozen=True, kw_only=True):
    """Why the window is open after all."""

    reason: str


class ClosureDayOut(Wire, frozen=True, kw_only=True):
    """What was last said of a day."""

    day: date
    is_closed: bool
    reason: str
    recorded_by: UUID
    recorded_at: datetime

    @classmethod
    def of(cls, said: ClosureDay) -> "ClosureDayOut":
        """From the domain."""
        return cls(
            day=said.day,
            is_closed=said.is_closed,
            reason=said.reason,
            recorded_by=said.recorded_by,
            recorded_at=said.recorded_at,
        )


class ClosureDaysOut(Wire, frozen=True, kw_only=True):
    """Closure days of a programme, in their order."""

    programme_id: UUID
    items: list[ClosureDayOut]


@reading(
    "/programmes/{programme_id:uuid}/closure-days",
    act=Act.SEE_PROGRAMMES,
    name="list_closure_days",
    unaudited="days on which a door is shut, which hang on it",
)
async def list_closure_days(
    programme_id: FromPath[UUID], work: TheWork, first: First = None, last: Last = None
) -> ClosureDaysOut:
    """The days on which the window of a programme is closed, for 31 days at most."""
    closures, wanted = ClosureDays(work.connection), ProgrammeId(programme_id)
    begins = first or (await closures.programme(wanted)).today(work.now)
    period = Period(first=begins, last=last or begins + timedelta(days=30))
    found = await closures.closed_days(wanted, period.first, period.last)
    return ClosureDaysOut(programme_id=programme_id, items=[ClosureDayOut.of(each) for each in found])


@writing("/programmes/{programme_id:uuid}/closure-days", act=Act.KEEP_CALENDAR, name="close_window")
async def close_window(
    programme_id: FromPath[UUID], data: JSONBody[ClosureIn], work: TheWork, key: TheKey
) -> ClosureDaysOut:
    """Say that the window is closed on some days. Doses for them are handed out beforehand.

    Check-ins that wait and fall on one are due on the next open day, and their days of grace are open ones.
    """
    closures, wanted = ClosureDays(work.connection), ProgrammeId(programme_id)

    async def close() -> list[ClosureDay]:
        said = await domain.close_window(
            wanted, data.days, data.reason, by=work.by, now=work.now, closures=closures, journal=work.journal
        )
        await make_way(
            await closures.programme(wanted),
            data.days,
            by=work.by,
            now=work.now,
            check_ins=Closing(work.connection, work.journal),
            journal=work.journal,
        )
        return list(said)

    async def again(_: Kept) -> list[ClosureDay]:
        return list(await closures.said_of(wanted, data.days))

    found = await once(work, key, Kept(status=201, resource=programme_id), do=close, again=again)
    return ClosureDaysOut(programme_id=programme_id, items=[ClosureDayOut.of(each) for each in found])


@writing(
    "/programmes/{programme_id:uuid}/closure-days/{day:date}/reopening", act=Act.KEEP_CALENDAR, name="reopen_window"
)
async def reopen_window(
    programme_id: FromPath[UUID], day: FromPath[date], data: JSONBody[ReopeningIn], work: TheWork, key: TheKey
) -> ClosureDayOut:
    """Say that the window is open on a day after all."""
    closures, wanted = ClosureDays(work.connection), ProgrammeId(programme_id)

    async def reopen() -> ClosureDay:
        return await domain.reopen_window(
            wanted, day, data.reason, by=work.by, now=work.now, closures=closures, journal=work.journal
        )

    async def again(_: Kept) -> ClosureDay:
        [said] = await closures.said_of(wanted, (day,))
        return said

    return ClosureDayOut.of(await once(work, key, Kept(status=201, resource=programme_id), do=reopen, again=again))


router = Router("/", route_handlers=[list_closure_days, close_window, reopen_window], tags=["Programmes"])
