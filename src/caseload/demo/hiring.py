"""Opening the programmes and hiring everybody, with the ceremonies a clinic has: granted by one, confirmed by another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

from caseload.db.people.accounts import Accounts
from caseload.db.people.roles import Roles
from caseload.db.programme import Programmes
from caseload.demo.cast import ADMINISTRATORS, COLLEAGUES, SITES, Colleague
from caseload.domain.access import CLINICIANS, CONFIRMED_BY_ANOTHER, Holding, Role
from caseload.domain.ids import GrantId, ProgrammeId, RegistrationId, StaffId, new_id
from caseload.domain.people import (
    Grant,
    PasswordRules,
    Registration,
    Staff,
    add_staff,
    choose_password,
    confirm_role,
    grant_role,
    new_secret,
    record_registration,
    the_command_line,
)
from caseload.domain.programme import Programme, open_programme
from caseload.request.passwords import Passwords
from caseload.request.work import Work

_RULES: Final = PasswordRules()
REGISTERED_FOR: Final = timedelta(days=730)
_GROUPS: Final = 17
"""Characters of a demo password: three groups of five letters and digits, 73 bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """How somebody of the demo signs in."""

    colleague: Colleague
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clinic:
    """The programmes and everybody who works there."""

    programmes: Sequence[Programme]
    staff: Mapping[str, Staff]
    """By user name."""

    def of(self, role: Role, programme: ProgrammeId | None) -> Sequence[Staff]:
        """Everybody who holds a role in a programme, or in all of them, in the order of the cast."""
        return [who for who in self.staff.values() if Holding(role=role, programme=programme) in who.holdings]


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """The passwords of everybody, each hashed once, before anything is written."""

    sign_ins: Sequence[SignIn]
    hashes: Mapping[str, str] = field(repr=False)
    one_time_hash: str = field(repr=False)
    """Of a secret that nobody is ever told: it is replaced at once."""

    @property
    def of_those_here(self) -> Sequence[SignIn]:
        """The sign-ins of everybody who has not left."""
        return [who for who in self.sign_ins if not who.colleague.has_left]


async def make_secrets() -> Secrets:
    """A random password for everybody."""
    sign_ins = [
        SignIn(colleague=colleague, password=new_secret()[:_GROUPS]) for colleague in (*ADMINISTRATORS, *COLLEAGUES)
    ]
    passwords = Passwords()
    try:
        hashes = {who.colleague.user_name: await passwords.hash(who.password) for who in sign_ins}
        return Secrets(sign_ins=sign_ins, hashes=hashes, one_time_hash=await passwords.hash(new_secret()))
    finally:
        passwords.close()


@dataclass(slots=True, kw_only=True)
class Hiring:
    """Opens the programmes and hires everybody on one day, long before the first story begins."""

    work: Work
    secrets: Secrets
    now: datetime
    """The day on which everybody begins."""
    today: date
    programmes: dict[str, Programme] = field(default_factory=dict[str, Programme])

    async def hire(self) -> Clinic:
        """Open the programmes, and hire the administrators first: one grants, the other confirms."""
        command_line = the_command_line()
        for site in SITES:
            self.programmes[site.code] = await open_programme(
                site.code,
                site.name,
                as_id=ProgrammeId(new_id()),
                time_zone=site.time_zone,
                profile=site.profile,
                by=command_line,
                now=self.now,
                programmes=Programmes(self.work.connection),
                journal=self.work.journal,
            )
        staff: dict[str, Staff] = {}
        for colleague in ADMINISTRATORS:
            staff[colleague.user_name] = await self._hire(colleague, by=command_line, confirmed_by=None)
        grants, confirms = (staff[colleague.user_name] for colleague in ADMINISTRATORS)
        for colleague in COLLEAGUES:
            staff[colleague.user_name] = await self._hire(colleague, by=grants, confirmed_by=confirms)
        return Clinic(programmes=list(self.programmes.values()), staff=staff)

    async def _hire(self, colleague: Colleague, *, by: Staff, confirmed_by: Staff | None) -> Staff:
        who = StaffId(new_id())
        await add_staff(
            colleague.user_name,
            colleague.printed_name,
            as_id=who,
            secret_hash=self.secrets.one_time_hash,
            by=by,
            now=self.now,
            rules=_RULES,
            accounts=self._accounts,
            journal=self.work.journal,
        )
        await self._choose_password(colleague, who)
        registration = await self._register(colleague, who, by=by)
        holdings = [
            await self._grant(colleague, who, role, where, registration, by=by, confirmed_by=confirmed_by)
            for role, where in colleague.holds
        ]
        body, number = colleague.registration or ("", "")
        return Staff(
            id=who,
            user_name=colleague.user_name,
            printed_name=colleague.printed_name,
            session=None,
            holdings=tuple(holdings),
            registration=f"{body} {number}" if number else None,
        )

    @property
    def _accounts(self) -> Accounts:
        return Accounts(self.work.connection)

    async def _choose_password(self, colleague: Colleague, who: StaffId) -> None:
        former = await self._accounts.newest_password(who)
        if former is not None:
            await choose_password(
                former,
                self.secrets.hashes[colleague.user_name],
                by=who,
                session=None,
                now=self.now,
                accounts=self._accounts,
                journal=self.work.journal,
            )

    async def _register(self, colleague: Colleague, who: StaffId, *, by: Staff) -> RegistrationId | None:
        if colleague.registration is None:
            return None
        body, number = colleague.registration
        registration = Registration(
            id=RegistrationId(new_id()),
            staff=who,
            body=body,
            number=number,
            expires_on=self.today + REGISTERED_FOR,
            checks=1,
        )
        await record_registration(
            registration,
            by=by,
            now=self.now,
            accounts=self._accounts,
            roles=Roles(self.work.connection),
            journal=self.work.journal,
        )
        return registration.id

    async def _grant(
        self,
        colleague: Colleague,
        who: StaffId,
        role: Role,
        where: str | None,
        registration: RegistrationId | None,
        *,
        by: Staff,
        confirmed_by: Staff | None,
    ) -> Holding:
        roles = Roles(self.work.connection)
        leaves = colleague.leaves_in_days
        grant = Grant(
            id=GrantId(new_id()),
            staff=who,
            role=role,
            programme=None if where is None else self.programmes[where].id,
            starts_at=self.now,
            ends_at=None if leaves is None else self.work.now + timedelta(days=leaves),
            granted_by=by.id,
            granted_at=self.now,
            registration=registration if role in CLINICIANS else None,
        )
        await grant_role(grant, by=by, now=self.now, accounts=self._accounts, roles=roles, journal=self.work.journal)
        if confirmed_by is not None and role in CONFIRMED_BY_ANOTHER:
            await confirm_role(grant.id, by=confirmed_by, now=self.now, roles=roles, journal=self.work.journal)
        return Holding(role=role, programme=grant.programme)
