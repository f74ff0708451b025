"""Outreach: how a client may be reached, and the ladder by which whoever has not come is looked for.

`contact` is what the client has said, `home` what a safety warning closes of it, `around` whom else a consent lets us ask, `ladder` which step is due when and whether it
may be taken, `climbing` taking it, `meeting` which check-ins are planned.
"""

from caseload.domain.outreach.around import MayBeAsked, may_be_asked
from caseload.domain.outreach.channel import Channel
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
    AgreedContact,
    Contact,
    ContactAgreed,
    ContactChanged,
    Contacts,
    ContactSaid,
    Reachable,
    WaysTo,
    agree_contact,
    check_reachable,
    say_contact,
    ways_to,
)
from caseload.domain.outreach.home import LOCAL_DIGITS, Warned
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
from caseload.domain.outreach.meeting import require_agreed

__all__ = [
    "LOCAL_DIGITS",
    "NOT_ASKED",
    "SAYS",
    "SKIPPED_SAYS",
    "AgreedContact",
    "Allowed",
    "Calendar",
    "Channel",
    "Climber",
    "Contact",
    "ContactAgreed",
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
    "Warned",
    "WaysTo",
    "agree_contact",
    "check_reachable",
    "climb",
    "ground_of",
    "may_be_asked",
    "next_step",
    "require_agreed",
    "say_contact",
    "way",
    "ways_to",
    "who_may_be_asked",
]
