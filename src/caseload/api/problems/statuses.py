"""The one table from a kind of refusal to a status, and the kinds that only HTTP knows."""

from collections.abc import Mapping
from typing import Final

from caseload.api.body import Unreadable
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
