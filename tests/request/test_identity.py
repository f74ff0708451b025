"""Many ask at once who holds their token: one statement answers, and everybody gets their own answer."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import cast

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.people.sessions import MOST_AT_ONCE
from caseload.domain.ids import SessionId, StaffId, new_id
from caseload.domain.people import Session, Staff
from caseload.request import identity
from caseload.request.identity import LookUp
from tests.factories.people import NOW

pytestmark = pytest.mark.anyio
NOWHERE = cast("AsyncConnection", object())


def digest(number: int) -> bytes:
    return number.to_bytes(32, "big")


def session() -> Session:
    someone = Staff(id=StaffId(new_id()), user_name="ada", printed_name="Ada", session=None, holdings=())
    return Session(
        id=SessionId(new_id()),
        staff=someone,
        last_used_at=NOW,
        expires_at=NOW + timedelta(hours=12),
        ended_at=None,
        deactivated=False,
    )


@dataclass
class Kept:
    """The sessions there are, and each statement that asked for some; a statement ends when the test says so."""

    sessions: dict[bytes, Session] = field(default_factory=dict[bytes, Session])
    asked: list[list[bytes]] = field(default_factory=list[list[bytes]])
    moments: list[datetime] = field(default_factory=list[datetime])
    let_go: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    broken: Exception | None = None

    async def find(self, _: AsyncConnection, digests: Sequence[bytes], *, now: datetime) -> Mapping[bytes, Session]:
        self.asked.append(list(digests))
        self.moments.append(now)
        found = dict(self.sessions)
        await self.let_go.acquire()
        if self.broken is not None:
            broken, self.broken = self.broken, None
            raise broken
        return {each: found[each] for each in digests if each in found}


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Kept:
    kept = Kept({digest(number): session() for number in range(40)})
    monkeypatch.setattr(identity, "find_sessions", kept.find)
    return kept


async def connect() -> AsyncConnection:
    return NOWHERE


def ask(look_up: LookUp, number: int, *, now: datetime = NOW) -> asyncio.Task[Session | None]:
    return asyncio.create_task(look_up.session(digest(number), now=now, connect=connect))


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_who_comes_while_a_statement_is_under_way_is_asked_for_together_with_the_next(kept: Kept) -> None:
    look_up = LookUp()
    first = ask(look_up, 0)
    await settle()
    others = [ask(look_up, number, now=NOW + timedelta(seconds=number)) for number in (1, 2, 99)]
    await settle()
    assert kept.asked == [[digest(0)]]
    kept.let_go.release()
    kept.let_go.release()
    assert await first == kept.sessions[digest(0)]
    assert await asyncio.gather(*others) == [kept.sessions[digest(1)], kept.sessions[digest(2)], None]
    assert kept.asked == [[digest(0)], [digest(1), digest(2), digest(99)]]
    assert kept.moments[1] == NOW + timedelta(seconds=99)


async def test_nobody_is_told_what_was_true_before_they_asked(kept: Kept) -> None:
    look_up = LookUp()
    first = ask(look_up, 0)
    await settle()
    del kept.sessions[digest(0)]
    second = ask(look_up, 0)
    kept.let_go.release()
    kept.let_go.release()
    assert await first is not None
    assert await second is None


async def test_one_statement_asks_for_so_many_and_the_others_come_next(kept: Kept) -> None:
    look_up = LookUp()
    asking = [ask(look_up, number) for number in range(2 * MOST_AT_ONCE + 2)]
    await settle()
    for _ in range(4):
        kept.let_go.release()
    assert await asyncio.gather(*asking) == [kept.sessions[digest(number)] for number in range(2 * MOST_AT_ONCE + 2)]
    assert [len(each) for each in kept.asked] == [1, MOST_AT_ONCE, MOST_AT_ONCE, 1]


async def test_a_caller_who_goes_while_asking_leaves_the_others_to_ask_again(kept: Kept) -> None:
    look_up = LookUp()
    first = ask(look_up, 0)
    await settle()
    second, third, fourth = (ask(look_up, number) for number in (1, 2, 3))
    kept.let_go.release()
    await first
    await settle()
    assert kept.asked[1:] == [[digest(1), digest(2), digest(3)]]
    second.cancel()
    third.cancel()
    await settle()
    kept.let_go.release()
    assert await fourth == kept.sessions[digest(3)]
    assert kept.asked[2:] == [[digest(3)]]


async def test_a_caller_who_goes_as_their_turn_comes_passes_it_on(kept: Kept) -> None:
    going: list[asyncio.Task[Session | None]] = []

    class Leaving(LookUp):
        def _next(self) -> None:
            super()._next()
            while going:
                going.pop().cancel()

    look_up = Leaving()
    first = ask(look_up, 0)
    await settle()
    second, third = ask(look_up, 1), ask(look_up, 2)
    await settle()
    going.append(second)
    kept.let_go.release()
    kept.let_go.release()
    await first
    with pytest.raises(asyncio.CancelledError):
        await second
    assert await asyncio.wait_for(third, 5) == kept.sessions[digest(2)]
    assert kept.asked == [[digest(0)], [digest(2)]]


async def test_a_statement_that_fails_fails_for_who_asked_and_the_next_one_asks_again(kept: Kept) -> None:
    look_up = LookUp()
    kept.broken = ConnectionResetError()
    first = ask(look_up, 0)
    await settle()
    second = ask(look_up, 1)
    kept.let_go.release()
    kept.let_go.release()
    with pytest.raises(ConnectionResetError):
        await first
    assert await second == kept.sessions[digest(1)]


async def test_when_there_is_no_connection_nobody_waits_for_another_attempt(kept: Kept) -> None:
    look_up = LookUp()
    given_up = asyncio.Event()

    async def in_vain() -> AsyncConnection:
        await given_up.wait()
        raise ConnectionRefusedError

    asking = [asyncio.create_task(look_up.session(digest(number), now=NOW, connect=in_vain)) for number in range(3)]
    await settle()
    given_up.set()
    outcomes = await asyncio.gather(*asking, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [ConnectionRefusedError] * 3
    kept.let_go.release()
    assert await ask(look_up, 5) == kept.sessions[digest(5)]
