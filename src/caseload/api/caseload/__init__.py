"""Episodes of care and caseloads over HTTP: admit, hand over, cover, and who is on whose caseload."""

from litestar import Router

from caseload.api.caseload.episodes import admit_client, list_episodes, move_level_of_care
from caseload.api.caseload.handovers import cancel_handover, list_handovers
from caseload.api.caseload.lists import list_caseload
from caseload.api.caseload.responsibility import cover_client, hand_over_client

router = Router(
    "/",
    route_handlers=[
        admit_client,
        list_episodes,
        hand_over_client,
        list_handovers,
        cancel_handover,
        cover_client,
        move_level_of_care,
        list_caseload,
    ],
    tags=["Caseloads"],
)

__all__ = ["router"]
