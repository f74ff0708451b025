"""Clients: who they are, and how they are found."""

import hashlib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from caseload.domain.access import Reach
from caseload.domain.errors import Conflict, Fault, Faults, NotFound
from caseload.domain.ids import ClientId, MatchDecisionId, ProgrammeId, StaffId

EARLIEST_BIRTH = date(1880, 1, 1)
LONGEST_NAME = 200
LONGEST_IDENTIFIER = 64


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
