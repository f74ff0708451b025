"""What people do with consents: give, revoke, and note that the event has come that ends one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Protocol

from caseload.domain.access import Act
from caseload.domain.client import Client
from caseload.domain.consent.completing import Setting, complete
from caseload.domain.consent.consent import AgreedRestriction, Consent, Draft
from caseload.domain.errors import Conflict, Fault, Faults, Invalid, NotFound
from caseload.domain.family import LONGEST_TEXT, WHY_NOT, Families, Held, RelatedPerson, text_fault
from caseload.domain.ids import ClientId, ConsentId, RelatedPersonId, StaffId
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff
from caseload.domain.programme import Programme


class ConsentUnknown(NotFound):
    """No such consent of this client."""

    def __init__(self) -> None:
        super().__init__("Read the client's consents again; this one is not among them.")


class AlreadyRevoked(Conflict):
    """This consent has been revoked already."""

    def __init__(self) -> None:
        super().__init__("Nothing needs to be done: it has not been in force since the first revocation was received.")


class EventAlreadyRecorded(Conflict):
    """The event that ends this consent has been recorded already."""

    def __init__(self) -> None:
        super().__init__("Nothing needs to be done: the consent ended with the event that was recorded.")


class How(StrEnum):
    """How a client revoked. Any clear withdrawal counts."""

    IN_WRITING = "in_writing"
    SPOKEN = "spoken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """A client's word that a consent no longer holds. It takes effect when we receive it; nothing earlier is undone."""

    consent: ConsentId
    how: How
    received_at: datetime
    recorded_at: datetime
    recorded_by: StaffId
    note: str | None = None
    representative: RelatedPersonId | None = None
    """Who revoked it for the client, if somebody did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventHappened:
    """The event to which a consent was tied has come."""

    consent: ConsentId
    happened_at: datetime
    recorded_at: datetime
    recorded_by: StaffId


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentGiven(Event):
    """A complete consent was recorded."""

    name: ClassVar[str] = "consent.given"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRevoked(Event):
    """A consent was revoked."""

    name: ClassVar[str] = "consent.revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentEndedByEvent(Event):
    """The event that ends a consent was recorded."""

    name: ClassVar[str] = "consent.ended_by_event"


class Consents(Protocol):
    """The consents that are kept, each with the facts that ended it."""

    async def add(self, new: Consent) -> None:
        """Keep a complete consent."""
        ...

    async def get(self, wanted: ConsentId, *, client: ClientId) -> Consent:
        """A consent of this client, or `ConsentUnknown`."""
        ...

    async def of(self, client: ClientId) -> Sequence[Consent]:
        """Every consent this client ever gave, the newest signature first."""
        ...

    async def restrictions(self, client: ClientId) -> Sequence[AgreedRestriction]:
        """What was agreed with the client not to be told and still stands, whether or not there is a consent."""
        ...

    async def hold(self, client: ClientId) -> datetime | None:
        """Wait for whoever is ending a consent of this client, and let nobody end one until this piece of work is over.

        Returns when the last word that one has ended was recorded: whoever decides afterwards decides no earlier.
        """
        ...

    async def add_revocation(self, revocation: Revocation, *, of: Consent) -> None:
        """Keep a revocation; `AlreadyRevoked` when there is one."""
        ...

    async def add_event(self, event: EventHappened, *, of: Consent) -> None:
        """Keep that the event happened; `EventAlreadyRecorded` when it is known."""
        ...


async def give_consent(
    client: Client,
    draft: Draft,
    *,
    as_id: ConsentId,
    programme: Programme,
    by: Staff,
    now: datetime,
    families: Families,
    consents: Consents,
    journal: Journal,
) -> Consent:
    """Record a consent that the client has signed. `programme` is the client's own.

    Raises `NotPermitted`, or `Invalid` with every missing element.
    """
    by.require(Act.RECORD_CONSENT, client.programme)
    around = {person.id: person for person in await families.around(client.id)}
    setting = Setting(programme=programme, around=around, born=client.identity.birth_date)
    consent = complete(draft, as_id=as_id, client=client.id, setting=setting, recorded_by=by.id, recorded_at=now)
    await consents.add(consent)
    journal.tell(
        ConsentGiven(client=client.id, records=(consent.id,), facts={"kind": consent.kind.value, "form": consent.form})
    )
    return consent


async def revoke_consent(
    consent: Consent,
    *,
    how: How,
    received_at: datetime,
    note: str | None,
    client: Client,
    by: Staff,
    now: datetime,
    consents: Consents,
    journal: Journal,
    representative: RelatedPerson | None = None,
) -> Revocation:
    """Record that a client has revoked a consent, written or spoken, from the moment it was received.

    An expired consent can be revoked too: the client's word is always recordable. Somebody else's word counts as theirs only
    while they may act for the client. Raises `NotPermitted`, `Invalid`, or `AlreadyRevoked`.
    """
    by.require(Act.RECORD_CONSENT, client.programme)
    faults = Faults()
    faults.check(when=received_at > now, where="received_at", problem="must not lie in the future")
    faults.check(
        when=received_at < consent.signature.signed_at,
        where="received_at",
        problem="must not be before the consent was signed",
    )
    if problem := text_fault(note, longest=LONGEST_TEXT):
        faults.add("note", problem)
    held = Held.YES if representative is None else representative.authority_at(received_at)
    if held is not Held.YES:
        faults.add("representative_id", WHY_NOT[held])
    faults.raise_if_any()
    revocation = Revocation(
        consent=consent.id,
        how=how,
        received_at=received_at,
        recorded_at=now,
        recorded_by=by.id,
        note=note,
        representative=None if representative is None else representative.id,
    )
    await consents.hold(client.id)
    await consents.add_revocation(revocation, of=consent)
    journal.tell(ConsentRevoked(client=client.id, records=(consent.id,), facts={"how": how.value}))
    return revocation


async def record_event(
    consent: Consent,
    *,
    happened_at: datetime,
    client: Client,
    by: Staff,
    now: datetime,
    consents: Consents,
    journal: Journal,
) -> EventHappened:
    """Record that the event has come to which a consent was tied; it is not in force from then on.

    Raises `NotPermitted`, `Invalid`, or `EventAlreadyRecorded`.
    """
    by.require(Act.RECORD_CONSENT, client.programme)
    if consent.expiry.event is None:
        raise Invalid(Fault("consent", "does not end with an event; revoke it if the client wishes so"))
    faults = Faults()
    faults.check(when=happened_at > now, where="happened_at", problem="must not lie in the future")
    faults.check(
        when=happened_at < consent.signature.signed_at,
        where="happened_at",
        problem="must not be before the consent was signed",
    )
    faults.raise_if_any()
    event = EventHappened(consent=consent.id, happened_at=happened_at, recorded_at=now, recorded_by=by.id)
    await consents.hold(client.id)
    await consents.add_event(event, of=consent)
    journal.tell(ConsentEndedByEvent(client=client.id, records=(consent.id,)))
    return event
