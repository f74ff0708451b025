"""The witness over HTTP: `POST add-checkpoint`, and `GET HEX/checkpoint`, HEX being the SHA-256 of a log's origin.

Nobody signs in: who may ask is settled by the log's signature under what is asked. Everything that comes in is
bounded: bytes, seconds, and how many are served at once.
"""

import time
from collections.abc import Callable, Sequence
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import BoundedSemaphore
from typing import Any, Final

import structlog

from caseload.audit.tlog.note import LocalSigner, Note, Signature, VerifierKey, cosign_text, write_note
from caseload.audit.witness.judging import LARGEST_REQUEST, Refused, looked_at
from caseload.audit.witness.state import State

SECONDS_TO_SPEAK: Final = 10.0
MOST_AT_ONCE: Final = 32
SIZE_TYPE: Final = "text/x.tlog.size"
TEXT_TYPE: Final = "text/plain; charset=utf-8"

_log = structlog.get_logger()


class Witness:
    """One witness: its key, the logs it knows, and what it has seen of them."""

    def __init__(
        self, signer: LocalSigner, logs: Sequence[VerifierKey], state: State, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._signer = signer
        self._logs = logs
        self._state = state
        self._clock = clock
        self._named = {sha256(key.name.encode()).hexdigest(): key.name for key in logs}

    def add_checkpoint(self, body: bytes) -> str:
        """The line with the cosignature, once the checkpoint is on disk. Raises `Refused`."""
        wanted = looked_at(body, self._logs)
        text = wanted.checkpoint.text()
        made: list[Signature] = []

        def cosigned() -> bytes:
            made.append(cosign_text(text, self._signer, at=int(self._clock())))
            own = {(key.name, key.key_id) for key in self._logs}
            by_log = [each for each in Note.parse(wanted.request.note).signatures if (each.name, each.key_id) in own]
            return write_note(text, [*by_log, *made])

        self._state.advance(wanted, cosigned)
        _log.info("cosigned", origin=wanted.checkpoint.origin, size=wanted.checkpoint.size)
        return f"{made[-1]}\n"

    def newest(self, named: str) -> bytes | None:
        """The largest checkpoint it has cosigned of the log whose origin has this SHA-256."""
        origin = self._named.get(named)
        return None if origin is None else self._state.newest(origin)


class Server(ThreadingHTTPServer):
    """Serves one witness. Whoever comes when too many are being served is sent away at once."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], witness: Witness) -> None:
        self.witness = witness
        self._places = BoundedSemaphore(MOST_AT_ONCE)
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._places.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller who goes away in the middle is nothing to report; the handler has logged the rest."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = SECONDS_TO_SPEAK
    server_version = "caseload-witness"
    sys_version = ""
    server: Server  # pyright: ignore[reportIncompatibleVariableOverride] no other makes these

    def do_GET(self) -> None:
        parts = self.path.split("/")
        note = self.server.witness.newest(parts[-2]) if len(parts) >= 3 and parts[-1] == "checkpoint" else None
        if note is None:
            self._say(404, b"The witness has nothing there.\n")
        else:
            self._say(200, note)

    def do_POST(self) -> None:
        body = self._body()
        if body is None:
            return
        if not self.path.endswith("/add-checkpoint"):
            self._say(404, b"The witness has nothing there.\n")
            return
        try:
            self._say(200, self.server.witness.add_checkpoint(body).encode())
        except Refused as refused:
            _log.warning("not cosigned", status=refused.status, why=str(refused))
            if refused.size is not None:
                self._say(409, f"{refused.size}\n".encode(), kind=SIZE_TYPE)
            else:
                self._say(refused.status, f"{refused}\n".encode())
        except Exception:  # noqa: BLE001  whatever it is, nothing was cosigned
            _log.exception("the witness failed")
            self.close_connection = True
            self._say(500, b"The witness made a mistake.\n")

    def _body(self) -> bytes | None:
        """All of the body; None, and answered, when it cannot be taken."""
        announced = self.headers.get("Content-Length", "")
        if not announced.isdigit() or len(announced) > 9:
            self.close_connection = True
            self._say(411, b"Say how long the request is.\n")
            return None
        if int(announced) > LARGEST_REQUEST:
            self.close_connection = True
            self._say(413, b"The request is too large.\n")
            return None
        return self.rfile.read(int(announced))

    def _say(self, status: int, body: bytes, *, kind: str = TEXT_TYPE) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  as the base class has it
        """Silent: what matters is logged where it is decided."""
