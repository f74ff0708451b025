"""The door: how guessing passwords is slowed down, and who has been seen using a session. One per process.

An attempt takes its turn, and only then is it asked whether it must wait: so no more guesses are under way at once
than there are turns, and each is counted before the next begins. A failure is counted in a transaction of its own,
also when whoever asked has gone away.
"""

import asyncio
import hmac
import ipaddress
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncEngine

from caseload.db.people import sign_in as kept
from caseload.db.people.sessions import note_use
from caseload.db.people.sign_in import ANY, Attempt
from caseload.domain.ids import SessionId, StaffId
from caseload.domain.people import (
    LockoutRules,
    Password,
    PasswordRules,
    Patience,
    SecondFactor,
    SessionRules,
    WaitBeforeSigningIn,
    WrongCredentials,
    WrongPassword,
    is_user_name,
)
from caseload.request.identity import LookUp
from caseload.request.passwords import Lane, Passwords

T = TypeVar("T")


@dataclass(slots=True)
class Uses:
    """Sessions that were used and when, until it is written down: the newest use of each."""

    seen: dict[SessionId, datetime] = field(default_factory=dict[SessionId, datetime])

    def note(self, session: SessionId, *, at: datetime) -> None:
        """Say that the session is in use; returns at once."""
        self.seen[session] = at


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorRules:
    """What a clinic has decided about coming in."""

    sessions: SessionRules = field(default_factory=SessionRules)
    passwords: PasswordRules = field(default_factory=PasswordRules)
    lockout: LockoutRules = field(default_factory=LockoutRules)


class Door:
    """Tries passwords, counts failures, and remembers which sessions are in use."""

    def __init__(
        self, engine: AsyncEngine, *, secret: bytes, rules: DoorRules | None = None, passwords: Passwords | None = None
    ) -> None:
        self.engine = engine
        self.rules = rules or DoorRules()
        self.passwords = passwords or Passwords()
        self.sessions = LookUp()
        self.uses = Uses()
        self._secret = secret
        self._under_way: set[asyncio.Task[Any]] = set()

    async def try_to_enter(self, user_name: str, password: str, *, source: bytes, now: datetime) -> Password:
        """Return the password that was right, with whose it is.

        Raises `WrongCredentials` (counted), `WaitBeforeSigningIn` (not counted as a guess, but in the log's count of
        the minute) or `Busy`. Whoever is unknown, deactivated or has no password takes as long as anybody.
        """
        return await self._to_the_end(self._try_to_enter(user_name.strip().lower(), password, source, now))

    async def try_to_sign(
        self,
        staff: StaffId,
        session: SessionId,
        password: str,
        hashed: str,
        *,
        now: datetime,
        others: Sequence[tuple[SecondFactor, str]] = (),
    ) -> None:
        """Return when this is the password of somebody who is signed in, and the answers of `others` are right.

        Raises `WrongPassword` (counted), `WaitBeforeSigningIn` or `Busy`. Failures count by person and session, so that
        nobody at the door can keep somebody at the desk from signing. Which of the proofs was wrong is not said.
        """
        attempt = Attempt(account=self._digest("signer", str(staff)), source=self._digest("session", str(session)))

        async def fits() -> bool:
            right = await self.passwords.fits(password, hashed)
            for factor, answer in others:
                right = right and await factor.fits(staff, answer, now=now)
            return right

        await self._to_the_end(self._try_to_sign(attempt, fits, now))

    async def note_uses(self) -> None:
        """Write down which sessions have been in use. What cannot be written now is tried again."""
        seen, self.uses.seen = self.uses.seen, {}
        if not seen:
            return
        try:
            async with self.engine.begin() as connection:
                await note_use(connection, seen)
        except BaseException:
            self.uses.seen = {**seen, **self.uses.seen}
            raise

    async def close(self) -> None:
        """Finish what is under way and let the threads go."""
        if self._under_way:
            await asyncio.wait(self._under_way)
        self.passwords.close()

    def account(self, user_name: str) -> bytes:
        """The digest under which failures to sign in with this user name count."""
        return self._digest("account", user_name.strip().lower())

    def accounts_of(self, staff: StaffId, user_name: str) -> tuple[bytes, bytes]:
        """Every digest under which failures of this person count: at the door and at the desk."""
        return self.account(user_name), self._digest("signer", str(staff))

    def source(self, address: str) -> bytes:
        """The digest of where an attempt comes from: an address of version 4, or the /64 of one of version 6."""
        return self._digest("source", _network(address))

    def _digest(self, kind: str, text: str) -> bytes:
        return hmac.digest(self._secret, f"{kind}\0{text}".encode(errors="surrogatepass"), "sha256")

    async def _try_to_enter(self, user_name: str, password: str, source: bytes, now: datetime) -> Password:
        attempt = Attempt(account=self.account(user_name), source=source)
        async with self.passwords.turn(Lane.DOOR):
            async with self.engine.connect() as connection:
                wanted = user_name if is_user_name(user_name) else ""
                claimed = await kept.claim(connection, wanted, attempt, now=now)
            if claimed.blocked_until is not None and claimed.blocked_until > now:
                await self._count([], source=source, now=now)
                raise WaitBeforeSigningIn(until=claimed.blocked_until, now=now)
            found = claimed.password
            fits = await self.passwords.fits(password, found.hash if found else None)
            if found is not None and fits:
                return found
            lockout = self.rules.lockout
            counts = [
                (attempt, lockout.together),
                (Attempt(account=attempt.account, source=ANY), lockout.account),
                (Attempt(account=ANY, source=source), lockout.source),
            ]
            await self._count(counts, source=source, now=now)
        raise WrongCredentials

    async def _try_to_sign(self, attempt: Attempt, fits: Callable[[], Awaitable[bool]], now: datetime) -> None:
        async with self.passwords.turn(Lane.DESK):
            async with self.engine.connect() as connection:
                until = await kept.blocked_until(connection, attempt)
            if until is not None and until > now:
                raise WaitBeforeSigningIn(until=until, now=now)
            if await fits():
                return
            lockout = self.rules.lockout
            async with self.engine.begin() as connection:
                await kept.count_failure(connection, [(attempt, lockout.together)], rules=lockout, now=now)
        raise WrongPassword

    async def _count(self, counts: Sequence[tuple[Attempt, Patience]], *, source: bytes, now: datetime) -> None:
        async with self.engine.begin() as connection:
            if counts:
                await kept.count_failure(connection, counts, rules=self.rules.lockout, now=now)
            await kept.tally(connection, source, now=now)

    async def _to_the_end(self, attempt: Coroutine[Any, Any, T]) -> T:
        """Carry it through even if whoever asked goes away: else hanging up would be a guess for nothing."""
        task = asyncio.create_task(attempt)
        self._under_way.add(task)
        task.add_done_callback(self._ended)
        return await asyncio.shield(task)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._under_way.discard(task)
        if not task.cancelled():
            task.exception()


def _network(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 6:
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return address
