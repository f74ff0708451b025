"""Episodes of care and caseloads over HTTP: admit, hand over, cover, and who is on whose caseload."""

from litestar import Router

from caseload.api.caseload.absences import arrange_absence, end_absence, list_absences
from caseload.api.caseload.episodes import admit_client, list_episodes, move_level_of_care
from caseload.api.caseload.handovers import cancel_handover, list_handovers
from caseload.api.caseload.lists import list_caseload
from caseload.api.caseload.loads import list_counsellor_loads, list_roles_ending, set_ceiling
from caseload.api.caseload.responsibility import cover_client, hand_over_client
from caseload.api.caseload.together import hand_over_caseload

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
        hand_over_caseload,
        arrange_absence,
        list_absences,
        end_absence,
        list_counsellor_loads,
        list_roles_ending,
        set_ceiling,
    ],
    tags=["Caseloads"],
)

__all__ = ["router"]
