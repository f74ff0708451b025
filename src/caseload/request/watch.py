"""The outermost layer: every request gets its id, every answer its safety headers, a line in the log and a count.

The line is an allow-list: id, method, route template, status, duration, and who asked. Never a path, whose ids are
clients, never a query, a header or a body.
"""

import time
from typing import Final

import structlog

from caseload.domain.ids import new_id
from caseload.request import metrics
from caseload.request.asgi import App, Headers, Message, Receive, Scope, Send
from caseload.request.gate import REQUEST, WORK
from caseload.request.work import Work

UNMATCHED: Final = "unmatched"
PROBES: Final = frozenset({"/livez", "/readyz", "/metrics"})
"""Asked every few seconds by machines: logged for whoever debugs."""

CONTENT_SECURITY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Nothing from elsewhere, nothing inline, nobody's frame."""

ALWAYS: Final[Headers] = [
    (b"content-security-policy", CONTENT_SECURITY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
]
NO_STORE: Final = (b"cache-control", b"no-store")
"""What a browser or a proxy keeps, somebody else may read: so only what is public says otherwise."""
ONLY_TLS: Final = (b"strict-transport-security", b"max-age=63072000; includeSubDomains")
"""Two years (RFC 6797, section 6.1)."""

_log = structlog.get_logger("caseload.access")


class Watch:
    """Wraps everything: nothing is answered without passing here."""

    def __init__(self, app: App, *, behind_tls: bool, access_log: bool) -> None:
        self._app = app
        self._headers = [*ALWAYS, ONLY_TLS] if behind_tls else ALWAYS
        self._logs = access_log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Carry one request through, and say how it went."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        request = new_id()
        scope[REQUEST] = request
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request=str(request))
        own: Headers = [*self._headers, (b"request-id", str(request).encode())]
        status: int | None = None
        method: str = scope["method"]
        if bare := method == "HEAD":
            # What GET would say, without its body (RFC 9110, section 9.3.2); read, audited and refused alike.
            scope["method"] = "GET"

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": _completed(message.get("headers", ()), own)}
            elif bare:
                message = {**message, "body": b""}
            await send(message)

        try:
            await self._app(scope, receive, sending)
        finally:
            self._tell(scope, method, status, time.perf_counter() - began)

    def _tell(self, scope: Scope, method: str, status: int | None, seconds: float) -> None:
        route: str = scope.get("path_template") or UNMATCHED
        metrics.answered(route=route, method=method, status=status, seconds=seconds)
        if not self._logs:
            return
        work: Work | None = scope.get(WORK)
        staff = None if work is None or work.staff is None else str(work.staff.id)
        tell = _log.debug if route in PROBES else _log.info
        tell(
            "request",
            method=method if method in metrics.METHODS else "other",
            route=route,
            status=status,
            ms=round(seconds * 1000, 2),
            staff=staff,
        )


def _completed(given: Headers, own: Headers) -> Headers:
    """The answer's headers and ours; what the answer says about caching stands."""
    said = [(name.lower(), value) for name, value in given]
    if not any(name == b"cache-control" for name, _ in said):
        said.append(NO_STORE)
    return [*said, *own]
