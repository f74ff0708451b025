"""Escalations over HTTP: raised, listed while they are open, acknowledged; and what is done in an emergency."""

from litestar import Router

from caseload.api.escalation.instruction import read_emergency_instruction, write_emergency_instruction
from caseload.api.escalation.raising import (
    acknowledge_escalation,
    escalations_of,
    list_escalations,
    list_open_escalations,
    raise_escalation,
    told_on_the_spot,
)
from caseload.api.escalation.wire import EmergencyOut

router = Router(
    "/",
    route_handlers=[
        raise_escalation,
        list_escalations,
        list_open_escalations,
        acknowledge_escalation,
        read_emergency_instruction,
        write_emergency_instruction,
    ],
    tags=["Check-ins"],
)

__all__ = ["EmergencyOut", "escalations_of", "router", "told_on_the_spot"]
