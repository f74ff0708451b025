"""Check-ins over HTTP: plans, what happened to each check-in, and the list of those that are overdue."""

from litestar import Router

from caseload.api.checkin.answers import change_check_in_questions, read_check_in_questions
from caseload.api.checkin.overdue import count_overdue_check_ins, list_overdue_check_ins
from caseload.api.checkin.plans import (
    change_check_in_plan,
    list_check_in_plans,
    plan_check_ins,
    read_check_in_plan,
    step_up_check_ins,
    stop_check_in_plan,
)
from caseload.api.checkin.records import list_check_ins, read_check_in
from caseload.api.checkin.settling import (
    attempt_check_in,
    complete_check_in,
    correct_check_in,
    miss_check_in,
    reschedule_check_in,
)

router = Router(
    "/",
    route_handlers=[
        plan_check_ins,
        list_check_in_plans,
        read_check_in_plan,
        change_check_in_plan,
        stop_check_in_plan,
        step_up_check_ins,
        list_check_ins,
        read_check_in,
        complete_check_in,
        attempt_check_in,
        reschedule_check_in,
        miss_check_in,
        correct_check_in,
        list_overdue_check_ins,
        count_overdue_check_ins,
        read_check_in_questions,
        change_check_in_questions,
    ],
    tags=["Check-ins"],
)

__all__ = ["router"]
