"""Whatever is sent, the answer is a clear refusal: nothing breaks, nothing is half done, nothing is said back."""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from caseload.api.body import MOST_FAULTS
from caseload.db.tables import caseload as client_tables
from caseload.domain.access import Role
from caseload.domain.ids import ProgrammeId
from tests.api.conftest import Clinic, Person

pytestmark = pytest.mark.anyio

PROBLEM = "application/problem+json"
CLIENTS = "/api/v1/clients"
SEARCH = "/api/v1/clients/search"
CASELOAD = "/api/v1/caseload"
JSON = {"Content-Type": "application/json"}
SECRET = "Zebedee Quillfeather"
"""Something that only a caller could have said."""


@dataclass
class Station:
    """A nurse and a counsellor at work, and a look at whether anything came of it."""

    clinic: Clinic
    programme: ProgrammeId
    nurse: Person
    counsellor: Person

    async def clients(self) -> int:
        async with self.clinic.service.engine.connect() as connection:
            counted = select(func.count()).select_from(client_tables.client)
            return (
                await connection.execute(counted.where(client_tables.client.c.programme_id == self.programme))
            ).scalar_one()

    async def leaves_entry(self, answer: httpx.Response) -> bool:
        return "audit-entry" in answer.headers


@pytest.fixture
async def station(clinic: Clinic) -> AsyncIterator[Station]:
    programme = await clinic.programme()
    nurse = await clinic.person((Role.NURSE, programme))
    counsellor = await clinic.person((Role.COUNSELLOR, programme))
    yield Station(clinic, programme, nurse, counsellor)
    await nurse.http.aclose()
    await counsellor.http.aclose()


@dataclass(frozen=True)
class Hostile:
    """One request nobody should send, and what is said to it."""

    says: str
    status: int
    body: bytes = b""
    path: str = CLIENTS
    method: str = "POST"
    headers: Mapping[str, str | bytes] = field(default_factory=lambda: JSON)

    @property
    def raw_headers(self) -> dict[bytes, bytes]:
        return {
            name.encode(): value if isinstance(value, bytes) else value.encode() for name, value in self.headers.items()
        }

    def __str__(self) -> str:
        return self.says


def deep(opening: bytes, times: int = 100_000) -> bytes:
    return opening * times


BODIES = [
    Hostile("no body", 422),
    Hostile("null", 422, b"null"),
    Hostile("a list", 422, b"[]"),
    Hostile("half a body", 400, b'{"programme_id":'),
    Hostile("not JSON", 400, b"programme_id=1"),
    Hostile("more after the end", 400, b'{"name":"x"} {"name":"y"}', SEARCH),
    Hostile("lists in lists", 400, deep(b"[")),
    Hostile("objects in objects", 400, deep(b'{"a":')),
    Hostile("lists in a field", 400, b'{"identity":' + deep(b"[")),
    Hostile("lists in lists, closed", 422, deep(b"[", 400) + deep(b"]", 400)),
    Hostile("bytes that are not UTF-8", 400, b'{"name":"\xff\xfe"}', SEARCH),
    Hostile("UTF-16", 400, '{"name":"x"}'.encode("utf-16"), SEARCH),
    Hostile("a byte order mark", 400, b'\xef\xbb\xbf{"name":"x"}', SEARCH),
    Hostile("half a surrogate pair", 400, b'{"name":"\\ud800 x"}', SEARCH),
    Hostile("a NUL character", 422, b'{"name":"\\u0000"}', SEARCH),
    Hostile("a NUL byte", 400, b'{"name":"\x00"}', SEARCH),
    Hostile("a NUL in a name", 422, b'{"na\\u0000me":"x"}', SEARCH),
    Hostile("a name twice", 400, b'{"name":"x","name":"y"}', SEARCH),
    Hostile("a name twice, deep inside", 400, b'{"identity":{"sex":"male","sex":"female"}}'),
    Hostile("not a number", 400, b'{"name":NaN}', SEARCH),
    Hostile("infinity", 400, b'{"name":-Infinity}', SEARCH),
    Hostile("an absurd exponent", 422, b'{"programme_id":1e400}'),
    Hostile("an absurd integer", 400, b'{"programme_id":' + b"9" * 5000 + b"}"),
    Hostile("text where a truth is asked", 422, b'{"identity":{"birth_date_estimated":"true"}}'),
    Hostile("a number where a truth is asked", 422, b'{"identity":{"birth_date_estimated":1}}'),
    Hostile("a date that is none", 422, b'{"birth_date":"2026-02-30"}', SEARCH),
    Hostile("the year 0", 422, b'{"birth_date":"0000-01-01"}', SEARCH),
    Hostile("a million characters", 422, b'{"name":"' + b"a" * 900_000 + b'"}', SEARCH),
    Hostile("ten megabytes", 413, b'{"name":"' + b"a" * 10_000_000 + b'"}', SEARCH),
    Hostile("a form", 415, b"name=x", SEARCH, headers={"Content-Type": "application/x-www-form-urlencoded"}),
    Hostile("a form of parts", 415, b"--x--", SEARCH, headers={"Content-Type": "multipart/form-data; boundary=x"}),
    Hostile("plain text", 415, b'{"name":"x"}', SEARCH, headers={"Content-Type": "text/plain"}),
    Hostile("MessagePack", 415, b"\x81", SEARCH, headers={"Content-Type": "application/x-msgpack"}),
    Hostile("no content type", 415, b'{"name":"x"}', SEARCH, headers={}),
    Hostile("a broken content type", 415, b"{}", SEARCH, headers={"Content-Type": b"\xff/\xfc"}),
    Hostile("another character set", 415, b"{}", SEARCH, headers={"Content-Type": "application/json; charset=latin-1"}),
    Hostile("a length that is no number", 400, b"{}", SEARCH, headers={**JSON, "Content-Length": "many"}),
    Hostile("a negative length", 400, b"{}", SEARCH, headers={**JSON, "Content-Length": "-5"}),
    Hostile("an idempotency key that is too long", 422, b"{}", headers={**JSON, "Idempotency-Key": "x" * 400}),
]  # fmt: skip

QUERIES = [
    Hostile("an unknown parameter", 422, path=f"{CASELOAD}?counselor=x", method="GET"),
    Hostile("an unknown parameter with an odd name", 422, path=f"{CASELOAD}?%F0%9F%92%8A=x", method="GET"),
    Hostile("a parameter twice", 422, path=f"{CASELOAD}?limit=1&limit=2", method="GET"),
    Hostile("a NUL", 422, path=f"{CASELOAD}?after=%00", method="GET"),
    Hostile("bytes that are not UTF-8", 400, path=f"{CASELOAD}?after=%ff%fe", method="GET"),
    Hostile("no identifier", 422, path=f"{CASELOAD}?after=zebedee", method="GET"),
    Hostile("nothing", 422, path=f"{CASELOAD}?limit=", method="GET"),
    Hostile("no number", 422, path=f"{CASELOAD}?limit=quillfeather", method="GET"),
    Hostile("no lines", 422, path=f"{CASELOAD}?limit=0", method="GET"),
    Hostile("too many lines", 422, path=f"{CASELOAD}?limit=99999999999999999999999999", method="GET"),
    Hostile("less than none", 422, path=f"{CASELOAD}?limit=-1", method="GET"),
    Hostile("a fraction", 422, path=f"{CASELOAD}?limit=1.5", method="GET"),
]

ADDRESSES = [
    Hostile("nothing there", 404, path="/api/v1/nothing", method="GET"),
    Hostile("no identifier", 404, path=f"{CLIENTS}/zebedee", method="GET"),
    Hostile("a NUL", 404, path=f"{CLIENTS}/%00", method="GET"),
    Hostile("bytes that are not UTF-8", 404, path=f"{CLIENTS}/%ff", method="GET"),
    Hostile("a way up", 404, path="/static/../../etc/passwd", method="GET"),
    Hostile("a way up, written otherwise", 404, path="/static/%2e%2e%2f%2e%2e%2fetc%2fpasswd", method="GET"),
    Hostile("a very long one", 414, path="/api/v1/" + "a" * 9_000, method="GET"),
    Hostile("a wrong method", 405, path=CLIENTS, method="DELETE"),
    Hostile("a method of their own", 405, path=CLIENTS, method="BREW"),
    Hostile("only the headers of what is only written", 405, path=CLIENTS, method="HEAD"),
]

HEADERS = [
    Hostile("large headers", 431, path=CASELOAD, method="GET", headers={"X-Large": "a" * 40_000}),
    Hostile("a token that is not ASCII", 401, path=CASELOAD, method="GET", headers={"Authorization": b"Bearer \xff"}),
    Hostile("a token of another length", 401, path=CASELOAD, method="GET", headers={"Authorization": "Bearer x"}),
    Hostile("another scheme", 401, path=CASELOAD, method="GET", headers={"Authorization": "Basic eDp4"}),
    Hostile(
        "a cookie that is none", 401, path=CASELOAD, method="GET",
        headers={"Authorization": "", "Cookie": b"\x01=\xff; __Host-caseload=\xe9"},
    ),
]  # fmt: skip


async def send(person: Person, hostile: Hostile) -> httpx.Response:
    return await person.http.request(
        hostile.method, hostile.path, content=hostile.body or None, headers=hostile.raw_headers
    )


@pytest.mark.parametrize("hostile", BODIES, ids=str)
async def test_a_hostile_body_is_refused_with_an_entry_and_does_nothing(station: Station, hostile: Hostile) -> None:
    before = await station.clients()

    answer = await send(station.nurse, hostile)

    assert answer.status_code == hostile.status, answer.text
    assert answer.headers["content-type"] == PROBLEM
    assert answer.json()["status"] == hostile.status
    assert answer.json()["title"]
    assert await station.leaves_entry(answer)
    assert await station.clients() == before


@pytest.mark.parametrize("hostile", QUERIES, ids=str)
async def test_a_hostile_query_is_refused_with_an_entry(station: Station, hostile: Hostile) -> None:
    answer = await send(station.counsellor, hostile)

    assert answer.status_code == hostile.status, answer.text
    assert answer.headers["content-type"] == PROBLEM
    assert await station.leaves_entry(answer)
    for value in ("zebedee", "quillfeather", "1.5", "999999", "\U0001f48a"):
        assert value not in answer.text


@pytest.mark.parametrize("hostile", [*ADDRESSES, *HEADERS], ids=str)
async def test_a_hostile_address_or_header_is_refused(station: Station, hostile: Hostile) -> None:
    answer = await send(station.counsellor, hostile)

    assert answer.status_code == hostile.status, answer.text
    assert answer.headers["content-type"] == PROBLEM
    assert answer.headers["cache-control"] == "no-store"


async def test_options_says_which_methods_there_are_and_needs_nobody(clinic: Clinic) -> None:
    async with clinic.client() as stranger:
        answer = await stranger.options(CLIENTS)

    assert (answer.status_code, answer.headers["allow"]) == (204, "OPTIONS, POST")


async def test_a_wrong_method_is_told_the_right_ones(clinic: Clinic) -> None:
    async with clinic.client() as stranger:
        answer = await stranger.delete(CLIENTS)

    assert (answer.status_code, answer.headers["allow"]) == (405, "OPTIONS, POST")


async def test_every_invalid_field_is_named_at_once(station: Station) -> None:
    answer = await station.nurse.post(
        "/clients",
        {
            "programme_id": 4,
            "colour": "red",
            "identity": {"given_name": None, "sex": "x", "birth_date_estimated": "no"},
            "identifiers": [{"kind": "x", "value": "1"}, {"kind": "chart"}, 7],
        },
    )

    assert answer.status_code == 422
    told = {each["field"]: each["problem"] for each in answer.json()["errors"]}
    assert set(told) == {
        "colour",
        "programme_id",
        "identity.given_name",
        "identity.family_name",
        "identity.birth_date",
        "identity.birth_date_estimated",
        "identity.sex",
        "identifiers.0.kind",
        "identifiers.1.value",
        "identifiers.2",
    }
    assert told["identity.sex"].startswith("must be one of ")


async def test_every_wrong_parameter_is_named_at_once_by_its_own_name(station: Station) -> None:
    answer = await station.counsellor.get("/caseload?counsellor=zebedee&after=quillfeather&limit=0")

    assert answer.status_code == 422
    assert {each["field"] for each in answer.json()["errors"]} == {"counsellor", "after", "limit"}
    assert "quillfeather" not in answer.text


@pytest.mark.parametrize(
    "body",
    [
        {SECRET: 1},
        {"name": [SECRET]},
        {"name": {SECRET: SECRET}},
        {"birth_date": SECRET},
        {"identifier": {"kind": SECRET}},
    ],
    ids=str,
)
async def test_a_refusal_says_nothing_back(station: Station, body: dict[str, Any]) -> None:
    answer = await station.nurse.post("/clients/search", body)
    assert answer.status_code == 422
    assert "Zebedee" not in answer.text
    assert "Quillfeather" not in answer.text

    answer = await station.nurse.post("/clients", {"identity": {"sex": SECRET, "birth_date": SECRET}, **body})
    assert answer.status_code == 422
    assert "Zebedee" not in answer.text


async def test_a_body_full_of_faults_is_answered_with_as_many_as_help(station: Station) -> None:
    answer = await station.nurse.post("/clients", {f"field_{number}": 1 for number in range(10_000)})

    assert answer.status_code == 422
    assert len(answer.json()["errors"]) == MOST_FAULTS


async def test_a_text_that_only_looks_like_an_escaped_nul_is_a_text(station: Station) -> None:
    answer = await station.nurse.http.post(SEARCH, content=rb'{"name":"\\u0000 x"}', headers=JSON)

    assert answer.status_code == 200, answer.text


async def test_nobody_is_told_before_they_sign_in_what_was_wrong(clinic: Clinic) -> None:
    async with clinic.client() as stranger:
        for hostile in BODIES:
            answer = await stranger.request(
                hostile.method, hostile.path, content=hostile.body, headers=hostile.raw_headers
            )
            assert answer.status_code == 401, hostile.says
            assert json.loads(answer.content)["type"] == "urn:caseload:problem:not-signed-in"
