"""How every other command gets at the database: the one outside, the one that runs, or one started for the moment."""

import time
from collections.abc import Generator
from contextlib import contextmanager

from caseload.db.embedded.errors import AlreadyRunning, CannotStart
from caseload.db.embedded.folder import DataFolder
from caseload.db.embedded.people import Databases
from caseload.db.embedded.process import POLL_SECONDS
from caseload.db.embedded.server import EmbeddedServer
from caseload.settings import Settings

READY_SECONDS = 30.0


@contextmanager
def reach(settings: Settings) -> Generator[Databases]:
    """Give the addresses of the database these settings mean, and keep it running meanwhile.

    With `CASELOAD_DATABASE_URL` or `CASELOAD_DATABASE_OWNER_URL` the outside one is taken, and nothing is started;
    one of the two stands for both. Otherwise the local server is used: the one that `caseload serve` runs, or else one
    that is started now and stopped afterwards. Raises `CannotStart`.
    """
    service = settings.database_url or settings.database_owner_url
    if service is not None:
        yield Databases(
            owner=(settings.database_owner_url or service).reveal(),
            service=service.reveal(),
            sequencer=settings.sequencer_database_url.reveal() if settings.sequencer_database_url else None,
        )
        return
    folder = DataFolder(settings.data_dir)
    server = EmbeddedServer(settings.data_dir, pg_bin=settings.pg_bin)
    with folder.shared() as last_one_out:
        try:
            server.start()
        except AlreadyRunning:
            yield _running(folder)
            return
        try:
            yield server.databases
        finally:
            last_one_out()
            server.stop()


def _running(folder: DataFolder) -> Databases:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        socket = folder.socket_of_running()
        if socket is not None:
            return Databases.over(folder, socket)
        time.sleep(POLL_SECONDS)
    message = f"Another process holds {folder.path} but its database does not become ready: look at that process."
    raise CannotStart(message)
