"""Somebody around a client: who they are to the client, and how they take part."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Protocol

from caseload.domain.access import Act
from caseload.domain.client import Client
from caseload.domain.errors import Conflict, Fault, Faults, Invalid, NotFound
from caseload.domain.family.texts import LONGEST_NAME, LONGEST_TEXT, text_fault
from caseload.domain.ids import ClientId, RelatedPersonId, StaffId
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff


class Relationship(StrEnum):
    """Who somebody is to the client."""

    MOTHER = "mother"
    FATHER = "father"
    PARTNER = "partner"
    CHILD = "child"
    SIBLING = "sibling"
    GRANDPARENT = "grandparent"
    OTHER_RELATIVE = "other_relative"
    FRIEND = "friend"
    SPONSOR = "sponsor"
    GUARDIAN = "guardian"
    OTHER = "other"


class Involvement(StrEnum):
    """A way in which somebody takes part. Several per person; none means no longer involved."""

    FAMILY_THERAPY = "family_therapy"
    """Sits in sessions together with the client."""
    FAMILY_EDUCATION = "family_education"
    """Learns about addiction, overdose and naloxone in general; is told nothing about the client."""
    OWN_SUPPORT = "own_support"
    """Is supported in their own right (CRAFT and the like); is told nothing about the client."""
    CARE_PARTNER = "care_partner"
    """Helps with safe storage, appointments and the plan, as far as the client's consent goes."""
    EMERGENCY_CONTACT = "emergency_contact"
    """Is to be called in an emergency, if the client's consent names them."""
    LEGAL_REPRESENTATIVE = "legal_representative"
    """Acts for the client under an authority whose evidence is on file (42 CFR 2.15)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonDetails:
    """What is known about somebody around the client, as one version says it."""

    name: str
    relationship: Relationship
    involvements: frozenset[Involvement] = frozenset()
    phone: str | None = None
    email: str | None = None
    address: str | None = None
    contact_note: str | None = None
    """How and when to reach them, and when not to."""
    evidence: str | None = None
    """The document that shows the authority of a legal representative, and where it is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RelatedPerson:
    """Somebody around one client, in the newest version."""

    id: RelatedPersonId
    client: ClientId
    version: int
    details: PersonDetails
    reason: str | None
    """Why this version replaced the one before; none for the first."""
    recorded_at: datetime
    recorded_by: StaffId

    @property
    def may_sign(self) -> bool:
        """Whether this person may sign for the client: a legal representative whose evidence is on file."""
        return Involvement.LEGAL_REPRESENTATIVE in self.details.involvements and self.details.evidence is not None


class PersonUnknown(NotFound):
    """No such person around this client."""

    def __init__(self) -> None:
        super().__init__("Read the list of people around the client again; this one is not on it.")


class PersonChanged(Conflict):
    """Somebody else changed this person's details since you read them."""

    def __init__(self) -> None:
        super().__init__("Read the person again, look at what has changed, and make your change to the newest version.")


def check_details(details: PersonDetails) -> None:
    """Raise `Invalid` with every fault of what is said about a person."""
    faults = Faults()
    for where, text, longest in (
        ("name", details.name, LONGEST_NAME),
        ("phone", details.phone, LONGEST_NAME),
        ("email", details.email, LONGEST_NAME),
        ("address", details.address, LONGEST_TEXT),
        ("contact_note", details.contact_note, LONGEST_TEXT),
        ("evidence", details.evidence, LONGEST_TEXT),
    ):
        if problem := text_fault(text, longest=longest):
            faults.add(where, problem)
    faults.check(
        when=Involvement.LEGAL_REPRESENTATIVE in details.involvements and details.evidence is None,
        where="evidence",
        problem="name the document that shows the authority of a legal representative, and where it is kept",
    )
    faults.raise_if_any()


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonAdded(Event):
    """Somebody was put on the list of people around a client."""

    name: ClassVar[str] = "family.person_added"


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonDetailsChanged(Event):
    """A new version of what is known about somebody around a client was recorded."""

    name: ClassVar[str] = "family.person_changed"


class RelatedPeople(Protocol):
    """The people around clients."""

    async def add(self, person: RelatedPerson) -> None:
        """Keep a version of a person; `PersonChanged` when that version exists already."""
        ...

    async def get(self, person: RelatedPersonId, *, client: ClientId) -> RelatedPerson:
        """The newest version of a person around this client, or `PersonUnknown`."""
        ...

    async def around(self, client: ClientId) -> Sequence[RelatedPerson]:
        """Everybody around this client, each in the newest version, in the order in which they were added."""
        ...


async def add_person(
    client: Client,
    details: PersonDetails,
    *,
    as_id: RelatedPersonId,
    by: Staff,
    now: datetime,
    families: RelatedPeople,
    journal: Journal,
) -> RelatedPerson:
    """Put somebody on the list of people around a client. Raises `NotPermitted`, or `Invalid` with every fault."""
    by.require(Act.RECORD_FAMILY, client.programme)
    check_details(details)
    person = RelatedPerson(
        id=as_id,
        client=client.id,
        version=1,
        details=details,
        reason=None,
        recorded_at=now,
        recorded_by=by.id,
    )
    await families.add(person)
    journal.tell(PersonAdded(client=client.id, records=(person.id,)))
    return person


async def change_person(
    person: RelatedPerson,
    details: PersonDetails,
    *,
    reason: str,
    client: Client,
    by: Staff,
    now: datetime,
    families: RelatedPeople,
    journal: Journal,
) -> RelatedPerson:
    """Record a new version of a person's details, with the reason; every former version stays readable.

    Somebody who is no longer involved gets a version without involvements. Raises `NotPermitted`, `Invalid`, or
    `PersonChanged` when somebody else recorded a version at the same moment.
    """
    by.require(Act.RECORD_FAMILY, client.programme)
    if problem := text_fault(reason, longest=LONGEST_TEXT):
        raise Invalid(Fault("reason", problem))
    check_details(details)
    changed = replace(
        person, version=person.version + 1, details=details, reason=reason, recorded_at=now, recorded_by=by.id
    )
    await families.add(changed)
    journal.tell(PersonDetailsChanged(client=client.id, records=(person.id,), facts={"version": changed.version}))
    return changed
