"""`kill -9` of the whole service in the middle of writes: nothing acknowledged is lost, and nothing is unaudited."""

import asyncio
import contextlib
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import asyncpg
import httpx
import pytest

from caseload.db.embedded import reach
from caseload.db.engine import make_engine
from caseload.domain.access import Role
from caseload.settings import Secret, Settings
from tests import scratch
from tests.commands import test_serve
from tests.factories import people

pytestmark = pytest.mark.anyio

AT_ONCE = 16


@dataclass
class Window:
    """Nurses who register one client after another, each request under a key of its own."""

    url: str
    token: str
    programme: str
    asked: dict[str, str] = field(default_factory=dict[str, str])
    """Family name by key: what was asked, answered or not."""
    acknowledged: dict[str, str] = field(default_factory=dict[str, str])
    """Id of the client by key: what was answered with 201."""

    async def register(self, http: httpx.AsyncClient, key: str, family_name: str) -> None:
        """Register one client, or try to."""
        identity = {"given_name": "Ada", "family_name": family_name, "birth_date": "1984-02-29"}
        answer = await http.post(
            f"{self.url}/api/v1/clients",
            json={"programme_id": self.programme, "identity": identity},
            headers={"Authorization": f"Bearer {self.token}", "Idempotency-Key": key},
        )
        assert answer.status_code == 201, answer.text
        self.acknowledged[key] = answer.json()["id"]

    async def work(self, count: int, *, after: int, then: Callable[[], None]) -> None:
        """Many at once, until the service goes away; after so many answers something happens to it."""
        names = iter(uuid4().hex for _ in range(count))

        async def one_nurse() -> None:
            async with httpx.AsyncClient(timeout=30) as http:
                for name in names:
                    key = uuid4().hex
                    self.asked[key] = name
                    await self.register(http, key, name)
                    if len(self.acknowledged) == after:
                        then()

        async def until_it_is_gone() -> None:
            with contextlib.suppress(httpx.TransportError, OSError):
                await one_nurse()

        await asyncio.gather(*(until_it_is_gone() for _ in range(AT_ONCE)))


async def open_window(url: str, data: Path) -> Window:
    """A programme with a nurse who is signed in."""
    with reach(Settings(data_dir=data)) as databases:
        engine = make_engine(Settings(database_url=Secret(databases.owner), data_dir=data))
        async with engine.begin() as connection:
            programme = await people.programme(connection)
            nurse = await people.staff(connection, holds=[(Role.NURSE, programme)])
            token = await people.signed_in(connection, nurse.id, at=datetime.now(UTC))
        await engine.dispose()
    return Window(url, token, str(programme))


async def kept_and_logged(data: Path) -> tuple[dict[str, str], int]:
    """Family name by id of every client kept, and the entries that tell of a registration."""
    with reach(Settings(data_dir=data)) as databases:
        connection = await asyncpg.connect(databases.owner)
        try:
            rows = await connection.fetch("select client_id, family_name from clinic.client_identity")
            logged = await connection.fetchval("select count(*) from audit.log where event = 'client.registered'")
        finally:
            await connection.close()
    return {str(row["client_id"]): row["family_name"] for row in rows}, logged


async def test_a_service_that_is_killed_loses_nothing_it_acknowledged_and_does_nothing_twice(
    counts: Callable[..., int],
) -> None:
    count = counts(160, full=1000)
    with scratch.folder() as folder:
        data = folder / "data"
        with started(data) as running:
            window = await open_window(f"http://127.0.0.1:{running.port}", data)

            def kill() -> None:
                running.process.send_signal(signal.SIGKILL)

            await window.work(count, after=count // 2, then=kill)
            running.process.wait()
            assert count // 2 <= len(window.acknowledged) < count, "it was killed in the middle"

        with started(data) as again:
            window.url = f"http://127.0.0.1:{again.port}"
            before, _ = await kept_and_logged(data)
            assert set(window.acknowledged.values()) <= before.keys(), "an acknowledged write is gone"
            unanswered = window.asked.keys() - window.acknowledged.keys()
            async with httpx.AsyncClient(timeout=30) as http:
                for key in unanswered:
                    await window.register(http, key, window.asked[key])

            kept, logged = await kept_and_logged(data)
            assert sorted(kept.values()) == sorted(window.asked.values()), "each was registered exactly once"
            assert set(window.acknowledged.values()) == kept.keys()
            assert logged == len(kept), "every registration has its entry, and no entry tells of one that is not there"


def started(data: Path):  # noqa: ANN201  the context of the service under test
    """The real service over that folder."""
    return test_serve.service(data, ("-m", "caseload", "serve"))
