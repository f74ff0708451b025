"""Flags: what whoever orders or gives a medicine should see first. A flag is shown and never refuses anything."""

from caseload.domain.flag.dose import high_dose
from caseload.domain.flag.heart import NO_FLAGS, LastQtc, SeeFirst
from caseload.domain.flag.raising import (
    SAYS,
    End,
    Flag,
    FlagAlreadyEnded,
    FlagKind,
    Flags,
    FlagUnknown,
    Raised,
    end_flag,
    raise_flag,
)

__all__ = [
    "NO_FLAGS",
    "SAYS",
    "End",
    "Flag",
    "FlagAlreadyEnded",
    "FlagKind",
    "FlagUnknown",
    "Flags",
    "LastQtc",
    "Raised",
    "SeeFirst",
    "end_flag",
    "high_dose",
    "raise_flag",
]
