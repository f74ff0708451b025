"""A relative who is a client too: linked, without either chart showing the other.

That somebody is in treatment is told to nobody who sees another's chart (42 CFR 2.13(a)); what one told about the other in
confidence stays with whom it was told of. The link is a row that the privacy officer alone reads and writes. What it
does: the ladder of outreach never names such a relative, so nobody who rings about the one tells the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar, Protocol

from caseload.domain.access import Act
from caseload.domain.client import Client
from caseload.domain.errors import Conflict, Faults, NotFound
from caseload.domain.family.person import RelatedPerson
from caseload.domain.family.texts import LONGEST_TEXT, text_fault
from caseload.domain.ids import ClientId, RelatedPersonId, RelativeLinkId, StaffId
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff


class AlreadyLinked(Conflict):
    """This relative is linked to a registration already."""

    def __init__(self) -> None:
        super().__init__("Read the links again; to say something else, undo it and link anew.")


class LinkUnknown(NotFound):
    """No such link stands here."""

    def __init__(self) -> None:
        super().__init__("Read the links again; this one is not among them, or has been undone.")


@dataclass(frozen=True, slots=True, kw_only=True)
class RelativeLink:
    """That somebody on one client's list is a client too, until somebody undoes it."""

    id: RelativeLinkId
    client: ClientId
    """On whose list they are."""
    person: RelatedPersonId
    own: ClientId
    """The relative's own registration."""
    reason: str
    """How the privacy officer knows."""
    linked_by: StaffId
    linked_at: datetime
    undone_by: StaffId | None = None
    undone_at: datetime | None = None
    undone_because: str | None = None


class RelativeLinked(Event):
    """Somebody on a client's list was linked to a registration of their own."""

    name: ClassVar[str] = "family.relative_linked"


class RelativeUnlinked(Event):
    """The link of somebody on a client's list to a registration of their own was undone."""

    name: ClassVar[str] = "family.relative_unlinked"


class RelativeLinks(Protocol):
    """The links between people on clients' lists and registrations of their own."""

    async def add_link(self, link: RelativeLink, /) -> None:
        """Keep it; `AlreadyLinked` when one of this person stands."""
        ...

    async def undo_link(self, undone: RelativeLink, /) -> None:
        """Keep that it was undone; `LinkUnknown` when somebody else was faster."""
        ...

    async def links_of(self, client: ClientId, /) -> Sequence[RelativeLink]:
        """Those that stand, of the people on this client's list."""
        ...


async def link_relative(
    person: RelatedPerson,
    own: Client,
    reason: str,
    *,
    as_id: RelativeLinkId,
    client: Client,
    by: Staff,
    now: datetime,
    links: RelativeLinks,
    journal: Journal,
) -> RelativeLink:
    """Say that somebody on a client's list is a client too. Raises `NotPermitted`, `Invalid` or `AlreadyLinked`."""
    by.require(Act.LINK_RELATIVES, client.programme)
    by.require(Act.LINK_RELATIVES, own.programme)
    faults = Faults()
    if problem := text_fault(reason, longest=LONGEST_TEXT):
        faults.add("reason", problem)
    faults.check(when=own.id == client.id, where="own_client_id", problem="is the client themselves")
    faults.raise_if_any()
    link = RelativeLink(
        id=as_id, client=client.id, person=person.id, own=own.id, reason=reason, linked_by=by.id, linked_at=now
    )
    await links.add_link(link)
    # Each of the two is told of by themselves, and of neither what could lead from one to the other: the link is on the one's list.
    journal.tell(RelativeLinked(client=client.id, records=(link.id,)))
    journal.tell(RelativeLinked(client=own.id))
    return link


async def unlink_relative(
    link: RelativeLink,
    reason: str,
    *,
    client: Client,
    by: Staff,
    now: datetime,
    links: RelativeLinks,
    journal: Journal,
) -> RelativeLink:
    """Undo a link that stands, with the reason. Raises `NotPermitted`, `Invalid` or `LinkUnknown`."""
    by.require(Act.LINK_RELATIVES, client.programme)
    faults = Faults()
    if problem := text_fault(reason, longest=LONGEST_TEXT):
        faults.add("reason", problem)
    faults.raise_if_any()
    undone = replace(link, undone_by=by.id, undone_at=now, undone_because=reason)
    await links.undo_link(undone)
    journal.tell(RelativeUnlinked(client=link.client, records=(link.id,)))
    journal.tell(RelativeUnlinked(client=link.own))
    return undone
