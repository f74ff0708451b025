"""The queue that hands jobs to workers: pgqueuer's statements, on our connections and with our names.

Its rows name our jobs and nothing else. Everything is asked of the pool statement by statement, so a worker holds no
connection of its own, begins again after a failover like whoever else asks, and leaves nothing on a pooled server: it
looks every few seconds instead of listening (`LISTEN` needs a connection for itself, and `NOTIFY` makes commits of the
whole database wait for each other).
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Self
from uuid import UUID

import asyncpg
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment, QueryQueueBuilder, QuerySchedulerBuilder
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.core.tm import TaskManager
from pgqueuer.domain.settings import DBSettings
from pgqueuer.domain.types import Channel
from pgqueuer.ports.driver import NotifyCallback
from sqlalchemy import literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from caseload.db.job.kept import Jobs
from caseload.db.tables.job import SCHEMA, job
from caseload.domain.ids import JobId, new_id
from caseload.domain.job import Open

NAMES: Final = DBSettings(
    # Every name is given, so that no variable of the environment can point it anywhere else.
    prefix="",
    db_schema=SCHEMA,
    channel=Channel("ch_pgqueuer"),
    function="fn_pgqueuer_changed",
    statistics_table="pgqueuer_statistics",
    queue_status_type="pgqueuer_status",
    queue_table="pgqueuer",
    queue_table_log="pgqueuer_log",
    trigger="tg_pgqueuer_changed",
    schedules_table="pgqueuer_schedules",
)

_ADD = (
    insert(job)
    .on_conflict_do_nothing(index_elements=[job.c.kind, job.c.key], index_where=job.c.ended.is_(None))
    .returning(job.c.id)
)
_ANYTHING = select(literal(1))


class Driver:
    """Satisfies `pgqueuer.ports.driver.Driver`. What it notifies itself of never reaches the database."""

    def __init__(self, ask: Callable[[Callable[[asyncpg.Connection], Any]], Any]) -> None:
        self._ask = ask
        self._callbacks: dict[str, list[NotifyCallback]] = defaultdict(list)
        self._shutdown = asyncio.Event()
        self._tasks = TaskManager()

    async def fetch(self, query: str, *args: object) -> list[dict[str, object]]:
        """Rows of a statement of the library."""
        return [dict(row) for row in await self._ask(lambda connection: connection.fetch(query, *args))]

    async def execute(self, query: str, *args: object) -> str:
        """What the server says of a statement of the library."""
        return await self._ask(lambda connection: connection.execute(query, *args))

    async def add_listener(self, channel: str, callback: NotifyCallback) -> None:
        """Hear what this process notifies."""
        self._callbacks[channel].append(callback)

    async def notify(self, channel: str, payload: str) -> None:
        """Tell this process alone."""
        for callback in self._callbacks[channel]:
            callback(payload)

    @property
    def shutdown(self) -> asyncio.Event:
        return self._shutdown

    @property
    def tm(self) -> TaskManager:
        return self._tasks

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nothing is held."""


def queries_of(engine: AsyncEngine) -> Queries:
    """The library's statements, each on a connection of the pool and committed by itself."""

    async def ask(statement: Callable[[asyncpg.Connection], Any]) -> Any:
        async with engine.connect() as connection:
            return await statement(await _driver_of(connection))

    return _queries(Driver(ask))


class Queue:
    """Where jobs are enqueued, in the transaction of the piece of work that asks for them."""

    def __init__(self, connection: AsyncConnection, *, now: datetime) -> None:
        self._connection = connection
        self._now = now

    async def add(
        self, kind: str, *, key: str, due_at: datetime | None = None, subject: UUID | None = None
    ) -> JobId | None:
        """Have a job of this kind done when it is due; nothing where one with this key is open already.

        `key` names the effect, so that two jobs which would do the same are one. It holds no client data: an id, a day.
        """
        made = Open(id=JobId(new_id()), kind=kind, due_at=due_at or self._now)
        row = {
            "id": made.id,
            "kind": kind,
            "key": key,
            "subject": subject,
            "enqueued_at": self._now,
            "due_at": made.due_at,
            "attempts": 0,
            "takes": 0,
        }
        if (await self._connection.execute(_ADD, row)).one_or_none() is None:
            return None
        await self.put([made])
        return made.id

    async def put(self, jobs: Sequence[Open]) -> None:
        """Put open jobs into the queue; those that are there already stay as they are."""
        if not jobs:
            return
        # The driver's own connection is in the transaction only once SQLAlchemy has sent it a statement.
        await self._connection.execute(_ANYTHING)
        raw = await _driver_of(self._connection)

        async def ask(statement: Callable[[asyncpg.Connection], Any]) -> Any:
            return await statement(raw)

        await _queries(Driver(ask)).enqueue(
            [each.kind for each in jobs],
            [each.id.bytes for each in jobs],
            [0] * len(jobs),
            execute_after=[max(each.due_at - self._now, timedelta()) for each in jobs],
            dedupe_key=[str(each.id) for each in jobs],
            on_conflict="skip",
        )


class Kept:
    """Our account of the jobs and the queue, on one connection and at one moment."""

    def __init__(self, connection: AsyncConnection, *, now: datetime) -> None:
        self.now = now
        self.jobs = Jobs(connection, now=now)
        self.queue = Queue(connection, now=now)


def _queries(driver: Driver) -> Queries:
    return Queries(
        driver,
        qbe=QueryBuilderEnvironment(NAMES),
        qbq=QueryQueueBuilder(NAMES),
        qbs=QuerySchedulerBuilder(NAMES),
    )


async def _driver_of(connection: AsyncConnection) -> asyncpg.Connection:
    raw = await connection.get_raw_connection()
    found = raw.driver_connection
    if not isinstance(found, asyncpg.Connection):
        raise TypeError(found)
    return found
