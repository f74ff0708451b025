"""Sign-off over HTTP: what waits for a second clinician, signatures under doses as displayed, and what was sent back."""

from litestar import Router

from caseload.api.signoff.looking import reject_dose, sign_off_doses
from caseload.api.signoff.queue import list_my_sign_offs, list_sent_back_doses, list_waiting_doses

router = Router(
    "/",
    route_handlers=[list_my_sign_offs, list_waiting_doses, list_sent_back_doses, sign_off_doses, reject_dose],
    tags=["Sign-off"],
)
