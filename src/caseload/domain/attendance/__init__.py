"""Sessions and attendance: who was expected, who came and for how long, and what that adds up to."""

from caseload.domain.attendance.planning import RosterClosed, SessionFull, book, cancel, cancel_all, plan_session
from caseload.domain.attendance.register import CancelledBy, Line, Register, RelativeLine, Status
from caseload.domain.attendance.relative import ComesAs, RelativeCancellation, RelativePlace
from caseload.domain.attendance.rules import SessionRules, SessionRulesRaced, set_session_rules
from caseload.domain.attendance.session import (
    AlreadyOnRoster,
    Booking,
    Cancellation,
    NotOnRoster,
    RelativeComesAlone,
    Session,
    SessionKind,
    SessionMoved,
    Sessions,
    SessionUnknown,
    Wanted,
    sees_everybody,
)
from caseload.domain.attendance.taking import (
    NotYourSession,
    RegisterAlreadyTaken,
    RegisterChanged,
    RegisterMissing,
    Taking,
    call_off,
    correct_register,
    take_register,
)
from caseload.domain.attendance.totals import Attendance, Totals, totals
from caseload.domain.attendance.waiting import Waits

__all__ = [
    "AlreadyOnRoster",
    "Attendance",
    "Booking",
    "Cancellation",
    "CancelledBy",
    "ComesAs",
    "Line",
    "NotOnRoster",
    "NotYourSession",
    "Register",
    "RegisterAlreadyTaken",
    "RegisterChanged",
    "RegisterMissing",
    "RelativeCancellation",
    "RelativeComesAlone",
    "RelativeLine",
    "RelativePlace",
    "RosterClosed",
    "Session",
    "SessionFull",
    "SessionKind",
    "SessionMoved",
    "SessionRules",
    "SessionRulesRaced",
    "SessionUnknown",
    "Sessions",
    "Status",
    "Taking",
    "Totals",
    "Waits",
    "Wanted",
    "book",
    "call_off",
    "cancel",
    "cancel_all",
    "correct_register",
    "plan_session",
    "sees_everybody",
    "set_session_rules",
    "take_register",
    "totals",
]
