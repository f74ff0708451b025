"""How a client may be reached: by which ways, at which number and address, as the client has said; in versions.

Ringing somebody up, a message on their machine or a letter on the mat may tell others that they are in treatment (42 CFR
2.13). So nothing is allowed that the client has not allowed, and of a client who was never asked nothing is. Where a client asked
to be reached in another way or at another place and that was agreed to (45 CFR 164.522(b)), no later word widens it.

`ways_to` is the one answer to how and where a client is reached: whoever rings, writes, goes there or sends something asks it.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar, Final, Protocol

from caseload.domain.errors import Conflict, Faults
from caseload.domain.family import WarningKind
from caseload.domain.ids import ClientId, RightsRequestId, StaffId
from caseload.domain.journal import Event, Journal
from caseload.domain.outreach.channel import NEEDS_ADDRESS, NEEDS_TELEPHONE, Channel
from caseload.domain.outreach.home import Warned, beware_of, closed_by
from caseload.domain.people import Staff

LONGEST_TELEPHONE: Final = 64
LONGEST_TEXT: Final = 1000
AGREED_SAYS: Final = "Agreed with the client as they asked (45 CFR 164.522(b))."


class ContactChanged(Conflict):
    """How this client may be reached has been changed since you read it."""


class ContactAgreed(Conflict):
    """It was agreed with this client how and where they are reached."""

    def __init__(self) -> None:
        super().__init__(
            "Less may be written down at once. For another way, number or address take a request of the kind "
            "confidential_contact; if the client gives up what was agreed, a privacy officer records that."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reachable:
    """By which ways, where, and what to heed."""

    allowed: frozenset[Channel] = frozenset()
    telephone: str | None = None
    address: str | None = None
    heed: str | None = None
    """When and when not, and under which name to ring."""


NOT_ASKED: Final = Reachable()


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreedContact:
    """How and where a client is reached because they asked for it and it was agreed to; it stands until they give it up."""

    request: RightsRequestId
    to: Reachable

    def covers(self, said: Reachable) -> bool:
        """Whether what is said stays within what was agreed."""
        return (
            said.allowed <= self.to.allowed
            and said.telephone in {None, self.to.telephone}
            and said.address in {None, self.to.address}
        )

    def heeded_with(self, said: Reachable) -> str | None:
        """What was agreed to be heeded, whatever was said since; and after it, on a line of its own, what was said."""
        agreed, since = self.to.heed, said.heed
        if agreed is None or since is None:
            return agreed or since
        return since if since == agreed or since.startswith(f"{agreed}\n") else f"{agreed}\n{since}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """One version of how a client may be reached."""

    client: ClientId
    version: int
    """0 where nobody has asked the client yet."""
    said: Reachable = NOT_ASKED
    reason: str | None = None
    """Why it replaced the one before; None for the first."""
    recorded_by: StaffId | None = None
    recorded_at: datetime | None = None
    agreed_in: RightsRequestId | None = None
    """The request by which this very version was agreed to; None where somebody wrote it down as the client said it."""
    agreed: AgreedContact | None = None
    """What was agreed with the client and stands now, whichever version this is."""
    warned: tuple[Warned, ...] = ()
    """Whom around the client a safety warning is about now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaysTo:
    """How and where a client is reached now. No way, number or address is in it that they have not allowed."""

    by: tuple[Channel, ...]
    telephone: str | None
    address: str | None
    heed: str | None
    """What to heed: what was agreed, and what the client said besides."""
    is_agreed: bool
    """Whether it was agreed with the client: then nothing else is used, whatever else is on file."""
    closed: tuple[Channel, ...] = ()
    """What the client allows, and a safety warning about somebody there closes."""
    beware: WarningKind | None = None
    """A safety warning stands about somebody who may be there: read it before using any way."""


def ways_to(contact: Contact) -> WaysTo:
    """Pure: the ways to a client, in their order, with the number and the address that these need and no other.

    Of whoever was never asked there are none. What was agreed with the client bounds what was said, before it or after it
    (45 CFR 164.522(b)(1)), and a safety warning about somebody at that number or in that home stands before both.
    """
    said, agreed = contact.said, contact.agreed
    to = said if agreed is None else agreed.to
    allowed = said.allowed & to.allowed
    closed = allowed & closed_by(contact.warned, to.telephone, to.address)
    left = allowed - closed
    return WaysTo(
        by=tuple(each for each in Channel if each in left),
        telephone=to.telephone if left & NEEDS_TELEPHONE else None,
        address=to.address if left & NEEDS_ADDRESS else None,
        heed=said.heed if agreed is None else agreed.heeded_with(said),
        is_agreed=agreed is not None,
        closed=tuple(each for each in Channel if each in closed),
        beware=beware_of(contact.warned, to.telephone, to.address),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactSaid(Event):
    """A client said how they may be reached."""

    name: ClassVar[str] = "client.contact_said"


class Contacts(Protocol):
    """How clients may be reached."""

    async def add_contact(self, contact: Contact, /) -> None:
        """Keep a version; `ContactChanged` when there is such a version already."""
        ...


def check_reachable(said: Reachable, faults: Faults, *, within: str = "") -> None:
    """Add every fault of how a client is to be reached."""
    for where, text, longest in (
        ("telephone", said.telephone, LONGEST_TELEPHONE),
        ("address", said.address, LONGEST_TEXT),
        ("heed", said.heed, LONGEST_TEXT),
    ):
        check_words(text, faults, where=f"{within}{where}", longest=longest)
    faults.check(
        when=bool(said.allowed & NEEDS_TELEPHONE) and said.telephone is None,
        where=f"{within}telephone",
        problem="must be there where telephone, voicemail or text is allowed",
    )
    faults.check(
        when=bool(said.allowed & NEEDS_ADDRESS) and said.address is None,
        where=f"{within}address",
        problem="must be there where post or a visit is allowed",
    )
    faults.check(
        when=Channel.VOICEMAIL in said.allowed and Channel.TELEPHONE not in said.allowed,
        where=f"{within}allowed",
        problem="voicemail asks for telephone: a message is left by whoever rings",
    )


def check_words(text: str | None, faults: Faults, *, where: str, longest: int) -> None:
    """Add what is wrong with words that may be left out."""
    faults.check(when=text is not None and not text.strip(), where=where, problem="leave it out, or say something")
    faults.check(when=len(text or "") > longest, where=where, problem=f"must have at most {longest} characters")


async def say_contact(
    before: Contact,
    said: Reachable,
    reason: str | None,
    *,
    by: Staff,
    now: datetime,
    contacts: Contacts,
    journal: Journal,
) -> Contact:
    """Keep how a client may be reached, as the version after the one that was read.

    Raises `Invalid`, `ContactChanged`, and `ContactAgreed` where it goes beyond what was agreed with the client.
    """
    faults = Faults()
    check_reachable(said, faults)
    check_words(reason, faults, where="reason", longest=LONGEST_TEXT)
    faults.check(
        when=before.version > 0 and reason is None, where="reason", problem="say why it is not as it was before"
    )
    faults.raise_if_any()
    if before.agreed is not None and not before.agreed.covers(said):
        raise ContactAgreed
    return await _keep(before, said, reason, by=by, now=now, contacts=contacts, journal=journal)


async def agree_contact(
    before: Contact,
    agreed: AgreedContact,
    *,
    by: Staff,
    now: datetime,
    contacts: Contacts,
    journal: Journal,
) -> Contact:
    """Keep what was agreed with a client as the newest version: whoever wrote another one down meanwhile has lost.

    `agreed` has been checked (`check_reachable`) and is kept. Raises `ContactChanged`.
    """
    standing = replace(before, agreed=agreed)
    return await _keep(
        standing, agreed.to, AGREED_SAYS, by=by, now=now, contacts=contacts, journal=journal, agreed_in=agreed.request
    )


async def _keep(
    before: Contact,
    said: Reachable,
    reason: str | None,
    *,
    by: Staff,
    now: datetime,
    contacts: Contacts,
    journal: Journal,
    agreed_in: RightsRequestId | None = None,
) -> Contact:
    contact = replace(
        before,
        version=before.version + 1,
        said=said,
        reason=reason if before.version else None,
        recorded_by=by.id,
        recorded_at=now,
        agreed_in=agreed_in,
    )
    await contacts.add_contact(contact)
    journal.tell(ContactSaid(client=contact.client, facts={"version": contact.version}))
    return contact
