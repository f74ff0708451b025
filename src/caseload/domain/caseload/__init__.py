"""Caseloads: episodes of care and who looks after whom. How one ends is in `discharging`, which reaches further."""

from caseload.domain.caseload.admitting import Admitted, Caseloads, admit
from caseload.domain.caseload.episode import (
    ASAM_4_LEVELS,
    AlreadyInCare,
    DischargeReason,
    Edition,
    Episode,
    EpisodeUnknown,
    LevelOfCare,
    LevelOfCareMoved,
    NoOpenEpisode,
    move_level_of_care,
)
from caseload.domain.caseload.handovers import (
    HandoverCancelled,
    Handovers,
    HandoverTookPlace,
    HandoverUnknown,
    NobodyUntilThen,
    cancel_handover,
)
from caseload.domain.caseload.responsibility import (
    CaseloadMoved,
    Cover,
    CoverArranged,
    HandedOver,
    OnCaseload,
    Responsibility,
    arrange_cover,
    hand_over,
)

__all__ = [
    "ASAM_4_LEVELS",
    "Admitted",
    "AlreadyInCare",
    "CaseloadMoved",
    "Caseloads",
    "Cover",
    "CoverArranged",
    "DischargeReason",
    "Edition",
    "Episode",
    "EpisodeUnknown",
    "HandedOver",
    "HandoverCancelled",
    "HandoverTookPlace",
    "HandoverUnknown",
    "Handovers",
    "LevelOfCare",
    "LevelOfCareMoved",
    "NoOpenEpisode",
    "NobodyUntilThen",
    "OnCaseload",
    "Responsibility",
    "admit",
    "arrange_cover",
    "cancel_handover",
    "hand_over",
    "move_level_of_care",
]
