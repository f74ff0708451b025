"""A request to be reached in another way or at another place, where it is agreed to: how and where, and until when.

45 CFR 164.522(b)(1): reasonable requests are accommodated. No reason is asked for ((b)(2)(iii)); an address or another way must be
named ((b)(2)(ii)(B)), and none at all means face to face alone. What was agreed becomes the newest version of how the client
is reached (`domain/outreach/contact.py`) and bounds every later one, until the client gives it up or another request replaces it.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar, Final, Protocol

from caseload.domain.access import Act
from caseload.domain.errors import Conflict, Faults
from caseload.domain.ids import ClientId, RightsRequestId
from caseload.domain.journal import Event, Journal
from caseload.domain.outreach import AgreedContact, Contact, Contacts, Reachable, agree_contact, check_reachable
from caseload.domain.people import Staff
from caseload.domain.profiles.rights import RightKind
from caseload.domain.rights.request import (
    ContactEnd,
    ContactEndedHow,
    RightsRequest,
    RightsRequests,
    require_says,
)

REPLACED_SAYS: Final = "Replaced by what was agreed on a later request."


class NoContactAgreed(Conflict):
    """No way or address was agreed to here."""

    def __init__(self) -> None:
        super().__init__("Read the client's requests for a confidential contact that was granted.")


class ContactAgreementOver(Conflict):
    """What was agreed here of how the client is reached is over."""

    def __init__(self) -> None:
        super().__init__("Read the request for how it ended. If the client asks again, take another request.")


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreedContactEnded(Event):
    """A client gave up what was agreed of how they are reached."""

    name: ClassVar[str] = "rights.contact_ended"


class AgreedContacts(RightsRequests, Contacts, Protocol):
    """How clients are reached, and what was agreed with them of it."""

    async def contact(self, client: ClientId, /) -> Contact:
        """The newest version of how a client is reached, with what was agreed and stands."""
        ...

    async def end_contact(self, request: RightsRequestId, end: ContactEnd, /) -> None:
        """Keep that what was agreed is over; `ContactAgreementOver` when it was."""
        ...


def check_contact(to: Reachable | None, request: RightsRequest, *, is_granted: bool, faults: Faults) -> None:
    """A confidential contact that is granted says how and where the client is reached, and nothing else does."""
    belongs = is_granted and request.asked.kind is RightKind.CONFIDENTIAL_CONTACT
    if to is None:
        faults.check(
            when=belongs,
            where="contact",
            problem="say how and where the client is reached from now on; by no way is one",
        )
    elif belongs:
        check_reachable(to, faults, within="contact.")
    else:
        faults.add("contact", "belongs to a confidential contact that is granted")


async def replaced_by(request: RightsRequest, *, by: Staff, now: datetime, contacts: AgreedContacts) -> Contact:
    """How the client is reached before this request is granted; what was agreed on an earlier one is over."""
    before = await contacts.contact(request.client)
    if before.agreed is not None:
        end = ContactEnd(how=ContactEndedHow.REPLACED, says=REPLACED_SAYS, by=by.id, at=now)
        await contacts.end_contact(before.agreed.request, end)
    return before


async def agree(
    request: RightsRequest,
    to: Reachable,
    before: Contact,
    *,
    by: Staff,
    now: datetime,
    contacts: AgreedContacts,
    journal: Journal,
) -> None:
    """Reach the client so from now on. Raises `ContactChanged` when somebody wrote down something else meanwhile."""
    agreed = AgreedContact(request=request.id, to=to)
    await agree_contact(before, agreed, by=by, now=now, contacts=contacts, journal=journal)


async def end_contact(
    wanted: RightsRequestId,
    says: str,
    *,
    by: Staff,
    now: datetime,
    contacts: AgreedContacts,
    journal: Journal,
) -> RightsRequest:
    """Record that a client gives up what was agreed of how they are reached.

    What they said last stays in force, and may be changed again. Raises `Invalid`, `RightsRequestUnknown`, `NoContactAgreed`,
    `ContactAgreementOver`.
    """
    request = await contacts.hold(wanted, by=by, act=Act.ANSWER_RIGHTS_REQUEST)
    said = require_says(says)
    if request.contact is None:
        raise NoContactAgreed
    if request.contact.end is not None:
        raise ContactAgreementOver
    end = ContactEnd(how=ContactEndedHow.GIVEN_UP, says=said, by=by.id, at=now)
    await contacts.end_contact(wanted, end)
    journal.tell(AgreedContactEnded(client=request.client, records=(wanted,)))
    return replace(request, contact=replace(request.contact, end=end))
