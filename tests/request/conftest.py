"""The gate by itself: a service over a database of the test's own, on a line that the test may cut."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import asyncpg
import msgspec
import pytest
from sqlalchemy import insert

from caseload.db.tables import idempotency
from caseload.domain.access import Role
from caseload.domain.ids import new_id
from caseload.domain.people import Staff
from caseload.observability import configure
from caseload.request.asgi import App, Message, Receive, Scope, Send
from caseload.request.gate import Gate, work_of
from caseload.request.intake import Limits
from caseload.request.service import open_service
from caseload.request.work import Service, Work
from caseload.settings import Secret, Settings
from tests.factories import people
from tests.factories.lifeline import Lifeline, lifeline
from tests.shared_server import Addresses, copied


class Kept(NamedTuple):
    """One entry as it stands in the queue of the log."""

    event: str
    outcome: int
    status: int | None
    clients: int
    request: str


@dataclass
class Answer:
    """What left, message by message."""

    messages: list[Message] = field(default_factory=list[Message])

    @property
    def status(self) -> int | None:
        """The status, or None when nothing left."""
        return next((m["status"] for m in self.messages if m["type"] == "http.response.start"), None)

    @property
    def headers(self) -> dict[bytes, bytes]:
        """The headers."""
        return dict(self.messages[0]["headers"]) if self.messages else {}

    @property
    def body(self) -> bytes:
        """All of the body."""
        return b"".join(m.get("body", b"") for m in self.messages[1:])


@dataclass
class Bench:
    """The service under test, and what a test looks at it with."""

    service: Service
    line: Lifeline
    owner: asyncpg.Connection
    staff: Staff
    limits: Limits = field(default_factory=Limits)
    since: UUID = field(default_factory=new_id)
    """Entries of earlier tests are older: the log is only ever added to."""

    def gate(self, app: App) -> Gate:
        """The gate before this application."""
        return Gate(app, lambda: self.service, self.limits)

    async def ask(self, gate: Gate | App, *, answer: Answer | None = None, body: Sequence[bytes] = ()) -> Answer:
        """Send one request through."""
        got = answer or Answer()
        parts = list(body)

        async def receive() -> Message:
            part = parts.pop(0) if parts else b""
            return {"type": "http.request", "body": part, "more_body": bool(parts)}

        async def send(message: Message) -> None:
            got.messages.append(message)

        scope: Scope = {
            "type": "http",
            "method": "POST",
            "path": "/thing",
            "query_string": b"",
            "headers": [],
            "client": ("192.0.2.7", 4711),
        }
        await gate(scope, receive, send)
        return got

    async def entries(self) -> list[Kept]:
        """What the log holds, oldest first."""
        rows = await self.owner.fetch(
            "select event, outcome, leaf from audit.queue where entry_id > $1 order by entry_id", self.since
        )
        found: list[Kept] = []
        for row in rows:
            leaf = msgspec.json.decode(row["leaf"])
            shown = leaf["subj"]["n"] if leaf.get("subj") else 0
            found.append(Kept(row["event"], row["outcome"], leaf.get("st"), shown, leaf["req"]))
        return found

    async def rows(self) -> int:
        """How many rows the test's applications have kept."""
        return await self.owner.fetchval("select count(*) from clinic.request_key where staff_id = $1", self.staff.id)

    async def logged(self) -> None:
        """Wait for what the batcher does beside the requests: a caller that was cancelled has left it its entry."""
        batcher = self.service.batcher
        while tasks := [task for task in (batcher._flushing, batcher._tidying) if task is not None]:
            await asyncio.wait(tasks)

    def connections_out(self) -> int:
        """Connections in use, that of the batcher apart."""
        held = self.service.readers.idle + (self.service.batcher._line._connection is not None)
        return self.service.engine.pool.checkedout() - held  # type: ignore[attr-defined]  of the pool that the engine has, not of any


Doing = Callable[[Work], Awaitable[object]]


def application(
    bench: Bench, doing: Doing, *, writes: bool = True, status: int = 201, body: Sequence[bytes] = (b"done",)
) -> App:
    """An application as the gate sees one: somebody is identified, something is done, an answer is given."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        work = work_of(scope)
        work.writes = writes
        work.circumstances.event = "thing.tried"
        await work.open()
        work.staff = bench.staff
        await doing(work)
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"text/plain")]})
        for number, part in enumerate(body, start=1):
            await send({"type": "http.response.body", "body": part, "more_body": number < len(body)})

    return app


async def keep_a_row(work: Work) -> None:
    """Write one row of our own: the key of a request will do."""
    await work.connection.execute(
        insert(idempotency.request_key).values(
            staff_id=work.by.id,
            route="POST /thing",
            key=str(new_id()),
            digest=bytes(32),
            status=201,
            resource=new_id(),
            version=1,
            recorded_at=work.now,
        )
    )


@pytest.fixture(scope="session", autouse=True)
def _logging_as_in_service() -> None:
    """Lines without locals, as the service writes them."""
    configure(Settings())


@pytest.fixture(scope="module")
def bench_database(server: Addresses) -> Iterator[Addresses]:
    """A database that the tests of a module may commit to."""
    with copied(server, f"bench_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}") as found:
        yield found


@pytest.fixture
async def bench(bench_database: Addresses, tmp_path: Path) -> AsyncIterator[Bench]:
    """A service over that database, on a line of its own."""
    owner = await asyncpg.connect(bench_database.owner)
    async with lifeline(bench_database.service) as (line, url):
        settings = Settings(database_url=Secret(url), data_dir=tmp_path, db_pool_size=6, db_pool_timeout_seconds=2)
        async with open_service(settings) as service:
            async with service.engine.begin() as connection:
                programme = await people.programme(connection)
                staff = await people.staff(connection, holds=[(Role.NURSE, programme)])
            yield Bench(service, line, owner, staff)
            line.mend()
    await owner.close()
