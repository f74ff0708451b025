"""A retry does nothing twice: the key, whose it is, what it is for, and which routes take one."""

import asyncio
import hmac
import inspect
from collections.abc import AsyncIterator
from typing import Any, get_args
from uuid import uuid4

import httpx
import msgspec
import pytest
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute
from sqlalchemy import func, insert, select

from caseload.db.tables import caseload as client_tables
from caseload.db.tables.idempotency import request_key
from caseload.domain.access import Role
from caseload.domain.ids import ProgrammeId, new_id
from caseload.request.idempotency import PROOFS, RequestKey
from tests.api.conftest import Clinic, Person
from tests.api.dispensary import PASSWORD, dispensary

pytestmark = pytest.mark.anyio

WITHOUT_A_KEY = {
    "sign_in": "nobody is signed in yet to whom a key could belong",
    "sign_out": "whoever retries it is signed out",
    "change_password": "no digest is kept of a request that consists of passwords",
    "preview_downtime_sheet": "it keeps nothing: what it would do is undone before it answers",
    "confirm_erasure": "what it erased is gone, and its retry finds nothing to confirm any more",
}
"""What changes something by POST and takes no key, with the reason."""


@pytest.fixture
async def programme(clinic: Clinic) -> ProgrammeId:
    return await clinic.programme()


@pytest.fixture
async def nurse(clinic: Clinic, programme: ProgrammeId) -> AsyncIterator[Person]:
    made = await clinic.person((Role.NURSE, programme))
    yield made
    await made.http.aclose()


def somebody(programme: ProgrammeId) -> dict[str, Any]:
    identity = {"given_name": "Ada", "family_name": uuid4().hex, "birth_date": "1984-02-29"}
    return {"programme_id": str(programme), "identity": identity}


async def clients_of(clinic: Clinic, programme: ProgrammeId) -> int:
    async with clinic.service.engine.connect() as connection:
        counted = select(func.count()).select_from(client_tables.client)
        return (await connection.execute(counted.where(client_tables.client.c.programme_id == programme))).scalar_one()


def posts_of(clinic: Clinic) -> list[HTTPRouteHandler]:
    """Every POST that changes something."""
    return [
        handler
        for route in clinic.application.litestar.routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
        if "POST" in handler.http_methods and handler.opt.get("writes", True)
    ]


async def test_every_post_that_changes_something_takes_a_key(clinic: Clinic) -> None:
    posts = posts_of(clinic)
    without = {str(each.operation_id) for each in posts if "key" not in each.parsed_fn_signature.parameters}
    assert len(posts) > 30
    assert without == set(WITHOUT_A_KEY), "take `key: TheKey` and go through `once`"


async def test_the_same_key_and_body_get_the_first_answer_and_another_body_is_refused(
    clinic: Clinic, programme: ProgrammeId, nurse: Person
) -> None:
    key, asked = str(uuid4()), somebody(programme)
    first = await nurse.post("/clients", asked, key=key)
    again = await nurse.post("/clients", asked, key=key)
    other = await nurse.post("/clients", somebody(programme), key=key)

    assert (first.status_code, again.status_code) == (201, 201)
    assert (again.json(), again.headers["etag"]) == (first.json(), first.headers["etag"])
    assert again.headers["audit-entry"] != first.headers["audit-entry"], "the retry showed the client once more"
    assert (other.status_code, other.json()["type"]) == (422, "urn:caseload:problem:key-used-for-another-request")
    assert await clients_of(clinic, programme) == 1


async def test_a_key_belongs_to_one_person_and_one_route(clinic: Clinic, programme: ProgrammeId, nurse: Person) -> None:
    key = str(uuid4())
    colleague = await clinic.person((Role.NURSE, programme))
    made = await nurse.post("/clients", somebody(programme), key=key)
    theirs = await colleague.post("/clients", somebody(programme), key=key)
    elsewhere = await nurse.post(f"/clients/{made.json()['id']}/holds", {"reason": "No sign of breathing."}, key=key)

    assert theirs.status_code == 201, theirs.text
    assert elsewhere.json()["type"] != "urn:caseload:problem:key-used-for-another-request"
    assert await clients_of(clinic, programme) == 2


async def test_a_key_under_which_nothing_succeeded_is_free_still(
    clinic: Clinic, programme: ProgrammeId, nurse: Person
) -> None:
    key, asked = str(uuid4()), somebody(programme)
    wrong = await nurse.post("/clients", {**asked, "identity": {**asked["identity"], "given_name": " "}}, key=key)
    right = await nurse.post("/clients", asked, key=key)

    assert (wrong.status_code, right.status_code) == (422, 201)


async def test_a_twin_of_a_request_in_flight_is_told_to_wait(
    clinic: Clinic, programme: ProgrammeId, nurse: Person
) -> None:
    key, asked = str(uuid4()), somebody(programme)
    async with clinic.service.engine.connect() as connection:
        transaction = await connection.begin()
        await connection.execute(
            insert(request_key).values(
                staff_id=nurse.staff.id, route="POST /api/v1/clients", key=key, digest=bytes(32), status=201,
                resource=new_id(), recorded_at=clinic.service.clock(),
            )
        )  # fmt: skip
        twin = await nurse.post("/clients", asked, key=key)
        await transaction.rollback()

    assert (twin.status_code, twin.json()["type"]) == (409, "urn:caseload:problem:twin-in-flight")
    assert (await nurse.post("/clients", asked, key=key)).status_code == 201


async def test_twins_that_arrive_together_do_it_once(clinic: Clinic, programme: ProgrammeId, nurse: Person) -> None:
    key, asked = str(uuid4()), somebody(programme)
    answers = await asyncio.gather(*(nurse.post("/clients", asked, key=key) for _ in range(8)))

    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 201}) == 1
    assert await clients_of(clinic, programme) == 1


@pytest.mark.parametrize("key", ["", "k" * 256, "clé".encode(), b"a\tb"], ids=str)
async def test_a_key_that_cannot_be_kept_is_refused_by_its_name(
    clinic: Clinic, programme: ProgrammeId, nurse: Person, key: str | bytes
) -> None:
    answer = await nurse.post("/clients", somebody(programme), headers={"Idempotency-Key": key})

    assert answer.status_code == 422, answer.text
    assert [each["field"] for each in answer.json()["errors"]] == ["Idempotency-Key"]
    assert await clients_of(clinic, programme) == 0


async def test_what_answers_with_nothing_may_be_retried_too(clinic: Clinic, programme: ProgrammeId) -> None:
    admin = await clinic.person((Role.ADMINISTRATOR, None))
    site = {"code": f"S-{uuid4().hex[:10].upper()}", "name": "Quay", "time_zone": "Europe/London", "profile": "UK"}
    opened = [await admin.post("/programmes", site, key=(key := str(uuid4())))]
    opened.append(await admin.post("/programmes", site, key=key))
    without = await admin.post("/programmes", site)
    account = await admin.post("/staff", {"user_name": f"n-{uuid4().hex[:12]}", "printed_name": "Nadia Newcomer"})
    path = f"/staff/{account.json()['account']['id']}/deactivation"
    closed = [await admin.post(path, {"reason": "Left."}, key=key) for _ in range(2)]

    assert [answer.status_code for answer in opened] == [201, 201]
    assert opened[0].json() == opened[1].json()
    assert without.status_code == 409, "without a key the code settles it"
    assert [answer.status_code for answer in closed] == [204, 204]
    assert (await admin.post(path, {"reason": "Left."})).status_code == 409


PROVING = ("password", "secret", "factor")


def a_key(body: bytes) -> RequestKey:
    return RequestKey.of(route="POST /x", key="k", path="/x/1", body=body, secret=b"\x07" * 32)


@pytest.mark.parametrize(
    "said",
    [
        b'{"reason":"Poured away.","password":"correct horse"}',
        b'{"password":"battery staple","reason":"Poured away."}',
        b'{"reason":"Poured away.","passw\\u006frd":"written otherwise"}',
        b'{"password":"twice","reason":"Poured away.","password":"over"}',
        b'{"second_factor":"123456","reason":"Poured away.","password":"correct horse"}',
    ],
)
def test_the_digest_of_a_request_holds_nothing_of_the_password(said: bytes) -> None:
    assert a_key(said) == a_key(b'{"reason":"Poured away.","password":""}')
    assert a_key(said) != a_key(b'{"reason":"Poured out.","password":"correct horse"}')
    assert a_key(said) != a_key(b'{"reason":"Poured away.","note":"password"}')


@pytest.mark.parametrize("said", [b"", b"[1]", b'{"password":', b"\xff"])
def test_a_body_that_cannot_be_read_is_digested_as_it_is(said: bytes) -> None:
    assert a_key(said).digest == hmac.digest(b"\x07" * 32, b"/x/1\x00" + said, "sha256")


async def test_a_request_proves_itself_by_a_member_of_that_name_and_before_its_key_is_looked_at(clinic: Clinic) -> None:
    proving = 0
    for handler in posts_of(clinic):
        body = handler.parsed_fn_signature.parameters.get("data")
        if body is None or "key" not in handler.parsed_fn_signature.parameters:
            continue
        secrets = [name for name in members(body.annotation) if any(word in name for word in PROVING)]
        code = inspect.getsource(inspect.unwrap(handler.fn))
        assert secrets == (list(PROOFS) if "prove(" in code else []), f"{handler.operation_id}: it would be digested"
        if secrets:
            proving += 1
            assert code.index("await prove(") < code.index("once("), f"{handler.operation_id}: a retry proves nothing"
    assert proving >= 6


def members(annotation: Any, path: str = "") -> list[str]:
    """The paths of every member of a body, of what it holds too."""
    if is_struct(annotation):
        return [
            each
            for field in msgspec.structs.fields(annotation)
            for each in (path + field.encode_name, *members(field.type, f"{path}{field.encode_name}."))
        ]
    return [each for inner in get_args(annotation) for each in members(inner, path)]


def is_struct(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, msgspec.Struct)


async def test_a_retry_proves_who_asks_and_may_do_so_with_a_password_chosen_since(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    given = (await here.give(await here.order())).json()
    asked, key = {"doses": [{"dose_id": given["id"], "version": 1}]}, str(uuid4())

    async def sign(password: str) -> httpx.Response:
        return await here.colleague.post("/dose-sign-offs", {**asked, "password": password}, key=key)

    first = await sign(PASSWORD)
    stolen = await sign("whoever found the key")
    chosen = {"password": PASSWORD, "new_password": "several unrelated words"}
    assert (await here.colleague.post("/me/password", chosen)).status_code == 204
    again = await sign(chosen["new_password"])

    assert (first.status_code, stolen.status_code, again.status_code) == (201, 403, 201), stolen.text
    assert given["id"] not in stolen.text
    assert again.json() == first.json()
