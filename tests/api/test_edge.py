"""What every answer carries, what is logged and counted of it, and what machines are told."""

import asyncio
import io
import json
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from litestar import Router, get, post
from litestar.params import JSONBody
from sqlalchemy import insert, text

from caseload.api.route import public, reading, writing
from caseload.api.wire import Wire
from caseload.api.work import TheWork
from caseload.app import Application
from caseload.db.tables import idempotency
from caseload.domain.access import Act, Role
from caseload.domain.ids import new_id
from caseload.observability import configure, logger
from caseload.settings import Secret, Settings
from tests.api.conftest import Clinic, Person
from tests.factories import people
from tests.factories.lifeline import Lifeline, lifeline
from tests.shared_server import Addresses, execute

pytestmark = pytest.mark.anyio

SAFE = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cache-control": "no-store",
}


# Routes of the test's own: one that is slow, one whose answer cannot be encoded, one that fails with a name in it.


class TextIn(Wire, frozen=True, kw_only=True):
    text: str


class Unencodable:
    """Nothing that JSON knows."""


@reading("/test/slow", act=Act.KNOW_MYSELF, name="test_slow")
async def slow(work: TheWork) -> None:
    await work.connection.execute(text("select pg_sleep(30)"))


@writing("/test/unencodable", act=Act.KNOW_MYSELF, name="test_unencodable")
async def unencodable(work: TheWork, data: JSONBody[TextIn]) -> dict[str, Any]:
    await work.connection.execute(
        insert(idempotency.request_key).values(
            staff_id=work.by.id, route="POST /test", key=data.text, digest=bytes(32), status=201, resource=new_id(),
            recorded_at=work.now,
        )
    )  # fmt: skip
    return {"made": Unencodable()}


@public(post, "/test/broken", name="test_broken", why="of a test")
async def broken(data: JSONBody[TextIn]) -> None:
    raise ValueError(data.text)


@public(get, "/test/undeclared", name="test_undeclared", why="of a test")
async def with_a_header() -> None:
    """Says nothing."""


OF_THE_TEST = Router("/", route_handlers=[slow, unencodable, broken, with_a_header])


@asynccontextmanager
async def serving(application: Application) -> AsyncGenerator[httpx.AsyncClient]:
    async with (
        application.litestar.lifespan(),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(application, raise_app_exceptions=False), base_url="http://caseload.test"
        ) as client,
    ):
        yield client


def as_(person: Person) -> dict[str, str]:
    return {"Authorization": person.http.headers["authorization"]}


@pytest.fixture
async def another(clinic: Clinic, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Another instance of the service over the same database: impatient, behind TLS, with the routes above."""
    settings = Settings(
        database_url=Secret(clinic.addresses.service),
        data_dir=tmp_path,
        request_seconds=0.5,
        body_seconds=0.3,
        behind_tls=True,
    )
    async with serving(Application(settings, routers=[OF_THE_TEST])) as client:
        yield client


@contextmanager
def logging_as_json() -> Generator[None]:
    """The service's own logging. In the test itself: what captures its lines is another for each phase."""
    before = logging.getLogger().handlers[:]
    configure(Settings(log_format="json", log_level="debug"))
    yield
    logging.getLogger().handlers[:] = before


def read(capfd: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capfd.readouterr().err.splitlines() if line.startswith("{")]


async def test_every_answer_is_safe_whatever_its_status(clinic: Clinic, another: httpx.AsyncClient) -> None:
    nurse = await clinic.person((Role.NURSE, await clinic.programme()))
    async with clinic.client() as stranger:
        answers = [
            await stranger.get("/livez"),
            await stranger.get("/readyz"),
            await stranger.get("/api/v1/me"),
            await stranger.get("/nothing"),
            await stranger.delete("/api/v1/clients"),
            await stranger.options("/api/v1/clients"),
            await stranger.get("/api/v1/me", headers={"x": "a" * 40_000}),
            await nurse.get("/me"),
            await nurse.post("/clients", {}),
            await another.post("/api/v1/test/broken", json={"text": "x"}),
        ]

    assert {answer.status_code for answer in answers} == {200, 204, 401, 404, 405, 422, 431, 500}
    for answer in answers:
        assert {name: answer.headers.get(name) for name in SAFE} == SAFE, answer.status_code
        assert UUID(answer.headers["request-id"]).version == 7
        if answer.status_code >= 400 and answer.headers["content-type"] == "application/problem+json":
            assert answer.json()["request"] == answer.headers["request-id"]


async def test_browsers_are_told_to_come_by_tls_alone_only_where_there_is_tls(
    clinic: Clinic, another: httpx.AsyncClient
) -> None:
    async with clinic.client() as plain:
        assert "strict-transport-security" not in (await plain.get("/livez")).headers
    assert (await another.get("/livez")).headers["strict-transport-security"] == "max-age=63072000; includeSubDomains"


async def test_the_access_log_says_who_did_what_and_nothing_of_whom(
    clinic: Clinic, capfd: pytest.CaptureFixture[str]
) -> None:
    programme = await clinic.programme()
    nurse = await clinic.person((Role.NURSE, programme))
    client = uuid4()
    with logging_as_json():
        answer = await nurse.get(f"/clients/{client}?secret=Quillfeather", headers={"x-secret": "Quillfeather"})
        await nurse.post("/clients/search", {"name": "Quillfeather"})

    told = [line for line in read(capfd) if line["event"] == "request"]
    assert [(line["method"], line["route"], line["status"]) for line in told] == [
        ("GET", "/api/v1/clients/{client_id}", 422),
        ("POST", "/api/v1/clients/search", 200),
    ]
    for line in told:
        assert set(line) == {
            "event",
            "level",
            "logger",
            "method",
            "ms",
            "request",
            "route",
            "staff",
            "status",
            "timestamp",
        }
        assert line["staff"] == str(nurse.staff.id)
    assert told[0]["request"] == answer.headers["request-id"]
    assert "Quillfeather" not in json.dumps(told)
    assert str(client) not in json.dumps(told)


async def test_a_failure_is_logged_by_type_and_place_without_a_word_of_what_was_said(
    another: httpx.AsyncClient, capfd: pytest.CaptureFixture[str]
) -> None:
    with logging_as_json():
        answer = await another.post("/api/v1/test/broken", json={"text": "Zebedee Quillfeather"})

    written = capfd.readouterr()
    assert answer.status_code == 500
    assert "Quillfeather" not in answer.text + written.err + written.out
    (failure,) = [json.loads(line) for line in written.err.splitlines() if '"unexpected failure"' in line]
    assert failure["error"]["type"] == "ValueError"
    assert failure["error"]["at"][-1].endswith(" broken")
    assert failure["request"] == answer.headers["request-id"]


def fail_twice(name: str) -> None:
    raise ValueError(name) from KeyError(name)


def test_an_exception_logged_by_any_library_loses_its_text_and_its_variables(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with logging_as_json():
        try:
            fail_twice("Zebedee Quillfeather")
        except ValueError:
            logger("caseload.test").exception("ours")
            logging.getLogger("somebody.else").exception("theirs")

    written = capfd.readouterr()
    assert "Quillfeather" not in written.err + written.out
    assert "Traceback" not in written.err
    told = [json.loads(line) for line in written.err.splitlines()]
    assert [line["event"] for line in told] == ["ours", "theirs"]
    assert [line["error"]["because"]["type"] for line in told] == ["KeyError", "KeyError"]


def closed_stream() -> io.StringIO:
    stream = io.StringIO()
    stream.close()
    return stream


def test_a_line_that_cannot_be_written_is_not_said_in_another_way(capfd: pytest.CaptureFixture[str]) -> None:
    with logging_as_json():
        # As when the terminal or the pipe behind it has gone.
        vars(logging.getLogger().handlers[0])["stream"] = closed_stream()
        try:
            fail_twice("Zebedee Quillfeather")
        except ValueError:
            logger("caseload.test").exception("ours")

    written = capfd.readouterr()
    assert "Quillfeather" not in written.err + written.out


async def test_an_answer_that_cannot_be_encoded_undoes_the_work(clinic: Clinic, another: httpx.AsyncClient) -> None:
    nurse = await clinic.person((Role.NURSE, await clinic.programme()))
    key = str(uuid4())

    answer = await another.post("/api/v1/test/unencodable", json={"text": key}, headers=as_(nurse))

    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["audit-entry"]
    async with clinic.service.engine.connect() as connection:
        kept = await connection.execute(text("select count(*) from clinic.request_key where key = :key"), {"key": key})
        assert kept.scalar_one() == 0


async def test_what_takes_too_long_is_stopped_and_entered(clinic: Clinic, another: httpx.AsyncClient) -> None:
    nurse = await clinic.person((Role.NURSE, await clinic.programme()))

    answer = await another.get("/api/v1/test/slow", headers=as_(nurse))

    assert (answer.status_code, answer.json()["type"]) == (503, "urn:caseload:problem:too-slow")
    assert answer.headers["retry-after"]
    assert answer.headers["audit-entry"]


async def test_a_body_that_trickles_in_is_refused_and_entered(clinic: Clinic, another: httpx.AsyncClient) -> None:
    nurse = await clinic.person((Role.NURSE, await clinic.programme()))

    async def trickle() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b" "
            await asyncio.sleep(0.05)

    answer = await another.post(
        "/api/v1/test/unencodable", content=trickle(), headers={**as_(nurse), "content-type": "application/json"}
    )

    assert (answer.status_code, answer.json()["type"]) == (408, "urn:caseload:problem:body-too-slow")
    assert answer.headers["audit-entry"]


# What machines ask.


@pytest.fixture
async def on_a_line(
    throwaway_database: Addresses, tmp_path: Path
) -> AsyncIterator[tuple[httpx.AsyncClient, Lifeline, Addresses]]:
    """The service over a database that the test may take away."""
    async with lifeline(throwaway_database.service) as (line, url):
        settings = Settings(database_url=Secret(url), data_dir=tmp_path, db_pool_timeout_seconds=1)
        async with serving(Application(settings)) as client:
            yield client, line, throwaway_database
            # The service says good-bye to its database, and would wait for one that hangs.
            line.mend()


async def test_ready_means_that_the_database_answers_and_has_the_right_shape(
    on_a_line: tuple[httpx.AsyncClient, Lifeline, Addresses],
) -> None:
    client, line, addresses = on_a_line
    ready = await client.get("/readyz")
    assert (ready.status_code, ready.json()["status"]) == (200, "ready")

    line.cut()
    away = await client.get("/readyz")
    assert (away.status_code, away.headers["content-type"]) == (503, "application/problem+json")
    assert away.headers["retry-after"] == "5"
    assert (await client.get("/livez")).status_code == 200, "a restart would not bring the database back"
    me = await client.get("/api/v1/me", headers={"Authorization": "Bearer " + "x" * 43})
    assert (me.status_code, me.headers["retry-after"]) == (503, "5")

    line.mend()
    answers = [(await client.get("/readyz")).status_code for _ in range(10)]
    assert answers[-1] == 200

    await execute(addresses.owner, "update alembic_version set version_num = '20260101_000'")
    behind = await client.get("/readyz")
    assert behind.status_code == 503
    assert "caseload db upgrade" in behind.json()["detail"]


async def test_a_database_that_hangs_does_not_hang_who_asks_for_readiness(
    on_a_line: tuple[httpx.AsyncClient, Lifeline, Addresses],
) -> None:
    client, line, _ = on_a_line
    assert (await client.get("/readyz")).status_code == 200
    line.freeze()

    async with asyncio.timeout(10):
        assert (await client.get("/readyz")).status_code == 503
        assert (await client.get("/livez")).status_code == 200


NO_SPACE = """
create function public.no_space() returns trigger language plpgsql as $$
begin
    raise exception 'could not extend file: No space left on device' using errcode = 'disk_full';
end $$
"""
"""What PostgreSQL says when its disk is full (appendix A, 53100), from wherever a test puts it."""
FULL = "create trigger no_space before insert on {table} for each row execute function public.no_space()"


async def test_a_full_database_keeps_nothing_and_says_when_to_come_again(
    throwaway_database: Addresses, tmp_path: Path
) -> None:
    application = Application(Settings(database_url=Secret(throwaway_database.service), data_dir=tmp_path))
    async with serving(application) as http:
        service = application.service
        assert service is not None
        async with service.engine.begin() as connection:
            programme = await people.programme(connection)
            nurse = await people.staff(connection, holds=[(Role.NURSE, programme)])
            http.headers["Authorization"] = f"Bearer {await people.signed_in(connection, nurse.id, at=service.clock())}"
        identity = {"given_name": "Zebedee", "family_name": "Quillfeather", "birth_date": "1984-02-29"}
        asked = {"programme_id": str(programme), "identity": identity}
        other = {**asked, "identity": {**identity, "family_name": "Ashdown"}}
        known = f"/api/v1/clients/{(await http.post('/api/v1/clients', json=asked)).json()['id']}"
        await execute(throwaway_database.owner, NO_SPACE)

        await execute(throwaway_database.owner, FULL.format(table="clinic.client"))
        answer = await http.post("/api/v1/clients", json=other)
        assert (await http.get(known)).status_code == 200
        await execute(throwaway_database.owner, "drop trigger no_space on clinic.client")

        assert (answer.status_code, answer.json()["type"]) == (503, "urn:caseload:problem:unavailable")
        assert int(answer.headers["retry-after"]) > 0
        assert answer.headers["audit-entry"]
        assert (await http.post("/api/v1/clients", json=other)).status_code == 201, "nobody of that name was kept"


async def test_what_is_counted_names_routes_and_nobody(clinic: Clinic) -> None:
    nurse = await clinic.person((Role.NURSE, await clinic.programme()))
    client = uuid4()
    await nurse.get(f"/clients/{client}")
    await nurse.http.request("BREW", "/nowhere/at/all")

    async with clinic.client() as stranger:
        answer = await stranger.get("/metrics")

    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    said = answer.text
    assert 'caseload_http_requests_total{method="GET",route="/api/v1/clients/{client_id}",status="404"}' in said
    assert 'method="other",route="unmatched"' in said
    assert "caseload_http_request_seconds_bucket" in said
    assert 'caseload_db_connections{state="in_use"}' in said
    assert "caseload_audit_entries_waiting" in said
    for secret in (str(client), str(nurse.staff.id), "nowhere", "BREW"):
        assert secret not in said
