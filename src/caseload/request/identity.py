"""Who is asking: the token of a request becomes a person with the roles in force for them now."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.people.sessions import MOST_AT_ONCE, find_sessions
from caseload.domain.errors import NotSignedIn
from caseload.domain.ids import SessionId
from caseload.domain.people import Session, SessionRules, Staff, token_digest

TOKEN_LENGTH = 43
"""256 bits in base 64 without padding."""
RULES = SessionRules()

Connect = Callable[[], Awaitable[AsyncConnection]]


class Uses(Protocol):
    """Remembers which sessions were used, to write it down later."""

    def note(self, session: SessionId, *, at: datetime) -> None:
        """Say that the session is in use; returns at once."""
        ...


class LookUp:
    """Finds the sessions of all requests that come at the same time with one statement. One per process and event loop.

    Whoever comes while no statement is under way asks at once, on the connection of their own work. Who comes meanwhile
    waits without a connection, and the first of them asks for all of them next. So nobody is told what was true before
    they asked.
    """

    def __init__(self) -> None:
        self._waiting: deque[_Asked] = deque()
        self._under_way = False

    async def session(self, digest: bytes, *, now: datetime, connect: Connect) -> Session | None:
        """The session of that token, if there is one. Raises what connecting and asking raise."""
        mine = _Asked(digest, now)
        if self._under_way:
            self._waiting.append(mine)
            answer = await self._waited(mine)
            if not isinstance(answer, _YourTurn):
                return answer
        self._under_way = True
        try:
            return await self._ask(mine, connect)
        finally:
            self._next()

    async def _ask(self, mine: "_Asked", connect: Connect) -> Session | None:
        try:
            connection = await connect()
        except Exception as unreachable:
            # Not one after another: each would wait as long as this one has.
            for each in self._take(len(self._waiting)):
                each.answer.set_exception(unreachable)
            raise
        others = self._take(MOST_AT_ONCE - 1)
        together = [mine, *others]
        try:
            found = await find_sessions(
                connection, [each.digest for each in together], now=max(each.now for each in together)
            )
        except BaseException:
            # It may be this connection alone, or this caller who has gone: the next one asks again.
            self._waiting.extendleft(reversed(others))
            raise
        for each in others:
            if not each.answer.done():
                each.answer.set_result(found.get(each.digest))
        return found.get(mine.digest)

    def _next(self) -> None:
        """Give the turn to whoever has waited longest."""
        first = self._take(1)
        self._under_way = bool(first)
        for each in first:
            each.answer.set_result(_YOUR_TURN)

    def _take(self, most: int) -> list["_Asked"]:
        """The first of those who still wait."""
        taken: list[_Asked] = []
        while self._waiting and len(taken) < most:
            each = self._waiting.popleft()
            if not each.answer.done():
                taken.append(each)
        return taken

    async def _waited(self, mine: "_Asked") -> "Session | _YourTurn | None":
        try:
            return await mine.answer
        except asyncio.CancelledError:
            if mine.has_turn:
                self._next()
            raise


class _YourTurn:
    """In place of an answer: ask, for yourself and for whoever waits."""


_YOUR_TURN: Final = _YourTurn()


class _Asked:
    """One who asks for a session."""

    __slots__ = ("answer", "digest", "now")

    def __init__(self, digest: bytes, now: datetime) -> None:
        self.digest = digest
        self.now = now
        self.answer: asyncio.Future[Session | _YourTurn | None] = asyncio.get_running_loop().create_future()

    @property
    def has_turn(self) -> bool:
        """Whether it was given the turn."""
        answer = self.answer
        return answer.done() and not answer.cancelled() and answer.exception() is None and answer.result() is _YOUR_TURN


async def identify(
    look_up: LookUp,
    connect: Connect,
    token: str,
    now: datetime,
    *,
    rules: SessionRules = RULES,
    uses: Uses | None = None,
) -> Staff:
    """Return who holds this token; raise `NotSignedIn` when nobody does or the session is over.

    That the session is in use is not written here: a request that only reads must not write, and two requests of one
    person must not wait for each other.
    """
    if len(token) != TOKEN_LENGTH or not token.isascii():
        raise NotSignedIn
    session = await look_up.session(token_digest(token), now=now, connect=connect)
    if session is None:
        raise NotSignedIn
    staff = session.check(now=now, rules=rules)
    if uses is not None and session.is_due_to_be_noted(now=now, rules=rules):
        uses.note(session.id, at=now)
    return staff
