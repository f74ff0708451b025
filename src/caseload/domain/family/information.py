"""What others tell us about a client.

It needs no consent and can always be recorded (NHS England, "Sharing information with unpaid carers"; 42 CFR part 2
protects what we say, not what we hear).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar, Protocol

from caseload.domain.access import Act
from caseload.domain.client import Client
from caseload.domain.errors import Conflict, Fault, Faults, Invalid, NotFound
from caseload.domain.family.person import RelatedPeople
from caseload.domain.family.texts import LONGEST_NAME, LONGEST_TEXT, text_fault
from caseload.domain.ids import ClientId, InformationId, RelatedPersonId, StaffId
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff
from caseload.domain.taken_back import LONGEST_REASON, TakenBack, because


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
    confided: "Confided | None" = None
    """That it was in confidence, where that was said only afterwards."""
    taken_back: TakenBack | None = None
    """That it was a mistake: it was said of somebody else, or never."""

    @property
    def is_confidential(self) -> bool:
        """Whether it was given in confidence, said at once or afterwards."""
        return self.told.confidential or self.confided is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Confided:
    """That something had been told in confidence, said after it was recorded."""

    reason: str
    by: StaffId
    at: datetime


class InformationTakenBack(Conflict):
    """This was taken back as a mistake."""


class ConfidentialBefore(Conflict):
    """This is kept as told in confidence."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class InformationConfided(Event):
    """Something that was told about a client was said to be in confidence afterwards."""

    name: ClassVar[str] = "family.information_confided"


@dataclass(frozen=True, slots=True, kw_only=True)
class InformationWithdrawn(Event):
    """Something that was told about a client was taken back as a mistake."""

    name: ClassVar[str] = "family.information_taken_back"


class Families(RelatedPeople, Protocol):
    """The people around clients, and what they told us."""

    async def add_information(self, information: Information) -> None:
        """Keep what was told."""
        ...

    async def add_confided(self, information: Information, confided: Confided) -> None:
        """Keep that it was in confidence; `ConfidentialBefore` when that was kept before."""
        ...

    async def take_back_information(self, information: Information, taken_back: TakenBack) -> None:
        """Keep that it was a mistake; `InformationTakenBack` when that was kept before."""
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


async def confide_information(
    information: Information,
    reason: str,
    *,
    client: Client,
    by: Staff,
    now: datetime,
    families: Families,
    journal: Journal,
) -> Information:
    """Keep what was told as told in confidence from now on: who told it asked for it later, or nobody had written it down.

    Raises `NotPermitted`, `Invalid`, `InformationTakenBack` or `ConfidentialBefore`.
    """
    by.require(Act.RECORD_FAMILY, client.programme)
    if not reason.strip() or len(reason) > LONGEST_REASON:
        raise Invalid(Fault("reason", f"say who asked for it, in {LONGEST_REASON} characters at most"))
    _require_standing(information)
    if information.is_confidential:
        raise ConfidentialBefore("Nothing needs to be done.")
    confided = Confided(reason=reason, by=by.id, at=now)
    await families.add_confided(information, confided)
    journal.tell(InformationConfided(client=client.id, records=(information.id,)))
    return replace(information, confided=confided)


async def take_back_information(
    information: Information,
    reason: str,
    *,
    client: Client,
    by: Staff,
    now: datetime,
    families: Families,
    journal: Journal,
) -> Information:
    """Say that what was recorded was a mistake: told of somebody else, or never. It stays readable with the reason.

    Raises `NotPermitted`, `Invalid` or `InformationTakenBack`.
    """
    by.require(Act.RECORD_FAMILY, client.programme)
    taken_back = because(reason, by=by, now=now)
    _require_standing(information)
    await families.take_back_information(information, taken_back)
    journal.tell(InformationWithdrawn(client=client.id, records=(information.id,)))
    return replace(information, taken_back=taken_back)


def _require_standing(information: Information) -> None:
    if information.taken_back is not None:
        raise InformationTakenBack("Read the list of what was told about the client again.")
