"""The smallest application that the service can be tried with: it says who answers and holds a connection open."""

import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import asyncpg

from caseload.request.source import source_of
from caseload.settings import load

Message = MutableMapping[str, Any]


def create_app() -> Callable[..., Awaitable[None]]:
    """The application factory, as `caseload.app` has one."""
    return answer


async def answer(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    """Answer with the worker's process id and the database's user; or with the names of its addresses, or who calls."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
        return
    connection = await asyncpg.connect(os.environ["CASELOAD_DATABASE_URL"])
    try:
        seconds = 1.0 if scope["path"] == "/slow" else 0.0
        user = await connection.fetchval("select current_user::text || pg_sleep($1)::text", seconds)
    finally:
        await connection.close()
    body = f"{os.getpid()} {user}".encode()
    if scope["path"] == "/caller":
        body = source_of(scope, load()).encode()
    if scope["path"] == "/variables":
        body = " ".join(name for name in os.environ if name.endswith("_URL")).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": body})


async def _lifespan(receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]) -> None:
    while True:
        message = await receive()
        await send({"type": message["type"] + ".complete"})
        if message["type"] == "lifespan.shutdown":
            return
