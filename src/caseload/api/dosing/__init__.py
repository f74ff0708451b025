"""Dosing over HTTP: what is due, doses at the window and afterwards, doses not given, amendments and corrections."""

from litestar import Router

from caseload.api.dosing.before import list_waiting_steps, observe_before
from caseload.api.dosing.contacting import list_missed_in_titration, tell_prescriber
from caseload.api.dosing.corrections import amend_dose, correct_dose
from caseload.api.dosing.dispensing_list import read_dispensing_list
from caseload.api.dosing.doses import list_dose_versions, read_dose, record_dose, record_not_given
from caseload.api.dosing.giver import (
    close_the_question,
    list_doses_to_confirm,
    list_doses_without_giver,
    say_as_the_giver,
)
from caseload.api.dosing.handing_on import disclose_last_dose, read_last_dose_statement
from caseload.api.dosing.injections import list_injections, list_named_deliveries, receive_named_delivery
from caseload.api.dosing.statements import (
    list_dose_statements,
    record_dose_statement,
    record_pharmacy_report,
    verify_dose_statement,
    withdraw_dose_statement,
)

router = Router(
    "/",
    route_handlers=[
        read_dispensing_list,
        observe_before,
        list_waiting_steps,
        record_dose,
        record_not_given,
        list_missed_in_titration,
        tell_prescriber,
        read_dose,
        list_doses_to_confirm,
        say_as_the_giver,
        list_doses_without_giver,
        close_the_question,
        list_dose_versions,
        amend_dose,
        correct_dose,
        list_dose_statements,
        record_dose_statement,
        record_pharmacy_report,
        verify_dose_statement,
        withdraw_dose_statement,
        disclose_last_dose,
        read_last_dose_statement,
        list_injections,
        receive_named_delivery,
        list_named_deliveries,
    ],
    tags=["Dosing"],
)

__all__ = ["router"]
