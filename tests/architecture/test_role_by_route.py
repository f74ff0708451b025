"""Every route as every role: the table in `domain/access` is what the doors do, and no door is without a lock."""

import re
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

from caseload.api.route import let_in
from caseload.domain.access import MAY, WITHOUT_PROGRAMME, Act, Role
from tests.api.conftest import Clinic, Person

pytestmark = pytest.mark.anyio

_PLACE = re.compile(r"\{(\w+):(\w+)\}")
_EXAMPLE: dict[str, Callable[[], str]] = {
    "uuid": lambda: str(uuid4()),
    "date": lambda: "2026-11-22",
    "int": lambda: "1",
    "str": lambda: "x",
    "path": lambda: "x",
}


@dataclass(frozen=True)
class Door:
    """One route with one method."""

    method: str
    path: str
    handler: HTTPRouteHandler

    @property
    def act(self) -> Act | None:
        return self.handler.opt.get("act")

    @property
    def why_public(self) -> str | None:
        return self.handler.opt.get("public")

    @property
    def documented(self) -> set[int]:
        return {self.handler.status_code, *(self.handler.responses or {})}

    async def knock(self, http: httpx.AsyncClient) -> httpx.Response:
        """Ask for something that is not there, with an empty body where one is due."""
        path = _PLACE.sub(lambda place: _EXAMPLE[place[2]](), self.path)
        body: dict[str, str] | None = {} if "data" in self.handler.parsed_fn_signature.parameters else None
        return await http.request(self.method, path, json=body)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def doors(app: Litestar) -> Iterator[Door]:
    """Every route of ours; the API description's own pages and OPTIONS are Litestar's."""
    for route in app.routes:
        if not isinstance(route, HTTPRoute):
            continue
        for handler in route.route_handlers:
            if not handler.fn.__module__.startswith("caseload."):
                continue
            for method in sorted(handler.http_methods):
                yield Door(str(method), route.path, handler)


@pytest.fixture(scope="module")
def all_doors(clinic: Clinic) -> list[Door]:
    return list(doors(clinic.application.litestar))


@pytest.fixture(scope="module")
async def everybody(clinic: Clinic) -> AsyncIterator[dict[Role, Person]]:
    """Somebody of each role, who holds no other."""
    programme = await clinic.programme()
    people = {role: await clinic.person((role, None if role in WITHOUT_PROGRAMME else programme)) for role in Role}
    yield people
    for person in people.values():
        await person.http.aclose()


async def test_the_walk_finds_the_doors(all_doors: list[Door]) -> None:
    assert len(all_doors) > 50
    assert {"POST /api/v1/sign-in", "GET /api/v1/me"} <= set(map(str, all_doors))


async def test_nobody_gets_to_a_handler_around_the_guard(clinic: Clinic) -> None:
    """It is what Litestar calls before a handler, which is neither asked for websockets nor for mounted applications."""
    routes = clinic.application.litestar.routes
    assert {type(route) for route in routes} == {HTTPRoute}
    handlers = [handler for route in routes if isinstance(route, HTTPRoute) for handler in route.route_handlers]
    assert {handler.resolve_before_request() for handler in handlers} == {let_in}


async def test_every_route_names_its_act_or_says_why_it_needs_none(all_doors: list[Door]) -> None:
    nameless = [str(door) for door in all_doors if (door.act is None) == (door.why_public is None)]
    assert not nameless, f"declare these with `reading`, `searching`, `writing` or `public`: {nameless}"


async def test_every_route_is_named_and_documents_how_it_may_refuse(all_doors: list[Door]) -> None:
    names = [name for door in all_doors for name in [door.handler.operation_id] if isinstance(name, str)]
    assert len(names) == len(set(names)) == len(all_doors), "every route has an operation id of its own"
    for door in all_doors:
        if door.act is not None:
            assert {401, 403, 503} <= door.documented, f"{door} does not say that it may refuse"


async def test_nobody_gets_anywhere_without_signing_in(clinic: Clinic, all_doors: list[Door]) -> None:
    stranger = clinic.client()
    for door in all_doors:
        if door.why_public is None:
            answer = await door.knock(stranger)
            assert answer.status_code == 401, f"{door} answered {answer.status_code} to nobody"


async def test_somebody_without_a_role_knows_themselves_and_no_more(clinic: Clinic, all_doors: list[Door]) -> None:
    for door in all_doors:
        if door.act is not None:
            # One newcomer per door: one of the doors signs them out.
            answer = await door.knock((await clinic.person()).http)
            wrong = f"{door} answered {answer.status_code}"
            assert (answer.status_code == 403) is (door.act is not Act.KNOW_MYSELF), wrong


@pytest.mark.parametrize("role", list(Role))
async def test_every_route_lets_in_whom_the_table_lets_in_and_nobody_else(
    clinic: Clinic, all_doors: list[Door], everybody: dict[Role, Person], role: Role
) -> None:
    wrong: list[str] = []
    for door in all_doors:
        if door.act is None:
            continue
        person = await clinic.person() if door.act is Act.KNOW_MYSELF else everybody[role]
        answer = await door.knock(person.http)
        allowed = role in MAY[door.act]
        if allowed and (answer.status_code in {401, 403} or answer.status_code not in door.documented):
            wrong.append(f"{door} ({door.act}) answered {answer.status_code} {_said(answer)}, but {role} may")
        if not allowed and answer.status_code != 403:
            wrong.append(f"{door} ({door.act}) answered {answer.status_code}, but {role} may not")
    assert not wrong, "\n".join(wrong)


def _said(answer: httpx.Response) -> Any:
    return answer.json().get("type") if answer.headers.get("content-type", "").endswith("json") else ""
