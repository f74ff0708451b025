"""Bringing a history in: one person at a time, kept as it was recorded, with its source for ever.

What is accepted of one person is one piece of work. `comparing` says what is new of somebody who is there already.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum
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
from caseload.domain.errors import Fault, Faults, Invalid
from caseload.domain.history.comparing import (
    Kept,
    Visit,
    content_of,
    dose_key,
    new_rows,
    new_visits,
    screen_key,
)
from caseload.domain.history.gathering import History, Person, Refusal
from caseload.domain.history.rows import ClientRow, DoseRow, ProgrammeRow, ScreenRow, is_plain
from caseload.domain.ids import ClientId, EpisodeId, HistoryId, ImportId, MatchDecisionId, ProgrammeId, StaffId, new_id
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff
from caseload.domain.programme import Programme, Programmes, open_programme

LONGEST_SOURCE = 64

NOT_RECORDED = LevelOfCare(edition=Edition.LOCAL, level="not recorded")
"""The level of care of an episode whose history does not name one."""


class NobodyResponsible(Invalid):
    """No counsellor was named who can be responsible for these clients."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """A file of the folder, by what was in it."""

    file: str
    sha256: str
    rows: int
    accepted: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """One run over one folder: where everything that it brings in says it comes from."""

    id: ImportId
    source: str
    """The name of the record this comes from. The same name again means the same record, a later export of it."""
    files: tuple[SourceFile, ...]
    begun_by: StaffId
    begun_at: datetime


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
class Into:
    """Where people are brought in: which import, whose programme, and who answers for them from now on."""

    begun: Import
    programme: Programme
    counsellor: StaffId


class Result(StrEnum):
    """What became of one person."""

    BROUGHT_IN = "brought_in"
    ADDED_TO = "added_to"
    """They had been brought in before, and the folder holds more of them."""
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportBegun(Event):
    """Somebody began to bring in a history."""

    name: ClassVar[str] = "history.import_begun"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportEnded(Event):
    """An import came to its end."""

    name: ClassVar[str] = "history.import_ended"


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


class Roles(Protocol):
    """Who counsels where."""

    async def counsels_in(self, counsellor: StaffId, programme: ProgrammeId, *, at: datetime) -> bool:
        """Whether this person holds the role of counsellor in the programme at that moment."""
        ...

    async def appoint_counsellor(
        self, counsellor: StaffId, programme: ProgrammeId, *, by: Staff, now: datetime, journal: Journal
    ) -> None:
        """Grant the role from now on."""
        ...


class Histories(Protocol):
    """The histories that are kept."""

    async def add_import(self, begun: Import, refused: Sequence[Refusal]) -> None:
        """Keep that an import began, what it reads, and the rows that it leaves out."""
        ...

    async def end_import(self, import_id: ImportId, *, at: datetime) -> None:
        """Keep that it came to its end."""
        ...

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


async def begin(
    source: str,
    files: Sequence[SourceFile],
    history: History,
    *,
    counsellors: Mapping[str, StaffId],
    by: Staff,
    now: datetime,
    programmes: Programmes,
    roles: Roles,
    histories: Histories,
    journal: Journal,
) -> tuple[Import, Mapping[str, Into]]:
    """Begin an import: open the programmes that are missing, and settle who answers for whom in each.

    `counsellors` are by the code of their programme; one without people needs none. Whoever is not a counsellor there yet becomes one if the person
    who runs the import may grant roles. Raises `NotPermitted`, and `Invalid` with everything that is missing.
    """
    faults = Faults()
    begun = _import(source, files, by, now, faults)
    journal.tell(ImportBegun(records=(begun.id,), facts={"refused": len(history.refused)}))
    there = {programme.code: programme for programme in await programmes.all()}
    into: dict[str, Into] = {}
    with_people = {person.client.programme for person in history.people.values()}
    for code, row in sorted(history.programmes.items()):
        programme = there.get(code) or await open_programme(
            row.code,
            row.name,
            as_id=ProgrammeId(new_id()),
            time_zone=row.time_zone,
            profile=row.profile,
            by=by,
            now=now,
            programmes=programmes,
            journal=journal,
        )
        by.require(Act.BRING_IN_HISTORY, programme.id)
        _check_same(row, programme, faults)
        counsellor = counsellors.get(code)
        if counsellor is None:
            missing = f"name who answers for its clients: --counsellor {code}=USER"
            faults.check(when=code in with_people, where=code, problem=missing)
        elif await roles.counsels_in(counsellor, programme.id, at=now):
            into[code] = Into(begun=begun, programme=programme, counsellor=counsellor)
        elif by.may(Act.MANAGE_STAFF):
            await roles.appoint_counsellor(counsellor, programme.id, by=by, now=now, journal=journal)
            into[code] = Into(begun=begun, programme=programme, counsellor=counsellor)
        else:
            faults.add(code, "the named person is not a counsellor of this programme; an administrator grants the role")
    faults.raise_if_any()
    await histories.add_import(begun, history.refused)
    return begun, into


def _import(source: str, files: Sequence[SourceFile], by: Staff, now: datetime, faults: Faults) -> Import:
    name = source.strip()
    faults.check(
        when=not 0 < len(name) <= LONGEST_SOURCE or not is_plain(name),
        where="source",
        problem=f"name the record this comes from in 1 to {LONGEST_SOURCE} characters",
    )
    return Import(id=ImportId(new_id()), source=name, files=tuple(files), begun_by=by.id, begun_at=now)


def _check_same(row: ProgrammeRow, programme: Programme, faults: Faults) -> None:
    """A programme that is there already keeps its days and its rules; a folder that thinks otherwise is wrong."""
    for what, said, stands in (
        ("time zone", row.time_zone, programme.time_zone),
        ("profile", row.profile, programme.profile),
    ):
        faults.check(
            when=said != stands, where=row.code, problem=f"has the {what} {stands} here; the folder says {said}"
        )


async def end(
    begun: Import, results: Mapping[Result, int], *, now: datetime, histories: Histories, journal: Journal
) -> None:
    """End an import that has seen everybody."""
    await histories.end_import(begun.id, at=now)
    journal.tell(ImportEnded(records=(begun.id,), facts={result.value: count for result, count in results.items()}))


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
