"""Check-ins that reach somebody where they are: by telephone, text or at the door. None is planned beside what was agreed."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from caseload.domain.checkin import Mode
from caseload.domain.errors import Fault, Invalid
from caseload.domain.outreach.channel import Channel
from caseload.domain.outreach.contact import Contact, ways_to

REACHES: Final[Mapping[Mode, Channel | None]] = MappingProxyType({
    Mode.IN_PERSON: None,
    Mode.VIDEO: None,
    Mode.TELEPHONE: Channel.TELEPHONE,
    Mode.TEXT: Channel.TEXT,
    Mode.HOME_VISIT: Channel.VISIT,
})  # fmt: skip
"""By which way a check-in reaches the client; None where the client comes, or is there by an arrangement of their own."""


def require_agreed(mode: Mode, contact: Contact) -> None:
    """Raise `Invalid` where it was agreed how the client is reached, and check-ins of this kind would reach them otherwise.

    Where nothing was agreed the plan is what counsellor and client speak about: it is itself the client's word (product
    convention).
    """
    channel, ways = REACHES[mode], ways_to(contact)
    if channel is not None and ways.is_agreed and channel not in ways.by:
        raise Invalid(Fault("mode", "must be a way that was agreed with the client: read how they may be reached"))
