"""Registering somebody, once, without anybody learning who is known, and correcting what they are called."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import ClassVar

from caseload.domain.access import Act
from caseload.domain.client.client import (
    LONGEST_IDENTIFIER,
    Client,
    Clients,
    Identifier,
    Identity,
    ProbableMatch,
)
from caseload.domain.errors import Fault, Faults, Invalid
from caseload.domain.ids import ClientId, ProgrammeId
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff

MATCH_DECISION_HOLDS = timedelta(days=1)
"""How long the records lead's "nobody we know" may wait for the registration that it lets through."""


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
