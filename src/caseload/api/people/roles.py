"""Roles and the registrations they rest on: granted by one, confirmed by another."""

from datetime import date, datetime
from uuid import UUID

from litestar import Router
from litestar.params import FromPath, JSONBody

from caseload.api.route import reading, writing
from caseload.api.wire import Instant, Wire
from caseload.api.work import TheKey, TheWork, nothing_more
from caseload.db.idempotency import Kept
from caseload.db.people.accounts import Accounts
from caseload.db.people.roles import Roles
from caseload.domain import people as domain
from caseload.domain.access import Act, Role
from caseload.domain.ids import GrantId, ProgrammeId, RegistrationId, StaffId, new_id
from caseload.domain.people import Grant, Registration
from caseload.request.idempotency import once


class GrantIn(Wire, frozen=True, kw_only=True):
    """A role for somebody."""

    role: Role
    programme_id: UUID | None = None
    """Null for the whole organisation, which only administrators, auditors and privacy officers may have."""
    starts_at: Instant | None = None
    """Now, if not given. It cannot lie in the past."""
    ends_at: Instant | None = None
    """When it ends by itself; an inspector's must."""
    registration_id: UUID | None = None
    """What a clinical role rests on."""


class GrantOut(Wire, frozen=True, kw_only=True):
    """A role somebody was given."""

    id: UUID
    staff_id: UUID
    role: Role
    programme_id: UUID | None
    starts_at: datetime
    ends_at: datetime | None
    registration_id: UUID | None
    granted_by: UUID
    granted_at: datetime
    confirmed_by: UUID | None
    waits_for_confirmation: bool
    """It counts only once somebody who neither granted nor holds it has confirmed it."""
    revoked_at: datetime | None

    @classmethod
    def of(cls, grant: Grant) -> "GrantOut":
        """From the domain."""
        return cls(
            id=grant.id,
            staff_id=grant.staff,
            role=grant.role,
            programme_id=grant.programme,
            starts_at=grant.starts_at,
            ends_at=grant.ends_at,
            registration_id=grant.registration,
            granted_by=grant.granted_by,
            granted_at=grant.granted_at,
            confirmed_by=grant.confirmed_by,
            waits_for_confirmation=grant.needs_confirmation,
            revoked_at=grant.revoked_at,
        )


class GrantsOut(Wire, frozen=True, kw_only=True):
    """Roles that wait for a third person, the oldest first."""

    items: list[GrantOut]


class RegistrationIn(Wire, frozen=True, kw_only=True):
    """A professional registration, as the body's register shows it."""

    body: str
    """The body's short name in capitals: NMC, GPHC, GMC, AHPRA, ..."""
    number: str
    expires_on: date
    """The last day on which it holds."""


class CheckIn(Wire, frozen=True, kw_only=True):
    """What the body's register says now."""

    expires_on: date


class RegistrationOut(Wire, frozen=True, kw_only=True):
    """A professional registration."""

    id: UUID
    staff_id: UUID
    body: str
    number: str
    expires_on: date

    @classmethod
    def of(cls, registration: Registration) -> "RegistrationOut":
        """From the domain."""
        return cls(
            id=registration.id,
            staff_id=registration.staff,
            body=registration.body,
            number=registration.number,
            expires_on=registration.expires_on,
        )


class RevocationIn(Wire, frozen=True, kw_only=True):
    """Why a role is taken away."""

    reason: str


@writing("/staff/{staff_id:uuid}/registrations", act=Act.MANAGE_STAFF, name="record_registration")
async def record_registration(
    staff_id: FromPath[UUID], data: JSONBody[RegistrationIn], work: TheWork, key: TheKey
) -> RegistrationOut:
    """Record a professional registration with the last day on which it holds."""
    roles = Roles(work.connection)
    new = Registration(
        id=RegistrationId(new_id()),
        staff=StaffId(staff_id),
        body=data.body.strip().upper(),
        number=data.number.strip().upper(),
        expires_on=data.expires_on,
        checks=1,
    )

    async def record() -> Registration:
        await domain.record_registration(
            new, by=work.by, now=work.now, accounts=Accounts(work.connection), roles=roles, journal=work.journal
        )
        return new

    async def again(kept: Kept) -> Registration:
        return await roles.get_registration(RegistrationId(kept.resource))

    return RegistrationOut.of(await once(work, key, Kept(status=201, resource=new.id), do=record, again=again))


@writing("/registrations/{registration_id:uuid}/checks", act=Act.MANAGE_STAFF, name="check_registration")
async def check_registration(
    registration_id: FromPath[UUID], data: JSONBody[CheckIn], work: TheWork, key: TheKey
) -> RegistrationOut:
    """Record another look at the register: a renewal, or an end that came sooner. It counts at once."""
    roles, wanted = Roles(work.connection), RegistrationId(registration_id)

    async def check() -> Registration:
        return await domain.check_registration(
            wanted,
            data.expires_on,
            by=work.by,
            now=work.now,
            accounts=Accounts(work.connection),
            roles=roles,
            journal=work.journal,
        )

    async def again(kept: Kept) -> Registration:
        return await roles.get_registration(RegistrationId(kept.resource))

    return RegistrationOut.of(await once(work, key, Kept(status=201, resource=wanted), do=check, again=again))


@writing("/staff/{staff_id:uuid}/roles", act=Act.MANAGE_STAFF, name="grant_role")
async def grant_role(staff_id: FromPath[UUID], data: JSONBody[GrantIn], work: TheWork, key: TheKey) -> GrantOut:
    """Give somebody a role. One that signs or confirms counts once a third person has confirmed it."""
    roles = Roles(work.connection)
    new = Grant(
        id=GrantId(new_id()),
        staff=StaffId(staff_id),
        role=data.role,
        programme=None if data.programme_id is None else ProgrammeId(data.programme_id),
        starts_at=data.starts_at or work.now,
        ends_at=data.ends_at,
        granted_by=work.by.id,
        granted_at=work.now,
        registration=None if data.registration_id is None else RegistrationId(data.registration_id),
    )

    async def grant() -> Grant:
        await domain.grant_role(
            new, by=work.by, now=work.now, accounts=Accounts(work.connection), roles=roles, journal=work.journal
        )
        return new

    async def again(kept: Kept) -> Grant:
        return await roles.get(GrantId(kept.resource))

    return GrantOut.of(await once(work, key, Kept(status=201, resource=new.id), do=grant, again=again))


@reading("/roles/waiting", act=Act.CONFIRM_ROLE, name="list_waiting_roles", problems=())
async def list_waiting_roles(work: TheWork) -> GrantsOut:
    """Roles that wait for a third person's confirmation."""
    return GrantsOut(items=[GrantOut.of(grant) for grant in await Roles(work.connection).waiting(at=work.now)])


@writing("/roles/{grant_id:uuid}/confirmation", act=Act.CONFIRM_ROLE, name="confirm_role", status=204)
async def confirm_role(grant_id: FromPath[UUID], work: TheWork, key: TheKey) -> None:
    """Confirm, as a third person, that somebody is who and what the role says."""

    async def confirm() -> None:
        await domain.confirm_role(
            GrantId(grant_id), by=work.by, now=work.now, roles=Roles(work.connection), journal=work.journal
        )

    await once(work, key, Kept(status=204, resource=grant_id), do=confirm, again=nothing_more)


@writing("/roles/{grant_id:uuid}/revocation", act=Act.MANAGE_STAFF, name="revoke_role", status=204)
async def revoke_role(grant_id: FromPath[UUID], data: JSONBody[RevocationIn], work: TheWork, key: TheKey) -> None:
    """Take a role away from now on."""

    async def revoke() -> None:
        await domain.revoke_role(
            GrantId(grant_id),
            reason=data.reason,
            by=work.by,
            now=work.now,
            accounts=Accounts(work.connection),
            roles=Roles(work.connection),
            journal=work.journal,
        )

    await once(work, key, Kept(status=204, resource=grant_id), do=revoke, again=nothing_more)


router = Router(
    "/",
    route_handlers=[
        record_registration,
        check_registration,
        grant_role,
        list_waiting_roles,
        confirm_role,
        revoke_role,
    ],
    tags=["Roles"],
)
