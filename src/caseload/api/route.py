"""How a route is declared: what it is called, which act it is, what it may answer. Nothing is reachable undeclared."""

import functools
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final, TypeAlias, cast
from urllib.parse import parse_qsl
from uuid import UUID

import msgspec
from litestar import Request, delete, get, post, put
from litestar.connection import ASGIConnection
from litestar.handlers import HTTPRouteHandler
from litestar.handlers.base import BaseRouteHandler
from litestar.openapi.spec import Operation
from litestar.params import QueryParameter
from litestar.typing import FieldDefinition

from caseload.api.body import MOST_FAULTS, Unreadable
from caseload.api.closed import require_open
from caseload.api.pages import PLACE_IN_LIST
from caseload.api.problems import BodyTooLarge, BodyTooSlow, NotJson, documented
from caseload.audit.canonical import LARGEST_INTEGER
from caseload.audit.trail import Op, Purpose
from caseload.db.people.roles import Roles
from caseload.domain.access import Act
from caseload.domain.errors import Fault, Invalid, NotPermitted, NotSignedIn
from caseload.domain.ids import ClientId
from caseload.domain.people import why_not
from caseload.request.gate import work_of
from caseload.request.identity import identify
from caseload.request.intake import BODY, FAULT, BodyFault

ALWAYS: Final = (400, 401, 403, 422, 503)
"""What every route that needs somebody signed in may answer."""

LONGEST_ASKED: Final = 100
SESSION_COOKIE: Final = "__Host-caseload"

Declared = Callable[[Callable[..., Any]], HTTPRouteHandler]
AnyConnection: TypeAlias = ASGIConnection[Any, Any, Any, Any]


_PLAIN_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
_OP: Final = {"POST": Op.CREATE, "PUT": Op.UPDATE, "PATCH": Op.UPDATE, "DELETE": Op.DELETE}

_PURPOSE: Final = {
    Act.SEE_AUDIT_LOG: Purpose.COMPLIANCE,
    Act.EXPORT_AUDIT_LOG: Purpose.COMPLIANCE,
    Act.REVIEW_ACCESS: Purpose.COMPLIANCE,
    Act.REPORT_ACCESS: Purpose.PATIENT_REQUEST,
    Act.ACCOUNT_DISCLOSURES: Purpose.PATIENT_REQUEST,
    Act.TAKE_RIGHTS_REQUEST: Purpose.PATIENT_REQUEST,
    Act.SEE_RIGHTS_REQUESTS: Purpose.COMPLIANCE,
    Act.ANSWER_RIGHTS_REQUEST: Purpose.PATIENT_REQUEST,
    Act.SEE_NOTICES: Purpose.OPERATIONS,
    Act.GIVE_NOTICE: Purpose.OPERATIONS,
    Act.KEEP_NOTICES: Purpose.ADMINISTRATION,
    Act.PROPOSE_ERASURE: Purpose.COMPLIANCE,
    Act.CONFIRM_ERASURE: Purpose.COMPLIANCE,
    Act.SEE_DISPENSING_LOG: Purpose.COMPLIANCE,
    Act.SEE_STOCK: Purpose.COMPLIANCE,
    Act.KEEP_STOCK: Purpose.OPERATIONS,
    Act.RECEIVE_STOCK: Purpose.OPERATIONS,
    Act.POUR_STOCK: Purpose.OPERATIONS,
    Act.WASTE_STOCK: Purpose.OPERATIONS,
    Act.WITNESS_STOCK: Purpose.OPERATIONS,
    Act.COUNT_STOCK: Purpose.OPERATIONS,
    Act.SEE_STAFF: Purpose.ADMINISTRATION,
    Act.MANAGE_STAFF: Purpose.ADMINISTRATION,
    Act.CONFIRM_ROLE: Purpose.ADMINISTRATION,
    Act.CONFIRM_IDENTITY: Purpose.ADMINISTRATION,
    Act.PLAN_DUTY: Purpose.ADMINISTRATION,
    Act.KNOW_MYSELF: Purpose.ADMINISTRATION,
    Act.LIFT_LOCKOUT: Purpose.ADMINISTRATION,
    Act.MANAGE_PROGRAMMES: Purpose.ADMINISTRATION,
    Act.KEEP_CALENDAR: Purpose.ADMINISTRATION,
    Act.KEEP_CHECK_IN_RULES: Purpose.ADMINISTRATION,
    Act.MATCH_RECORDS: Purpose.OPERATIONS,
    Act.LINK_RELATIVES: Purpose.COMPLIANCE,
    Act.RESTRICT_CLIENT: Purpose.COMPLIANCE,
    Act.SEE_OBLIGATIONS: Purpose.OPERATIONS,
    Act.PROPOSE_MERGE: Purpose.OPERATIONS,
    Act.CONFIRM_MERGE: Purpose.OPERATIONS,
    Act.BREAK_GLASS: Purpose.BREAK_GLASS,
    Act.RELEASE_IN_EMERGENCY: Purpose.EMERGENCY,
    Act.SEE_GLASS: Purpose.COMPLIANCE,
    Act.REVIEW_GLASS: Purpose.COMPLIANCE,
}
"""Why an act is done, where it is not for treatment (HL7 v3 PurposeOfUse)."""


def event_of(name: str) -> str:
    """What the entry of a route is called: `read_client` is `client.read`."""
    verb, _, noun = name.partition("_")
    return f"{noun}.{verb}"


def reading(
    path: str,
    *,
    act: Act,
    name: str,
    problems: tuple[int, ...] = (404,),
    unaudited: str = "",
    operation_class: type[Operation] = Operation,
) -> Declared:
    """A route that shows something. `unaudited` gives the reason why a success leaves no entry."""
    return get(
        path,
        operation_id=name,
        operation_class=operation_class,
        responses=documented(*ALWAYS, *problems),
        opt={"act": act, "writes": False, "event": event_of(name), "unaudited": unaudited},
    )


def searching(
    path: str,
    *,
    act: Act,
    name: str,
    problems: tuple[int, ...] = (),
    operation_class: type[Operation] = Operation,
) -> Declared:
    """A read that is asked by POST, so that what is looked for never stands in a URL."""
    return post(
        path,
        operation_id=name,
        status_code=200,
        operation_class=operation_class,
        responses=documented(*ALWAYS, 408, 409, 413, 415, *problems),
        opt={"act": act, "writes": False, "event": event_of(name), "unaudited": ""},
    )


def writing(
    path: str, *, act: Act, name: str, status: int = 201, problems: tuple[int, ...] = (404,), method: str = "POST"
) -> Declared:
    """A route that changes something."""
    make = {"POST": post, "PUT": put, "DELETE": delete}[method]
    return make(
        path,
        operation_id=name,
        status_code=status,
        responses=documented(*ALWAYS, 408, 409, 413, 415, *problems),
        opt={"act": act, "writes": True, "event": event_of(name), "unaudited": ""},
    )


def public(handler: Callable[..., Any], path: str, *, name: str, why: str, **options: Any) -> Declared:
    """A route that needs nobody signed in; `why` says so in the test that lists them."""
    return handler(
        path, operation_id=name, opt={"public": why, "event": event_of(name), **options.pop("opt", {})}, **options
    )


async def let_in(request: Request[Any, Any, Any]) -> None:
    """What comes before every handler: the guard, then a look at whether what was sent can be read.

    Not one of Litestar's own guards, each of which is given a copy of its handler, made anew for every request.
    """
    await admitted(request)
    await acceptable(request)


async def admitted(request: Request[Any, Any, Any]) -> None:
    """The one guard: somebody is signed in, and a role they hold allows the act of this route.

    Raises `NotSignedIn` or `NotPermitted`. Routes that are public open nothing.
    """
    handler = request.route_handler
    scope = cast("Mapping[str, Any]", request.scope)
    work = work_of(scope)
    if "public" in handler.opt or scope["method"] == "OPTIONS":
        return
    act: Act = handler.opt["act"]
    method: str = scope["method"]
    work.writes = handler.opt["writes"]
    work.audited = not handler.opt["unaudited"]
    said = work.circumstances
    said.route = f"{method} {scope.get('path_template', '')}"
    said.event = handler.opt["event"]
    said.op = _OP.get(method, Op.READ) if work.writes else Op.READ
    said.act = act
    said.purpose = _PURPOSE.get(act, Purpose.TREATMENT)
    asked: Mapping[str, object] = scope.get("path_params", {})
    client = asked.get("client_id")
    said.client = ClientId(client) if isinstance(client, UUID) else None
    said.asked = {name: _plain(str(value)) for name, value in asked.items() if name != "client_id"}
    door = work.service.door
    work.staff = await identify(
        door.sessions, work.open, _token(request), work.now, rules=door.rules.sessions, uses=door.uses
    )
    if not work.staff.may(act):
        raise why_not(act, await Roles(await work.open()).registrations_of(work.staff.id), now=work.now)
    if work.writes and said.client is not None:
        await require_open(work, handler, said.client, act)


def _plain(value: str) -> str:
    """What was asked for as the log can hold it: nothing that we hand out has a path that is long or not ASCII."""
    return value if value.isascii() and value.isprintable() and len(value) <= LONGEST_ASKED else "unusual"


def _token(connection: AnyConnection) -> str:
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        return token
    cookie = connection.cookies.get(SESSION_COOKIE)
    if cookie is None:
        raise NotSignedIn("Sign in at POST /api/v1/sign-in and send the token as Authorization: Bearer.")
    if cast("Mapping[str, Any]", connection.scope)["method"] not in {"GET", "HEAD"} and not same_origin(connection):
        raise NotPermitted("A request from another site cannot act with your session.")
    return cookie


def same_origin(connection: AnyConnection) -> bool:
    """Whether the browser says that the request comes from our own pages.

    By `Sec-Fetch-Site` (W3C Fetch Metadata); browsers that do not send it send `Origin` (RFC 6454, section 7) with
    every unsafe request, and it must name the host that was asked. Neither can be set by a script.
    """
    site = connection.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = connection.headers.get("origin", "")
    host = connection.headers.get("host", "")
    return bool(host) and origin in {f"https://{host}", f"http://{host}"}


async def acceptable(request: Request[Any, Any, Any]) -> None:
    """Refuse what cannot be read or stored before anything is done with it; the body itself is read by its shape."""
    scope = cast("Mapping[str, Any]", request.scope)
    query: bytes = scope["query_string"]
    if query:
        given = _checked_query(query, request.route_handler)
        work_of(scope).circumstances.filter = _narrowed_to(given, request.route_handler) or None
    if request.scope["method"] not in {"POST", "PUT", "PATCH", "DELETE"}:
        return
    match scope.get(FAULT):
        case BodyFault.TOO_LARGE:
            raise BodyTooLarge
        case BodyFault.TOO_SLOW:
            raise BodyTooSlow
        case BodyFault.BAD_LENGTH:
            raise Unreadable("the header Content-Length is not a number")
        case _:
            _check_body(request, scope[BODY])


def _check_body(request: Request[Any, Any, Any], body: bytes) -> None:
    if body:
        kind, options = request.content_type
        if kind != "application/json" or options.get("charset", "utf-8").lower() != "utf-8":
            raise NotJson
    elif (wanted := request.route_handler.parsed_data_field) is not None and not wanted.is_optional:
        raise Invalid("a JSON body is missing")


def _checked_query(query: bytes, handler: BaseRouteHandler) -> list[tuple[str, str]]:
    """A parameter nobody asked for is refused: a misspelt filter that is ignored shows the wrong people."""
    try:
        given = parse_qsl(query.decode(), keep_blank_values=True, strict_parsing=False, errors="strict")
    except ValueError:
        raise Unreadable("the query must be UTF-8, percent-encoded") from None
    known = _query_parameters(handler)
    faults: dict[str, str] = {}
    seen: set[str] = set()
    for name, value in given:
        if name not in known:
            faults["*" if not _PLAIN_NAME.fullmatch(name) else name] = "is not a parameter of this request"
        elif name in seen and not known[name].is_non_string_sequence:
            faults[name] = "was given twice"
        elif "\x00" in value:
            faults[name] = "holds a NUL character"
        seen.add(name)
    if faults:
        raise Invalid([Fault(name, problem) for name, problem in list(faults.items())[:MOST_FAULTS]])
    return given


def _narrowed_to(given: list[tuple[str, str]], handler: BaseRouteHandler) -> dict[str, str | int]:
    """What was asked for, as the entry says it: identifiers, days and codes, read as the handler reads them.

    Text may be anything, so a route that narrows by text says itself what of it may stand in the log. The place in
    the list is left out: the entry names whom the page showed. What cannot be read is refused further on.
    """
    known = _query_parameters(handler)
    found: dict[str, str | int] = {}
    for name, value in given:
        with suppress(msgspec.ValidationError):
            read = msgspec.convert(value, known[name].annotation, strict=False)
            if name not in PLACE_IN_LIST and read is not None and type(read) is not str and not _is_absurd(read):
                found[name] = msgspec.to_builtins(read)
    return found


def _is_absurd(read: object) -> bool:
    """A number that the log cannot spell, which no route takes."""
    return isinstance(read, int) and abs(read) > LARGEST_INTEGER


@functools.lru_cache(maxsize=1024)
def _query_parameters(handler: BaseRouteHandler) -> Mapping[str, FieldDefinition]:
    """The query parameters that a route knows, by the names they have in the query."""
    return {
        declared.kwarg_definition.name or variable: declared
        for variable, declared in handler.parsed_fn_signature.parameters.items()
        if isinstance(declared.kwarg_definition, QueryParameter)
    }
