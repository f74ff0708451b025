"""A worker: takes jobs that are due from the queue, and does each in pieces of work that stand in the audit log.

The queue hands out at least once. Everything else is ours: a job is counted before it is begun, so that one which ends
its worker is given up after some times; that it is done is kept in the transaction that does it, so that it is done once;
and what is open and not in the queue is put back.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Mapping, Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

import structlog
from pgqueuer.core.executors import AbstractEntrypointExecutor, EntrypointExecutorParameters
from pgqueuer.core.qm import QueueManager
from pgqueuer.domain.errors import RetryRequested
from pgqueuer.domain.models import Context
from pgqueuer.domain.models import Job as Handed
from pgqueuer.domain.types import QueueEntrypoint

from caseload.audit.trail import Auth, Op, Purpose
from caseload.db.job import Jobs
from caseload.db.job.queue import Kept, queries_of
from caseload.domain.ids import JobId
from caseload.domain.job import (
    WORKER_ENDED,
    Job,
    JobEnded,
    JobGivenUp,
    is_last,
    never_said_why,
    pause_after,
)
from caseload.domain.people import the_service
from caseload.jobs.kind import Kind, Step
from caseload.jobs.kinds import KINDS
from caseload.request.metrics import job_ended
from caseload.request.refusal import UNAVAILABLE
from caseload.request.work import Service, Unsettled, Work

LOOK_EVERY: Final = timedelta(seconds=2)
"""How soon a job that is due is begun."""
PUT_BACK_EVERY: Final = timedelta(minutes=1)
SILENT_FOR: Final = timedelta(seconds=30)
"""A worker that has not said for so long that it is at a job has ended, and the job is another's."""
MISSED_AFTER: Final = timedelta(minutes=5)
"""An open job that is in nobody's hands for so long, and not in the queue either, is put back."""
AT_ONCE: Final = 2
"""Jobs that one worker is at: each takes a connection of the pool."""
LOOK_AGAIN: Final = timedelta(seconds=1)
LONGEST_WAIT: Final = timedelta(seconds=30)

_log = structlog.get_logger()


class Overtaken(Exception):
    """Somebody else has begun this job since, or has done it: what this worker did of it is undone."""


class Stopping(Exception):
    """This worker stops between two steps; the job goes on elsewhere."""


class Worker:
    """Does jobs until it is told to stop."""

    def __init__(
        self,
        service: Service,
        kinds: Sequence[Kind] = KINDS,
        *,
        look_every: timedelta = LOOK_EVERY,
        silent_for: timedelta = SILENT_FOR,
    ) -> None:
        self._service = service
        self._kinds: Mapping[str, Kind] = {kind.name: kind for kind in kinds}
        self._look_every = look_every
        self._silent_for = silent_for
        self._stop = asyncio.Event()

    def stop(self) -> None:
        """Begin nothing more, end between two steps what is under way."""
        self._stop.set()

    async def run(self) -> None:
        """Do what is due, now and later, until told to stop. A database that is away is waited for."""
        wait = LOOK_AGAIN
        while not self._stop.is_set():
            try:
                await self._put_back()
                await self._manage(self._until_stopped)
                wait = LOOK_AGAIN
            except Exception as error:  # noqa: BLE001  whatever it was, the next time it may succeed
                _log.warning("jobs cannot be taken", error=type(error).__name__, wait=wait.total_seconds())
                await self._stopped_within(wait)
                wait = min(wait * 2, LONGEST_WAIT)

    async def drain(self) -> None:
        """Do what is due by now and stop."""
        await self._put_back()
        await self._manage(self._until_drained)

    async def _manage(self, until: Callable[[QueueManager], Coroutine[None, None, None]]) -> None:
        manager = QueueManager(queries_of(self._service.engine))
        for kind in self._kinds.values():
            manager.register_executor(kind.name, _Executor(self, kind))
        stopping = asyncio.create_task(until(manager))
        try:
            await manager.run(
                dequeue_timeout=self._look_every,
                batch_size=1,
                max_concurrent_tasks=AT_ONCE,
                heartbeat_timeout=self._silent_for,
                log_aggregation_interval=timedelta(),
            )
        finally:
            stopping.cancel()
            await asyncio.gather(stopping, return_exceptions=True)

    async def _until_stopped(self, manager: QueueManager) -> None:
        while not await self._stopped_within(PUT_BACK_EVERY):
            try:
                await self._put_back()
            except Exception as error:  # noqa: BLE001  whatever it was, the next time it may succeed
                _log.warning("jobs cannot be put back", error=type(error).__name__)
        manager.shutdown.set()

    async def _until_drained(self, manager: QueueManager) -> None:
        names = [QueueEntrypoint(name) for name in self._kinds]
        while not self._stop.is_set():
            await asyncio.sleep(self._look_every.total_seconds() / 4)
            if not manager.job_context and not await self._any_due(names):
                break
        manager.shutdown.set()

    async def _any_due(self, names: list[QueueEntrypoint]) -> bool:
        """Whether a job may be begun now: it waits, or whoever was at it has ended."""
        queries = queries_of(self._service.engine)
        return bool(await queries.eligible_queued_work(names) or await queries.stale_jobs(self._silent_for, 1))

    async def _stopped_within(self, wait: timedelta) -> bool:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), wait.total_seconds())
        return self._stop.is_set()

    async def _put_back(self) -> None:
        """Put what is open into the queue where it is missing there, and what comes round by itself."""
        async with self._apart() as kept:
            for kind in self._kinds.values():
                if kind.every is not None:
                    await kept.queue.add(kind.name, key="")
            await kept.queue.put(await kept.jobs.missing(begun_before=kept.now - MISSED_AFTER))

    async def attempt(self, kind: Kind, job: JobId) -> timedelta | None:
        """Try a job once; return after what pause it is to be handed out again, if it is."""
        try:
            taken = await self._take(job)
            if taken is None:
                return None
            if never_said_why(taken):
                await self._give_up(kind, taken, WORKER_ENDED)
                return None
            return await self._try(kind, taken)
        except Overtaken:
            return None
        except Exception as error:  # noqa: BLE001  it is open as before, and is handed out again
            _log.warning("a job could not be begun", kind=kind.name, job=str(job), error=type(error).__name__)
            return LONGEST_WAIT

    async def _try(self, kind: Kind, job: Job) -> timedelta | None:
        try:
            await self._do(kind, job)
        except Overtaken:
            raise
        except Stopping:
            await self._keep(lambda jobs: jobs.let_go(job))
            return timedelta()
        except Exception as error:  # noqa: BLE001  only its type is kept: its text may hold what the record holds
            _log.warning("job failed", kind=kind.name, job=str(job.id), attempts=job.attempts, exc_info=error)
            problem, is_away = type(error).__qualname__, _is_away(error)
        else:
            return None
        if is_away:
            await self._keep(lambda jobs: jobs.let_go(job))
            return LONGEST_WAIT
        if is_last(job):
            await self._give_up(kind, job, problem)
            return None
        await self._keep(lambda jobs: jobs.failed(job, problem))
        return pause_after(job.attempts)

    async def _take(self, job: JobId) -> Job | None:
        async with self._apart() as kept:
            return await kept.jobs.take(job)

    async def _keep(self, what: Callable[[Jobs], Awaitable[object]]) -> None:
        async with self._apart() as kept:
            await what(kept.jobs)

    @contextlib.asynccontextmanager
    async def _apart(self) -> AsyncGenerator[Kept]:
        """Our account of the jobs, for good, whatever becomes of the piece of work."""
        async with self._service.engine.begin() as connection:
            yield Kept(connection, now=self._service.clock())

    async def _do(self, kind: Kind, job: Job) -> None:
        step = Step.MORE
        while step is Step.MORE:
            if self._stop.is_set():
                raise Stopping
            step = await self._step(kind, job)

    async def _step(self, kind: Kind, job: Job) -> Step:
        async with self._work(kind.name) as work:
            kept = Kept(work.connection, now=work.now)
            if not await kept.jobs.hold(job):
                raise Overtaken
            step = await kind.step(work, job)
            leaves_nothing = step is Step.NOTHING and work.journal.is_empty
            if leaves_nothing:
                await work.drop()
            elif step is Step.MORE:
                await kept.jobs.got_further(job)
            else:
                await _end(kept, kind, job, JobEnded.DONE)
        if leaves_nothing:
            async with self._apart() as kept:
                await _end(kept, kind, job, JobEnded.DONE)
        if step is not Step.MORE:
            job_ended(kind.name, JobEnded.DONE)
        return step

    async def _give_up(self, kind: Kind, job: Job, problem: str) -> None:
        async with self._work(JobGivenUp.name) as work:
            await _end(Kept(work.connection, now=work.now), kind, job, JobEnded.GIVEN_UP, problem=problem)
            work.journal.tell(JobGivenUp(records=(job.id,), facts={"kind": kind.name, "problem": problem}))
        job_ended(kind.name, JobEnded.GIVEN_UP)
        _log.error("job given up: see `caseload jobs list`", kind=kind.name, job=str(job.id), problem=problem)

    @contextlib.asynccontextmanager
    async def _work(self, event: str) -> AsyncGenerator[Work]:
        async with self._service.work(by=the_service(), event=event) as work:
            said = work.circumstances
            said.route, said.op, said.purpose, said.auth = f"job {event}", Op.EXECUTE, Purpose.OPERATIONS, Auth.SYSTEM
            yield work


class _Executor(AbstractEntrypointExecutor):
    """How the library hands a job to us. It never hears of an error, whose text it would keep and log."""

    def __init__(self, worker: Worker, kind: Kind) -> None:
        super().__init__(EntrypointExecutorParameters(concurrency_limit=0, func=_unused))
        self._worker = worker
        self._kind = kind

    async def execute(self, job: Handed, context: Context) -> None:  # noqa: ARG002  as the library declares it
        """Raises `RetryRequested` where it is to be handed out again."""
        pause = await self._worker.attempt(self._kind, JobId(UUID(bytes=job.payload or b"")))
        if pause is not None:
            raise RetryRequested(delay=pause)


async def _unused(_: Handed) -> None:
    """The library asks for a function; ours is called by `_Executor`."""


async def _end(kept: Kept, kind: Kind, job: Job, how: JobEnded, *, problem: str | None = None) -> None:
    """Keep how a job ended, and when one that comes round is due next. Raises `Overtaken`."""
    if not await kept.jobs.end(job, how, problem=problem):
        raise Overtaken
    if kind.every is not None:
        await kept.queue.add(kind.name, key=job.key, due_at=kept.now + kind.every, subject=job.subject)


def _is_away(error: Exception) -> bool:
    """Whether the log is away, without which nothing can be done at all: nothing this job could have done about it.

    A database that is away is found out when the count is to be kept, and costs a job one attempt at most.
    """
    return isinstance(error, Unsettled) and error.refusal is UNAVAILABLE
