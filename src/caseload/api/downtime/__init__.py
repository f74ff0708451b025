"""A morning on paper over HTTP."""

from litestar import Router

from caseload.api.downtime.entries import enter_downtime_sheet, preview_downtime_sheet, read_downtime_entry
from caseload.api.downtime.listing import list_downtime_entries

router = Router(
    "",
    route_handlers=[enter_downtime_sheet, preview_downtime_sheet, read_downtime_entry, list_downtime_entries],
    tags=["Dosing"],
)
