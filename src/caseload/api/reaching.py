"""How and where a client is reached now, on the wire: beside everything that somebody is about to tell or send them."""

from typing import Final

from caseload.api.wire import Wire
from caseload.db.outreach import KeptContacts
from caseload.domain.access import Act
from caseload.domain.family import WarningKind
from caseload.domain.ids import ClientId
from caseload.domain.outreach import Channel, Contact, ways_to
from caseload.request.work import Work

_SHOWN_FOR: Final = (Act.SEE_CONTACT, Act.ANSWER_RIGHTS_REQUEST)


class ReachByOut(Wire, frozen=True, kw_only=True):
    """Use these ways, and this number and address, and no other. By no way: only face to face."""

    by: list[Channel]
    telephone: str | None
    """Null where no way is allowed that needs one."""
    address: str | None
    """Null where no way is allowed that needs one."""
    heed: str | None
    """When and when not, and under which name to ring: what was agreed, and after it what the client said besides."""
    is_agreed: bool
    """Whether it was agreed with the client on their request (45 CFR 164.522(b))."""
    closed: list[Channel]
    """What the client allows, and a safety warning about somebody at that number or in that home closes."""
    beware: WarningKind | None
    """A safety warning stands about somebody who may be there: read it before using any way."""

    @classmethod
    def of(cls, contact: Contact) -> "ReachByOut":
        """From the domain."""
        ways = ways_to(contact)
        return cls(
            by=list(ways.by),
            telephone=ways.telephone,
            address=ways.address,
            heed=ways.heed,
            is_agreed=ways.is_agreed,
            closed=list(ways.closed),
            beware=ways.beware,
        )


async def reach_by(work: Work, client: ClientId) -> ReachByOut:
    """How and where a client is reached, for whoever has been let through to them."""
    return ReachByOut.of(await KeptContacts(work.connection, work.journal).contact(client))


async def reach_by_where_shown(work: Work, client: ClientId) -> ReachByOut | None:
    """The same, for whoever sees how this client is reached or answers their requests; nothing for everybody else."""
    contacts = KeptContacts(work.connection, work.journal)
    for act in _SHOWN_FOR:
        if work.by.may(act) and await contacts.is_within(client, reach=work.by.reach(act), at=work.now):
            return ReachByOut.of(await contacts.contact(client))
    return None
