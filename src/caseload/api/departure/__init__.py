"""Departures over HTTP: discharges, the ones that wait for a prescriber, and deaths."""

from litestar import Router

from caseload.api.departure.deaths import (
    close_recovery,
    correct_death,
    list_deaths,
    list_recoveries,
    record_death,
)
from caseload.api.departure.discharges import (
    decide_discharge,
    discharge_client,
    list_waiting_discharges,
    read_discharge,
    withdraw_discharge,
)

router = Router(
    "/",
    route_handlers=[
        discharge_client,
        list_waiting_discharges,
        read_discharge,
        decide_discharge,
        withdraw_discharge,
        record_death,
        list_deaths,
        correct_death,
        list_recoveries,
        close_recovery,
    ],
    tags=["Departures"],
)

__all__ = ["router"]
