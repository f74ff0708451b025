"""The window over HTTP: the queue of a day, what the window is told, and what is lost of doses."""

from litestar import Router

from caseload.api.window.excusals import end_excusal, excuse_client, list_excusals
from caseload.api.window.lost import decide_replacement, list_vomited_doses, record_vomited, replace_dose
from caseload.api.window.messages import (
    clear_counsellor_message,
    clear_group_message,
    clear_message,
    leave_message,
    list_every_message,
    list_messages,
)
from caseload.api.window.photographs import list_photographs, record_photograph
from caseload.api.window.queue import read_queue
from caseload.api.window.spills import record_spill, witness_spill

router = Router(
    "/",
    route_handlers=[
        read_queue,
        excuse_client,
        list_excusals,
        end_excusal,
        leave_message,
        list_messages,
        clear_message,
        list_every_message,
        clear_counsellor_message,
        clear_group_message,
        record_photograph,
        list_photographs,
        record_vomited,
        list_vomited_doses,
        decide_replacement,
        replace_dose,
        record_spill,
        witness_spill,
    ],
    tags=["Window"],
)

__all__ = ["router"]
