"""Bringing a history in: one person at a time, kept as it was recorded, with its source for ever.

What is accepted of one person is one piece of work. `comparing` says what is new of somebody who is there already.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import ClassVar, Protocol

from caseload.domain.access import Act
from caseload.domain.caseload import Admitted, Edition, Episode, LevelOfCare, Responsibility
from caseload.domain.client import (
    MATCH_DECISION_HOLDS,
    Client,
    ClientRegistered,
    Identifier,
    IdentifierKind,
    Identity,
    ProbableMatch,
)
from caseload.domain.errors import Fault, Invalid
from caseload.domain.history.comparing import Kept, Visit, content_of, dose_key, new_rows, new_visits, screen_key
from caseload.domain.history.gathering import Person
from caseload.domain.history.importing import Into, Result
from caseload.domain.history.rows import ClientRow, DoseRow, ScreenRow
from caseload.domain.ids import ClientId, EpisodeId, HistoryId, ImportId, MatchDecisionId, ProgrammeId, StaffId, new_id
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff
from caseload.domain.programme import Programme

NOT_RECORDED = LevelOfCare(edition=Edition.LOCAL, level="not recorded")
"""The level of care of an episode whose history does not name one."""


class NobodyResponsible(Invalid):
    """No counsellor was named who can be responsible for these clients."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Somebody who was brought in from this source before."""

    client: ClientId
    number: int
    """How many times something of them was brought in."""
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class BroughtIn:
    """What one import brought in of one person."""

    id: HistoryId
    import_id: ImportId
    client: ClientId
    programme: Programme
    source: str
    external_id: str
    number: int
    content: bytes
    last_day_covered: date
    recorded: Mapping[str, str]
    doses: Sequence[DoseRow]
    replaced_doses: Sequence[DoseRow]
    """Rows that a decision says were corrected by a lower line: kept to be read, and counted nowhere."""
    visits: Sequence[Visit]
    screens: Sequence[ScreenRow]
    by: StaffId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryBroughtIn(Event):
    """A person's history, or more of it, was brought in."""

    name: ClassVar[str] = "history.brought_in"


class NewClients(Protocol):
    """Where people are registered: what `domain.client.Clients` has of it."""

    async def add(self, new: Client) -> None:
        """Keep a new client; `ProbableMatch` when an identifier is already somebody's."""
        ...

    async def hold_still(self, born: date) -> None:
        """Keep everybody else from registering somebody born on that day until the end of the work."""
        ...

    async def match_decision(self, identity: Identity, *, since: datetime) -> MatchDecisionId | None:
        """The records lead's word since then that this is nobody we know, unless a registration has used it."""
        ...

    async def use_match_decision(self, decision: MatchDecisionId, *, by: ClientId) -> None:
        """Keep which registration a word of the records lead let through; `ProbableMatch` when it was another."""
        ...


class Admissions(Protocol):
    """Where people are admitted: what `domain.caseload.Caseloads` has of it."""

    async def counsels_in(self, staff: StaffId, programme: ProgrammeId, *, at: datetime) -> bool:
        """Whether this person holds the role of counsellor in the programme at that moment."""
        ...

    async def add_episode(self, new: Episode, first: Responsibility) -> None:
        """Keep both."""
        ...


class Histories(Protocol):
    """The histories that are kept."""

    async def lock(self, source: str, external_id: str) -> Known | None:
        """Keep others from bringing in the same person until the end of the work; who they are, if known already."""
        ...

    async def known_elsewhere(self, person: ClientRow, source: str) -> bool:
        """Whether a client who did not come from this source may be this person."""
        ...

    async def kept_of(self, client: ClientId, source: str) -> Kept:
        """What was brought in of a client from a source."""
        ...

    async def add(self, brought: BroughtIn) -> None:
        """Keep it all."""
        ...


async def bring_in(
    person: Person,
    into: Into,
    *,
    by: Staff,
    now: datetime,
    clients: NewClients,
    caseloads: Admissions,
    histories: Histories,
    journal: Journal,
) -> Result:
    """Bring in one person, or what is new of somebody who was brought in from this source before.

    Raises `NotPermitted`, `NobodyResponsible`, and `ProbableMatch` when somebody like this is known from elsewhere and
    the records lead has not said that it is a different person. Against likeness among people of one source holds the
    clinic's own word: it kept them apart.
    """
    by.require(Act.BRING_IN_HISTORY, into.programme.id)
    known = await histories.lock(into.begun.source, person.client.external_id)
    content = content_of(person)
    if known is not None and known.content == content:
        return Result.UNCHANGED
    if known is None:
        decision = await _require_new(person, into, now=now, clients=clients, histories=histories)
        client, registered = await _register(person, into, by=by, now=now, clients=clients)
        if decision is not None:
            await clients.use_match_decision(decision, by=client)
        told = [registered, await _admit(client, person, into, by=by, now=now, caseloads=caseloads)]
        kept = Kept(doses=Counter(), visits={}, screens=Counter())
    else:
        client, told = known.client, list[Event]()
        kept = await histories.kept_of(client, into.begun.source)
    brought = _what_is_new(person, into, client, content, kept, known=known, by=by, now=now)
    await histories.add(brought)
    journal.tell(
        HistoryBroughtIn(
            client=client,
            records=(brought.id,),
            facts={
                "import": str(into.begun.id),
                "doses": len(brought.doses),
                "visits": len(brought.visits),
                "drug_screens": len(brought.screens),
            },
        )
    )
    for event in told:
        journal.tell(event)
    return Result.BROUGHT_IN if known is None else Result.ADDED_TO


async def _require_new(
    person: Person, into: Into, *, now: datetime, clients: NewClients, histories: Histories
) -> MatchDecisionId | None:
    identity = person.client.identity
    await clients.hold_still(identity.birth_date)
    if not await histories.known_elsewhere(person.client, into.begun.source):
        return None
    decision = await clients.match_decision(identity, since=now - MATCH_DECISION_HOLDS)
    if decision is None:
        raise ProbableMatch
    return decision


async def _register(
    person: Person, into: Into, *, by: Staff, now: datetime, clients: NewClients
) -> tuple[ClientId, Event]:
    identity = person.client.identity
    identifiers = (Identifier(kind=IdentifierKind.BROUGHT_IN, value=person.client.external_id),)
    client = Client(
        id=ClientId(new_id()),
        programme=into.programme.id,
        identity=identity,
        version=1,
        identifiers=identifiers,
        registered_by=by.id,
        registered_at=now,
    )
    await clients.add(client)
    return client.id, ClientRegistered(
        client=client.id, records=(client.id,), facts={"programme": str(into.programme.id)}
    )


async def _admit(
    client: ClientId,
    person: Person,
    into: Into,
    *,
    by: Staff,
    now: datetime,
    caseloads: Admissions,
) -> Event:
    """Open the episode on the day of admission, with the counsellor who answers for it from now on.

    Who was responsible before is not in the record that comes in; the note says so.
    """
    if not await caseloads.counsels_in(into.counsellor, into.programme.id, at=now):
        raise NobodyResponsible(Fault(into.programme.code, "the named person is no longer a counsellor here"))
    admitted_on = person.client.admitted_on
    starts_at = datetime.combine(admitted_on, time.min, into.programme.zone)
    episode = Episode(
        id=EpisodeId(new_id()),
        client=client,
        programme=into.programme.id,
        admitted_on=admitted_on,
        starts_at=starts_at,
        ends_at=None,
        level=NOT_RECORDED,
        responsible=into.counsellor,
        returns_from=None,
    )
    responsibility = Responsibility(
        id=new_id(),
        client=client,
        episode=episode.id,
        counsellor=into.counsellor,
        since=starts_at,
        note=f"Brought in from {into.begun.source}: responsible since then; who was before is not recorded.",
        recorded_by=by.id,
        recorded_at=now,
    )
    await caseloads.add_episode(episode, responsibility)
    return Admitted(client=client, records=(episode.id, responsibility.id), facts={"programme": str(into.programme.id)})


def _what_is_new(
    person: Person,
    into: Into,
    client: ClientId,
    content: bytes,
    kept: Kept,
    *,
    known: Known | None,
    by: Staff,
    now: datetime,
) -> BroughtIn:
    replaced = person.replaced_doses()
    doses = new_rows(person.doses, kept.doses, dose_key)
    return BroughtIn(
        id=HistoryId(new_id()),
        import_id=into.begun.id,
        client=client,
        programme=into.programme,
        source=into.begun.source,
        external_id=person.client.external_id,
        number=known.number + 1 if known else 1,
        content=content,
        last_day_covered=person.last_day_covered(),
        recorded=person.client.recorded,
        doses=[dose for dose in doses if dose.line not in replaced],
        replaced_doses=[dose for dose in doses if dose.line in replaced],
        visits=new_visits(person.visits, kept.visits),
        screens=new_rows(person.screens, kept.screens, screen_key),
        by=by.id,
        at=now,
    )
