"""What others tell us about a client.

It needs no consent and can always be recorded (NHS England, "Sharing information with unpaid carers"; 42 CFR part 2
protects what we say, not what we hear).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Protocol

from caseload.domain.access import Act
from caseload.domain.client import Client
from caseload.domain.errors import Faults, NotFound
from caseload.domain.family.person import RelatedPeople
from caseload.domain.family.texts import LONGEST_NAME, LONGEST_TEXT, text_fault
from caseload.domain.ids import ClientId, InformationId, RelatedPersonId, StaffId
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Something that somebody else told us about a client."""

    text: str
    received_at: datetime
    person: RelatedPersonId | None = None
    """Who told us, if that person is on the client's list."""
    source: str | None = None
    """Who told us otherwise: a neighbour, an anonymous caller."""
    confidential: bool = False
    """Given in confidence: to be withheld from the client's own copy of the record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Information:
    """What was told, as it was recorded."""

    id: InformationId
    client: ClientId
    told: Told
    recorded_at: datetime
    recorded_by: StaffId


class InformationUnknown(NotFound):
    """No such information about this client."""

    def __init__(self) -> None:
        super().__init__("Read the list of what was told about the client again; this is not on it.")


def check_told(told: Told, *, now: datetime) -> None:
    """Raise `Invalid` with every fault of what was received."""
    faults = Faults()
    for where, text, longest in (("text", told.text, LONGEST_TEXT), ("source", told.source, LONGEST_NAME)):
        if problem := text_fault(text, longest=longest):
            faults.add(where, problem)
    faults.check(
        when=(told.person is None) == (told.source is None),
        where="source",
        problem="say who told you: somebody on the client's list or, for anybody else, a source in words",
    )
    faults.check(when=told.received_at > now, where="received_at", problem="must not lie in the future")
    faults.raise_if_any()


@dataclass(frozen=True, slots=True, kw_only=True)
class InformationReceived(Event):
    """Somebody told us something about a client."""

    name: ClassVar[str] = "family.information_received"


class Families(RelatedPeople, Protocol):
    """The people around clients, and what they told us."""

    async def add_information(self, information: Information) -> None:
        """Keep what was told."""
        ...

    async def get_information(self, information: InformationId, *, client: ClientId) -> Information:
        """Something that was told about this client, or `InformationUnknown`."""
        ...

    async def information(self, client: ClientId) -> Sequence[Information]:
        """What was told about this client, the newest first."""
        ...


async def receive_information(
    told: Told,
    *,
    as_id: InformationId,
    client: Client,
    by: Staff,
    now: datetime,
    families: Families,
    journal: Journal,
) -> Information:
    """Keep what somebody told us about a client, with its source. Asks for no consent: listening discloses nothing.

    Raises `NotPermitted`, `PersonUnknown`, or `Invalid` with every fault.
    """
    by.require(Act.RECORD_FAMILY, client.programme)
    check_told(told, now=now)
    if told.person is not None:
        await families.get(told.person, client=client.id)
    information = Information(id=as_id, client=client.id, told=told, recorded_at=now, recorded_by=by.id)
    await families.add_information(information)
    journal.tell(InformationReceived(client=client.id, records=(information.id,)))
    return information
