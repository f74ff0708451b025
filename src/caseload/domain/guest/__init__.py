"""Guest dosing: our client at another programme, another programme's client with us."""

from caseload.domain.guest.agreement import (
    Arrangement,
    Confirmation,
    Guest,
    GuestArranged,
    GuestEnd,
    GuestEnded,
    GuestIsOurs,
    GuestOver,
    GuestOverlaps,
    Guests,
    GuestUnknown,
    HoldsTakeHomes,
    HomeDose,
)
from caseload.domain.guest.arranging import arrange_guest
from caseload.domain.guest.ending import end_guest

__all__ = [
    "Arrangement",
    "Confirmation",
    "Guest",
    "GuestArranged",
    "GuestEnd",
    "GuestEnded",
    "GuestIsOurs",
    "GuestOver",
    "GuestOverlaps",
    "GuestUnknown",
    "Guests",
    "HoldsTakeHomes",
    "HomeDose",
    "arrange_guest",
    "end_guest",
]
