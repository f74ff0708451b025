"""Every answer that is not a success: to a refusal, to an error of Litestar's, and to a failure."""

import re
from collections.abc import Mapping
from typing import Any, Final, cast

import msgspec
import structlog
from litestar import Request, Response
from litestar.datastructures import State
from litestar.exceptions import HTTPException, ValidationException

from caseload.api.problems.document import PROBLEM_JSON, Problem, title_of, type_of
from caseload.api.problems.statuses import status_of
from caseload.api.wire import FieldProblem, said_safely
from caseload.db.failures import Failure, failure_of
from caseload.domain.errors import CaseloadError, Invalid, TooManyAttempts
from caseload.request.gate import WORK

_log = structlog.get_logger()

AnyRequest = Request[Any, Any, State]


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
