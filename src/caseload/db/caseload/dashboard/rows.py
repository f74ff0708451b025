"""What each count of a dashboard answers, all of them in one reading."""

from datetime import datetime
from typing import Final

import msgspec

from caseload.db.caseload.dashboard.counts import ATTENDED, DAY, KNOWN, LEVELS, PHASES, UNSIGNED, WAITS
from caseload.db.caseload.waiting import COUNTS
from caseload.db.checkin.overdue import PROGRAMME_COUNT
from caseload.db.together import Together, rows
from caseload.domain.caseload import Edition, Phase, Priority


class _Level(msgspec.Struct):
    edition: Edition
    level: str
    clients: int


class _Phase(msgspec.Struct):
    phase: Phase | None
    clients: int


class _Known(msgspec.Struct):
    clients: int
    in_care: int


class _Attended(msgspec.Struct):
    edition: Edition | None
    level: str | None
    whole: bool
    minutes: int
    clients: int


class _Waiting(msgspec.Struct):
    priority: Priority | None
    clients: int
    since: datetime


class _Count(msgspec.Struct):
    count: int


class _Today(msgspec.Struct):
    check_ins: int
    sessions: int
    expected: int
    arrived: int


class _Unsigned(msgspec.Struct):
    notes: int
    notes_late: int
    notes_to_co_sign: int
    doses: int
    doses_late: int


class _Waits(msgspec.Struct):
    open_escalations: int
    handovers_waiting: int
    discharges_waiting: int


KNOWN_ROWS = rows("known", KNOWN, _Known)
LEVEL_ROWS = rows("levels", LEVELS, _Level)
PHASE_ROWS = rows("phases", PHASES, _Phase)
ATTENDED_ROWS = rows("attended", ATTENDED, _Attended)
WAITING_ROWS = rows("waiting", COUNTS, _Waiting)
OVERDUE_ROWS = rows("overdue", PROGRAMME_COUNT, _Count)
DAY_ROWS = rows("day", DAY, _Today)
UNSIGNED_ROWS = rows("unsigned", UNSIGNED, _Unsigned)
WAITS_ROWS = rows("waits", WAITS, _Waits)
EVERYTHING: Final = Together(
    KNOWN_ROWS, LEVEL_ROWS, PHASE_ROWS, ATTENDED_ROWS, WAITING_ROWS, OVERDUE_ROWS, DAY_ROWS, UNSIGNED_ROWS, WAITS_ROWS
)
