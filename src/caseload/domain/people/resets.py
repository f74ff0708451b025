"""Passwords change: somebody who forgot theirs gets a one-time secret, and everybody chooses their own.

Whoever sets a password for another knows it, and could act as them. So what is set by another is good for one use, a
reset ends every session, and until a third person has confirmed who asked for it the account neither signs nor
confirms anything (21 CFR 11.200(a)(3): misuse must need two people).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Protocol

from caseload.domain.access import Act
from caseload.domain.errors import NotFound
from caseload.domain.ids import ResetId, SessionId, StaffId
from caseload.domain.journal import Event, Journal
from caseload.domain.people.accounts import Accounts, AlreadyConfirmed, require_third_person
from caseload.domain.people.passwords import Password, PasswordRules, one_time
from caseload.domain.people.sessions import SessionEnd
from caseload.domain.people.staff import Staff


class ResetUnknown(NotFound):
    """No such reset of a password."""

    def __init__(self) -> None:
        super().__init__("Ask for the list of resets that wait for confirmation.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reset:
    """A one-time secret was handed to somebody who had lost their password."""

    id: ResetId
    staff: StaffId
    reset_by: StaffId
    reset_at: datetime
    confirmed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordReset(Event):
    """Somebody was given a one-time secret; their sessions ended and they may not sign."""

    name: ClassVar[str] = "staff.password_reset"


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordResetConfirmed(Event):
    """A third person confirmed who had asked for a reset; they may sign again."""

    name: ClassVar[str] = "staff.password_reset_confirmed"


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordChosen(Event):
    """Somebody chose a password of their own."""

    name: ClassVar[str] = "staff.password_chosen"


class Resets(Accounts, Protocol):
    """The resets that are kept, beside the accounts that they are of."""

    async def add_reset(self, reset: Reset) -> None:
        """Keep a reset."""
        ...

    async def get_reset(self, reset: ResetId) -> Reset:
        """The reset, or `ResetUnknown`."""
        ...

    async def unconfirmed_resets(self) -> Sequence[Reset]:
        """Resets that wait for their confirmation, the oldest first."""
        ...

    async def confirm_reset(self, reset: Reset, *, by: StaffId, at: datetime) -> None:
        """Keep the confirmation; `AlreadyConfirmed`."""
        ...


async def reset_password(
    staff: StaffId,
    *,
    as_id: ResetId,
    secret_hash: str,
    by: Staff,
    now: datetime,
    rules: PasswordRules,
    accounts: Resets,
    journal: Journal,
) -> Reset:
    """Hand out a one-time secret: every session ends, and signing is suspended until a third person confirms.

    Raises `NotYourself`, `NotPermitted`, `AlreadyDeactivated`.
    """
    account = await accounts.get(staff, at=now)
    account.must_not_be(by)
    account.require_everywhere(Act.MANAGE_STAFF, by=by)
    account.require_open()
    await accounts.hold_still(account.id)
    former = await accounts.newest_password(account.id)
    number = former.number + 1 if former else 1
    reset = Reset(id=as_id, staff=account.id, reset_by=by.id, reset_at=now, confirmed=False)
    await accounts.add_reset(reset)
    await accounts.add_password(one_time(account.id, number, secret_hash, by=by, now=now, rules=rules))
    await accounts.end_sessions(account.id, why=SessionEnd.PASSWORD_RESET, at=now)
    journal.tell(PasswordReset(records=(account.id, reset.id)))
    return reset


async def confirm_reset(reset_id: ResetId, *, by: Staff, now: datetime, accounts: Resets, journal: Journal) -> None:
    """Confirm, as a third person, that it was this person who had asked; they may sign again.

    Raises `NeedsAThirdPerson`, `SigningSuspended`, `NotPermitted`, `AlreadyConfirmed`.
    """
    reset = await accounts.get_reset(reset_id)
    require_third_person(by, concerned=reset.staff, set_up_by=reset.reset_by)
    account = await accounts.get(reset.staff, at=now)
    account.require_somewhere(Act.CONFIRM_IDENTITY, by=by)
    if reset.confirmed:
        raise AlreadyConfirmed
    await accounts.confirm_reset(reset, by=by.id, at=now)
    journal.tell(PasswordResetConfirmed(records=(reset.staff, reset.id)))


async def choose_password(
    former: Password,
    hashed: str,
    *,
    by: StaffId,
    session: SessionId | None,
    now: datetime,
    accounts: Accounts,
    journal: Journal,
) -> Password:
    """Keep a password of one's own in place of the former; every other session ends.

    What may be chosen is said by `PasswordRules`. Raises `PasswordJustChanged`.
    """
    chosen = Password(staff=by, number=former.number + 1, hash=hashed, set_by=by, set_at=now, one_time_until=None)
    await accounts.add_password(chosen)
    await accounts.end_sessions(by, why=SessionEnd.PASSWORD_CHANGED, at=now, but=session)
    journal.tell(PasswordChosen(records=(by,)))
    return chosen
