"""Witnesses that answer on the loopback, for as long as a test needs them."""

import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from caseload.audit.tlog.note import LocalSigner, VerifierKey
from caseload.audit.witness.server import Server, Witness
from caseload.audit.witness.state import State


@contextmanager
def answering(
    signer: LocalSigner, known: Sequence[VerifierKey], folder: Path, *, now: float, port: int = 0
) -> Generator[Server]:
    """A witness of the logs with these keys at that time of the clock; it keeps in the folder what it has seen."""
    with Server(("127.0.0.1", port), Witness(signer, known, State(folder / "seen"), clock=lambda: now)) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
