"""How a client may be reached: by which ways, at which number and address, as the client has said; in versions.

Ringing somebody up, a message on their machine or a letter on the mat may tell others that they are in treatment (42 CFR
2.13). So nothing is allowed that the client has not allowed, and of a client who was never asked nothing is.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Final, Protocol

from caseload.domain.errors import Conflict, Faults
from caseload.domain.ids import ClientId, StaffId
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff

LONGEST_TELEPHONE: Final = 64
LONGEST_TEXT: Final = 1000


class Channel(StrEnum):
    """A way to reach a client."""

    TELEPHONE = "telephone"
    VOICEMAIL = "voicemail"
    """To leave a message where the telephone is not answered."""
    TEXT = "text"
    POST = "post"
    VISIT = "visit"
    """To go to the address."""


NEEDS_TELEPHONE: Final = frozenset({Channel.TELEPHONE, Channel.VOICEMAIL, Channel.TEXT})
NEEDS_ADDRESS: Final = frozenset({Channel.POST, Channel.VISIT})


class ContactChanged(Conflict):
    """How this client may be reached has been changed since you read it."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactSaid(Event):
    """A client said how they may be reached."""

    name: ClassVar[str] = "client.contact_said"


class Contacts(Protocol):
    """How clients may be reached."""

    async def add_contact(self, contact: Contact, /) -> None:
        """Keep a version; `ContactChanged` when there is such a version already."""
        ...


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
    """Keep how a client may be reached, as the version after the one that was read. Raises `Invalid`, `ContactChanged`."""
    faults = Faults()
    for where, text, longest in (
        ("telephone", said.telephone, LONGEST_TELEPHONE),
        ("address", said.address, LONGEST_TEXT),
        ("heed", said.heed, LONGEST_TEXT),
        ("reason", reason, LONGEST_TEXT),
    ):
        faults.check(when=text is not None and not text.strip(), where=where, problem="leave it out, or say something")
        faults.check(when=len(text or "") > longest, where=where, problem=f"must have at most {longest} characters")
    faults.check(
        when=bool(said.allowed & NEEDS_TELEPHONE) and said.telephone is None,
        where="telephone",
        problem="must be there where telephone, voicemail or text is allowed",
    )
    faults.check(
        when=bool(said.allowed & NEEDS_ADDRESS) and said.address is None,
        where="address",
        problem="must be there where post or a visit is allowed",
    )
    faults.check(
        when=Channel.VOICEMAIL in said.allowed and Channel.TELEPHONE not in said.allowed,
        where="allowed",
        problem="voicemail asks for telephone: a message is left by whoever rings",
    )
    faults.check(
        when=before.version > 0 and reason is None, where="reason", problem="say why it is not as it was before"
    )
    faults.raise_if_any()
    contact = Contact(
        client=before.client,
        version=before.version + 1,
        said=said,
        reason=reason if before.version else None,
        recorded_by=by.id,
        recorded_at=now,
    )
    await contacts.add_contact(contact)
    journal.tell(ContactSaid(client=contact.client, facts={"version": contact.version}))
    return contact
