"""Outreach over HTTP: how clients may be reached, and why a check-in is overdue and what comes next."""

from litestar import Router

from caseload.api.outreach.contacts import list_contact_versions, read_contact, say_contact
from caseload.api.outreach.why import explain_overdue_check_in

router = Router(
    "/",
    route_handlers=[
        read_contact,
        say_contact,
        list_contact_versions,
        explain_overdue_check_in,
    ],
    tags=["Check-ins"],
)

__all__ = ["router"]
