"""Drug screens over HTTP: the draw of a day and who is behind, samples and refusals, and results as they come."""

from litestar import Router

from caseload.api.screening.draws import draw_drug_screens, list_behind_drug_screens, read_drug_screen_draw
from caseload.api.screening.screens import (
    amend_drug_screen,
    list_drug_screens,
    read_drug_screen,
    record_drug_screen,
)

router = Router(
    "/",
    route_handlers=[
        draw_drug_screens,
        read_drug_screen_draw,
        list_behind_drug_screens,
        list_drug_screens,
        read_drug_screen,
        record_drug_screen,
        amend_drug_screen,
    ],
    tags=["Drug screens"],
)
