"""Sessions and attendance: who was expected, who came and for how long, and what that adds up to."""

from caseload.domain.attendance.register import Line, Register, Status
from caseload.domain.attendance.session import (
    AlreadyOnRoster,
    Booking,
    Cancellation,
    CancelledBy,
    Kind,
    NotOnRoster,
    RosterClosed,
    Session,
    SessionFull,
    Sessions,
    SessionUnknown,
    Wanted,
    book,
    cancel,
    plan_session,
)
from caseload.domain.attendance.taking import (
    RegisterAlreadyTaken,
    RegisterChanged,
    RegisterMissing,
    Taking,
    correct_register,
    take_register,
)
from caseload.domain.attendance.totals import Attendance, Totals, totals

__all__ = [
    "AlreadyOnRoster",
    "Attendance",
    "Booking",
    "Cancellation",
    "CancelledBy",
    "Kind",
    "Line",
    "NotOnRoster",
    "Register",
    "RegisterAlreadyTaken",
    "RegisterChanged",
    "RegisterMissing",
    "RosterClosed",
    "Session",
    "SessionFull",
    "SessionUnknown",
    "Sessions",
    "Status",
    "Taking",
    "Totals",
    "Wanted",
    "book",
    "cancel",
    "correct_register",
    "plan_session",
    "take_register",
    "totals",
]
