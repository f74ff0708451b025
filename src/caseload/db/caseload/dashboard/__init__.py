"""The dashboard of a programme, from PostgreSQL: counts in one statement, loads in another."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.access import reach_of
from caseload.db.caseload.caseloads import Caseloads
from caseload.db.caseload.dashboard.rows import (
    ATTENDED_ROWS,
    DAY_ROWS,
    EVERYTHING,
    KNOWN_ROWS,
    LEVEL_ROWS,
    OVERDUE_ROWS,
    PHASE_ROWS,
    UNSIGNED_ROWS,
    WAITING_ROWS,
    WAITS_ROWS,
)
from caseload.domain.access import Reach
from caseload.domain.caseload import Edition, LevelOfCare, Load
from caseload.domain.caseload.dashboard import (
    AtLevel,
    AtPhase,
    Attended,
    Dashboard,
    Today,
    Unsigned,
    WaitingAs,
    hours_of_week,
)
from caseload.domain.ids import ProgrammeId
from caseload.domain.journal import Journal

MOST_COUNSELLORS: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """The programme's local day, and its last week that is over: as days, and the instants at which they begin and end."""

    today: date
    day: tuple[datetime, datetime]
    first: date
    last: date
    week: tuple[datetime, datetime]


class Dashboards:
    """The dashboard of a programme, for whoever sees everybody in it. Names nobody."""

    def __init__(self, connection: AsyncConnection, journal: Journal, *, now: datetime) -> None:
        self._connection = connection
        self._journal = journal
        self._now = now

    async def of(self, programme: ProgrammeId, when: When, *, reach: Reach) -> Dashboard:
        """Count everything as it stands now."""
        given = {
            "programme": programme,
            "today": when.today,
            "day_begins": when.day[0],
            "day_ends": when.day[1],
            "week_first": when.first,
            "week_last": when.last,
            "week_begins": when.week[0],
            "week_ends": when.week[1],
            **reach_of(reach, at=self._now),
        }
        found = await EVERYTHING.read(self._connection, given)
        (known,), (overdue,), (day,), (unsigned,), (waits,) = (
            KNOWN_ROWS.of(found),
            OVERDUE_ROWS.of(found),
            DAY_ROWS.of(found),
            UNSIGNED_ROWS.of(found),
            WAITS_ROWS.of(found),
        )
        waiting = WAITING_ROWS.of(found)
        in_line = sum(each.clients for each in waiting)
        return Dashboard(
            in_care=known.in_care,
            waiting=in_line,
            left=known.clients - known.in_care - in_line,
            levels=[
                AtLevel(level=LevelOfCare(edition=each.edition, level=each.level), clients=each.clients)
                for each in LEVEL_ROWS.of(found)
            ],
            phases=[AtPhase(phase=each.phase, clients=each.clients) for each in PHASE_ROWS.of(found)],
            overdue=overdue.count,
            today=Today(check_ins=day.check_ins, sessions=day.sessions, expected=day.expected, arrived=day.arrived),
            hours=hours_of_week(
                (
                    Attended(
                        level=_level(each.edition, each.level),
                        whole=each.whole,
                        minutes=each.minutes,
                        clients=each.clients,
                    )
                    for each in ATTENDED_ROWS.of(found)
                ),
                first=when.first,
                last=when.last,
            ),
            loads=await self._loads(programme),
            waiting_list=[
                WaitingAs(priority=each.priority, clients=each.clients, since=each.since) for each in waiting
            ],
            unsigned=Unsigned(
                notes=unsigned.notes,
                notes_late=unsigned.notes_late,
                notes_to_co_sign=unsigned.notes_to_co_sign,
                doses=unsigned.doses,
                doses_late=unsigned.doses_late,
            ),
            open_escalations=waits.open_escalations,
            handovers_waiting=waits.handovers_waiting,
            discharges_waiting=waits.discharges_waiting,
        )

    async def _loads(self, programme: ProgrammeId) -> Sequence[Load]:
        caseloads = Caseloads(self._connection, self._journal, now=self._now)
        return await caseloads.loads(programme, after=None, limit=MOST_COUNSELLORS)


def _level(edition: Edition | None, level: str | None) -> LevelOfCare | None:
    return None if edition is None or level is None else LevelOfCare(edition=edition, level=level)
