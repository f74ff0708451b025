"""Interim treatment: begun, planned on from, ended, and whom something is to be done about."""

from litestar import Router

from caseload.api.interim.routes import (
    begin_interim_treatment,
    correct_interim_plan,
    end_interim_treatment,
    list_interim_due,
    list_interim_treatments,
    plan_interim_treatment,
    take_back_interim_treatment,
)

router = Router(
    "/",
    route_handlers=[
        list_interim_treatments,
        begin_interim_treatment,
        plan_interim_treatment,
        correct_interim_plan,
        end_interim_treatment,
        take_back_interim_treatment,
        list_interim_due,
    ],
    tags=["Caseloads"],
)
