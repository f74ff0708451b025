"""Problems in the description of the API: what each status means here, with an example."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from litestar.openapi.datastructures import ResponseSpec

from caseload.api.problems.document import PROBLEM_JSON, Problem, title_of, type_of
from caseload.api.wire import FieldProblem
from caseload.domain.errors import Invalid

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


def documented(*statuses: int) -> dict[int, ResponseSpec]:
    """The problems a route may answer with, for the API description."""
    return {
        status: ResponseSpec(
            data_container=Problem, media_type=PROBLEM_JSON, description=MEANING[status], generate_examples=False
        )
        for status in statuses
    }


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
