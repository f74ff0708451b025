"""Hashing passwords: argon2id in threads, a few at a time, so that the event loop and the memory stay free.

Parameters of the OWASP Password Storage Cheat Sheet: 19 MiB, two passes, one lane; about 24 ms on the clinic's server.
Signing has turns of its own, so that a flood of sign-ins cannot keep the prescriber from signing.
"""

import asyncio
import contextlib
import ctypes
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from typing import Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from caseload.domain.errors import TooManyAttempts
from caseload.domain.people import normalised

MOST_WAITING: Final = 100
"""Who comes when so many wait is sent away: 100 turns of 24 ms are the patience of a person."""


_MMAP_THRESHOLD: Final = -3
"""`M_MMAP_THRESHOLD` of mallopt(3)."""
_ON_ITS_OWN: Final = 1024 * 1024
"""From how many bytes on a piece of memory is taken from the system by itself, and goes back to it when it is freed."""

T = TypeVar("T")


class Busy(TooManyAttempts):
    """Too many people are signing in at this moment."""

    def __init__(self) -> None:
        super().__init__("Try again in a moment; nothing was counted against you.", retry_after_s=3)


class Lane(StrEnum):
    """Who waits for whom."""

    DOOR = "door"
    """Whoever wants to come in."""
    DESK = "desk"
    """Whoever is signed in and proves it again."""


class Passwords:
    """Hashes and verifies, `turns` at a time per lane. One per process."""

    def __init__(self, *, turns: int = 2, hasher: PasswordHasher | None = None) -> None:
        _give_memory_back()
        self._hasher = hasher or PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
        self._threads = ThreadPoolExecutor(turns * len(Lane), thread_name_prefix="password")
        self._turns = {lane: asyncio.Semaphore(turns) for lane in Lane}
        self._waiting = dict.fromkeys(Lane, 0)
        self._nobodys = self._hasher.hash("nobody has this password")

    @contextlib.asynccontextmanager
    async def turn(self, lane: Lane) -> AsyncGenerator[None, None]:
        """Wait for a turn; raise `Busy` when too many wait already."""
        if self._waiting[lane] >= MOST_WAITING:
            raise Busy
        self._waiting[lane] += 1
        try:
            async with self._turns[lane]:
                yield
        finally:
            self._waiting[lane] -= 1

    async def hash(self, password: str) -> str:
        """The hash to keep, salt and parameters in it."""
        return await self._in_thread(self._hash, password)

    async def fits(self, password: str, kept: str | None) -> bool:
        """Whether the password is the one kept; takes as long when nothing is kept."""
        fits = await self._in_thread(self._verify, password, kept or self._nobodys)
        return fits and kept is not None

    def is_outdated(self, kept: str) -> bool:
        """Whether it was hashed with other parameters than today's."""
        return self._hasher.check_needs_rehash(kept)

    def close(self) -> None:
        """Wait for what is under way and let the threads go."""
        self._threads.shutdown()

    async def _in_thread(self, work: Callable[..., T], *given: str) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *given)

    def _hash(self, password: str) -> str:
        return self._hasher.hash(_bytes(password))

    def _verify(self, password: str, kept: str) -> bool:
        try:
            return self._hasher.verify(kept, _bytes(password))
        except (VerificationError, InvalidHashError):
            return False


def _bytes(password: str) -> bytes:
    return normalised(password).encode(errors="surrogatepass")


def _give_memory_back() -> None:
    """Keep no memory of a hash when it is made.

    The C library of GNU takes the size of what was freed last as the size from which on memory goes back to the system,
    so that from the second hash on each thread would keep 19 MiB. Others have no such rule and no such function.
    """
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, _ON_ITS_OWN)
