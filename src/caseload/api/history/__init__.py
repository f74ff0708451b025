"""Histories that were brought in, over HTTP: what they show, and the worklist of what follows them."""

from litestar import Router

from caseload.api.history.reading import read_client_history, read_programme_history
from caseload.api.history.verifying import list_histories_to_verify, verify_history

router = Router(
    "/",
    route_handlers=[
        read_client_history,
        read_programme_history,
        list_histories_to_verify,
        verify_history,
    ],
    tags=["History"],
)

__all__ = ["router"]
