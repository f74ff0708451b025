"""The smallest application that the service can be tried with: it says who answers and holds a connection open."""

import os
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import asyncpg

from caseload.request.source import source_of
from caseload.settings import load

Message = MutableMapping[str, Any]

FORKED, MADE = "at-its-fork", "at-its-application"
"""While a file of such a name is in the data folder, a worker that starts stays there; `STAYS` says that one does."""
STAYS = "stays"


def create_app() -> Callable[..., Awaitable[None]]:
    """The application factory, as `caseload.app` has one."""
    _stay_while(MADE)
    return answer


def _stay_while(there: str) -> None:
    folder = load().data_dir
    while (folder / there).exists():
        (folder / STAYS).touch()
        time.sleep(0.05)


os.register_at_fork(after_in_child=lambda: _stay_while(FORKED))


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
