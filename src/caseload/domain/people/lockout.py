"""Guessing passwords is slowed down until it is pointless, without locking anybody out of the morning.

Failures are counted three ways: by account and source together, by account over all sources, and by source over all
accounts. Each has its own patience; past it every failure doubles the wait. The two sums spare a person at a source
from which they have signed in before, so that nobody at another source can keep them out. A live session is never
touched. NIST SP 800-63B-4, section 3.2.2, allows 100 failures in a row on one account: the waits stay far below.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Protocol

from caseload.domain.access import Act
from caseload.domain.errors import NotPermitted, NotSignedIn, TooManyAttempts
from caseload.domain.ids import ProgrammeId, StaffId
from caseload.domain.journal import Event, Journal
from caseload.domain.people.accounts import Account, may_in
from caseload.domain.people.staff import Staff

KNOWN_FOR = timedelta(days=30)
"""How long after signing in from a source a person is known there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How many failures are forgiven, and how the wait grows after that."""

    forgiven: int
    first_wait: timedelta = timedelta(seconds=1)
    longest_wait: timedelta = timedelta(minutes=15)

    def wait(self, failures: int) -> timedelta:
        """How long to wait after so many failures in a row: nothing, then doubling up to the longest."""
        over = failures - self.forgiven
        if over <= 0:
            return timedelta(0)
        doublings = min(over - 1, 30)
        return min(self.first_wait * 2**doublings, self.longest_wait)

    def waits(self) -> list[float]:
        """The waits in seconds after 1, 2, 3, ... failures, up to the first that is the longest."""
        found: list[float] = []
        while not found or found[-1] < self.longest_wait.total_seconds():
            found.append(self.wait(len(found) + 1).total_seconds())
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class LockoutRules:
    """The patience of each count."""

    together: Patience = Patience(forgiven=4)
    """One account from one source."""
    account: Patience = Patience(forgiven=50)
    """One account from everywhere."""
    source: Patience = Patience(forgiven=30)
    """One source on every account."""
    forgotten_after: timedelta = timedelta(hours=24)
    """A count starts again after this long without a failure."""


class WrongCredentials(NotSignedIn):
    """User name and password do not belong together."""

    def __init__(self) -> None:
        super().__init__("Check both. After several failures in a row each further one makes you wait longer.")


class WrongPassword(NotPermitted):
    """That is not your password."""

    def __init__(self) -> None:
        super().__init__("Nothing was signed. Enter your own password again.")


class WaitBeforeSigningIn(TooManyAttempts):
    """Too many failures. Wait before the next attempt."""

    def __init__(self, *, until: datetime, now: datetime) -> None:
        super().__init__(
            "Wait as long as Retry-After says, or ask a supervisor to lift the wait.",
            retry_after_s=max(1, -int((now - until).total_seconds() // 1)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LockOut:
    """Somebody of the staff for whom a wait is running."""

    staff: StaffId
    user_name: str
    printed_name: str
    failures: int
    until: datetime
    where: frozenset[ProgrammeId | None]
    """The programmes of the roles they hold; None stands for the whole organisation."""

    def is_within(self, by: Staff) -> bool:
        """Whether `by` may lift it."""
        return not self.where or any(may_in(by, Act.LIFT_LOCKOUT, programme) for programme in self.where)


@dataclass(frozen=True, slots=True, kw_only=True)
class LockOutLifted(Event):
    """The failures of an account were forgotten before their time."""

    name: ClassVar[str] = "sign_in.lockout_lifted"


class LockOuts(Protocol):
    """The waits that are running."""

    async def running(self) -> Sequence[LockOut]:
        """Everybody of the staff for whom a wait is running, the longest first."""
        ...

    async def forget(self, account: Account) -> None:
        """Forget every failure on this person's account, from every source."""
        ...


async def lift(account: Account, *, by: Staff, lockouts: LockOuts, journal: Journal) -> None:
    """Forget the failures on somebody's account, so that they may try again at once. Nobody lifts their own."""
    account.must_not_be(by)
    account.require_somewhere(Act.LIFT_LOCKOUT, by=by)
    await lockouts.forget(account)
    journal.tell(LockOutLifted(records=(account.id,)))
