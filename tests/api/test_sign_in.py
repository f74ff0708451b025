"""Signing in over HTTP: who may come in, what guessing costs, and what nobody may learn from it."""

import asyncio
import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from argon2 import PasswordHasher
from sqlalchemy import func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncEngine

from caseload.api.route import SESSION_COOKIE
from caseload.audit.leaf import Leaf, decode
from caseload.db.people.accounts import Accounts
from caseload.db.people.sign_in import OTHERS, tally
from caseload.db.tables import people as tables
from caseload.db.tables import sign_in as sign_in_tables
from caseload.domain.ids import ClientId, new_id
from caseload.domain.people import (
    COMMAND_LINE,
    Evidence,
    ProofSpent,
    SigningSuspended,
    Staff,
    WaitBeforeSigningIn,
    WrongPassword,
    token_digest,
)
from caseload.request.door import Uses
from caseload.request.sign_in import ProvedTooLate, prove, tell_failures
from tests.api.conftest import Clinic
from tests.factories import people
from tests.factories.people import identified

pytestmark = pytest.mark.anyio

PASSWORD = "unremarkable teapot voyage"
ANOTHER = "nineteen velvet harpoons"


async def colleague(clinic: Clinic, *, password: str = PASSWORD, one_time_for: timedelta | None = None) -> str:
    """Somebody who can sign in; returns their user name."""
    async with clinic.service.engine.begin() as connection:
        made = await people.staff(connection)
        now = clinic.service.clock()
        await connection.execute(
            insert(tables.staff_password).values(
                staff_id=made.id,
                number=1,
                set_at=now,
                set_by=COMMAND_LINE if one_time_for else made.id,
                hash=await clinic.service.door.passwords.hash(password),
                one_time_until=now + one_time_for if one_time_for else None,
            )
        )
    return made.user_name


async def sign_in(at: httpx.AsyncClient, user_name: str, password: str = PASSWORD, **more: Any) -> httpx.Response:
    return await at.post("/api/v1/sign-in", json={"user_name": user_name, "password": password, **more})


async def test_the_right_password_opens_a_session_that_knows_who_it_is(clinic: Clinic) -> None:
    user_name = await colleague(clinic)
    answer = await sign_in(clinic.client(), user_name.upper())
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    me = await clinic.client(answer.json()["token"]).get("/api/v1/me")
    assert me.json()["user_name"] == user_name
    assert me.json() == answer.json()["me"]


async def test_after_signing_out_the_token_is_nobody(clinic: Clinic) -> None:
    token = (await sign_in(clinic.client(), await colleague(clinic))).json()["token"]
    http = clinic.client(token)
    assert (await http.post("/api/v1/sign-out")).status_code == 204
    assert (await http.get("/api/v1/me")).status_code == 401


async def entries(clinic: Clinic, *, event: str) -> list[Leaf]:
    """Everything the log says under this name."""
    async with clinic.service.engine.begin() as connection:
        await connection.execute(text("set local role audit_reader"))
        found = await connection.execute(
            text("select leaf from audit.log where event = :event order by entry_id"), {"event": event}
        )
        return [decode(leaf) for leaf in found.scalars()]


async def test_nobody_learns_from_a_refusal_whether_an_account_exists(clinic: Clinic) -> None:
    real = await colleague(clinic)
    answers = [await sign_in(clinic.client(), name, "wrong") for name in (real, "nobody-at-all", "", "Ä", "x" * 500)]
    assert {answer.status_code for answer in answers} == {401}
    said = [{**answer.json(), "request": ""} for answer in answers]
    assert all(each == said[0] for each in said)
    assert {answer.headers["www-authenticate"] for answer in answers} == {'Bearer realm="caseload"'}


async def test_too_many_failures_are_429_with_how_long_to_wait(clinic: Clinic) -> None:
    user_name, at = await colleague(clinic), clinic.client(address="198.51.100.7")
    for _ in range(5):
        assert (await sign_in(at, user_name, "wrong")).status_code == 401
    answer = await sign_in(at, user_name)
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "1"
    assert answer.json()["type"] == "urn:caseload:problem:wait-before-signing-in"
    assert (await sign_in(clinic.client(address="198.51.100.8"), user_name)).status_code == 200


async def test_waits_do_not_end_sessions_that_live(clinic: Clinic) -> None:
    user_name, at = await colleague(clinic), clinic.client(address="198.51.100.9")
    token = (await sign_in(at, user_name)).json()["token"]
    for _ in range(6):
        await sign_in(at, user_name, "wrong")
    assert (await clinic.client(token).get("/api/v1/me")).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {"user_name": "ada"},
        {"user_name": 7, "password": PASSWORD},
        {"user_name": "ada", "password": [PASSWORD]},
        {"user_name": "ada", "password": PASSWORD, "pass": 1},
        [PASSWORD],
    ],
)
async def test_a_misshapen_request_is_refused_without_repeating_the_password(clinic: Clinic, body: Any) -> None:
    answer = await clinic.client().post("/api/v1/sign-in", json=body)
    assert answer.status_code == 422
    assert PASSWORD not in answer.text


async def test_a_one_time_secret_buys_a_password_of_ones_own_and_nothing_else(clinic: Clinic) -> None:
    user_name, http = await colleague(clinic, one_time_for=timedelta(hours=1)), clinic.client()
    refused = await sign_in(http, user_name)
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:caseload:problem:password-must-be-chosen")
    assert (await sign_in(http, user_name, new_password="passwordpassword")).status_code == 422
    assert (await sign_in(http, user_name, new_password=PASSWORD)).status_code == 422
    opened = await sign_in(http, user_name, new_password=ANOTHER)
    assert opened.status_code == 200
    assert (await clinic.client(opened.json()["token"]).get("/api/v1/me")).status_code == 200
    assert (await sign_in(http, user_name, new_password="a third set of words")).status_code == 401
    assert (await sign_in(http, user_name, ANOTHER)).status_code == 200


async def test_a_one_time_secret_expires(clinic: Clinic) -> None:
    user_name = await colleague(clinic, one_time_for=timedelta(microseconds=1))
    answer = await sign_in(clinic.client(), user_name, new_password=ANOTHER)
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:caseload:problem:one-time-secret-expired")


async def test_a_one_time_secret_used_twice_at_once_is_good_for_one(clinic: Clinic) -> None:
    user_name = await colleague(clinic, one_time_for=timedelta(hours=1))
    answers = await asyncio.gather(
        *(sign_in(clinic.client(), user_name, new_password=f"{ANOTHER} {number}") for number in range(4))
    )
    assert {answer.status_code for answer in answers} <= {200, 401, 409}
    assert [answer.status_code for answer in answers].count(200) == 1


async def test_many_people_at_one_account_at_once_all_come_in_and_get_sessions_of_their_own(clinic: Clinic) -> None:
    user_name = await colleague(clinic)
    answers = await asyncio.gather(*(sign_in(clinic.client(), user_name) for _ in range(12)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["token"] for answer in answers}) == 12


async def test_who_signs_in_while_the_password_is_reset_does_not_get_in_with_the_old_one(clinic: Clinic) -> None:
    user_name = await colleague(clinic)
    engine = clinic.service.engine
    async with engine.connect() as resetting:
        await resetting.begin()
        accounts = Accounts(resetting)
        account = await accounts.named(user_name, at=clinic.service.clock())
        await accounts.hold_still(account.id)
        trying = asyncio.create_task(sign_in(clinic.client(), user_name))
        await waiting_for_a_lock(engine)
        await resetting.execute(
            insert(tables.staff_password).values(
                staff_id=account.id,
                number=2,
                set_at=clinic.service.clock(),
                set_by=COMMAND_LINE,
                hash=await clinic.service.door.passwords.hash(ANOTHER),
                one_time_until=clinic.service.clock() + timedelta(hours=1),
            )
        )
        await resetting.commit()
    assert (await trying).status_code == 409
    async with engine.connect() as connection:
        mine = sign_in_tables.sign_in_session.c.staff_id == account.id
        assert (
            await connection.scalar(select(func.count()).select_from(sign_in_tables.sign_in_session).where(mine))
        ) == 0


async def waiting_for_a_lock(engine: AsyncEngine) -> None:
    """Return once somebody waits for an advisory lock of this database."""
    asked = text(
        "select count(*) from pg_locks where locktype = 'advisory' and not granted"
        " and database = (select oid from pg_database where datname = current_database())"
    )
    async with asyncio.timeout(10):
        async with engine.connect() as connection:
            while not await connection.scalar(asked):  # noqa: ASYNC110 - it is a server that is waited for
                await asyncio.sleep(0.01)


async def test_a_password_hashed_the_old_way_is_hashed_anew_when_its_owner_comes_in(clinic: Clinic) -> None:
    user_name, door = await colleague(clinic), clinic.service.door
    async with clinic.service.engine.begin() as connection:
        account = await Accounts(connection).named(user_name, at=clinic.service.clock())
        weak = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(PASSWORD)
        await connection.execute(
            insert(tables.staff_password).values(
                staff_id=account.id, number=2, set_at=clinic.service.clock(), set_by=account.id, hash=weak
            )
        )
    assert (await sign_in(clinic.client(), user_name)).status_code == 200
    async with clinic.service.engine.connect() as connection:
        newest = await Accounts(connection).newest_password(account.id)
    assert newest is not None
    assert newest.number == 3
    assert not door.passwords.is_outdated(newest.hash)
    assert (await sign_in(clinic.client(), user_name)).status_code == 200


async def test_changing_the_password_ends_the_other_sessions_and_keeps_this_one(clinic: Clinic) -> None:
    user_name = await colleague(clinic)
    here, there = [(await sign_in(clinic.client(), user_name)).json()["token"] for _ in range(2)]
    http = clinic.client(here)
    asked = {"password": PASSWORD, "new_password": ANOTHER}
    assert (await http.post("/api/v1/me/password", json={**asked, "password": "wrong"})).status_code == 403
    assert (await http.post("/api/v1/me/password", json={**asked, "new_password": "short"})).status_code == 422
    assert (await http.post("/api/v1/me/password", json=asked)).status_code == 204
    assert (await http.get("/api/v1/me")).status_code == 200
    assert (await clinic.client(there).get("/api/v1/me")).status_code == 401
    assert (await sign_in(clinic.client(), user_name)).status_code == 401
    assert (await sign_in(clinic.client(), user_name, ANOTHER)).status_code == 200


SAME = {"Sec-Fetch-Site": "same-origin"}


async def test_our_own_pages_keep_the_session_in_a_cookie_that_no_script_and_no_other_site_can_use(
    clinic: Clinic,
) -> None:
    user_name = await colleague(clinic)
    asked = {"user_name": user_name, "password": PASSWORD, "cookie": True}
    assert (await clinic.client().post("/api/v1/sign-in", json=asked)).status_code == 403
    cross = await clinic.client().post("/api/v1/sign-in", json=asked, headers={"Sec-Fetch-Site": "cross-site"})
    assert cross.status_code == 403
    answer = await clinic.client().post("/api/v1/sign-in", json=asked, headers=SAME)
    assert answer.json()["token"] is None
    name, _, rest = answer.headers["set-cookie"].partition("=")
    assert name == SESSION_COOKIE == "__Host-caseload"
    token, *attributes = [each.strip().lower() for each in rest.split(";")]
    assert {"httponly", "secure", "samesite=strict", "path=/"} <= set(attributes)
    assert not any(each.startswith("domain") for each in attributes)
    assert token


async def test_a_cookie_acts_only_for_our_own_pages(clinic: Clinic) -> None:
    token = (await sign_in(clinic.client(), await colleague(clinic))).json()["token"]
    http = clinic.client()
    cookie = {"Cookie": f"{SESSION_COOKIE}={token}"}
    assert (await http.get("/api/v1/me", headers=cookie)).status_code == 200
    for more in (
        {},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://elsewhere.test"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://caseload.test"},
    ):
        assert (await http.post("/api/v1/sign-out", headers={**cookie, **more})).status_code == 403, more
    assert (await http.get("/api/v1/me", headers=cookie)).status_code == 200
    assert (
        await http.post("/api/v1/sign-out", headers={**cookie, "Origin": "http://caseload.test"})
    ).status_code == 204


@pytest.mark.parametrize("first_time", [True, False])
async def test_coming_in_and_going_leave_an_entry_each_that_names_the_person(
    clinic: Clinic, *, first_time: bool
) -> None:
    user_name = await colleague(clinic, one_time_for=timedelta(hours=1) if first_time else None)
    answer = (await sign_in(clinic.client(), user_name, new_password=ANOTHER if first_time else None)).json()
    await clinic.client(answer["token"]).post("/api/v1/sign-out")
    for event in ("sign_in.succeeded", "sign_in.ended"):
        mine = [leaf for leaf in await entries(clinic, event=event) if leaf.act.id == answer["me"]["id"]]
        assert len(mine) == 1, event
        assert mine[0].act.sess is not None
        assert mine[0].out == 0


async def test_failures_become_one_entry_for_each_source_and_minute_however_many_there_are(clinic: Clinic) -> None:
    now = datetime(2031, 5, 1, 9, 0, 30, tzinfo=UTC)
    await tell_failures(replace(clinic.service, clock=lambda: now))
    async with clinic.service.engine.begin() as connection:
        for source, times in ((b"a" * 32, 3), (b"b" * 32, 1)):
            for _ in range(times):
                await tally(connection, source, now=now)
                await tally(connection, source, now=now + timedelta(minutes=1))
    before = len(await entries(clinic, event="sign_in.failed"))
    during = replace(clinic.service, clock=lambda: now + timedelta(seconds=20))
    assert await tell_failures(during) == 0, "the minute is not over"
    later = replace(clinic.service, clock=lambda: now + timedelta(minutes=5))
    told = await asyncio.gather(*(tell_failures(later) for _ in range(4)))
    assert sum(told) == 4
    leaves = (await entries(clinic, event="sign_in.failed"))[before:]
    assert len(leaves) == 4
    assert {(leaf.act.id, leaf.out) for leaf in leaves} == {("anonymous", 4)}
    assert await tell_failures(later) == 0


async def test_beyond_a_hundred_sources_in_a_minute_the_rest_share_one_count(clinic: Clinic) -> None:
    now = datetime(2032, 5, 1, 9, 0, 30, tzinfo=UTC)
    async with clinic.service.engine.begin() as connection:
        for number in range(130):
            await tally(connection, number.to_bytes(32), now=now)
        for _ in range(2):
            await tally(connection, (7).to_bytes(32), now=now)
        lines = await connection.execute(
            select(
                sign_in_tables.sign_in_failure_minute.c.source_digest, sign_in_tables.sign_in_failure_minute.c.failures
            ).where(sign_in_tables.sign_in_failure_minute.c.minute == now.replace(second=0))
        )
        counts = {bytes(line.source_digest): line.failures for line in lines}
    assert len(counts) == 101
    assert counts[OTHERS] == 30
    assert counts[(7).to_bytes(32)] == 3


async def test_refused_sign_ins_are_counted_for_the_log_and_leave_no_entry_of_their_own(clinic: Clinic) -> None:
    at = clinic.client(address="203.0.113.200")
    source = clinic.service.door.source("203.0.113.200")
    before = len(await entries(clinic, event="sign_in.failed"))
    for _ in range(8):
        await sign_in(at, "nobody-here", "wrong")
    assert len(await entries(clinic, event="sign_in.failed")) == before
    async with clinic.service.engine.connect() as connection:
        counted = select(func.sum(sign_in_tables.sign_in_failure_minute.c.failures)).where(
            sign_in_tables.sign_in_failure_minute.c.source_digest == source
        )
        assert await connection.scalar(counted) == 8


async def test_neither_tokens_nor_passwords_stand_in_tables_logs_or_errors(
    clinic: Clinic, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    user_name = await colleague(clinic)
    token = (await sign_in(clinic.client(), user_name)).json()["token"]
    answers = [
        await sign_in(clinic.client(), user_name, "wrong horse"),
        await sign_in(clinic.client(), PASSWORD, "wrong horse"),
        await clinic.client(token).get("/api/v1/staff"),
        await clinic.client(token + "x").get("/api/v1/me"),
        await clinic.client(token).post("/api/v1/me/password", json={"password": "wrong horse", "new_password": "x"}),
        await clinic.client(token).post("/api/v1/me/password", json={"password": PASSWORD, "new_password": 5}),
    ]
    assert {answer.status_code for answer in answers} == {401, 403, 422}
    said = capfd.readouterr()
    everything = [said.out, said.err, caplog.text, *(answer.text for answer in answers)]
    async with clinic.service.engine.connect() as connection:
        for table in (
            sign_in_tables.sign_in_session,
            sign_in_tables.sign_in_failure,
            sign_in_tables.sign_in_failure_minute,
            tables.staff_password,
        ):
            everything += [str(tuple(row)) for row in await connection.execute(select(table))]
    for text_ in everything:
        for secret in (token, PASSWORD, "wrong horse"):
            assert secret not in text_


async def signer(clinic: Clinic) -> Staff:
    """Somebody signed in who may prove themselves."""
    user_name = await colleague(clinic)
    token = (await sign_in(clinic.client(), user_name)).json()["token"]
    async with clinic.service.engine.connect() as connection:
        return await identified(connection, token, clinic.service.clock())


async def test_the_password_proves_the_signer_for_one_act(clinic: Clinic) -> None:
    by = await signer(clinic)
    async with clinic.service.work(by=by, event="test.sign") as work:
        proof = await prove(work, Evidence(password=PASSWORD))
        assert (proof.staff, proof.at, proof.methods) == (by.id, work.now, ("password",))
        assert await work.connection.scalar(text("select 1")) == 1, "the work goes on"
        proof.spend(by=by)
        with pytest.raises(ProofSpent):
            proof.spend(by=by)


async def test_a_wrong_password_proves_nothing_and_after_a_few_makes_the_signer_wait(clinic: Clinic) -> None:
    by = await signer(clinic)

    async def attempt(password: str) -> None:
        async with clinic.service.work(by=by, event="test.sign") as work:
            await prove(work, Evidence(password=password))

    for _ in range(5):
        with pytest.raises(WrongPassword):
            await attempt("wrong")
    with pytest.raises(WaitBeforeSigningIn):
        await attempt(PASSWORD)
    refused = [leaf for leaf in await entries(clinic, event="test.sign") if leaf.act.id == str(by.id)]
    assert [leaf.out for leaf in refused] == [4] * 6


async def test_nothing_may_be_read_before_the_proof(clinic: Clinic) -> None:
    by = await signer(clinic)

    async def read_first() -> None:
        async with clinic.service.work(by=by, event="test.sign") as work:
            work.journal.saw(ClientId(new_id()), "dose")
            await prove(work, Evidence(password=PASSWORD))

    with pytest.raises(ProvedTooLate):
        await read_first()


async def test_while_a_reset_is_unconfirmed_nothing_can_be_proved(clinic: Clinic) -> None:
    by = replace(await signer(clinic), may_sign=False)
    with pytest.raises(SigningSuspended):
        async with clinic.service.work(by=by, event="test.sign") as work:
            await prove(work, Evidence(password=PASSWORD))


async def test_use_of_a_session_is_written_down_by_the_house_not_by_the_request(clinic: Clinic) -> None:
    token = (await sign_in(clinic.client(), await colleague(clinic))).json()["token"]
    mine = sign_in_tables.sign_in_session.c.token_digest == token_digest(token)
    async with clinic.service.engine.begin() as connection:
        await connection.execute(
            update(sign_in_tables.sign_in_session)
            .where(mine)
            .values(last_used_at=sign_in_tables.sign_in_session.c.last_used_at + timedelta(microseconds=1))
        )
        began = await connection.scalar(select(sign_in_tables.sign_in_session.c.last_used_at).where(mine))
    assert began is not None
    async with clinic.service.engine.connect() as connection:
        uses = Uses()
        await identified(connection, token, began + timedelta(minutes=2), uses=uses)
    assert list(uses.seen.values()) == [began + timedelta(minutes=2)]
    clinic.service.door.uses.seen.update(uses.seen)
    await clinic.service.door.note_uses()
    async with clinic.service.engine.connect() as connection:
        assert await connection.scalar(
            select(sign_in_tables.sign_in_session.c.last_used_at).where(mine)
        ) == began + timedelta(minutes=2)
