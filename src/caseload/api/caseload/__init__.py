"""Episodes of care and caseloads over HTTP: admit, hand over, cover, and who is on whose caseload."""

from litestar import Router

from caseload.api.caseload.absences import arrange_absence, end_absence, list_absences
from caseload.api.caseload.course import begin_phase, list_editions, list_levels_of_care, list_phases
from caseload.api.caseload.dashboard import read_dashboard
from caseload.api.caseload.day import read_day
from caseload.api.caseload.episodes import admit_client, list_episodes, move_level_of_care
from caseload.api.caseload.handovers import cancel_handover, list_handovers
from caseload.api.caseload.keyworkers import end_keywork, list_keyworkers, name_keyworker
from caseload.api.caseload.lists import list_caseload
from caseload.api.caseload.loads import list_counsellor_loads, list_roles_ending, set_ceiling
from caseload.api.caseload.offers import (
    accept_handover,
    decline_handover,
    list_offered_handovers,
    list_waiting_handovers,
    set_caseload_terms,
    withdraw_handover,
)
from caseload.api.caseload.responsibility import cover_client, hand_over_client
from caseload.api.caseload.together import hand_over_caseload
from caseload.api.caseload.waiting import list_client, list_waiting_clients, unlist_client

router = Router(
    "/",
    route_handlers=[
        admit_client,
        list_episodes,
        hand_over_client,
        list_handovers,
        cancel_handover,
        cover_client,
        name_keyworker,
        list_keyworkers,
        end_keywork,
        move_level_of_care,
        list_editions,
        list_levels_of_care,
        begin_phase,
        list_phases,
        list_caseload,
        read_day,
        read_dashboard,
        hand_over_caseload,
        arrange_absence,
        list_absences,
        end_absence,
        list_counsellor_loads,
        list_roles_ending,
        set_ceiling,
        list_offered_handovers,
        accept_handover,
        decline_handover,
        list_waiting_handovers,
        withdraw_handover,
        set_caseload_terms,
        list_waiting_clients,
        list_client,
        unlist_client,
    ],
    tags=["Caseloads"],
)

__all__ = ["router"]
