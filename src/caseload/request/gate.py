"""The gate every answer passes: nothing leaves before its work is committed and its entry is durable.

A pure ASGI wrapper. The answer is already encoded when it starts, so a failure to encode undoes the work; when the
work or its entry cannot be made durable, a refusal leaves in place of the answer, and nothing else.

What settles a piece of work runs as a task of its own that no cancellation reaches: whether the caller hangs up, time
runs out or the server stops, a commit that has begun ends, its connection goes back to the pool and its entry exists.
`drain` waits for all of it.
"""

import asyncio
from base64 import b64encode
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from typing import Any, Final, cast
from uuid import UUID

import structlog

from caseload.audit.tlog.merkle import leaf_hash
from caseload.audit.trail import Circumstances, Outcome
from caseload.domain.ids import new_id
from caseload.request.asgi import App, Headers, Message, Receive, Scope, Send
from caseload.request.intake import Gone, Limits, refused_at_sight, take_in
from caseload.request.refusal import BROKEN, TOO_SLOW, UNAVAILABLE, Refusal
from caseload.request.source import source_of
from caseload.request.work import Service, Unsettled, Work

WORK: Final = "caseload.work"
"""Where the piece of work of a request stands in its scope."""
REQUEST: Final = "caseload.request"
"""Where the id of a request stands in its scope, when something outside the gate has made it."""

GLASS: Final = b"broken-glass"
"""In every answer to somebody who has broken a glass, for as long as it lasts: which one, and until when."""

USUAL_LIMITS: Final = Limits()

_log = structlog.get_logger()


class StreamBroke(Exception):
    """A body that had begun could not be ended: the server closes the connection, so that the caller notices."""


def work_of(scope: Mapping[str, object]) -> Work:
    """The piece of work of this request."""
    return cast("Work", scope[WORK])


class Gate:
    """Wraps the application: opens a piece of work for each request and settles it before the answer leaves."""

    def __init__(self, app: App, service: Callable[[], Service], limits: Limits = USUAL_LIMITS) -> None:
        self._app = app
        self._service = service
        self._limits = limits
        self._settling: set[asyncio.Task[None]] = set()
        self._passing = 0
        self._empty = asyncio.Event()
        self._empty.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Carry one request through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        self._passing += 1
        self._empty.clear()
        try:
            await self._carry(scope, receive, send)
        finally:
            self._passing -= 1
            if not self._passing:
                self._empty.set()

    async def drain(self) -> None:
        """Return when no request is under way and everything that was being settled is settled."""
        await self._empty.wait()
        while self._settling:
            await asyncio.wait(self._settling)

    async def _carry(self, scope: Scope, receive: Receive, send: Send) -> None:
        request: UUID = scope.setdefault(REQUEST, new_id())
        if (refusal := refused_at_sight(scope, self._limits)) is not None:
            await _say(send, refusal, request)
            return
        try:
            body = await take_in(scope, receive, self._limits)
        except Gone:
            return
        passage = _Passage(self._begin(scope, request), send, self._keep)
        try:
            async with asyncio.timeout(self._limits.handling_seconds) as clock:
                passage.clock = clock
                await self._app(scope, body, passage.send)
        except BaseException as error:  # noqa: BLE001  decided there: it is answered, or raised again
            await passage.stopped(error)
        if not passage.work.ended:
            await passage.settled(passage.work.drop())

    def _begin(self, scope: Scope, request: UUID) -> Work:
        service = self._service()
        work = service.begin(Circumstances(request=request, source=source_of(scope, service.settings)))
        scope[WORK] = work
        return work

    def _keep(self, task: asyncio.Task[None]) -> None:
        """Remember a task that settles work until it has ended: whoever began it may have gone."""
        self._settling.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._settling.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None and not isinstance(error, Unsettled):
            _log.error("settling failed", exc_info=error)


class _Passage:
    """The way of one answer through the gate."""

    __slots__ = ("_begun", "_keep", "_refused", "_send", "_settling", "clock", "work")

    def __init__(self, work: Work, send: Send, keep: Callable[[asyncio.Task[None]], None]) -> None:
        self.work = work
        self.clock: asyncio.Timeout | None = None
        self._send = send
        self._keep = keep
        self._settling: asyncio.Task[None] | None = None
        self._begun = False
        self._refused = False

    async def send(self, message: Message) -> None:
        """What the application calls: holds the start of the answer until the work is settled."""
        if message["type"] == "http.response.start":
            await self._start(message)
        elif not self._refused:
            await self._send(message)

    async def stopped(self, error: BaseException) -> None:
        """The application did not come to its end: by time, by cancellation, or in a way that it cannot answer."""
        if isinstance(error, TimeoutError) and self.clock is not None and self.clock.expired():
            await self.settled(self._answer_instead(TOO_SLOW))
        elif not isinstance(error, Exception):
            with suppress(Unsettled):
                await self.settled(self.work.abandon(Outcome.ABORTED))
            raise error
        elif self._begun:
            _log.error("answer broke off", exc_info=error)
            await self.settled(self.work.drop())
            raise StreamBroke from None
        else:
            _log.error("unexpected failure", exc_info=error)
            await self.settled(self._answer_instead(BROKEN))

    async def settled(self, doing: Coroutine[Any, Any, None]) -> None:
        """Run it to its end, also when whoever waits for it is cancelled; one after another for the same work."""
        before = self._settling
        task = asyncio.create_task(doing if before is None else _after(before, doing))
        self._settling = task
        self._keep(task)
        await asyncio.shield(task)

    async def _start(self, message: Message) -> None:
        """Settle the work, then let the answer begin; or put a refusal in its place."""
        if self.clock is not None:
            if self.clock.expired():
                raise TimeoutError
            # A commit has limits of its own, and a body takes as long as it takes.
            self.clock.reschedule(None)
        try:
            await self.settled(self._settle(int(message["status"])))
        except Unsettled as unsettled:
            self._refused = True
            await self.settled(self._answer_instead(unsettled.refusal))
            return
        self._begun = True
        await self._send({**message, "headers": [*message.get("headers", ()), *self._entry()]})

    def _entry(self) -> Headers:
        """Says which entry the work left, so that whoever asked can name it and later ask for its place in the log.

        The receipt is the entry's leaf hash: an entry that is in no signed tree a minute later has been taken out of
        the queue. The checkpoint pins everything before it, wherever somebody keeps it.
        """
        work = self.work
        glass = None if work.staff is None else work.staff.apart.glass
        broken = [] if glass is None else [(GLASS, f"{glass.id}; until={glass.until.isoformat()}".encode())]
        if work.entry is None:
            return broken
        headers = [
            *broken,
            (b"audit-entry", str(work.entry).encode()),
            (b"audit-receipt", b64encode(leaf_hash(work.leaf))),
        ]
        if (newest := work.service.newest.header) is not None:
            headers.append((b"audit-checkpoint", newest))
        return headers

    async def _settle(self, status: int) -> None:
        if status < 400:
            await self.work.conclude(status)
        else:
            await self.work.abandon(_outcome_of(status), status)

    async def _answer_instead(self, refusal: Refusal) -> None:
        """Undo the work and say so; when not even that can be entered in the log, say that it is out of reach."""
        try:
            if refusal is UNAVAILABLE:
                await self.work.drop()
            else:
                await self.work.abandon(_outcome_of(refusal.status), refusal.status)
        except Unsettled:
            refusal = refusal if refusal.status == 503 else UNAVAILABLE
        self._begun = True
        await _say(self._send, refusal, self.work.circumstances.request, self._entry())


async def _after(before: asyncio.Task[None], doing: Coroutine[Any, Any, None]) -> None:
    if not before.done():
        await asyncio.wait([before])
    await doing


def _outcome_of(status: int) -> Outcome:
    return Outcome.REFUSED if status < 500 else Outcome.FAILED


async def _say(send: Send, refusal: Refusal, request: UUID, more: Headers = ()) -> None:
    headers, body = refusal.answer(request)
    await send({"type": "http.response.start", "status": refusal.status, "headers": [*headers, *more]})
    await send({"type": "http.response.body", "body": body})
