"""The staff: who works here, one-time secrets, and leaving."""

from datetime import datetime
from uuid import UUID

from litestar import Response, Router
from litestar.params import FromPath, JSONBody

from caseload.api.pages import USUAL, After, Limit, Page
from caseload.api.people.roles import GrantOut, RegistrationOut
from caseload.api.route import reading, writing
from caseload.api.wire import Wire
from caseload.api.work import TheKey, TheWork, nothing_more
from caseload.db.idempotency import Kept
from caseload.db.people.accounts import Accounts
from caseload.db.people.roles import Roles
from caseload.domain import people as domain
from caseload.domain.access import Act
from caseload.domain.ids import ResetId, StaffId, new_id
from caseload.domain.people import Account, Reset, new_secret
from caseload.request.idempotency import once

SECRET_ONCE = {"cache-control": "no-store"}


class StaffIn(Wire, frozen=True, kw_only=True):
    """Somebody who begins to work here."""

    user_name: str
    printed_name: str
    """As it will stand under signatures."""


class AccountOut(Wire, frozen=True, kw_only=True):
    """Somebody of the staff."""

    id: UUID
    user_name: str
    printed_name: str
    created_at: datetime
    deactivated_at: datetime | None
    signing_suspended: bool

    @classmethod
    def of(cls, account: Account) -> "AccountOut":
        """From the domain."""
        return cls(
            id=account.id,
            user_name=account.user_name,
            printed_name=account.printed_name,
            created_at=account.created_at,
            deactivated_at=account.deactivated_at,
            signing_suspended=account.suspended,
        )


class PersonOut(Wire, frozen=True, kw_only=True):
    """Somebody of the staff with every role and registration they ever had."""

    account: AccountOut
    roles: list[GrantOut]
    registrations: list[RegistrationOut]


class AddedOut(Wire, frozen=True, kw_only=True):
    """A new account, and the secret that opens it once."""

    account: AccountOut
    secret: str | None
    """Hand it over in person; it is shown this once and only buys a password of their own. Null on a retry."""


class ReasonIn(Wire, frozen=True, kw_only=True):
    """Why."""

    reason: str


class ResetOut(Wire, frozen=True, kw_only=True):
    """A reset that waits for a third person."""

    id: UUID
    staff_id: UUID
    reset_by: UUID
    reset_at: datetime

    @classmethod
    def of(cls, reset: Reset) -> "ResetOut":
        """From the domain."""
        return cls(id=reset.id, staff_id=reset.staff, reset_by=reset.reset_by, reset_at=reset.reset_at)


class ResetDoneOut(Wire, frozen=True, kw_only=True):
    """A password that was reset, and the secret that opens the account once."""

    reset: ResetOut
    secret: str | None
    """Hand it over in person; it is shown this once. Null on a retry."""


class ResetsOut(Wire, frozen=True, kw_only=True):
    """Resets that wait for a third person, the oldest first."""

    items: list[ResetOut]


@reading("/staff", act=Act.SEE_STAFF, name="list_staff", problems=())
async def list_staff(work: TheWork, after: After = None, limit: Limit = USUAL) -> Page[AccountOut]:
    """Everybody who works or worked here."""
    found = await Accounts(work.connection).page(
        after=None if after is None else StaffId(after), most=limit + 1, at=work.now
    )
    items = [AccountOut.of(account) for account in found[:limit]]
    return Page(items=items, next=items[-1].id if len(found) > limit else None)


@writing("/staff", act=Act.MANAGE_STAFF, name="add_staff", problems=())
async def add_staff(data: JSONBody[StaffIn], work: TheWork, key: TheKey) -> Response[AddedOut]:
    """Add somebody. They sign in once with the secret and choose a password; roles are granted apart."""
    accounts, new, door = Accounts(work.connection), StaffId(new_id()), work.service.door

    async def add() -> AddedOut:
        secret = new_secret()
        account = await domain.add_staff(
            data.user_name,
            data.printed_name,
            as_id=new,
            secret_hash=await door.passwords.hash(secret),
            by=work.by,
            now=work.now,
            rules=door.rules.passwords,
            accounts=accounts,
            journal=work.journal,
        )
        return AddedOut(account=AccountOut.of(account), secret=secret)

    async def again(kept: Kept) -> AddedOut:
        account = await accounts.get(StaffId(kept.resource), at=work.now)
        return AddedOut(account=AccountOut.of(account), secret=None)

    added = await once(work, key, Kept(status=201, resource=new), do=add, again=again)
    return Response(added, status_code=201, headers=SECRET_ONCE)


@reading("/staff/{staff_id:uuid}", act=Act.SEE_STAFF, name="read_staff")
async def read_staff(staff_id: FromPath[UUID], work: TheWork) -> PersonOut:
    """One person with every role and registration they ever had."""
    account = await Accounts(work.connection).get(StaffId(staff_id), at=work.now)
    roles = Roles(work.connection)
    return PersonOut(
        account=AccountOut.of(account),
        roles=[GrantOut.of(grant) for grant in await roles.of(account.id)],
        registrations=[RegistrationOut.of(each) for each in await roles.registrations_of(account.id)],
    )


@writing("/staff/{staff_id:uuid}/deactivation", act=Act.MANAGE_STAFF, name="deactivate_staff", status=204)
async def deactivate_staff(staff_id: FromPath[UUID], data: JSONBody[ReasonIn], work: TheWork, key: TheKey) -> None:
    """Close an account for good. Its sessions end; what the person recorded and signed stays theirs."""
    accounts = Accounts(work.connection)

    async def deactivate() -> None:
        await domain.deactivate(
            StaffId(staff_id), reason=data.reason, by=work.by, now=work.now, accounts=accounts, journal=work.journal
        )

    await once(work, key, Kept(status=204, resource=staff_id), do=deactivate, again=nothing_more)


@writing("/staff/{staff_id:uuid}/password-reset", act=Act.MANAGE_STAFF, name="reset_password")
async def reset_password(staff_id: FromPath[UUID], work: TheWork, key: TheKey) -> Response[ResetDoneOut]:
    """Hand out a one-time secret: every session ends, and signing is suspended until a third person confirms."""
    accounts, new, door = Accounts(work.connection), ResetId(new_id()), work.service.door

    async def reset() -> ResetDoneOut:
        secret = new_secret()
        done = await domain.reset_password(
            StaffId(staff_id),
            as_id=new,
            secret_hash=await door.passwords.hash(secret),
            by=work.by,
            now=work.now,
            rules=door.rules.passwords,
            accounts=accounts,
            journal=work.journal,
        )
        return ResetDoneOut(reset=ResetOut.of(done), secret=secret)

    async def again(kept: Kept) -> ResetDoneOut:
        return ResetDoneOut(reset=ResetOut.of(await accounts.get_reset(ResetId(kept.resource))), secret=None)

    done = await once(work, key, Kept(status=201, resource=new), do=reset, again=again)
    return Response(done, status_code=201, headers=SECRET_ONCE)


@reading("/password-resets", act=Act.CONFIRM_IDENTITY, name="list_password_resets", problems=())
async def list_password_resets(work: TheWork) -> ResetsOut:
    """Resets that wait for a third person."""
    waiting = await Accounts(work.connection).unconfirmed_resets()
    return ResetsOut(items=[ResetOut.of(reset) for reset in waiting])


@writing(
    "/password-resets/{reset_id:uuid}/confirmation", act=Act.CONFIRM_IDENTITY, name="confirm_password_reset", status=204
)
async def confirm_password_reset(reset_id: FromPath[UUID], work: TheWork, key: TheKey) -> None:
    """Confirm, as a third person who has seen them, that it was they who asked. They may sign again."""

    async def confirm() -> None:
        await domain.confirm_reset(
            ResetId(reset_id), by=work.by, now=work.now, accounts=Accounts(work.connection), journal=work.journal
        )

    await once(work, key, Kept(status=204, resource=reset_id), do=confirm, again=nothing_more)


router = Router(
    "/",
    route_handlers=[
        list_staff,
        add_staff,
        read_staff,
        deactivate_staff,
        reset_password,
        list_password_resets,
        confirm_password_reset,
    ],
    tags=["Staff"],
)
