"""Programmes: the sites of a clinic, each with the time zone of its days and the profiles of its rules."""

from caseload.domain.programme.opening import (
    CodeTaken,
    Programme,
    ProgrammeOpened,
    Programmes,
    ProgrammeUnknown,
    check_programme,
    is_zone,
    open_programme,
)
from caseload.domain.programme.selecting import (
    Choice,
    ProfileLoosens,
    ProfileSelected,
    Selection,
    SelectionRaced,
    Selections,
    select_profile,
    what_it_loosens,
)

__all__ = [
    "Choice",
    "CodeTaken",
    "ProfileLoosens",
    "ProfileSelected",
    "Programme",
    "ProgrammeOpened",
    "ProgrammeUnknown",
    "Programmes",
    "Selection",
    "SelectionRaced",
    "Selections",
    "check_programme",
    "is_zone",
    "open_programme",
    "select_profile",
    "what_it_loosens",
]
