"""The worker processes: granian over the application, each tied to us, stopped and counted."""

import gc
import http.client
import importlib
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from granian.constants import HTTPModes, Interfaces, Loops
from granian.server import Server
from granian.server.common import AbstractServer

from caseload.db.embedded.process import die_with_parent
from caseload.observability import configure, count_together, reserve_counts
from caseload.settings import Settings

POLL_SECONDS = 0.05
READY_SECONDS = 120.0
SOCKET_MODE = 0o660
"""Of the socket: whoever runs the service and their group may call."""
YOUNG_OBJECTS = 10_000
"""How many new objects a worker makes between two looks for what only refers to itself."""

THROUGH_OURS: dict[str, Any] = {
    "formatters": {},
    "handlers": {},
    "loggers": {"_granian": {"propagate": True}, "granian.access": {"propagate": False, "handlers": []}},
}
"""Granian's lines go through our pipeline; it writes no access log, because paths carry ids of clients."""


def serve(settings: Settings, app: str, *, ready: Callable[[], None], release: Callable[[], None]) -> None:
    """Serve `app` (`module:factory`) until SIGINT or SIGTERM, then let the workers finish what they have begun.

    `ready` is called once the service answers; `release` in each worker, to let go of what only the parent holds.
    Workers are forked from this process with the application's modules already loaded: the start is quicker and the
    memory is shared. Must run in the main thread: what ties a worker to us follows the thread.
    """
    module, _, factory = app.partition(":")
    count_together(settings)
    importlib.import_module(module)
    gc.collect()
    gc.freeze()
    server = Server(
        app,
        address=settings.host,
        port=settings.port,
        uds=settings.socket,
        uds_permissions=SOCKET_MODE if settings.socket else None,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        loop=Loops.uvloop,
        websockets=False,
        workers=settings.workers,
        workers_kill_timeout=max(1, round(settings.drain_seconds)),
        respawn_failed_workers=True,
        log_dictconfig=THROUGH_OURS,
    )
    logging.getLogger("_granian").setLevel(logging.WARNING)
    tie = die_with_parent(signal.SIGKILL)

    def load() -> Callable[..., Any]:
        if tie is not None:
            tie()
        _let_itself_be_stopped(server)
        release()
        configure(settings)
        reserve_counts()
        application = getattr(importlib.import_module(module), factory)()
        # What stays as long as the worker is not looked at again; what a request makes mostly goes without a collection.
        gc.freeze()
        gc.set_threshold(YOUNG_OBJECTS)
        return application

    server.on_startup(lambda: _in_thread(lambda: _announce(settings, ready)))
    server.serve(target_loader=load, wrap_loader=False)


def _let_itself_be_stopped(server: AbstractServer[Any]) -> None:
    """Until it listens to signals itself, a worker has the handlers of the process it was forked from.

    Here they only note on a copy of the server that somebody interrupted: told to stop while it starts, a worker would
    be waited for until it is killed. So the parent's SIGTERM ends it at once, the one that came before this line too.
    Ctrl-C reaches workers and parent alike, and is the parent's to answer: a worker that ends untold counts as failed.
    """
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if server.interrupt_signal:
        sys.exit()


def stop_when(ended: Callable[[], bool], then: Callable[[], None]) -> None:
    """Watch beside the service; when what it stands on has ended, say so and stop it, so that it is started anew."""

    def watch() -> None:
        while not ended():
            time.sleep(POLL_SECONDS * 10)
        then()
        os.kill(os.getpid(), signal.SIGTERM)

    _in_thread(watch)


def _in_thread(work: Callable[[], None]) -> None:
    threading.Thread(target=work, daemon=True).start()


def _announce(settings: Settings, ready: Callable[[], None]) -> None:
    """Ask until the service answers that it is ready, then say so. Nothing is said when it does not come up."""
    deadline = time.monotonic() + READY_SECONDS
    while not _is_ready(settings):
        if time.monotonic() > deadline:
            return
        time.sleep(POLL_SECONDS)
    ready()


def _is_ready(settings: Settings) -> bool:
    asked = _Asked(settings)
    try:
        asked.request("GET", "/readyz")
        return asked.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        asked.close()


class _Asked(http.client.HTTPConnection):
    """A connection to the service on this machine, by its port or its socket."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(_reachable(settings.host), settings.port, timeout=5)
        self._path = settings.socket

    def connect(self) -> None:
        """Connect; called by the library with the first request."""
        if self._path is None:
            super().connect()
        else:
            self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.sock.settimeout(self.timeout)
            self.sock.connect(str(self._path))


def address(settings: Settings) -> str:
    """Where the service is, for a person on this machine."""
    if settings.socket is not None:
        return f"unix:{settings.socket}"
    host = _reachable(settings.host)
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"


def _reachable(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 compared, not bound
