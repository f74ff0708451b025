"""The problem document (RFC 9457), with its stable type and its title."""

import re
from typing import Any, Final

import msgspec

from caseload.api.wire import FieldProblem
from caseload.domain.errors import CaseloadError

PROBLEM_JSON: Final = "application/problem+json"


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


def type_of(name: str) -> str:
    """The stable `type` of a problem: `DoseAlreadyGiven` is `urn:caseload:problem:dose-already-given`."""
    return "urn:caseload:problem:" + re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()


def title_of(kind: type[CaseloadError]) -> str:
    """The title of a refusal: the first line of its docstring."""
    return (kind.__doc__ or "").strip().split("\n")[0]
