"""Carries an import out: one piece of work to begin, one for each person, one to end.

Every person is one transaction with one entry in the log. Whoever stops it on the way loses nothing: what was
committed stays, and running it again over the same folder goes on where it stopped.
"""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from caseload.audit.trail import Op, Purpose
from caseload.db.caseload import Caseloads
from caseload.db.client import Clients
from caseload.db.history import Histories
from caseload.db.people.accounts import Accounts
from caseload.db.people.roles import Roles
from caseload.db.programme import Programmes
from caseload.domain.access import Act, Role
from caseload.domain.client import ProbableMatch
from caseload.domain.errors import Fault, Invalid
from caseload.domain.history import Person
from caseload.domain.history.bringing_in import Known, bring_in
from caseload.domain.history.comparing import content_of
from caseload.domain.history.importing import Import, Into, Result, SourceFile, begin, end
from caseload.domain.ids import GrantId, ProgrammeId, StaffId, new_id
from caseload.domain.journal import Journal
from caseload.domain.people import Grant, Staff, StaffUnknown, grant_role
from caseload.imports.account import Ran
from caseload.imports.folder import FolderRead
from caseload.request.work import Service, Work

EVERYWHERE = "*"
"""Stands for every programme that is not named itself."""


class FolderUnusable(Invalid):
    """The folder cannot be brought in as it is; nothing was written."""


Progress = Callable[[], None]
"""Told that one more person has been seen to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """Who brings in what, from which record."""

    service: Service
    by: Staff
    source: str

    async def run(self, read: FolderRead, *, counsellors: Mapping[str, str], progress: Progress = lambda: None) -> Ran:
        """Bring a folder in. `counsellors` are user names by the code of their programme, or `*` for all others.

        Raises `FolderUnusable` when a file cannot be read, and what `begin` raises, before anything is written.
        """
        if not read.usable:
            raise FolderUnusable([Fault(file.file, problem) for file in read.files for problem in file.problems])
        begun, into = await self._begin(read, counsellors)
        known = await self._known()
        ran = Ran()
        for external_id, person in read.history.people.items():
            try:
                ran.results[await self._one(person, into[person.client.programme], known.get(external_id))] += 1
            except ProbableMatch:
                ran.left_out.append((external_id, "may be known already; ask the records lead"))
            progress()
        await self._end(begun, ran)
        return ran

    async def _begin(self, read: FolderRead, counsellors: Mapping[str, str]) -> tuple[Import, Mapping[str, Into]]:
        files = [
            SourceFile(file=file.file, sha256=file.sha256, rows=file.rows, accepted=file.accepted)
            for file in read.files
        ]
        async with self._work("history.begin_import") as work:
            return await begin(
                self.source,
                files,
                read.history,
                counsellors=await _named(counsellors, set(read.history.programmes), work),
                by=self.by,
                now=work.now,
                programmes=Programmes(work.connection),
                roles=_Appointments(work),
                histories=Histories(work.connection),
                journal=work.journal,
            )

    async def _known(self) -> Mapping[str, Known]:
        """Whoever was brought in before: so many need no transaction of their own to see that nothing is new."""
        async with self.service.engine.connect() as connection:
            return await Histories(connection).of_source(self.source.strip())

    async def _one(self, person: Person, into: Into, known: Known | None) -> Result:
        if known is not None and known.content == content_of(person):
            return Result.UNCHANGED
        async with self._work("history.bring_in") as work:
            work.circumstances.programme = into.programme.id
            return await bring_in(
                person,
                into,
                by=self.by,
                now=work.now,
                clients=Clients(work.connection, work.journal, now=work.now),
                caseloads=Caseloads(work.connection, work.journal, now=work.now),
                histories=Histories(work.connection),
                journal=work.journal,
            )

    async def _end(self, begun: Import, ran: Ran) -> None:
        async with self._work("history.end_import") as work:
            await end(
                begun,
                {**ran.results},
                now=work.now,
                histories=Histories(work.connection),
                journal=work.journal,
            )

    @asynccontextmanager
    async def _work(self, event: str) -> AsyncGenerator[Work]:
        async with self.service.work(by=self.by, event=event) as work:
            work.circumstances.route = "caseload import run"
            work.circumstances.op = Op.CREATE
            work.circumstances.act = Act.BRING_IN_HISTORY
            work.circumstances.purpose = Purpose.OPERATIONS
            yield work


@dataclass(frozen=True, slots=True)
class _Appointments:
    """Satisfies `domain.history.importing.Roles`: a counsellor is appointed as any role is granted."""

    work: Work

    async def counsels_in(self, counsellor: StaffId, programme: ProgrammeId, *, at: datetime) -> bool:
        caseloads = Caseloads(self.work.connection, self.work.journal, now=at)
        return await caseloads.counsels_in(counsellor, programme, at=at)

    async def appoint_counsellor(
        self, counsellor: StaffId, programme: ProgrammeId, *, by: Staff, now: datetime, journal: Journal
    ) -> None:
        grant = Grant(
            id=GrantId(new_id()),
            staff=counsellor,
            role=Role.COUNSELLOR,
            programme=programme,
            starts_at=now,
            ends_at=None,
            granted_by=by.id,
            granted_at=now,
            registration=None,
        )
        accounts, roles = Accounts(self.work.connection), Roles(self.work.connection)
        await grant_role(grant, by=by, now=now, accounts=accounts, roles=roles, journal=journal)


async def _named(counsellors: Mapping[str, str], codes: set[str], work: Work) -> Mapping[str, StaffId]:
    """Who was named for each programme. Raises `Invalid` for names and programmes that do not exist."""
    accounts = Accounts(work.connection)
    found: dict[str, StaffId] = {}
    wrong: list[Fault] = []
    for user in sorted(set(counsellors.values())):
        try:
            found[user] = (await accounts.named(user, at=work.now)).id
        except StaffUnknown:
            wrong.append(Fault("counsellor", f"{user} is nobody's user name"))
    wrong += [
        Fault("counsellor", f"{code} is no programme of this folder")
        for code in sorted(counsellors.keys() - codes - {EVERYWHERE})
    ]
    if wrong:
        raise Invalid(wrong)
    named = {code: counsellors.get(code, counsellors.get(EVERYWHERE)) for code in codes}
    return {code: found[user] for code, user in named.items() if user is not None}
