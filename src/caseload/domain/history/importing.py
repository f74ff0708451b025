"""An import: one run over one folder, begun for the programmes in it and ended when everybody has been seen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Protocol

from caseload.domain.access import Act
from caseload.domain.errors import Faults
from caseload.domain.history.cells import is_plain
from caseload.domain.history.gathering import History, Refusal
from caseload.domain.history.rows import ProgrammeRow
from caseload.domain.ids import ImportId, ProgrammeId, StaffId, new_id
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff
from caseload.domain.programme import Programme, Programmes, open_programme

LONGEST_SOURCE = 64


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


class Imports(Protocol):
    """The imports that are kept."""

    async def add_import(self, begun: Import, refused: Sequence[Refusal]) -> None:
        """Keep that an import began, what it reads, and the rows that it leaves out."""
        ...

    async def end_import(self, import_id: ImportId, *, at: datetime) -> None:
        """Keep that it came to its end."""
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
    histories: Imports,
    journal: Journal,
) -> tuple[Import, Mapping[str, Into]]:
    """Begin an import: open the programmes that are missing, and settle who answers for whom in each.

    `counsellors` are by the code of their programme; one without people needs none. Whoever is not a counsellor there
    yet becomes one if the person who runs the import may grant roles. Raises `NotPermitted`, and `Invalid` with everything that is missing.
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
        _check_same(row, programme, now, faults)
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


def _check_same(row: ProgrammeRow, programme: Programme, now: datetime, faults: Faults) -> None:
    """A programme that is there already keeps its days and its rules; a folder that thinks otherwise is wrong."""
    for what, said, stands in (
        ("time zone", row.time_zone, programme.time_zone),
        ("profile", row.profile, programme.profiles.name_on(programme.today(now))),
    ):
        faults.check(
            when=said != stands, where=row.code, problem=f"has the {what} {stands} here; the folder says {said}"
        )


async def end(
    begun: Import, results: Mapping[Result, int], *, now: datetime, histories: Imports, journal: Journal
) -> None:
    """End an import that has seen everybody."""
    await histories.end_import(begun.id, at=now)
    journal.tell(ImportEnded(records=(begun.id,), facts={result.value: count for result, count in results.items()}))
