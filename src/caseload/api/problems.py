"""RFC 9457 everywhere: the one table from a kind of refusal to a status, and every answer that is not a success.

A problem never holds client data. It has a stable `type`, says what to do next, and for invalid input names every
field at once. The same shape answers for Litestar's own errors, for the database's and for our mistakes.
"""

import re
from collections.abc import Mapping
from typing import Any, Final, cast

import msgspec
import structlog
from litestar import Request, Response
from litestar.datastructures import State
from litestar.exceptions import HTTPException, ValidationException
from litestar.openapi.datastructures import ResponseSpec

from caseload.api.body import Unreadable
from caseload.api.wire import FieldProblem, said_safely
from caseload.db.failures import Failure, failure_of
from caseload.domain.errors import (
    CaseloadError,
    Conflict,
    Fault,
    Invalid,
    NotFound,
    NotPermitted,
    NotSignedIn,
    TooManyAttempts,
)
from caseload.request.gate import WORK

PROBLEM_JSON: Final = "application/problem+json"

_log = structlog.get_logger()

AnyRequest = Request[Any, Any, State]


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A problem document (RFC 9457, section 3)."""

    type: str
    title: str
    status: int
    detail: str = ""
    request: str = ""
    """Id of the request; the operator finds it in the log, the auditor in the audit log."""
    errors: list[FieldProblem] = []
    facts: dict[str, Any] = {}
    """What the refusal rests on: rules, days, ids and amounts."""


class NotJson(Invalid):
    """The body must be JSON."""

    def __init__(self) -> None:
        super().__init__("send the header Content-Type: application/json")


class BodyTooLarge(Invalid):
    """The body of the request is too large."""

    def __init__(self) -> None:
        super().__init__("send less at once")


class BodyTooSlow(Invalid):
    """The body of the request took too long to arrive."""

    def __init__(self) -> None:
        super().__init__("send it again over a better connection; nothing was kept")


class VersionMissing(Invalid):
    """Name the version you saw."""

    def __init__(self) -> None:
        super().__init__(Fault("If-Match", "send the ETag of the version you saw"))


class VersionStale(Conflict):
    """The record has a newer version than the one you named."""

    def __init__(self) -> None:
        super().__init__("Read it again and decide whether your change still holds.")


STATUS: Final[Mapping[type[CaseloadError], int]] = {
    NotSignedIn: 401,
    NotPermitted: 403,
    NotFound: 404,
    Conflict: 409,
    Invalid: 422,
    TooManyAttempts: 429,
    Unreadable: 400,
    BodyTooSlow: 408,
    BodyTooLarge: 413,
    NotJson: 415,
    VersionMissing: 428,
    VersionStale: 412,
}
"""From a kind of refusal to a status; a feature's error has the status of its kind."""


def status_of(kind: type[CaseloadError]) -> int:
    """The status of an error by its nearest kind."""
    return next((STATUS[base] for base in kind.__mro__ if base in STATUS), 500)


def type_of(name: str) -> str:
    """The stable `type` of a problem: `DoseAlreadyGiven` is `urn:caseload:problem:dose-already-given`."""
    return "urn:caseload:problem:" + re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()


def documented(*statuses: int) -> dict[int, ResponseSpec]:
    """The problems a route may answer with, for the API description."""
    return {
        status: ResponseSpec(
            data_container=Problem, media_type=PROBLEM_JSON, description=MEANING[status], generate_examples=False
        )
        for status in statuses
    }


MEANING: Final[Mapping[int, str]] = {
    400: "The request could not be read.",
    401: "Nobody is signed in, or the session has ended.",
    403: "Your role does not allow this.",
    404: "There is no such record within your reach.",
    405: "This resource does not know that method.",
    408: "The body of the request took too long to arrive; nothing was kept.",
    409: "The record has moved on, or a rule of the record stands against it; the detail names it.",
    412: "The record has a newer version than the one you named.",
    413: "The request is too large.",
    414: "The address of the request is too long.",
    415: "The body must be JSON.",
    422: "Some of what was sent cannot be accepted; every field is named.",
    428: "Name the version you saw in If-Match.",
    429: "Too many attempts; wait as long as Retry-After says.",
    431: "The headers of the request are too large.",
    500: "The service made a mistake; nothing was kept.",
    503: "The database or the audit log cannot be reached; nothing was kept and nothing is shown.",
}
"""What a status means here, for the description of the API."""


def example_problem(status: int) -> dict[str, Any]:
    """A problem of this status as a caller would get it, for the description of the API."""
    request = "01a20274-3aa5-72f1-9166-cfbc258cf3c3"
    if status == 422:
        fault = FieldProblem(field="identity.birth_date", problem="must lie between 1880-01-01 and today")
        shown = Problem(type=type_of("Invalid"), title=title_of(Invalid), status=422, request=request, errors=[fault])
    else:
        name, title, detail = _SHOWN.get(status, ("Problem", MEANING[status], ""))
        shown = Problem(type=type_of(name), title=title, status=status, detail=detail, request=request)
    return msgspec.to_builtins(shown)


_SHOWN: Final[Mapping[int, tuple[str, str, str]]] = {
    400: ("Unreadable", "The request could not be read.", "the body is not JSON: line 1, column 17"),
    401: ("NotSignedIn", "Sign in first.", "Sign in at POST /api/v1/sign-in and send the token."),
    403: ("NotPermitted", "Your role does not allow this.", "None of your roles may record dose."),
    404: ("ClientUnknown", "No such client within your reach.", ""),
    408: ("BodyTooSlow", "The body of the request took too long to arrive.", "send it again"),
    409: ("Conflict", "The record has moved on.", "Read it again and decide whether your change still holds."),
    412: ("VersionStale", "The record has a newer version than the one you named.", "Read it again."),
    413: ("BodyTooLarge", "The body of the request is too large.", "send less at once"),
    414: ("AddressTooLong", "The address of the request is too long.", "Ask for less at once."),
    415: ("NotJson", "The body must be JSON.", "send the header Content-Type: application/json"),
    428: ("VersionMissing", "Name the version you saw.", "If-Match: send the ETag of the version you saw"),
    429: ("WaitBeforeSigningIn", "Too many attempts. Wait before the next one.", "Try again in 30 seconds."),
    431: ("HeadersTooLarge", "The headers of the request are too large.", "Send fewer or shorter headers and cookies."),
    503: ("Unavailable", "The service cannot reach its database.", "Nothing was kept. Try again in a few seconds."),
}


def title_of(kind: type[CaseloadError]) -> str:
    """The title of a refusal: the first line of its docstring."""
    return (kind.__doc__ or "").strip().split("\n")[0]


def answer(request: AnyRequest, problem: Problem, headers: Mapping[str, str] | None = None) -> Response[Problem]:
    """A problem as a response."""
    circumstances = getattr(cast("Mapping[str, object]", request.scope).get(WORK), "circumstances", None)
    if circumstances is not None:
        problem = msgspec.structs.replace(problem, request=str(circumstances.request))
    return Response(
        problem,
        status_code=problem.status,
        media_type=PROBLEM_JSON,
        headers={"cache-control": "no-store", **(headers or {})},
    )


def refused(request: AnyRequest, error: CaseloadError) -> Response[Problem]:
    """One of the domain's refusals."""
    status = status_of(type(error))
    errors = (
        [FieldProblem(field=f.field, problem=f.problem) for f in error.faults] if isinstance(error, Invalid) else []
    )
    headers: dict[str, str] = {}
    if status == 401:
        headers["www-authenticate"] = 'Bearer realm="caseload"'
    if isinstance(error, TooManyAttempts):
        headers["retry-after"] = str(error.retry_after_s)
    return answer(
        request,
        Problem(
            type=type_of(type(error).__name__),
            title=title_of(type(error)),
            status=status,
            detail="" if errors else error.detail,
            errors=errors,
            facts=dict(error.facts),
        ),
        headers,
    )


def by_http(request: AnyRequest, error: HTTPException) -> Response[Problem]:
    """One of Litestar's own errors. None of its texts is passed on: they quote addresses and values.

    Litestar calls its exception handlers without awaiting them, so this one may not be a coroutine.
    """
    if error.status_code >= 500:
        return broken(request, error)
    if isinstance(error, ValidationException):
        faults = _parameter_faults(request, error)
        return answer(request, Problem(type=type_of("Invalid"), title=title_of(Invalid), status=422, errors=faults))
    name, title = _OF_THE_ROUTER.get(error.status_code, ("http", "The request could not be carried out."))
    headers: dict[str, str] = {}
    if allowed := (error.headers or {}).get("allow"):
        headers["allow"] = ", ".join(sorted(allowed.split(", ")))
    return answer(request, Problem(type=type_of(name), title=title, status=error.status_code), headers)


_OF_THE_ROUTER: Final = {
    400: ("Unreadable", "The request could not be read."),
    404: ("NoSuchAddress", "There is nothing at this address."),
    405: ("MethodNotAllowed", "This resource does not know that method."),
    413: ("BodyTooLarge", "The body of the request is too large."),
}
_MISSING: Final = re.compile(r"Missing required \w+ parameter '(?P<name>[\w-]+)' ")


def _parameter_faults(request: AnyRequest, error: ValidationException) -> list[FieldProblem]:
    """What is wrong with the parameters of the path, the query and the headers: all of it, quoting nothing."""
    if missing := _MISSING.match(error.detail):
        return [FieldProblem(field=missing["name"], problem="is missing")]
    handler = cast("Mapping[str, Any]", request.scope).get("route_handler")
    told = cast("list[Mapping[str, Any]]", error.extra) if isinstance(error.extra, list) else []
    return [_parameter_fault(handler, str(each.get("key", "")), str(each.get("message", ""))) for each in told] or [
        FieldProblem(field="", problem="cannot be accepted")
    ]


def _parameter_fault(handler: Any, name: str, message: str) -> FieldProblem:
    field = getattr(handler, "parsed_fn_signature", None)
    declared = None if field is None else field.parameters.get(name)
    known = getattr(getattr(declared, "kwarg_definition", None), "name", None) or _HEADERS.get(name, name)
    return FieldProblem(field=known, problem=said_safely(message, getattr(declared, "annotation", None)))


_HEADERS: Final = {"idempotency_key": "Idempotency-Key", "if_match": "If-Match"}
"""Parameters that belong to what a handler is given, and not to the handler itself."""


def broken(request: AnyRequest, error: Exception) -> Response[Problem]:
    """A failure: of the database when it is one, else a mistake of ours. Its text stays out of answer and log."""
    match failure_of(error):
        case Failure.UNAVAILABLE:
            _log.warning("database unavailable", error=type(error).__name__)
            return answer(
                request,
                Problem(
                    type=type_of("Unavailable"),
                    title="The service cannot reach its database.",
                    status=503,
                    detail="Nothing was kept and nothing was shown. Try again in a few seconds.",
                ),
                {"retry-after": "5"},
            )
        case Failure.BUSY:
            return answer(
                request,
                Problem(
                    type=type_of("TwinInFlight"),
                    title="Somebody else is working on the same record right now.",
                    status=409,
                    detail="Nothing was kept. Send it again, with the same Idempotency-Key if it has one.",
                ),
            )
        case Failure.UNSTORABLE:
            return answer(
                request,
                Problem(
                    type=type_of("Invalid"),
                    title="Some of what was sent cannot be accepted.",
                    status=422,
                    errors=[FieldProblem(field="", problem="holds a character or number that cannot be stored")],
                ),
            )
        case None:
            _log.exception("unexpected failure")
            return answer(
                request,
                Problem(
                    type=type_of("Unexpected"),
                    title="The service made a mistake.",
                    status=500,
                    detail="Nothing was kept. Tell the operator the request id.",
                ),
            )


HANDLERS: Final[dict[int | type[Exception], Any]] = {
    CaseloadError: refused,
    HTTPException: by_http,
    Exception: broken,
}
"""What `app` gives to Litestar."""
