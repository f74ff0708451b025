"""Roles: granted by one person, confirmed by another where they sign or confirm, and over by themselves.

Nobody changes their own. Whoever administers holds no clinical role, so that nobody who could make an identity can
sign with one (21 CFR 11.10(d), (g); 11.200(a)(3)).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import ClassVar, Final, Protocol

from caseload.domain.access import CLINICIANS, CONFIRMED_BY_ANOTHER, WITHOUT_PROGRAMME, Act, Role
from caseload.domain.errors import Conflict, Faults, NotFound
from caseload.domain.ids import GrantId, ProgrammeId, RegistrationId, StaffId
from caseload.domain.journal import Event, Journal
from caseload.domain.people.accounts import Accounts, AlreadyConfirmed, check_reason, require_in, require_third_person
from caseload.domain.people.leaving import require_nobody_left
from caseload.domain.people.registrations import Registration, Registrations, RegistrationUnknown
from caseload.domain.people.staff import COMMAND_LINE, Staff

LATE: Final = timedelta(minutes=5)
"""How far in the past a start may lie: clocks differ, and a form takes a while."""


class GrantUnknown(NotFound):
    """No such role of anybody."""

    def __init__(self) -> None:
        super().__init__("Ask for the person's roles and use one of their identifiers.")


class RoleAlreadyHeld(Conflict):
    """They hold this role for some of that time already."""

    def __init__(self) -> None:
        super().__init__("Begin where the present one ends, or revoke it first.")


class AdministratorsStayApart(Conflict):
    """An administrator holds no clinical role, and a clinician does not administer."""

    def __init__(self) -> None:
        super().__init__("Revoke the one role before you grant the other, or give the work to two people.")


class AlreadyRevoked(Conflict):
    """This role is over."""

    def __init__(self) -> None:
        super().__init__("There is nothing left to revoke or confirm.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A role given to somebody, from when to when, and by whom."""

    id: GrantId
    staff: StaffId
    role: Role
    programme: ProgrammeId | None
    starts_at: datetime
    ends_at: datetime | None
    granted_by: StaffId
    granted_at: datetime
    registration: RegistrationId | None
    confirmed_by: StaffId | None = None
    revoked_at: datetime | None = None

    @property
    def needs_confirmation(self) -> bool:
        """Whether it counts only once a third person has confirmed it."""
        made_on_the_server = self.role is Role.ADMINISTRATOR and self.granted_by == COMMAND_LINE
        return self.role in CONFIRMED_BY_ANOTHER and not made_on_the_server and self.confirmed_by is None

    def is_over(self, at: datetime) -> bool:
        """Whether it has been revoked or has ended by then."""
        return self.revoked_at is not None or (self.ends_at is not None and self.ends_at <= at)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleGranted(Event):
    """A role was given."""

    name: ClassVar[str] = "staff.role_granted"


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleConfirmed(Event):
    """A third person confirmed a role."""

    name: ClassVar[str] = "staff.role_confirmed"


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleRevoked(Event):
    """A role was taken away before its end."""

    name: ClassVar[str] = "staff.role_revoked"


class Roles(Registrations, Protocol):
    """The roles that are kept, and the registrations on which they rest."""

    async def of(self, staff: StaffId) -> Sequence[Grant]:
        """Every role ever given to this person, the newest first."""
        ...

    async def waiting(self, *, at: datetime) -> Sequence[Grant]:
        """Roles that wait for a third person's confirmation and are not over, the oldest first."""
        ...

    async def get(self, grant: GrantId) -> Grant:
        """The role, or `GrantUnknown`."""
        ...

    async def add(self, grant: Grant) -> None:
        """Keep it; `RoleAlreadyHeld`, `AdministratorsStayApart`."""
        ...

    async def confirm(self, grant: Grant, *, by: StaffId, at: datetime) -> None:
        """Keep the confirmation; `AlreadyConfirmed`."""
        ...

    async def revoke(self, grant: Grant, *, reason: str, by: StaffId, at: datetime) -> None:
        """End it; `AlreadyRevoked`."""
        ...

    async def today_in(self, programme: ProgrammeId, *, at: datetime) -> date:
        """The local date in a programme at an instant; `ProgrammeUnknown`."""
        ...


async def grant_role(
    grant: Grant, *, by: Staff, now: datetime, accounts: Accounts, roles: Roles, journal: Journal
) -> None:
    """Give somebody a role. One that signs or confirms counts once a third person has confirmed it.

    Raises `NotYourself`, `NotPermitted`, `Invalid`, `RegistrationUnknown`, `ProgrammeUnknown`, `RoleAlreadyHeld`,
    `AdministratorsStayApart`.
    """
    account = await accounts.get(grant.staff, at=now)
    account.must_not_be(by)
    account.require_open()
    faults = Faults()
    _check_extent(grant, now=now, faults=faults)
    registration = await _registration_for(grant, roles=roles, faults=faults)
    if registration is not None and grant.programme is not None:
        faults.check(
            when=registration.expires_on < await roles.today_in(grant.programme, at=now),
            where="registration_id",
            problem="has expired; look it up again and record until when it holds",
        )
    faults.raise_if_any()
    require_in(by, Act.MANAGE_STAFF, grant.programme)
    await roles.add(grant)
    journal.tell(RoleGranted(records=(grant.staff, grant.id), facts=_facts(grant)))


async def confirm_role(grant_id: GrantId, *, by: Staff, now: datetime, roles: Roles, journal: Journal) -> Grant:
    """Confirm, as a third person, that somebody is who and what the role says; it counts from now on.

    Raises `NeedsAThirdPerson`, `SigningSuspended`, `NotPermitted`, `AlreadyRevoked`, `AlreadyConfirmed`.
    """
    grant = await roles.get(grant_id)
    require_third_person(by, concerned=grant.staff, set_up_by=grant.granted_by)
    require_in(by, Act.CONFIRM_ROLE, grant.programme)
    if grant.is_over(now):
        raise AlreadyRevoked
    if not grant.needs_confirmation:
        raise AlreadyConfirmed
    await roles.confirm(grant, by=by.id, at=now)
    journal.tell(RoleConfirmed(records=(grant.staff, grant.id), facts=_facts(grant)))
    return grant


async def revoke_role(
    grant_id: GrantId,
    *,
    reason: str,
    by: Staff,
    now: datetime,
    accounts: Accounts,
    roles: Roles,
    journal: Journal,
) -> None:
    """Take a role away from now on.

    Raises `NotYourself`, `NotPermitted`, `Invalid`, `AlreadyRevoked`, and `StillResponsible` while a counsellor has
    clients of the programme in the time that would be taken away.
    """
    grant = await roles.get(grant_id)
    account = await accounts.get(grant.staff, at=now)
    account.must_not_be(by)
    require_in(by, Act.MANAGE_STAFF, grant.programme)
    check_reason(reason)
    if grant.is_over(now):
        raise AlreadyRevoked
    if grant.role is Role.COUNSELLOR:
        await accounts.hold_still(grant.staff)
        since = max(now, grant.starts_at)
        require_nobody_left(
            await accounts.answers_for(grant.staff, programme=grant.programme, since=since, until=grant.ends_at)
        )
    await roles.revoke(grant, reason=reason.strip(), by=by.id, at=now)
    journal.tell(RoleRevoked(records=(grant.staff, grant.id), facts=_facts(grant)))


def _check_extent(grant: Grant, *, now: datetime, faults: Faults) -> None:
    faults.check(
        when=grant.programme is None and grant.role not in WITHOUT_PROGRAMME,
        where="programme_id",
        problem="is needed: this role is held in one programme",
    )
    faults.check(
        when=grant.starts_at < now - LATE, where="starts_at", problem="must not lie in the past: a role counts forward"
    )
    faults.check(
        when=grant.ends_at is not None and grant.ends_at <= grant.starts_at,
        where="ends_at",
        problem="must be after the start",
    )
    faults.check(
        when=grant.role is Role.INSPECTOR and grant.ends_at is None,
        where="ends_at",
        problem="is needed: an inspection ends",
    )


async def _registration_for(grant: Grant, *, roles: Roles, faults: Faults) -> Registration | None:
    if grant.role not in CLINICIANS:
        faults.check(
            when=grant.registration is not None,
            where="registration_id",
            problem="belongs to clinical roles only",
        )
        return None
    if grant.registration is None:
        faults.add("registration_id", "is needed: a clinical role rests on a registration in force")
        return None
    registration = await roles.get_registration(grant.registration)
    if registration.staff != grant.staff:
        raise RegistrationUnknown
    return registration


def _facts(grant: Grant) -> dict[str, str | int]:
    return {"role": grant.role.value, "programme": str(grant.programme or "all")}
