"""Overdue check-ins in PostgreSQL: one definition for the list and the count, of a counsellor and of a programme.

The end of each grace is kept beside the check-in while it waits, so that being overdue is one comparison and an index
walk. A counsellor's list begins with the few clients on their caseload, a programme's with its longest overdue; the
cost of either follows from what it shows, not from how much is scheduled.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    ColumnElement,
    DateTime,
    FromClause,
    Select,
    Uuid,
    all_,
    and_,
    any_,
    bindparam,
    case,
    func,
    or_,
    select,
    true,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.access import CLOSED, reach_of, within_reach
from caseload.db.checkin.rows import LATE, overdue_of
from caseload.db.direct import Direct
from caseload.db.instants import as_sent
from caseload.db.periods import running
from caseload.db.tables.base import INSTANT
from caseload.db.tables.caseload import client, client_identity, cover, responsibility
from caseload.db.tables.checkin import check_in, check_in_move, check_in_waiting
from caseload.domain.access import Reach
from caseload.domain.checkin import Overdue
from caseload.domain.ids import CheckInId, ProgrammeId, StaffId
from caseload.domain.journal import Journal

_WITHIN = within_reach()
_NOW: Final[ColumnElement[datetime]] = bindparam("reach_at", type_=INSTANT)


def is_overdue(waiting: FromClause) -> ColumnElement[bool]:
    """The definition; `domain.checkin.is_overdue` is its twin."""
    return waiting.c.grace_ends_at < _NOW


MINE = (
    select(responsibility.c.client_id)
    .where(responsibility.c.counsellor_id == bindparam("counsellor"), running(responsibility.c.period, _NOW))
    .union(
        select(cover.c.client_id).where(cover.c.counsellor_id == bindparam("counsellor"), cover.c.period.op("@>")(_NOW))
    )
    .cte("mine")
)

IN_MY_REACH = or_(
    # One's own list: who is on it is looked after by oneself, so that only the programme is left to ask for.
    and_(
        bindparam("reach_staff", type_=Uuid()) == bindparam("counsellor", type_=Uuid()),
        client.c.programme_id == any_(bindparam("reach_caseload_in", type_=ARRAY(Uuid()))),
        client.c.id != all_(CLOSED),
    ),
    _WITHIN,
)

_OF_COUNSELLOR: Final = (
    MINE.join(client, client.c.id == MINE.c.client_id).join(
        check_in_waiting, check_in_waiting.c.client_id == client.c.id
    ),
    and_(is_overdue(check_in_waiting), IN_MY_REACH),
)
_OF_PROGRAMME: Final = (
    check_in_waiting.join(client, client.c.id == check_in_waiting.c.client_id),
    and_(check_in_waiting.c.programme_id == bindparam("programme"), is_overdue(check_in_waiting), _WITHIN),
)

_last = check_in.alias("last")
_still = check_in_waiting.alias("still")
_PLACE = (
    select(
        case(
            (is_overdue(_still), _still.c.grace_ends_at),
            else_=func.least(
                _last.c.grace_ends_at,
                select(func.min(check_in_move.c.grace_ends_at))
                .where(check_in_move.c.check_in_id == _last.c.id)
                .scalar_subquery(),
            ),
        )
    )
    .select_from(_last.outerjoin(_still, _still.c.check_in_id == _last.c.id))
    .where(_last.c.id == bindparam("after"))
    .scalar_subquery()
)
"""Where the last line of the page before stood. Settled or moved since, it stands no later than it did, so that a line
may come twice but none is left out."""

_AFTER = tuple_(check_in_waiting.c.grace_ends_at, check_in_waiting.c.check_in_id) > tuple_(_PLACE, bindparam("after"))


def _lines(among: FromClause, where: ColumnElement[bool], *, onwards: bool) -> Select[*tuple[Any, ...]]:
    """A page of the list: the lines are picked first, and only then given their names."""
    page = select(*LATE).select_from(among).where(where)
    if onwards:
        page = page.where(_AFTER)
    late = (
        page.order_by(check_in_waiting.c.grace_ends_at, check_in_waiting.c.check_in_id)
        .limit(bindparam("limit"))
        .cte("late")
        .prefix_with("MATERIALIZED", dialect="postgresql")
    )
    identity = (
        select(client_identity.c.given_name, client_identity.c.family_name)
        .where(client_identity.c.client_id == late.c.client_id)
        .order_by(client_identity.c.version.desc())
        .limit(1)
        .lateral("identity")
    )
    return (
        select(*(as_sent(one) if isinstance(one.type, DateTime) else one for one in late.c), *identity.c)
        .select_from(late.join(identity, true()))
        .order_by(late.c.grace_ends_at, late.c.check_in_id)
    )


def _count(among: FromClause, where: ColumnElement[bool]) -> Select[int]:
    return select(func.count().label("count")).select_from(among).where(where)


COUNSELLOR_FIRST: Final = _lines(*_OF_COUNSELLOR, onwards=False)
COUNSELLOR_NEXT: Final = _lines(*_OF_COUNSELLOR, onwards=True)
COUNSELLOR_COUNT: Final = _count(*_OF_COUNSELLOR)
PROGRAMME_FIRST: Final = _lines(*_OF_PROGRAMME, onwards=False)
PROGRAMME_NEXT: Final = _lines(*_OF_PROGRAMME, onwards=True)
PROGRAMME_COUNT: Final = _count(*_OF_PROGRAMME)


_COUNSELLOR_FIRST, _COUNSELLOR_NEXT, _PROGRAMME_FIRST, _PROGRAMME_NEXT = (
    Direct(statement, anywhere=True)
    for statement in (COUNSELLOR_FIRST, COUNSELLOR_NEXT, PROGRAMME_FIRST, PROGRAMME_NEXT)
)


class Line(NamedTuple):
    """One overdue check-in with the name of whom it concerns."""

    overdue: Overdue
    given_name: str
    family_name: str


class OverdueCheckIns:
    """The lists and counts of what is overdue, within a reach."""

    def __init__(self, connection: AsyncConnection, journal: Journal, *, now: datetime) -> None:
        self._connection = connection
        self._journal = journal
        self._now = now

    async def of_counsellor(self, of: StaffId, *, reach: Reach, after: CheckInId | None, limit: int) -> Sequence[Line]:
        """Of the clients whom somebody is responsible for or covers now, the longest overdue first."""
        statement = _COUNSELLOR_FIRST if after is None else _COUNSELLOR_NEXT
        return await self._page(statement, {"counsellor": of}, reach, after, limit)

    async def of_programme(
        self, of: ProgrammeId, *, reach: Reach, after: CheckInId | None, limit: int
    ) -> Sequence[Line]:
        """Of everybody whose check-ins a programme plans, as far as the reach goes, the longest overdue first."""
        statement = _PROGRAMME_FIRST if after is None else _PROGRAMME_NEXT
        return await self._page(statement, {"programme": of}, reach, after, limit)

    async def count_of_counsellor(self, of: StaffId, *, reach: Reach) -> int:
        """How many lines the list of a counsellor has."""
        given = {"counsellor": of, **reach_of(reach, at=self._now)}
        return (await self._connection.execute(COUNSELLOR_COUNT, given)).scalar_one()

    async def count_of_programme(self, of: ProgrammeId, *, reach: Reach) -> int:
        """How many lines the list of a programme has."""
        given = {"programme": of, **reach_of(reach, at=self._now)}
        return (await self._connection.execute(PROGRAMME_COUNT, given)).scalar_one()

    async def _page(
        self,
        statement: Direct,
        of: dict[str, Any],
        reach: Reach,
        after: CheckInId | None,
        limit: int,
    ) -> Sequence[Line]:
        given = {**of, "limit": limit, **reach_of(reach, at=self._now)}
        if after is not None:
            given["after"] = after
        lines: list[Line] = []
        for row in await statement.all(self._connection, given):
            one = overdue_of(row, now=self._now)
            self._journal.saw(one.client, "check_in")
            lines.append(Line(one, row["given_name"], row["family_name"]))
        return lines
