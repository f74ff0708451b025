"""Disclosures over HTTP: what is told outside, emergencies, exceptions, where it went from there, and accountings."""

from litestar import Router

from caseload.api.disclosure.accountings import account_disclosures
from caseload.api.disclosure.exceptions import list_disclosure_exceptions
from caseload.api.disclosure.making import (
    complete_release,
    list_disclosures,
    list_open_releases,
    make_disclosure,
    read_disclosure,
    read_release,
    release_in_emergency,
)
from caseload.api.disclosure.passing_on import hear_of_redisclosure, list_redisclosures

router = Router(
    "/",
    route_handlers=[
        make_disclosure,
        list_disclosures,
        read_disclosure,
        release_in_emergency,
        complete_release,
        list_open_releases,
        read_release,
        list_disclosure_exceptions,
        hear_of_redisclosure,
        list_redisclosures,
        account_disclosures,
    ],
    tags=["Disclosures"],
)

__all__ = ["router"]
