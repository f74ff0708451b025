"""What a request may bring, and how long it may take to bring it.

The body is read here, whole and within limits, before a connection to the database is taken: somebody who sends one
byte a minute holds a few kilobytes of ours and nothing else. A body that is too large or too slow is not read to its
end. Who sent it is not known yet, so the fault is left in the scope, and raised once the sender has been identified:
a refusal of somebody known leaves its entry like any other.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from caseload.request.asgi import Message, Receive, Scope
from caseload.request.refusal import ADDRESS_TOO_LONG, HEADERS_TOO_LARGE, Refusal

BODY: Final = "caseload.body"
"""Where the body of a request stands in its scope: all of it, or nothing when it was not accepted."""
FAULT: Final = "caseload.fault"
"""Where it stands that the body was not accepted."""

BODILESS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class BodyFault(StrEnum):
    """Why a body was not read to its end."""

    TOO_LARGE = "too_large"
    TOO_SLOW = "too_slow"
    BAD_LENGTH = "bad_length"
    """Its announced length is not a number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much and how long."""

    body_bytes: int = 1_000_000
    """The largest body we ask for, a register of 200 people, has a tenth of it."""
    body_seconds: float = 10.0
    """How long a body may take to arrive."""
    handling_seconds: float = 20.0
    """How long an answer may take to be made, its streaming apart."""
    header_bytes: int = 32_768
    """All headers together. Cookies and tokens of ours take less than 1 kB."""
    address_bytes: int = 8_192
    """Path and query together."""


class Gone(Exception):
    """The caller went away before the request was complete: nothing was asked, so nothing is answered."""


def refused_at_sight(scope: Scope, limits: Limits) -> Refusal | None:
    """Why a request is not looked at any further, by the size of what stands before its body."""
    if len(scope.get("raw_path") or scope["path"]) + len(scope["query_string"]) > limits.address_bytes:
        return ADDRESS_TOO_LONG
    if _size(scope["headers"]) > limits.header_bytes:
        return HEADERS_TOO_LARGE
    return None


async def take_in(scope: Scope, receive: Receive, limits: Limits) -> Receive:
    """Read the body into the scope, and return what the application reads it from again. Raises `Gone`."""
    scope[BODY] = b""
    if scope["method"] in BODILESS:
        return receive
    announced = _announced(scope["headers"])
    if announced is not None and not announced.isdigit():
        return _faulty(scope, BodyFault.BAD_LENGTH)
    if announced is not None and (len(announced) > 12 or int(announced) > limits.body_bytes):
        return _faulty(scope, BodyFault.TOO_LARGE)
    try:
        body = await _read(receive, limits)
    except TimeoutError:
        return _faulty(scope, BodyFault.TOO_SLOW)
    if body is None:
        return _faulty(scope, BodyFault.TOO_LARGE)
    scope[BODY] = body
    return _replay(body, receive)


async def _read(receive: Receive, limits: Limits) -> bytes | None:
    """The whole body, or None as soon as it is larger than it may be."""
    parts: list[bytes] = []
    size = 0
    async with asyncio.timeout(limits.body_seconds):
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Gone
            part: bytes = message.get("body", b"")
            size += len(part)
            if size > limits.body_bytes:
                return None
            parts.append(part)
            if not message.get("more_body", False):
                return parts[0] if len(parts) == 1 else b"".join(parts)


def _faulty(scope: Scope, fault: BodyFault) -> Receive:
    scope[FAULT] = fault
    return _replay(b"", _nothing_more)


def _replay(body: bytes, receive: Receive) -> Receive:
    """Gives the body once, in one piece, and then whatever else the caller has to say."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


async def _nothing_more() -> Message:
    return {"type": "http.disconnect"}


def _announced(headers: Iterable[tuple[bytes, bytes]]) -> bytes | None:
    return next((value.strip() for name, value in headers if name.lower() == b"content-length"), None)


def _size(headers: Iterable[tuple[bytes, bytes]]) -> int:
    return sum(len(name) + len(value) for name, value in headers)
