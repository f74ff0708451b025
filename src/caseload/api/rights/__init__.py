"""What clients ask for about their own record, over HTTP."""

from litestar import Router

from caseload.api.rights.accountings import (
    list_rights_accountings,
    make_rights_accounting,
    send_rights_accounting,
)
from caseload.api.rights.requests import (
    add_rights_statement,
    answer_rights_request,
    ask_rights_along,
    end_agreed_contact,
    end_agreed_restriction,
    list_due_rights_requests,
    list_rights_requests,
    put_off_rights_request,
    read_rights_request,
    take_rights_request,
    terminate_agreed_restriction,
)

router = Router(
    "/",
    route_handlers=[
        take_rights_request,
        list_rights_requests,
        list_due_rights_requests,
        read_rights_request,
        put_off_rights_request,
        answer_rights_request,
        add_rights_statement,
        ask_rights_along,
        end_agreed_restriction,
        make_rights_accounting,
        list_rights_accountings,
        send_rights_accounting,
        terminate_agreed_restriction,
        end_agreed_contact,
    ],
    tags=["Requests of clients"],
)

__all__ = ["router"]
