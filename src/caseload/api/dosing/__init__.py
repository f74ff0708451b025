"""Dosing over HTTP: what is due, doses at the window and afterwards, doses not given, amendments and corrections."""

from litestar import Router

from caseload.api.dosing.before import list_waiting_steps, observe_before
from caseload.api.dosing.corrections import amend_dose, correct_dose
from caseload.api.dosing.dispensing_list import read_dispensing_list
from caseload.api.dosing.doses import list_dose_versions, read_dose, record_dose, record_not_given

router = Router(
    "/",
    route_handlers=[
        read_dispensing_list,
        observe_before,
        list_waiting_steps,
        record_dose,
        record_not_given,
        read_dose,
        list_dose_versions,
        amend_dose,
        correct_dose,
    ],
    tags=["Dosing"],
)

__all__ = ["router"]
