"""RFC 9457 everywhere: the one table from a kind of refusal to a status, and every answer that is not a success.

A problem never holds client data. It has a stable `type`, says what to do next, and for invalid input names every
field at once. The same shape answers for Litestar's own errors, for the database's and for our mistakes.
"""

from caseload.api.problems.answers import HANDLERS, answer
from caseload.api.problems.described import MEANING, documented, example_problem
from caseload.api.problems.document import PROBLEM_JSON, Problem, title_of, type_of
from caseload.api.problems.statuses import BodyTooLarge, BodyTooSlow, NotJson, VersionMissing, VersionStale

__all__ = [
    "HANDLERS",
    "MEANING",
    "PROBLEM_JSON",
    "BodyTooLarge",
    "BodyTooSlow",
    "NotJson",
    "Problem",
    "VersionMissing",
    "VersionStale",
    "answer",
    "documented",
    "example_problem",
    "title_of",
    "type_of",
]
