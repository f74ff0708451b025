"""The whole API against its own description: whatever is generated from it, sent by people of every role to a clinic
with people in it, is answered as described. No failure of ours, no status, type or shape that is not written down.

Values that are ids are exchanged for those of real records now and then, so that more than the first check is reached.
"""

# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportMissingTypeArgument=false
# Schemathesis leaves the types of its cases open.

import functools
import json
import re
import secrets
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias
from uuid import UUID

import asyncpg
import httpx
import pytest
import schemathesis
from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as given_settings
from hypothesis import strategies as st
from litestar.routes import HTTPRoute
from schemathesis import checks
from schemathesis.generation import GenerationMode
from sqlalchemy import insert

from caseload.app import Application
from caseload.db.tables.people import staff_password
from caseload.demo import stories
from caseload.demo.filling import Size, fill
from caseload.domain.access import MAY, WITHOUT_PROGRAMME, Act, Role
from caseload.domain.ids import ProgrammeId
from caseload.settings import Secret, Settings
from caseload.web.pages import description
from tests.api.whole_log import faults_in_log
from tests.api.witness import standing_before
from tests.factories import people
from tests.shared_server import Addresses, copied

# A generated request may be long; it is shown only when it fails.
pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")

DESCRIBED = json.loads(description())
# Who asks is decided here; that nobody gets in without signing in is tried elsewhere, door by door.
del DESCRIBED["components"]["securitySchemes"]
for _methods in DESCRIBED["paths"].values():
    for _operation in _methods.values():
        _operation.pop("security", None)
SCHEMA = schemathesis.openapi.from_dict(DESCRIBED)
OPERATIONS = {
    f"{method.upper()} {path}": SCHEMA[path][method]
    for path, methods in DESCRIBED["paths"].items()
    for method in methods
}
EXAMPLE_OF: Mapping[str, Mapping[str, Any]] = {
    f"{method.upper()} {path}": {
        "body": operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("example"),
        **{
            where: {each["name"]: each["example"] for each in operation.get("parameters", ()) if each["in"] == where}
            for where in ("path", "query", "header")
        },
    }
    for path, methods in DESCRIBED["paths"].items()
    for method, operation in methods.items()
}
"""What the description shows of each operation, which is a request that its shape accepts."""
HOSTILE_TEXTS = [
    "",
    " \t\n",
    "\x00",
    "\ud800",
    "\u202e\u200b\ufeff",
    "x" * 20_000,
    "'; drop table clinic.client; --",
    "${jndi:ldap://127.0.0.1/x}",
    "../../../etc/passwd",
    "NaN",
    "-Infinity",
    "1e400",
    "1E-400",
    "0x10",
    "1_0",
    "\u0663\u0661",
    "99999999999999999999999999999999999999999",
    "-0",
    "0001-01-01",
    "9999-12-31",
    "2026-02-30",
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59.999999-23:59",
    "2026-03-29T02:30:00+00:00:30",
    "24:00",
    "02:30:00",
    "P1Y",
    "00000000-0000-0000-0000-000000000000",
    "{00000000-0000-0000-0000-000000000000}",
]
SENDABLE = [text for text in HOSTILE_TEXTS if text.isascii() and text.isprintable()]
"""What a header can carry at all."""
HOSTILE: list[Any] = [
    *HOSTILE_TEXTS,
    None,
    True,
    0,
    -1,
    2**31,
    2**63,
    -(2**63) - 1,
    10**30,
    0.1,
    1e308,
    [],
    {},
    [None] * 1_000,
    [{}] * 500,
    {"a": {"a": {"a": []}}},
]
TAKES_NOTHING = {
    f"{method.upper()} {path}"
    for path, methods in DESCRIBED["paths"].items()
    for method, operation in methods.items()
    if not operation.get("parameters") and "requestBody" not in operation
}
TAKES_ANY_PATH = {"GET /api/v1/audit/log/tile/{tile}", "GET /api/v1/calendar/{token}"}
"""Whatever stands there is a path or a secret, and none is of the wrong shape."""
CASES = [
    (name, mode)
    for name in OPERATIONS
    for mode in GenerationMode
    # Where nothing is asked for, nothing can be wrong.
    if mode is GenerationMode.POSITIVE or name not in TAKES_NOTHING | TAKES_ANY_PATH
]
AS_DESCRIBED = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
]
EXAMPLES = given_settings().max_examples // 12
"""Of each kind for each operation: a few in `make test`, many in `make soak`."""
UNTROUBLED = [
    HealthCheck.data_too_large,
    HealthCheck.filter_too_much,
    HealthCheck.too_slow,
    HealthCheck.large_base_example,
    HealthCheck.function_scoped_fixture,
]
AN_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
PASSWORD = "seven herons on the pier"
WITH_ITS_OWN_PERSON = {"POST /api/v1/sign-out", "POST /api/v1/me/password"}
"""They end the session they are asked in."""


@dataclass(frozen=True)
class Stage:
    """A demo clinic behind the service, somebody of every role, and the ids of what there is."""

    application: Application
    http: httpx.AsyncClient
    programmes: tuple[ProgrammeId, ...]
    ids: Mapping[str, list[str]]
    acts: Mapping[str, Act | None]
    tokens: dict[Role, str] = field(default_factory=dict[Role, str])

    def roles(self, name: str) -> list[Role]:
        """Who may do it, and somebody who may not."""
        act = self.acts[name]
        return [Role.INSPECTOR, *sorted(MAY[act])] if act is not None else list(Role)

    async def token(self, role: Role, *, fresh: bool = False) -> str:
        """Somebody who holds this role everywhere, signed in."""
        if fresh or role not in self.tokens:
            self.tokens[role] = await self._sign_in(role)
        return self.tokens[role]

    async def _sign_in(self, role: Role) -> str:
        service = self.application.service
        assert service is not None
        holds = [(role, each) for each in ((None,) if role in WITHOUT_PROGRAMME else self.programmes)]
        async with service.engine.begin() as connection:
            staff = await people.staff(connection, holds=holds)
            hashed = await service.door.passwords.hash(PASSWORD)
            await connection.execute(
                insert(staff_password).values(
                    staff_id=staff.id, number=1, set_at=people.LONG_AGO, set_by=staff.id, hash=hashed
                )
            )
            return await people.signed_in(connection, staff.id, at=service.clock())

    def known(self, name: str) -> list[str]:
        """Ids of records that a field of this name may mean."""
        subject = name.removesuffix("_id")
        return next((ids for table, ids in self.ids.items() if table.endswith(subject)), self.ids["staff"])


async def ids_of_everything(url: str) -> dict[str, list[str]]:
    """Some ids of every table of the clinic that has them."""
    connection = await asyncpg.connect(url)
    try:
        tables = await connection.fetch(
            "select table_name from information_schema.columns where table_schema = 'clinic' and column_name = 'id' "
            "and data_type = 'uuid' order by table_name"
        )
        return {
            name: [str(row["id"]) for row in await connection.fetch(f"select id from clinic.{name} limit 25")]  # noqa: S608  names of our own tables
            for (name,) in tables
        }
    finally:
        await connection.close()


@pytest.fixture(scope="module")
def stage_database(server: Addresses) -> Iterator[Addresses]:
    with copied(server, f"stage_{secrets.token_hex(4)}") as found:
        yield found


@asynccontextmanager
async def set_up(addresses: Addresses, folder: Path) -> AsyncGenerator[Stage]:
    application = Application(Settings(database_url=Secret(addresses.service), data_dir=folder, access_log=False))
    async with application.litestar.lifespan():
        service = application.service
        assert service is not None
        size = Size(clients=stories.FEWEST_CLIENTS, days=stories.SHORTEST_DAYS, seed=1)
        await fill(service, size, progress=lambda _done, _of: None)
        ids = {name: found for name, found in (await ids_of_everything(addresses.owner)).items() if found}
        acts = {
            f"{method} {route.path_format}": handler.opt.get("act")
            for route in application.litestar.routes
            if isinstance(route, HTTPRoute)
            for handler in route.route_handlers
            for method in handler.http_methods
        }
        async with (
            standing_before(application, addresses.owner) as witness,
            httpx.AsyncClient(
                transport=httpx.ASGITransport(witness, raise_app_exceptions=False),
                event_hooks={"response": [witness.look]},
                base_url="http://caseload.test",
            ) as http,
        ):
            yield Stage(application, http, tuple(ProgrammeId(UUID(each)) for each in ids["programme"]), ids, acts)
            faults = await faults_in_log(witness.outside, service)
            assert not faults, "\n".join(faults)


@pytest.fixture(scope="module")
def portal() -> Iterator[BlockingPortal]:
    """A loop in a thread of its own: what generates requests is not made for one."""
    with start_blocking_portal("asyncio", {"use_uvloop": True}) as opened:
        yield opened


@pytest.fixture(scope="module")
def stage(
    portal: BlockingPortal, stage_database: Addresses, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    with portal.wrap_async_context_manager(set_up(stage_database, tmp_path_factory.mktemp("stage"))) as made:
        yield made


def with_real_ids(data: st.DataObject, value: Any, stage: Stage, name: str = "") -> Any:
    """The same value, with some of its ids exchanged for those of records that are there, and the password known."""
    if isinstance(value, dict):
        return {key: with_real_ids(data, each, stage, key) for key, each in value.items()}
    if isinstance(value, list):
        return [with_real_ids(data, each, stage, name) for each in value]
    if name == "password" and data.draw(st.booleans(), label="the right one"):
        return PASSWORD
    if isinstance(value, str) and AN_ID.fullmatch(value) and data.draw(st.booleans(), label="a real one"):
        return data.draw(st.sampled_from(stage.known(name)), label=name)
    return value


Place: TypeAlias = tuple[str | int, ...]


def places(value: Any, place: Place = ()) -> Iterator[Place]:
    """Every place in some JSON, the whole among them."""
    yield place
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield from places(each, (*place, key))


def exchanged(value: Any, place: Place, other: Any) -> Any:
    """The same JSON with something else in one place."""
    if not place:
        return other
    copied: Any = dict(value) if isinstance(value, dict) else list(value)
    copied[place[0]] = exchanged(copied[place[0]], place[1:], other)
    return copied


@functools.cache
def cases(name: str, mode: GenerationMode) -> st.SearchStrategy[schemathesis.Case]:
    """Made once: the same strategy for every example."""
    return OPERATIONS[name].as_strategy(generation_mode=mode)


async def send(stage: Stage, case: schemathesis.Case, role: Role) -> httpx.Response:
    name = f"{case.method} {case.path}"
    token = await stage.token(role, fresh=name in WITH_ITS_OWN_PERSON)
    asked = case.as_transport_kwargs(base_url="http://caseload.test")
    headers = {
        # What httpx could not send at all is not for us to refuse.
        name: value
        for name, value in asked["headers"].items()
        if name.isascii()
        and str(value).isascii()
        and name.lower() not in {"authorization", "x-schemathesis-testcaseid"}
    }
    headers["Authorization"] = f"Bearer {token}"
    content = asked.get("data")
    if "json" in asked:
        # Encoded here: httpx takes a body that is null for none.
        content = json.dumps(asked["json"]).encode()
        headers.setdefault("Content-Type", "application/json")
    return await stage.http.request(
        asked["method"], asked["url"], params=asked.get("params"), headers=headers, content=content
    )


as_often_as_asked = given_settings(
    max_examples=EXAMPLES,
    # A run of `make test` says the same each time; `make soak` looks for what is new.
    derandomize=EXAMPLES < 10,
    database=None,
    # What fails is shown as a request to repeat; making it smaller takes longer than reading it.
    phases=[Phase.generate],
    suppress_health_check=UNTROUBLED,
)


@pytest.mark.parametrize(("name", "mode"), CASES)
@as_often_as_asked
@given(data=st.data())
def test_every_answer_is_as_described(
    portal: BlockingPortal, stage: Stage, name: str, mode: GenerationMode, data: st.DataObject
) -> None:
    case = data.draw(cases(name, mode))
    if mode is GenerationMode.POSITIVE:
        case.path_parameters = with_real_ids(data, dict(case.path_parameters or {}), stage)
        case.query = with_real_ids(data, dict(case.query or {}), stage)
        if isinstance(case.body, dict | list):
            case.body = with_real_ids(data, case.body, stage)
    role = data.draw(st.sampled_from(stage.roles(name)), label="who")

    answer = portal.call(send, stage, case, role)

    case.validate_response(answer, checks=AS_DESCRIBED)


@pytest.mark.parametrize("name", [name for name, example in EXAMPLE_OF.items() if any(example.values())])
@as_often_as_asked
@given(data=st.data())
def test_no_value_in_any_place_breaks_a_request_that_is_right_otherwise(
    portal: BlockingPortal, stage: Stage, name: str, data: st.DataObject
) -> None:  # fmt: skip
    has_body = EXAMPLE_OF[name]["body"] is not None
    right = with_real_ids(data, EXAMPLE_OF[name], stage)
    in_body = [place for place in places(right) if place[:1] == ("body",) and has_body]
    elsewhere = [place for place in places(right) if len(place) == 2 and place[:1] in {("query",), ("header",)}]
    if (in_body or elsewhere) and data.draw(st.integers(0, 9), label="one is wrong"):
        place = data.draw(st.sampled_from(in_body + elsewhere), label="where")
        what = data.draw(st.sampled_from(HOSTILE if place in in_body else SENDABLE), label="what")
        right = exchanged(right, place, what)
    case = OPERATIONS[name].Case(path_parameters=right["path"], query=right["query"], headers=right["header"])
    if has_body:
        case.body, case.media_type = right["body"], "application/json"

    answer = portal.call(send, stage, case, data.draw(st.sampled_from(stage.roles(name)), label="who"))

    case.validate_response(answer, checks=[each for each in AS_DESCRIBED if each is not checks.negative_data_rejection])
