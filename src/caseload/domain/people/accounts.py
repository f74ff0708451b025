"""Accounts: somebody begins to work here, and leaves. What they recorded and signed stays theirs."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Final, Protocol

from caseload.domain import access
from caseload.domain.access import Act
from caseload.domain.errors import Conflict, Faults, NotFound, NotPermitted
from caseload.domain.ids import ProgrammeId, SessionId, StaffId
from caseload.domain.journal import Event, Journal
from caseload.domain.people.leaving import require_nobody_left
from caseload.domain.people.passwords import Password, PasswordRules, one_time
from caseload.domain.people.sessions import SessionEnd
from caseload.domain.people.staff import COMMAND_LINE, Staff

LONGEST_PRINTED_NAME: Final = 120
LONGEST_REASON: Final = 500
_USER_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._@+-]{1,63}")


def is_user_name(text: str) -> bool:
    """Whether it can be somebody's user name."""
    return _USER_NAME.fullmatch(text) is not None


class StaffUnknown(NotFound):
    """No such person of the staff."""

    def __init__(self) -> None:
        super().__init__("Ask for the list of staff and use one of their identifiers.")


class UserNameTaken(Conflict):
    """This user name belongs to somebody."""

    def __init__(self) -> None:
        super().__init__("Choose another. A user name is never given to a second person, not even after years.")


class NotYourself(NotPermitted):
    """Somebody else must do this for you."""

    def __init__(self) -> None:
        super().__init__("Nobody changes their own account or roles. Ask another administrator.")


class AlreadyDeactivated(Conflict):
    """This account has been deactivated."""

    def __init__(self) -> None:
        super().__init__("It cannot be opened again. Somebody who comes back gets a new account.")


class NeedsAThirdPerson(NotPermitted):
    """Somebody who had no part in it must confirm this."""

    def __init__(self) -> None:
        super().__init__("Neither the person concerned nor whoever set it up can confirm it.")


class AlreadyConfirmed(Conflict):
    """This has been confirmed."""

    def __init__(self) -> None:
        super().__init__("There is nothing left to do.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One person of the staff, as those who manage staff see them."""

    id: StaffId
    user_name: str
    printed_name: str
    created_at: datetime
    deactivated_at: datetime | None
    suspended: bool
    """A reset of the password waits for its confirmation."""
    where: frozenset[ProgrammeId | None]
    """The programmes of the roles they hold or are about to; None stands for the whole organisation."""

    def must_not_be(self, by: Staff) -> None:
        """Raise `NotYourself` when somebody is about to do it to themselves."""
        if self.id == by.id:
            raise NotYourself

    def require_somewhere(self, act: Act, *, by: Staff) -> None:
        """Raise `NotPermitted` unless `by` may do the act in one of this person's programmes."""
        if self.where and not any(may_in(by, act, programme) for programme in self.where):
            raise NotPermitted("Your role for this is in another programme than theirs.")

    def require_everywhere(self, act: Act, *, by: Staff) -> None:
        """Raise `NotPermitted` unless `by` may do the act in all of this person's programmes.

        Whoever could take over an account must not gain by it what they do not manage anyway.
        """
        if not all(may_in(by, act, programme) for programme in self.where):
            raise NotPermitted(
                "They hold a role in a programme that is not yours. Ask an administrator for everything."
            )

    def require_open(self) -> None:
        """Raise `AlreadyDeactivated` when the account is closed."""
        if self.deactivated_at is not None:
            raise AlreadyDeactivated


def may_in(by: Staff, act: Act, programme: ProgrammeId | None) -> bool:
    """Whether `by` may do the act in the programme, or everywhere where it is None."""
    return any(held.role in access.MAY[act] and held.programme in {programme, None} for held in by.holdings)


def require_in(by: Staff, act: Act, programme: ProgrammeId | None) -> None:
    """Raise `NotPermitted` unless `by` may do the act in the programme, or everywhere where it is None."""
    if not may_in(by, act, programme):
        raise NotPermitted("Your role for this is in another programme. Ask an administrator for everything.")


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffAdded(Event):
    """Somebody began to work here."""

    name: ClassVar[str] = "staff.added"


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffDeactivated(Event):
    """Somebody's account was closed."""

    name: ClassVar[str] = "staff.deactivated"


class Accounts(Protocol):
    """The accounts that are kept."""

    async def get(self, staff: StaffId, *, at: datetime) -> Account:
        """The account, or `StaffUnknown`."""
        ...

    async def hold_still(self, staff: StaffId) -> None:
        """Until the work is done let no session begin on this account, and nobody make it answer for a client."""
        ...

    async def answers_for(
        self, staff: StaffId, *, programme: ProgrammeId | None, since: datetime, until: datetime | None
    ) -> int:
        """For how many clients they are responsible in that time, as far as is planned; None is anywhere, for ever."""
        ...

    async def add(self, account: Account, *, by: StaffId) -> None:
        """Keep a new account; `UserNameTaken`."""
        ...

    async def deactivate(self, staff: StaffId, *, reason: str, by: StaffId, at: datetime) -> None:
        """Close the account; `AlreadyDeactivated`."""
        ...

    async def newest_password(self, staff: StaffId) -> Password | None:
        """The password that counts."""
        ...

    async def add_password(self, password: Password) -> None:
        """Keep a password; `PasswordJustChanged` when there is one of that number."""
        ...

    async def end_sessions(
        self, staff: StaffId, *, why: SessionEnd, at: datetime, but: SessionId | None = None
    ) -> None:
        """End every session of this person that is still open, except perhaps one."""
        ...


async def add_staff(
    user_name: str,
    printed_name: str,
    *,
    as_id: StaffId,
    secret_hash: str,
    by: Staff,
    now: datetime,
    rules: PasswordRules,
    accounts: Accounts,
    journal: Journal,
) -> Account:
    """Make an account with a one-time secret. Raises `NotPermitted`, `Invalid`, `UserNameTaken`."""
    if not by.may(Act.MANAGE_STAFF):
        raise NotPermitted("Only an administrator adds staff.")
    user_name = user_name.strip().lower()
    faults = Faults()
    faults.check(
        when=not is_user_name(user_name),
        where="user_name",
        problem="must have 2 to 64 letters a to z, digits or . _ @ + -, and begin with a letter or digit",
    )
    faults.check(
        when=not 0 < len(printed_name.strip()) <= LONGEST_PRINTED_NAME or not printed_name.isprintable(),
        where="printed_name",
        problem=f"must have 1 to {LONGEST_PRINTED_NAME} characters: it stands under every signature",
    )
    faults.raise_if_any()
    account = Account(
        id=as_id,
        user_name=user_name,
        printed_name=printed_name.strip(),
        created_at=now,
        deactivated_at=None,
        suspended=False,
        where=frozenset(),
    )
    await accounts.add(account, by=by.id)
    await accounts.add_password(one_time(account.id, 1, secret_hash, by=by, now=now, rules=rules))
    journal.tell(StaffAdded(records=(account.id,)))
    return account


async def deactivate(
    staff: StaffId, *, reason: str, by: Staff, now: datetime, accounts: Accounts, journal: Journal
) -> None:
    """Close an account for good and end its sessions.

    Raises `NotYourself`, `NotPermitted`, `AlreadyDeactivated`, and `StillResponsible` while clients are theirs.
    """
    account = await accounts.get(staff, at=now)
    account.must_not_be(by)
    account.require_everywhere(Act.MANAGE_STAFF, by=by)
    account.require_open()
    check_reason(reason)
    await accounts.hold_still(account.id)
    require_nobody_left(await accounts.answers_for(account.id, programme=None, since=now, until=None))
    await accounts.deactivate(account.id, reason=reason.strip(), by=by.id, at=now)
    await accounts.end_sessions(account.id, why=SessionEnd.DEACTIVATED, at=now)
    journal.tell(StaffDeactivated(records=(account.id,)))


def require_third_person(by: Staff, *, concerned: StaffId, set_up_by: StaffId) -> None:
    """Raise unless `by` is neither the person concerned nor who set it up, and may put their name to anything."""
    if by.id in {concerned, set_up_by, COMMAND_LINE}:
        raise NeedsAThirdPerson
    by.require_signing()


def check_reason(reason: str) -> None:
    """Raise `Invalid` unless a reason is given, in so many words."""
    faults = Faults()
    faults.check(
        when=not 0 < len(reason.strip()) <= LONGEST_REASON,
        where="reason",
        problem=f"say why, in {LONGEST_REASON} characters at most",
    )
    faults.raise_if_any()
