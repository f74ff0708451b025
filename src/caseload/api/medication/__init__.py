"""Medication over HTTP: a client's chart, orders, holds, and the prescriber's decisions."""

from litestar import Router

from caseload.api.medication.chart import read_medication_chart
from caseload.api.medication.decisions import allow, clear_hold
from caseload.api.medication.holds import list_holds, raise_hold
from caseload.api.medication.orders import read_order, sign_order, stop_order, write_order
from caseload.api.medication.tasks import finish_medication_task, list_medication_tasks, list_tasks_of_client
from caseload.api.medication.verbal import list_verbal_orders, take_order

router = Router(
    "/",
    route_handlers=[
        read_medication_chart,
        write_order,
        take_order,
        list_verbal_orders,
        sign_order,
        stop_order,
        read_order,
        raise_hold,
        list_holds,
        clear_hold,
        allow,
        list_medication_tasks,
        list_tasks_of_client,
        finish_medication_task,
    ],
    tags=["Medication"],
)

__all__ = ["router"]
