"""The gate every answer passes: nothing leaves before its work is committed and its entry is durable.

A pure ASGI wrapper. The answer is already encoded when it starts, so a failure to encode undoes the work; when the
work or its entry cannot be made durable, 503 leaves in place of the answer, and nothing else.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Final, TypeAlias, cast

import structlog

from caseload.audit.trail import Circumstances, Outcome
from caseload.domain.ids import new_id
from caseload.request.work import Service, Work

Message: TypeAlias = MutableMapping[str, Any]
Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

WORK: Final = "caseload.work"
"""Where the piece of work of a request stands in its scope."""

_log = structlog.get_logger()

_UNRECORDED: Final = json.dumps({
    "type": "urn:caseload:problem:unavailable",
    "title": "The service cannot reach its database.",
    "status": 503,
    "detail": "Nothing was kept and nothing was shown. Try again in a few seconds; a retry with the same "
    "Idempotency-Key cannot do anything twice. If it lasts, work from the downtime sheet.",
}).encode()  # fmt: skip


def work_of(scope: Mapping[str, object]) -> Work:
    """The piece of work of this request."""
    return cast("Work", scope[WORK])


class Gate:
    """Wraps the application: opens a piece of work for each request and concludes it before the answer leaves."""

    def __init__(self, app: App, service: Callable[[], Service]) -> None:
        self._app = app
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Carry one request through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        passage = _Passage(self._begin(scope), send)
        try:
            await self._app(scope, receive, passage.send)
        except BaseException:
            await asyncio.shield(passage.work.abandon(Outcome.ABORTED))
            raise
        await asyncio.shield(passage.finish())

    def _begin(self, scope: Scope) -> Work:
        peer = scope.get("client")
        request_id = new_id()
        work = self._service().begin(Circumstances(request=request_id, source=str(peer[0]) if peer else ""))
        scope[WORK] = work
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request=str(request_id))
        return work


class _Passage:
    """The way of one answer through the gate."""

    def __init__(self, work: Work, send: Send) -> None:
        self.work = work
        self._send = send
        self._refused = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            await self._start(message)
        elif not self._refused:
            await self._send(message)

    async def _start(self, message: Message) -> None:
        try:
            await asyncio.shield(self._settle(int(message["status"])))
        except Exception as error:  # noqa: BLE001  whatever it was, nothing unaudited may leave
            _log.error("answer withheld", error=type(error).__name__)
            self._refused = True
            await self._refuse()
            return
        headers = list(message.get("headers", []))
        headers.append((b"request-id", str(self.work.circumstances.request).encode()))
        if self.work.entry is not None:
            headers.append((b"audit-entry", str(self.work.entry).encode()))
        await self._send({**message, "headers": headers})

    async def _settle(self, status: int) -> None:
        if status < 400:
            await self.work.conclude(status)
        else:
            await self.work.abandon(Outcome.REFUSED if status < 500 else Outcome.FAILED, status)

    async def _refuse(self) -> None:
        headers = [
            (b"content-type", b"application/problem+json"),
            (b"content-length", str(len(_UNRECORDED)).encode()),
            (b"retry-after", b"5"),
            (b"cache-control", b"no-store"),
        ]
        await self._send({"type": "http.response.start", "status": 503, "headers": headers})
        await self._send({"type": "http.response.body", "body": _UNRECORDED})
        await self.work.drop()

    async def finish(self) -> None:
        """After the application returned: whatever was not concluded is undone."""
        await self.work.drop()
