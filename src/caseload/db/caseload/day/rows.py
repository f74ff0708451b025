"""What each statement of a day answers."""

from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from caseload.db.caseload.day.clients import DUE, ESCALATED, MESSAGES, NOTES, OFFERS, TASKS, THEIRS
from caseload.db.caseload.day.sessions import EXPECTED, SESSIONS
from caseload.db.direct import Direct
from caseload.db.together import Together, rows
from caseload.domain.attendance import SessionKind


class _Escalated(msgspec.Struct):
    id: UUID
    client_id: UUID
    ground: str
    at: datetime


class _Due(msgspec.Struct):
    id: UUID
    client_id: UUID
    rule: str
    at: datetime
    today_began: datetime


class Session(msgspec.Struct):
    """A session of the day."""

    id: UUID
    kind: SessionKind
    title: str
    starts_at: datetime
    ends_at: datetime
    leads: bool


class Expected(msgspec.Struct):
    """Somebody expected at one."""

    session_id: UUID
    client_id: UUID
    given_name: str
    family_name: str
    arrived_at: datetime | None


class _Note(msgspec.Struct):
    id: UUID
    title: str
    sign_by: datetime


class Offer(msgspec.Struct):
    """A client whom this person is asked to take over."""

    id: UUID
    client_id: UUID
    at: datetime
    given_name: str
    family_name: str


class Task(msgspec.Struct):
    """Something that is to be done for a client."""

    id: UUID
    client_id: UUID
    says: str
    of_ladder: bool
    at: datetime
    today_began: datetime
    today_ends: datetime
    week_ends: datetime


class _Message(msgspec.Struct):
    id: UUID
    client_id: UUID
    text: str
    printed_name: str
    at: datetime


ESCALATED_ROWS = rows("escalated", ESCALATED, _Escalated)
DUE_ROWS = rows("due", DUE, _Due)
SESSION_ROWS = rows("sessions", SESSIONS, Session)
EXPECTED_ROWS = rows("expected", EXPECTED, Expected)
NOTE_ROWS = rows("notes", NOTES, _Note)
OFFER_ROWS = rows("offers", OFFERS, Offer)
TASK_ROWS = rows("tasks", TASKS, Task)
MESSAGE_ROWS = rows("messages", MESSAGES, _Message)
EVERYTHING: Final = Together(
    ESCALATED_ROWS, DUE_ROWS, SESSION_ROWS, EXPECTED_ROWS, NOTE_ROWS, OFFER_ROWS, TASK_ROWS, MESSAGE_ROWS
)
THEIR_ROWS: Final = Direct(THEIRS, anywhere=True)
