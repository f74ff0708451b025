"""Clients: who they are, how they are found, and how nobody is registered twice without anyone learning who is known.

That somebody is in treatment is itself protected (42 CFR 2.13(c)), so a registration that resembles a client of
any programme is told only that there is a probable match; the records lead alone sees which.
"""

import hashlib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Protocol

from caseload.domain.access import Act, Reach
from caseload.domain.errors import Conflict, Fault, Faults, Invalid, NotFound
from caseload.domain.ids import ClientId, MatchDecisionId, ProgrammeId, StaffId
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff

EARLIEST_BIRTH = date(1880, 1, 1)
LONGEST_NAME = 200
LONGEST_IDENTIFIER = 64
MATCH_DECISION_HOLDS = timedelta(days=1)
"""How long the records lead's "nobody we know" may wait for the registration that it lets through."""


class Sex(StrEnum):
    """Administrative gender, FHIR R4 value set `administrative-gender`."""

    FEMALE = "female"
    MALE = "male"
    OTHER = "other"
    UNKNOWN = "unknown"


class IdentifierKind(StrEnum):
    """Whose number it is."""

    CHART = "chart"
    NATIONAL_HEALTH = "national_health"
    MEDICAID = "medicaid"
    BROUGHT_IN = "brought_in"


class ClientUnknown(NotFound):
    """No such client within your reach."""

    def __init__(self) -> None:
        super().__init__("Check the identifier. If you should see this client, ask the supervisor of the programme.")


class RegistrationClosed(Conflict):
    """This registration is closed: the client is kept under another one."""

    def __init__(self, survivor: ClientId | None = None) -> None:
        facts = {} if survivor is None else {"survivor_id": str(survivor)}
        super().__init__(
            "The client was registered twice, and everything new is recorded under the other registration. "
            "Whoever may see it finds it in this one's merges.",
            **facts,
        )


class ProbableMatch(Conflict):
    """Probable match, ask the records lead."""

    def __init__(self) -> None:
        super().__init__(
            "Somebody like this may already be registered. Ask the records lead to compare the records; "
            "once they record that this is a different person, send the registration again."
        )


class IdentityChanged(Conflict):
    """The identity has been corrected since you read it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What a client is called, and when they were born."""

    given_name: str
    family_name: str
    birth_date: date
    birth_date_estimated: bool = False
    sex: Sex = Sex.UNKNOWN

    def faults(self, *, today: date) -> Sequence[Fault]:
        """Everything in it that cannot be right."""
        faults = Faults()
        for field in ("given_name", "family_name"):
            name: str = getattr(self, field)
            faults.check(when=not name.strip(), where=field, problem="must not be empty")
            faults.check(
                when=len(name) > LONGEST_NAME, where=field, problem=f"must have at most {LONGEST_NAME} characters"
            )
            faults.check(
                when=any(unicodedata.category(letter) == "Cc" for letter in name),
                where=field,
                problem="must not contain control characters",
            )
        faults.check(
            when=not EARLIEST_BIRTH <= self.birth_date <= today,
            where="birth_date",
            problem=f"must lie between {EARLIEST_BIRTH} and today",
        )
        return faults.found

    @property
    def likeness(self) -> bytes:
        """A digest that is equal for people who would be taken for one another: name and date of birth."""
        name = unicodedata.normalize("NFKD", f"{self.given_name} {self.family_name}").casefold()
        letters = " ".join("".join(c for c in name if c.isalnum() or c == " ").split())
        return hashlib.sha256(f"{letters}|{self.birth_date.isoformat()}".encode()).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Identifier:
    """A number by which a client is known."""

    kind: IdentifierKind
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A person known to the clinic, under the newest version of their identity."""

    id: ClientId
    programme: ProgrammeId
    identity: Identity
    version: int
    identifiers: tuple[Identifier, ...]
    registered_by: StaffId
    registered_at: datetime
    is_closed: bool = False
    """The client was registered twice, and this registration is not the one that is used."""
    survivor: ClientId | None = None
    """The one that is used, where whoever asks may see it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Likely:
    """Somebody who may be the person about to be registered, as the records lead sees them."""

    client: ClientId
    programme: ProgrammeId
    identity: Identity
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is looked for: any of name, date of birth and identifier; at least one."""

    name: str | None = None
    birth_date: date | None = None
    identifier: str | None = None

    def __post_init__(self) -> None:
        """Refuse a search for everybody, and a name too short to mean anybody."""
        faults = Faults()
        if self.name is None and self.birth_date is None and self.identifier is None:
            faults.add("", "give at least one of name, birth_date and identifier")
        if self.name is not None:
            faults.check(when=len(self.name.strip()) < 2, where="name", problem="give at least two letters")
            faults.check(when=len(self.name) > LONGEST_NAME, where="name", problem="is too long to be a name")
        faults.raise_if_any()

    @property
    def is_one(self) -> bool:
        """Whether one client is looked for, by nothing but an identifier: all that auditors and privacy officers may."""
        return self.identifier is not None and self.name is None and self.birth_date is None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientRegistered(Event):
    """A client was registered."""

    name: ClassVar[str] = "client.registered"


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityCorrected(Event):
    """A new version of a client's identity was recorded."""

    name: ClassVar[str] = "client.identity_corrected"


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferentPersonDecided(Event):
    """The records lead recorded that somebody is not a client we know."""

    name: ClassVar[str] = "client.match_decided"


class Clients(Protocol):
    """The clients that are kept."""

    async def add(self, new: Client) -> None:
        """Keep a new client, with the key that their entries in the log will need.

        Raises `ProbableMatch` when an identifier is already somebody's.
        """
        ...

    async def get(self, wanted: ClientId, *, reach: Reach, shows_survivor: bool = False) -> Client:
        """The client, or `ClientUnknown` when they are outside the reach.

        Whether the registration is closed, and which one is used instead, is read for an answer that shows it alone: the
        log says that whoever asks has seen both.
        """
        ...

    async def add_identity(
        self, of: ClientId, identity: Identity, *, version: int, reason: str, by: StaffId, at: datetime
    ) -> None:
        """Keep a new version of the identity; `IdentityChanged` when that version exists."""
        ...

    async def search(self, wanted: Wanted, *, reach: Reach, limit: int) -> Sequence[Client]:
        """Whom the search finds within the reach, likeliest first; former names count."""
        ...

    async def like(self, identity: Identity, identifiers: Sequence[Identifier]) -> Sequence[Likely]:
        """Everybody, in every programme, who may be this person."""
        ...

    async def hold_still(self, born: date) -> None:
        """Keep everybody else from registering somebody born on that day until the end of the work.

        Two people at two desks would otherwise register one person at the same moment, neither seeing the other's.
        """
        ...

    async def match_decision(self, identity: Identity, *, since: datetime) -> MatchDecisionId | None:
        """The records lead's word since then that this is nobody we know, unless a registration has used it."""
        ...

    async def use_match_decision(self, decision: MatchDecisionId, *, by: ClientId) -> None:
        """Keep which registration a word of the records lead let through; `ProbableMatch` when it was another."""
        ...

    async def keep_match_decision(self, identity: Identity, *, reason: str, by: StaffId, at: datetime) -> None:
        """Keep the records lead's word."""
        ...


async def register(
    identity: Identity,
    identifiers: Sequence[Identifier],
    *,
    as_id: ClientId,
    programme: ProgrammeId,
    by: Staff,
    now: datetime,
    today: date,
    clients: Clients,
    journal: Journal,
) -> Client:
    """Register somebody in their home programme.

    Raises `NotPermitted`, `Invalid` with every fault, or `ProbableMatch` when somebody like this is known in any
    programme and the records lead has not said within a day, for this one registration, that it is a different person.
    """
    by.require(Act.REGISTER_CLIENT, programme)
    faults = Faults(list(identity.faults(today=today)))
    for place, identifier in enumerate(identifiers):
        faults.check(
            when=not 0 < len(identifier.value.strip()) <= LONGEST_IDENTIFIER,
            where=f"identifiers.{place}.value",
            problem=f"must have 1 to {LONGEST_IDENTIFIER} characters",
        )
    faults.raise_if_any()
    await clients.hold_still(identity.birth_date)
    decision = None
    if await clients.like(identity, identifiers):
        decision = await clients.match_decision(identity, since=now - MATCH_DECISION_HOLDS)
        if decision is None:
            raise ProbableMatch
    client = Client(
        id=as_id,
        programme=programme,
        identity=identity,
        version=1,
        identifiers=tuple(identifiers),
        registered_by=by.id,
        registered_at=now,
    )
    await clients.add(client)
    if decision is not None:
        await clients.use_match_decision(decision, by=client.id)
    journal.tell(ClientRegistered(client=client.id, records=(client.id,), facts={"programme": str(programme)}))
    return client


async def correct_identity(
    client: Client, identity: Identity, *, reason: str, by: Staff, now: datetime, clients: Clients, journal: Journal
) -> Client:
    """Record a new version of the identity, with the reason; the former one stays readable and searchable."""
    by.require(Act.CORRECT_IDENTITY, client.programme)
    faults = Faults(list(identity.faults(today=now.date())))
    faults.check(when=not reason.strip(), where="reason", problem="say why the identity is corrected")
    faults.raise_if_any()
    version = client.version + 1
    await clients.add_identity(client.id, identity, version=version, reason=reason, by=by.id, at=now)
    journal.tell(IdentityCorrected(client=client.id, facts={"version": version}))
    return replace(client, identity=identity, version=version)


async def decide_different_person(
    identity: Identity, *, reason: str, by: Staff, now: datetime, clients: Clients, journal: Journal
) -> None:
    """Record that somebody about to be registered is nobody we know; lets one registration through, within a day."""
    if not reason.strip():
        raise Invalid(Fault("reason", "say how you know that this is a different person"))
    await clients.keep_match_decision(identity, reason=reason, by=by.id, at=now)
    journal.tell(DifferentPersonDecided())
