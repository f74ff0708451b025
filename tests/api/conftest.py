"""The service as a caller meets it: the whole application over a database of its own, one per worker.

Each test makes its own programme and people, so tests that commit do not meet one another.
"""

import os
import secrets
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import httpx
import pytest

from caseload.app import Application
from caseload.domain.access import Role
from caseload.domain.ids import ProgrammeId
from caseload.domain.people import Staff
from caseload.request.work import Service
from caseload.settings import Secret, Settings
from tests.api.whole_log import faults_in_log
from tests.api.witness import Witness, operations_of, standing_before
from tests.factories import people
from tests.looked_at import LOOKED_AT
from tests.shared_server import Addresses, copied

PATIENCE_SECONDS = 10.0
"""How long a statement waits for a lock here: many at once share a machine that does other things, too."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody signed in, and the way they call the service."""

    staff: Staff
    http: httpx.AsyncClient

    async def get(self, path: str, **options: Any) -> httpx.Response:
        """GET a path below /api/v1."""
        return await self.http.get(f"/api/v1{path}", **options)

    async def post(self, path: str, json: Any = None, *, key: str | None = None, **options: Any) -> httpx.Response:
        """POST JSON to a path below /api/v1."""
        headers = {**options.pop("headers", {}), **({"Idempotency-Key": key} if key else {})}
        return await self.http.post(f"/api/v1{path}", json=json, headers=headers, **options)

    async def put(self, path: str, json: Any = None, **options: Any) -> httpx.Response:
        """PUT JSON to a path below /api/v1."""
        return await self.http.put(f"/api/v1{path}", json=json, **options)


@dataclass(frozen=True, slots=True)
class Clinic:
    """The running service, and a way to put programmes and people into it."""

    application: Application
    service: Service
    addresses: Addresses
    witness: Witness | None = None
    """Looks at every answer, where the test has not taken the log into its own hands."""

    async def programme(self, **options: Any) -> ProgrammeId:
        """A programme of the test's own."""
        async with self.service.engine.begin() as connection:
            return await people.programme(connection, **options)

    async def person(self, *holds: tuple[Role, ProgrammeId | None], **options: Any) -> Person:
        """Somebody of the staff, signed in, with these roles."""
        async with self.service.engine.begin() as connection:
            staff = await people.staff(connection, holds=holds, **options)
            token = await people.signed_in(connection, staff.id, at=self.service.clock())
        return Person(staff, self.client(token))

    def client(self, token: str | None = None, *, address: str | None = None) -> httpx.AsyncClient:
        """Somebody at the door, with a token or without; from an address of their own, or from this one."""
        coming_from = (address or str(IPv4Address(secrets.randbits(32))), 40_000)
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(
                self.witness or self.application, raise_app_exceptions=False, client=coming_from
            ),
            event_hooks={"response": [self.witness.look] if self.witness else []},
            base_url="http://caseload.test",
            headers={"Authorization": f"Bearer {token}"} if token else {},
        )


@pytest.fixture(scope="session")
def clinic_database(server: Addresses) -> Iterator[Addresses]:
    """A database that the API tests of this worker may commit to."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    # Another folder's conftest may lend these fixtures out, and then makes a database of its own.
    with copied(server, f"clinic_{worker}_{secrets.token_hex(4)}") as found:
        yield found


@pytest.fixture(scope="session")
async def clinic(
    anyio_backend: object,
    clinic_database: Addresses,
    tmp_path_factory: pytest.TempPathFactory,
    pytestconfig: pytest.Config,
) -> AsyncIterator[Clinic]:
    """The service over that database, started and stopped as a server would."""
    folder: Path = tmp_path_factory.mktemp("clinic")
    application = Application(
        Settings(
            database_url=Secret(clinic_database.service), data_dir=folder, db_lock_timeout_seconds=PATIENCE_SECONDS
        )
    )
    async with application.litestar.lifespan(), standing_before(application, clinic_database.owner) as witness:
        yield Clinic(application, witness.service, clinic_database, witness)
        faults = await faults_in_log(witness.outside, witness.service)
        assert not faults, "\n".join(faults)
        pytestconfig.stash[LOOKED_AT].add(there_are=operations_of(application), looked_at=witness.looked_at)
