"""Somebody around a client: who they are to the client, and how they take part."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar, Final, Protocol

from caseload.domain.access import Act
from caseload.domain.client import Client
from caseload.domain.errors import Conflict, Fault, Faults, Invalid, NotFound
from caseload.domain.family.involvement import (
    Beginning,
    Held,
    Involvement,
    InvolvementBegun,
    InvolvementEnded,
    InvolvementOver,
    Involvements,
    InvolvementUnknown,
    NotInvolved,
    authority,
    begun,
    check_beginning,
    check_ending,
    ended,
)
from caseload.domain.family.texts import LONGEST_NAME, LONGEST_TEXT, text_fault
from caseload.domain.family.warning import SafetyWarning, WarningKind, Warnings, stopping
from caseload.domain.family.words import ContactWay, InvolvementKind, Relationship
from caseload.domain.ids import ClientId, InvolvementId, RelatedPersonId, StaffId
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff
from caseload.domain.programme import Programme

_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonDetails:
    """What is known about somebody around the client, as one version says it."""

    name: str
    relationship: Relationship
    language: str | None = None
    """The language to speak with them, by its tag (BCP 47: `en`, `pt-BR`)."""
    contact_by: tuple[ContactWay, ...] = ()
    """How they want to be reached, the best way first; none where nobody has asked."""
    phone: str | None = None
    email: str | None = None
    address: str | None = None
    contact_note: str | None = None
    """How and when to reach them, and when not to."""
    in_household: bool = False
    """They live with the client: what goes to the client's home may come into their hands."""


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

    involvements: tuple[Involvement, ...] = ()
    """Every way in which they ever took part, with its days, the oldest first."""
    warnings: tuple[SafetyWarning, ...] = ()
    """Every safety warning there ever was about them, the oldest first."""
    is_client_too: bool = False
    """They have a registration of their own here. For decisions only: no answer about this client says so."""
    former_names: tuple[str, ...] = ()
    """What former versions called them. For decisions only: whoever is warned of is not let through under an older name."""

    @property
    def names(self) -> tuple[str, ...]:
        """Every name under which they ever stood on the list, the newest first."""
        return tuple(dict.fromkeys((self.details.name, *self.former_names)))

    def running(self, at: datetime) -> tuple[Involvement, ...]:
        """The ways in which they take part at that moment; none means not involved."""
        return tuple(each for each in self.involvements if each.counts(at))

    def takes_part_as(self, kind: InvolvementKind, *, at: datetime) -> bool:
        """Whether they take part in this way at that moment."""
        return any(each.kind is kind for each in self.running(at))

    def stopped_by(self, *, at: datetime, rings: bool) -> WarningKind | None:
        """The safety warning that forbids telling them anything at that moment, or ringing them; none where none does."""
        return stopping(self.warnings, at=at, rings=rings)

    def authority_at(self, at: datetime) -> Held:
        """Whether this person could act for the client at that moment, and if not, why not."""
        return authority(self.involvements, at)


def without_emergency_contact(around: Sequence[RelatedPerson], *, at: datetime) -> bool:
    """Whether nobody around a client can be called in an emergency: whoever a safety warning forbids to ring is nobody for that."""
    return not any(
        person.takes_part_as(InvolvementKind.EMERGENCY_CONTACT, at=at) and person.stopped_by(at=at, rings=True) is None
        for person in around
    )


class PersonUnknown(NotFound):
    """No such person around this client."""

    def __init__(self) -> None:
        super().__init__("Read the list of people around the client again; this one is not on it.")


class PersonChanged(Conflict):
    """Somebody else changed this person's details since you read them."""

    def __init__(self) -> None:
        super().__init__("Read the person again, look at what has changed, and make your change to the newest version.")


def check_details(details: PersonDetails, faults: Faults) -> None:
    """Add every fault of what is said about a person."""
    for where, text, longest in (
        ("name", details.name, LONGEST_NAME),
        ("phone", details.phone, LONGEST_NAME),
        ("email", details.email, LONGEST_NAME),
        ("address", details.address, LONGEST_TEXT),
        ("contact_note", details.contact_note, LONGEST_TEXT),
    ):
        if problem := text_fault(text, longest=longest):
            faults.add(where, problem)
    faults.check(
        when=details.language is not None and not _LANGUAGE.fullmatch(details.language),
        where="language",
        problem="must be the tag of a language, such as en or pt-BR",
    )
    faults.check(
        when=len(set(details.contact_by)) < len(details.contact_by),
        where="contact_by",
        problem="names a way twice",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonAdded(Event):
    """Somebody was put on the list of people around a client."""

    name: ClassVar[str] = "family.person_added"


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonDetailsChanged(Event):
    """A new version of what is known about somebody around a client was recorded."""

    name: ClassVar[str] = "family.person_changed"


class RelatedPeople(Involvements, Warnings, Protocol):
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
    beginnings: Sequence[Beginning] = (),
    *,
    as_id: RelatedPersonId,
    programme: Programme,
    by: Staff,
    now: datetime,
    families: RelatedPeople,
    journal: Journal,
) -> RelatedPerson:
    """Put somebody on the list of people around a client, with the ways in which they take part.

    `programme` is the client's own. Raises `NotPermitted`, or `Invalid` with every fault.
    """
    by.require(Act.RECORD_FAMILY, client.programme)
    faults = Faults()
    check_details(details, faults)
    for place, beginning in enumerate(beginnings):
        within = f"involvements.{place}."
        check_beginning(beginning, today=programme.today(now), faults=faults, within=within)
        faults.check(
            when=beginning.kind in [earlier.kind for earlier in beginnings[:place]],
            where=f"{within}kind",
            problem="is named twice",
        )
    faults.raise_if_any()
    person = RelatedPerson(
        id=as_id,
        client=client.id,
        version=1,
        details=details,
        reason=None,
        recorded_at=now,
        recorded_by=by.id,
        involvements=tuple(
            begun(each, client=client.id, person=as_id, programme=programme, by=by.id, now=now) for each in beginnings
        ),
    )
    await families.add(person)
    for each in person.involvements:
        await families.begin(each)
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

    Raises `NotPermitted`, `Invalid`, or `PersonChanged` when somebody else recorded a version at the same moment.
    """
    by.require(Act.RECORD_FAMILY, client.programme)
    if problem := text_fault(reason, longest=LONGEST_TEXT):
        raise Invalid(Fault("reason", problem))
    faults = Faults()
    check_details(details, faults)
    faults.raise_if_any()
    changed = replace(
        person,
        version=person.version + 1,
        details=details,
        reason=reason,
        recorded_at=now,
        recorded_by=by.id,
        former_names=(person.details.name, *person.former_names),
    )
    await families.add(changed)
    journal.tell(PersonDetailsChanged(client=client.id, records=(person.id,), facts={"version": changed.version}))
    return changed


async def begin_involvement(
    person: RelatedPerson,
    beginning: Beginning,
    *,
    client: Client,
    programme: Programme,
    by: Staff,
    now: datetime,
    families: RelatedPeople,
    journal: Journal,
) -> RelatedPerson:
    """Record that somebody begins to take part in a way. Raises `NotPermitted`, `Invalid`, or `AlreadyInvolved`."""
    by.require(Act.RECORD_FAMILY, client.programme)
    faults = Faults()
    check_beginning(beginning, today=programme.today(now), faults=faults)
    faults.raise_if_any()
    new = begun(beginning, client=client.id, person=person.id, programme=programme, by=by.id, now=now)
    await families.begin(new)
    journal.tell(InvolvementBegun(client=client.id, records=(person.id, new.id), facts={"kind": new.kind.value}))
    return replace(person, involvements=(*person.involvements, new))


async def end_involvement(
    person: RelatedPerson,
    ending: InvolvementId,
    *,
    reason: str,
    ended_at: datetime,
    client: Client,
    by: Staff,
    now: datetime,
    families: RelatedPeople,
    journal: Journal,
) -> RelatedPerson:
    """Record that somebody takes part in one way no more, from a moment that may lie in the past.

    Raises `NotPermitted`, `Invalid`, `InvolvementUnknown`, or `InvolvementOver` when it had ended by then anyway.
    """
    by.require(Act.RECORD_FAMILY, client.programme)
    faults = Faults()
    check_ending(reason, ended_at, now=now, faults=faults)
    faults.raise_if_any()
    running = next((each for each in person.involvements if each.id == ending), None)
    if running is None:
        raise InvolvementUnknown
    if running.ended_at is not None or (running.until_at is not None and running.until_at <= ended_at):
        raise InvolvementOver
    return await _end(person, (running,), reason=reason, ended_at=ended_at, by=by, families=families, journal=journal)


async def remove_person(
    person: RelatedPerson,
    *,
    reason: str,
    ended_at: datetime,
    client: Client,
    by: Staff,
    now: datetime,
    families: RelatedPeople,
    journal: Journal,
) -> RelatedPerson:
    """Record that somebody is not involved any more: every way in which they take part, or were to, ends at once.

    Who they are, what they told us and what was signed for them stays. Raises `NotPermitted`, `Invalid`, or `NotInvolved`.
    """
    by.require(Act.RECORD_FAMILY, client.programme)
    faults = Faults()
    check_ending(reason, ended_at, now=now, faults=faults)
    faults.raise_if_any()
    still = [
        each
        for each in person.involvements
        if each.ended_at is None and (each.until_at is None or each.until_at > ended_at)
    ]
    if not still:
        raise NotInvolved
    return await _end(person, still, reason=reason, ended_at=ended_at, by=by, families=families, journal=journal)


async def _end(
    person: RelatedPerson,
    still: Sequence[Involvement],
    *,
    reason: str,
    ended_at: datetime,
    by: Staff,
    families: RelatedPeople,
    journal: Journal,
) -> RelatedPerson:
    over = {each.id: ended(each, reason=reason, ended_at=ended_at, by=by.id) for each in still}
    for each in over.values():
        await families.end(each)
        records = (person.id, each.id)
        journal.tell(InvolvementEnded(client=person.client, records=records, facts={"kind": each.kind.value}))
    return replace(person, involvements=tuple(over.get(each.id, each) for each in person.involvements))
