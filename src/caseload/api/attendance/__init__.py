"""Sessions, rosters, registers and attendance over HTTP."""

from litestar import Router

from caseload.api.attendance.clients import list_client_sessions, read_attendance
from caseload.api.attendance.hours import read_hours, read_programme_attendance, read_retention
from caseload.api.attendance.registers import correct_register, list_registers, take_register
from caseload.api.attendance.regulars import call_off_relative_in_series, seat_relative_in_series
from caseload.api.attendance.relatives import ask_relative_in, call_off_relative, seat_relative
from caseload.api.attendance.rules import read_session_rules, set_session_rules
from caseload.api.attendance.series import call_off_session, move_session, plan_series, read_series
from caseload.api.attendance.sessions import book_places, cancel_place, list_sessions, plan_session, read_session
from caseload.api.attendance.waiting import join_waiting_list, leave_waiting_list

router = Router(
    "/",
    route_handlers=[
        plan_session,
        list_sessions,
        read_session,
        book_places,
        cancel_place,
        join_waiting_list,
        leave_waiting_list,
        plan_series,
        read_series,
        move_session,
        call_off_session,
        seat_relative,
        call_off_relative,
        ask_relative_in,
        seat_relative_in_series,
        call_off_relative_in_series,
        take_register,
        correct_register,
        list_registers,
        read_attendance,
        list_client_sessions,
        read_hours,
        read_programme_attendance,
        read_retention,
        read_session_rules,
        set_session_rules,
    ],
    tags=["Sessions"],
)

__all__ = ["router"]
