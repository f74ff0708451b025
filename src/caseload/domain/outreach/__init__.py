"""Outreach: how a client may be reached, and the ladder by which whoever has not come is looked for.

`contact` is what the client has said, `around` whom else a consent lets us ask, `ladder` which step is due when and whether it
may be taken, `climbing` taking it.
"""

from caseload.domain.outreach.around import MayBeAsked, may_be_asked
from caseload.domain.outreach.climbing import (
    Climber,
    Ground,
    Ladders,
    OutreachStepTaken,
    climb,
    ground_of,
    who_may_be_asked,
)
from caseload.domain.outreach.contact import (
    NOT_ASKED,
    Channel,
    Contact,
    ContactChanged,
    Contacts,
    ContactSaid,
    Reachable,
    say_contact,
)
from caseload.domain.outreach.ladder import (
    SAYS,
    SKIPPED_SAYS,
    Allowed,
    Calendar,
    Next,
    Skipped,
    Taken,
    next_step,
    way,
)

__all__ = [
    "NOT_ASKED",
    "SAYS",
    "SKIPPED_SAYS",
    "Allowed",
    "Calendar",
    "Channel",
    "Climber",
    "Contact",
    "ContactChanged",
    "ContactSaid",
    "Contacts",
    "Ground",
    "Ladders",
    "MayBeAsked",
    "Next",
    "OutreachStepTaken",
    "Reachable",
    "Skipped",
    "Taken",
    "climb",
    "ground_of",
    "may_be_asked",
    "next_step",
    "say_contact",
    "way",
    "who_may_be_asked",
]
