"""Guessing gets slower and slower, and nobody is kept out of the morning by somebody else's guesses."""

import asyncio
import os
import threading
import time
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from typing import Any, Literal

import pytest
from argon2 import PasswordHasher
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from caseload.db.engine import make_engine
from caseload.db.people.lockouts import LockOuts
from caseload.db.people.sign_in import Attempt as Counted
from caseload.db.people.sign_in import add_session, forget_failures
from caseload.db.tables import people as tables
from caseload.db.tables import sign_in as sign_in_tables
from caseload.domain.errors import CaseloadError
from caseload.domain.ids import SessionId, new_id
from caseload.domain.people import (
    COMMAND_LINE,
    Account,
    Staff,
    WaitBeforeSigningIn,
    WrongCredentials,
    WrongPassword,
    lift,
)
from caseload.request.door import Door
from caseload.request.passwords import Busy, Passwords
from caseload.settings import Secret, Settings
from tests.factories import people
from tests.factories.people import NOW
from tests.shared_server import Addresses, copied

pytestmark = pytest.mark.anyio

PASSWORD = "unremarkable teapot voyage"
SECOND = timedelta(seconds=1)


class Watched(PasswordHasher):
    """A quick hasher that remembers how it was used."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=64, parallelism=1)
        self.threads: set[int] = set()
        self.at_once = 0
        self.most_at_once = 0
        self.verified: list[str | bytes] = []
        self.pause = 0.0
        self._lock = threading.Lock()

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002 - as the library calls it
        with self._lock:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            self.threads.add(threading.get_ident())
            self.verified.append(hash)
        try:
            time.sleep(self.pause)
            return super().verify(hash, password)
        finally:
            with self._lock:
                self.at_once -= 1


class AtTheDoor:
    """A door over a database of its own, and somebody who may come in."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self.hasher = Watched()
        self.door = Door(engine, secret=new_id().bytes, passwords=Passwords(hasher=self.hasher))

    async def somebody(self, *, password: str | None = PASSWORD) -> Staff:
        async with self.engine.begin() as connection:
            made = await people.staff(connection)
            if password is not None:
                await connection.execute(
                    insert(tables.staff_password).values(
                        staff_id=made.id,
                        number=1,
                        set_at=people.LONG_AGO,
                        set_by=made.id,
                        hash=await self.door.passwords.hash(password),
                    )
                )
        return made

    async def enter(
        self, user_name: str, password: str = PASSWORD, *, source: str = "10.0.0.1", now: datetime = NOW
    ) -> str:
        """How an attempt ends, in one word."""
        try:
            await self.door.try_to_enter(user_name, password, source=self.door.source(source), now=now)
        except WaitBeforeSigningIn as wait:
            return f"wait {wait.retry_after_s}"
        except WrongCredentials:
            return "wrong"
        return "in"

    async def fail(self, user_name: str, times: int, *, source: str = "10.0.0.1", now: datetime = NOW) -> datetime:
        """So many failures in a row, waiting as long as needed before each; returns when the last one was."""
        for _ in range(times):
            while (ended := await self.enter(user_name, "wrong", source=source, now=now)) != "wrong":
                now += int(ended.removeprefix("wait ")) * SECOND
        return now

    async def known_at(self, who: Staff, source: str, *, at: datetime) -> None:
        """They have signed in from there."""
        async with self.engine.begin() as connection:
            await add_session(
                connection,
                SessionId(new_id()),
                token_digest=new_id().bytes * 2,
                of=who.id,
                source=self.door.source(source),
                methods=["password"],
                starts_at=at,
                expires_at=at + timedelta(hours=1),
            )

    async def counted(self, user_name: str) -> list[int]:
        """The failures of this account, by source; the sum over all sources stands at the end."""
        async with self.engine.connect() as connection:
            found = await connection.execute(
                select(sign_in_tables.sign_in_failure.c.failures)
                .where(sign_in_tables.sign_in_failure.c.account_digest == self.door.account(user_name))
                .order_by(sign_in_tables.sign_in_failure.c.source_digest.desc())
            )
            return list(found.scalars())


@pytest.fixture(scope="module")
def door_database(server: Addresses) -> Iterator[Addresses]:
    with copied(server, f"door_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}") as found:
        yield found


@pytest.fixture
async def at(door_database: Addresses) -> AsyncIterator[AtTheDoor]:
    """Each test has a secret of its own, so what it counts is counted for nobody else."""
    engine = make_engine(Settings(database_url=Secret(door_database.service)))
    made = AtTheDoor(engine)
    yield made
    await made.door.close()
    await engine.dispose()


async def test_the_right_password_comes_in_at_once(at: AtTheDoor) -> None:
    somebody = await at.somebody()
    assert await at.enter(somebody.user_name) == "in"
    assert await at.enter(f" {somebody.user_name.upper()} ") == "in"


async def test_four_failures_are_forgiven_and_then_each_one_doubles_the_wait(at: AtTheDoor) -> None:
    somebody = await at.somebody()
    now = await at.fail(somebody.user_name, 4)
    assert now == NOW
    for wait in (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900):
        assert await at.enter(somebody.user_name, "wrong", now=now) == "wrong"
        assert await at.enter(somebody.user_name, now=now) == f"wait {wait}"
        assert await at.enter(somebody.user_name, now=now + wait * SECOND - timedelta(milliseconds=1)) == "wait 1"
        now += wait * SECOND
    assert await at.enter(somebody.user_name, now=now) == "in"


async def test_what_is_tried_during_a_wait_is_neither_hashed_nor_counted(at: AtTheDoor) -> None:
    somebody = await at.somebody()
    now = await at.fail(somebody.user_name, 5)
    before = await at.counted(somebody.user_name), len(at.hasher.verified)
    for _ in range(10):
        assert await at.enter(somebody.user_name, now=now) == "wait 1"
    assert (await at.counted(somebody.user_name), len(at.hasher.verified)) == before


async def test_guesses_from_elsewhere_do_not_make_anybody_wait_here(at: AtTheDoor) -> None:
    somebody = await at.somebody()
    now = await at.fail(somebody.user_name, 12, source="203.0.113.9")
    assert (await at.enter(somebody.user_name, source="203.0.113.9", now=now)).startswith("wait")
    assert await at.enter(somebody.user_name, source="10.0.0.1", now=now) == "in"


async def test_guesses_from_many_places_are_slowed_down_together_but_not_for_who_is_known_here(
    at: AtTheDoor,
) -> None:
    somebody = await at.somebody()
    await at.known_at(somebody, "10.0.0.1", at=NOW - timedelta(days=29))
    for number in range(51):
        assert await at.enter(somebody.user_name, "wrong", source=f"203.0.113.{number}") == "wrong"
    assert await at.enter(somebody.user_name, source="198.51.100.1") == "wait 1"
    assert await at.enter(somebody.user_name, source="10.0.0.1") == "in"
    assert await at.enter(somebody.user_name, source="10.0.0.1", now=NOW) == "in"


async def test_nobody_is_known_for_longer_than_a_month(at: AtTheDoor) -> None:
    somebody = await at.somebody()
    await at.known_at(somebody, "10.0.0.1", at=NOW - timedelta(days=30, seconds=1))
    for number in range(51):
        await at.enter(somebody.user_name, "wrong", source=f"203.0.113.{number}")
    assert await at.enter(somebody.user_name, source="10.0.0.1") == "wait 1"


async def test_one_source_that_tries_every_account_is_slowed_down_but_not_for_who_is_known_there(
    at: AtTheDoor,
) -> None:
    somebody, newcomer = await at.somebody(), await at.somebody()
    await at.known_at(somebody, "10.0.0.1", at=NOW - timedelta(days=1))
    for number in range(31):
        assert await at.enter(f"nobody-{number}", "wrong") == "wrong"
    assert await at.enter(newcomer.user_name) == "wait 1"
    assert await at.enter(somebody.user_name) == "in"
    assert await at.enter(newcomer.user_name, source="10.0.0.2") == "in"


async def test_a_household_of_version_six_addresses_is_one_source(at: AtTheDoor) -> None:
    door = at.door
    assert door.source("2001:db8:1:2::1") == door.source("2001:db8:1:2:ffff::9")
    assert door.source("2001:db8:1:2::1") != door.source("2001:db8:1:3::1")
    assert door.source("192.0.2.1") != door.source("192.0.2.2")


async def test_failures_are_forgotten_after_a_day_and_after_coming_in(at: AtTheDoor) -> None:
    somebody = await at.somebody()
    now = await at.fail(somebody.user_name, 9)
    assert await at.counted(somebody.user_name) == [9, 9]
    assert await at.enter(somebody.user_name, "wrong", now=now + timedelta(hours=24, seconds=1)) == "wrong"
    assert await at.counted(somebody.user_name) == [1, 1]
    async with at.engine.begin() as connection:
        attempt = Counted(account=at.door.account(somebody.user_name), source=at.door.source("10.0.0.1"))
        await forget_failures(connection, attempt)
    assert await at.counted(somebody.user_name) == []


async def test_an_unknown_name_a_closed_account_and_a_missing_password_cost_as_much_as_any(at: AtTheDoor) -> None:
    without, left, real = await at.somebody(password=None), await at.somebody(), await at.somebody()
    async with at.engine.begin() as connection:
        await connection.execute(
            insert(tables.staff_deactivation).values(
                staff_id=left.id, deactivated_at=NOW, deactivated_by=COMMAND_LINE, reason="left"
            )
        )
    for name in (without.user_name, left.user_name, "nobody-at-all", real.user_name):
        verified = len(at.hasher.verified)
        assert await at.enter(name, PASSWORD if name == left.user_name else "wrong") == "wrong"
        assert len(at.hasher.verified) == verified + 1
        assert await at.counted(name) == [1, 1]
    spent = {str(kept).rpartition("$")[0].rpartition("$")[0] for kept in at.hasher.verified}
    assert len(spent) == 1, "the stand-in is hashed with other parameters than the passwords"


@pytest.mark.parametrize("name", ["", "\ud800", "x" * 100_000, "' or 1=1 --", "\uff21\uff24\uff21"])
@pytest.mark.parametrize("password", ["", "\ud800", "p" * 100_000])
async def test_whatever_is_typed_is_just_wrong(at: AtTheDoor, name: str, password: str) -> None:
    assert await at.enter(name, password) == "wrong"


async def test_many_right_passwords_at_once_all_come_in_a_few_at_a_time_off_the_event_loop(at: AtTheDoor) -> None:
    somebody = await at.somebody()
    at.hasher.pause = 0.005
    ended = await asyncio.gather(*(at.enter(somebody.user_name) for _ in range(24)))
    assert ended == ["in"] * 24
    assert at.hasher.most_at_once == 2
    assert threading.get_ident() not in at.hasher.threads


async def test_the_event_loop_turns_while_passwords_are_tried(at: AtTheDoor) -> None:
    somebody = await at.somebody()
    at.hasher.pause = 0.02
    turns_during = 0

    async def turn() -> None:
        nonlocal turns_during
        while at.hasher.at_once == 0:  # noqa: ASYNC110 - it is a thread that is waited for
            await asyncio.sleep(0)
        while at.hasher.at_once:
            turns_during += 1
            await asyncio.sleep(0)

    await asyncio.gather(at.enter(somebody.user_name), turn())
    assert turns_during > 10


async def test_guesses_sent_all_at_once_get_no_more_than_the_turns_beyond_what_is_forgiven(at: AtTheDoor) -> None:
    somebody = await at.somebody()
    ended = await asyncio.gather(*(at.enter(somebody.user_name, "wrong") for _ in range(60)))
    wrong = ended.count("wrong")
    assert 5 <= wrong <= 6
    assert set(ended) - {"wrong"} <= {"wait 1", "wait 2"}
    assert await at.counted(somebody.user_name) == [wrong, wrong]


async def test_failures_of_many_accounts_at_once_are_all_counted(at: AtTheDoor) -> None:
    names = [f"nobody-{number}" for number in range(20)]
    await asyncio.gather(*(at.enter(name, "wrong", source="10.9.9.9") for name in names))
    assert [await at.counted(name) for name in names] == [[1, 1]] * 20


async def test_hanging_up_does_not_make_a_guess_free(at: AtTheDoor) -> None:
    somebody = await at.somebody()
    at.hasher.pause = 0.05
    guess = asyncio.create_task(at.enter(somebody.user_name, "wrong"))
    while not at.hasher.verified:  # noqa: ASYNC110 - it is a thread that is waited for
        await asyncio.sleep(0.001)
    guess.cancel()
    with pytest.raises(asyncio.CancelledError):
        await guess
    await at.door.close()
    assert await at.counted(somebody.user_name) == [1, 1]


async def test_who_comes_when_too_many_wait_is_sent_away_uncounted(
    at: AtTheDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("caseload.request.passwords.MOST_WAITING", 3)
    at.hasher.pause = 0.05
    ended = await asyncio.gather(*(at.enter(f"nobody-{n}", "wrong") for n in range(6)), return_exceptions=True)
    assert sum(isinstance(each, Busy) for each in ended) == 3
    assert sum([len(await at.counted(f"nobody-{n}")) for n in range(6)]) == 6


async def sign(at: AtTheDoor, who: Staff, session: SessionId, password: str, *, now: datetime = NOW) -> str:
    hashed = at.hasher.hash(PASSWORD)
    try:
        await at.door.try_to_sign(who.id, session, password, hashed, now=now)
    except WrongPassword:
        return "wrong"
    except WaitBeforeSigningIn as wait:
        return f"wait {wait.retry_after_s}"
    return "proved"


async def test_wrong_passwords_at_the_desk_count_for_that_person_and_session_alone(at: AtTheDoor) -> None:
    somebody, mine, other = await at.somebody(), SessionId(new_id()), SessionId(new_id())
    assert [await sign(at, somebody, mine, "wrong") for _ in range(5)] == ["wrong"] * 5
    assert await sign(at, somebody, mine, PASSWORD) == "wait 1"
    assert await sign(at, somebody, other, PASSWORD) == "proved"
    assert await at.enter(somebody.user_name) == "in"
    assert await sign(at, somebody, mine, PASSWORD, now=NOW + SECOND) == "proved"


async def test_guesses_at_the_door_do_not_keep_anybody_from_signing(at: AtTheDoor) -> None:
    somebody = await at.somebody()
    now = await at.fail(somebody.user_name, 12)
    assert await sign(at, somebody, SessionId(new_id()), PASSWORD, now=now) == "proved"


class Told:
    """A journal that remembers."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def saw(self, client: Any, kind: str) -> None:
        raise AssertionError((client, kind))

    def tell(self, event: Any) -> None:
        self.names.append(event.name)


def lockouts(at: AtTheDoor, connection: AsyncConnection, now: datetime) -> LockOuts:
    return LockOuts(connection, at.door.accounts_of, now=now)


async def test_a_supervisor_sees_who_must_wait_and_lets_them_in_at_once(at: AtTheDoor) -> None:
    somebody = await at.somebody()
    await at.somebody()
    now = await at.fail(somebody.user_name, 10)
    await sign(at, somebody, SessionId(new_id()), "wrong")
    told = Told()
    async with at.engine.begin() as connection:
        programme = await people.programme(connection)
        boss = await people.staff(connection, holds=[(people.Role.SUPERVISOR, programme)])
        await people.grant(connection, to=somebody.id, role=people.Role.COUNSELLOR, programme=programme)
        [waiting] = await lockouts(at, connection, now).running()
        assert (waiting.staff, waiting.failures, waiting.until) == (somebody.id, 10, now + 32 * SECOND)
        assert waiting.is_within(boss)
        account = Account(
            id=somebody.id,
            user_name=somebody.user_name,
            printed_name="",
            created_at=NOW,
            deactivated_at=None,
            suspended=False,
            where=waiting.where,
        )
        await lift(account, by=boss, lockouts=lockouts(at, connection, now), journal=told)
    assert told.names == ["sign_in.lockout_lifted"]
    assert await at.enter(somebody.user_name, now=now) == "in"


async def test_nobody_lifts_their_own_wait_or_one_of_another_programme(at: AtTheDoor) -> None:
    async with at.engine.begin() as connection:
        here, elsewhere = await people.programme(connection), await people.programme(connection)
        boss = await people.staff(connection, holds=[(people.Role.SUPERVISOR, here)])
        for staff, where in ((boss.id, here), ((await at.somebody()).id, elsewhere)):
            account = Account(
                id=staff,
                user_name="x",
                printed_name="",
                created_at=NOW,
                deactivated_at=None,
                suspended=False,
                where=frozenset({where}),
            )
            with pytest.raises(CaseloadError):
                await lift(account, by=boss, lockouts=lockouts(at, connection, NOW), journal=Told())
