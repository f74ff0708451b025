"""The people around a client on the wire."""

from datetime import date, datetime
from uuid import UUID

from caseload.api.wire import Instant, Wire
from caseload.domain.errors import Fault, Invalid
from caseload.domain.family import (
    Beginning,
    ContactWay,
    Involvement,
    InvolvementKind,
    PersonDetails,
    RelatedPerson,
    Relationship,
    SafetyWarning,
    WarnedBy,
    WarningKind,
)


class InvolvementIn(Wire, frozen=True, kw_only=True):
    """A way of taking part that begins."""

    kind: InvolvementKind
    first_day: date | None = None
    """The first day, in the programme's calendar; today when left out."""
    last_day: date | None = None
    """The last day on which it holds, where that is known: of a representative's authority, as the document says."""
    evidence: str | None = None
    """The document that shows the authority of a legal representative, and where it is kept; for nobody else."""

    def read(self) -> Beginning:
        """As the domain speaks of it."""
        return Beginning(kind=self.kind, first_day=self.first_day, last_day=self.last_day, evidence=self.evidence)


class PersonDetailsIn(Wire, frozen=True, kw_only=True):
    """What is known about somebody around a client."""

    name: str
    relationship: Relationship
    language: str | None = None
    """The language to speak with them, by its tag: `en`, `pt-BR`."""
    contact_by: tuple[ContactWay, ...] = ()
    """How they want to be reached, the best way first."""
    phone: str | None = None
    email: str | None = None
    address: str | None = None
    contact_note: str | None = None
    in_household: bool = False
    """They live with the client: what goes to the client's home may come into their hands."""

    def read(self) -> PersonDetails:
        """As the domain speaks of it."""
        return PersonDetails(
            name=self.name,
            relationship=self.relationship,
            language=self.language,
            contact_by=self.contact_by,
            phone=self.phone,
            email=self.email,
            address=self.address,
            contact_note=self.contact_note,
            in_household=self.in_household,
        )


class PersonIn(PersonDetailsIn, frozen=True, kw_only=True):
    """Somebody around a client, and the ways in which they take part from now on."""

    involvements: tuple[InvolvementIn, ...] = ()


class PersonChangeIn(Wire, frozen=True, kw_only=True):
    """A new version of what is known about somebody, and why."""

    person: PersonDetailsIn
    reason: str


class EndIn(Wire, frozen=True, kw_only=True):
    """Since when something is over, and why."""

    reason: str
    ended_at: Instant | None = None
    """From when on it was over; now when left out."""


class InvolvementOut(Wire, frozen=True, kw_only=True):
    """A way in which somebody takes part, with its days."""

    id: UUID
    kind: InvolvementKind
    starts_at: datetime
    last_day: date | None
    evidence: str | None
    ended_at: datetime | None
    """From when on it was over before its last day."""
    ended_because: str | None
    runs: bool
    """Whether it holds at the moment of this answer."""

    @classmethod
    def of(cls, involvement: Involvement, *, at: datetime) -> "InvolvementOut":
        """From the domain."""
        return cls(
            id=involvement.id,
            kind=involvement.kind,
            starts_at=involvement.starts_at,
            last_day=involvement.last_day,
            evidence=involvement.evidence,
            ended_at=involvement.ended_at,
            ended_because=involvement.ended_because,
            runs=involvement.counts(at),
        )


class WarningIn(Wire, frozen=True, kw_only=True):
    """A safety warning about somebody around a client."""

    kind: WarningKind
    note: str
    """What whoever is about to ring or tell has to know."""
    said_by: str | None = None
    """Who said so: the client, the person themselves, somebody else. Must be there for `do_not_call`."""
    said_at: Instant | None = None
    """When they said so; now when left out."""

    def said(self, *, now: datetime) -> WarnedBy | None:
        """Whose word it was, as the domain speaks of it. Raises `Invalid`."""
        if self.said_by is None:
            if self.said_at is not None:
                raise Invalid(Fault("said_by", "say who said so"))
            return None
        return WarnedBy(who=self.said_by, at=self.said_at or now)


class LiftIn(Wire, frozen=True, kw_only=True):
    """Why a safety warning does not stand any more."""

    reason: str


class WarningOut(Wire, frozen=True, kw_only=True):
    """A safety warning: while it stands nobody rings this person and, for domestic risk, tells them anything."""

    id: UUID
    kind: WarningKind
    note: str
    said_by: str | None
    """Whose word it was."""
    said_at: datetime | None
    recorded_by: UUID
    recorded_at: datetime
    lifted_at: datetime | None
    lifted_because: str | None
    stands: bool

    @classmethod
    def of(cls, warning: SafetyWarning, *, at: datetime) -> "WarningOut":
        """From the domain."""
        return cls(
            id=warning.id,
            kind=warning.kind,
            note=warning.note,
            said_by=None if warning.said is None else warning.said.who,
            said_at=None if warning.said is None else warning.said.at,
            recorded_by=warning.recorded_by,
            recorded_at=warning.recorded_at,
            lifted_at=warning.lifted_at,
            lifted_because=warning.lifted_because,
            stands=warning.counts(at),
        )


class PersonOut(Wire, frozen=True, kw_only=True):
    """Somebody around a client, in the newest version. Being listed allows nobody to be told anything."""

    id: UUID
    client_id: UUID
    version: int
    name: str
    relationship: Relationship
    language: str | None
    contact_by: list[ContactWay]
    phone: str | None
    email: str | None
    address: str | None
    contact_note: str | None
    in_household: bool
    involvements: list[InvolvementOut]
    """Every way in which they ever took part, the oldest first; when none runs they are not involved."""
    warnings: list[WarningOut]
    """Heed those that stand, whatever the client has signed."""
    recorded_at: datetime

    @classmethod
    def of(cls, person: RelatedPerson, *, at: datetime) -> "PersonOut":
        """From the domain."""
        details = person.details
        return cls(
            id=person.id,
            client_id=person.client,
            version=person.version,
            name=details.name,
            relationship=details.relationship,
            language=details.language,
            contact_by=list(details.contact_by),
            phone=details.phone,
            email=details.email,
            address=details.address,
            contact_note=details.contact_note,
            in_household=details.in_household,
            involvements=[InvolvementOut.of(each, at=at) for each in person.involvements],
            warnings=[WarningOut.of(each, at=at) for each in person.warnings],
            recorded_at=person.recorded_at,
        )


class PeopleOut(Wire, frozen=True, kw_only=True):
    """Everybody around a client, in the order in which they were added."""

    items: list[PersonOut]
    is_without_emergency_contact: bool
    """Nobody on the list is to be called in an emergency; whoever a safety warning forbids to ring is nobody for that."""


class AfterwardsOut(Wire, frozen=True, kw_only=True):
    """Somebody takes part less than before, or not at all, and what of theirs is left. Nothing was taken away."""

    person: PersonOut
    is_without_emergency_contact: bool
    """Nobody around the client is to be called in an emergency now, or nobody who may be rung: ask the client whom to call."""
    names_them: list[UUID]
    """Consents in force that name this person. They stay in force until the client revokes them, or they end."""
    signed_by_them: list[UUID]
    """Consents in force that this person signed for the client. They stay as they were given; look at them with the client."""
