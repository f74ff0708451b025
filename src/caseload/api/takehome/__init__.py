"""Take-homes over HTTP: decisions, what is handed out with its labels, and what becomes of each unit."""

from litestar import Router

from caseload.api.takehome.decisions import decide, suspend
from caseload.api.takehome.dispensing import dispense, read_labels
from caseload.api.takehome.premises import keep_premises, read_premises
from caseload.api.takehome.reading import list_take_home_reviews, read_take_homes
from caseload.api.takehome.returns import report_units

router = Router(
    "/",
    route_handlers=[
        decide,
        suspend,
        read_take_homes,
        list_take_home_reviews,
        dispense,
        read_labels,
        report_units,
        keep_premises,
        read_premises,
    ],
    tags=["Take-home"],
)

__all__ = ["router"]
