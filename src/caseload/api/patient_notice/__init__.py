"""Patient notices over HTTP: versions put in force, that a client was given one, and who is still to be given it."""

from litestar import Router

from caseload.api.patient_notice.given import (
    give_notice,
    list_notices_given,
    list_notices_still_to_give,
    take_back_notice,
)
from caseload.api.patient_notice.versions import list_patient_notices, put_patient_notice_in_force

router = Router(
    "/",
    route_handlers=[
        put_patient_notice_in_force,
        list_patient_notices,
        list_notices_still_to_give,
        list_notices_given,
        give_notice,
        take_back_notice,
    ],
    tags=["Patient notices"],
)

__all__ = ["router"]
