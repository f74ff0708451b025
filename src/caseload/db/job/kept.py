"""Which jobs are open, how often each was begun and how it ended: our own account, beside the queue's."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Interval,
    Row,
    Text,
    bindparam,
    case,
    cast,
    delete,
    exists,
    func,
    literal,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.tables.base import INSTANT
from caseload.db.tables.job import job, queue, queue_log
from caseload.domain.ids import JobId
from caseload.domain.job import GivenUp, Job, JobEnded, JobsStand, JobUnknown, JobWaitsAlready, Open

_OPEN = job.c.ended.is_(None)
_THIS = job.c.id == bindparam("job")
_AS_TAKEN = job.c.takes == bindparam("as_taken")
_DUE: ColumnElement[bool] = _OPEN & (job.c.due_at <= bindparam("now", type_=INSTANT))
_NO_TIME = literal(timedelta(), Interval())
_WAITING = (job.c.id, job.c.kind, job.c.due_at)
_JOB = (job.c.id, job.c.kind, job.c.key, job.c.subject, job.c.due_at, job.c.attempts, job.c.takes)

_TAKE = (
    update(job)
    .where(_THIS, _OPEN)
    .values(attempts=job.c.attempts + 1, takes=job.c.takes + 1, began_at=bindparam("now", type_=INSTANT))
    .returning(*_JOB)
)
_HOLD = select(job.c.id).where(_THIS, _OPEN, _AS_TAKEN).with_for_update()
_GOT_FURTHER = update(job).where(_THIS).values(attempts=0)
_LET_GO = update(job).where(_THIS, _OPEN, _AS_TAKEN).values(attempts=func.greatest(job.c.attempts - 1, 0))
_FAILED = update(job).where(_THIS, _OPEN, _AS_TAKEN).values(problem=bindparam("what"))
_END = (
    update(job)
    .where(_THIS, _OPEN)
    .values(
        ended=bindparam("how"),
        ended_at=bindparam("now", type_=INSTANT),
        problem=case(
            (bindparam("how", type_=Text()) == JobEnded.GIVEN_UP.value, bindparam("what", type_=Text())), else_=None
        ),
    )
    .returning(job.c.id)
)
_MADE_UP_FOR = delete(job).where(
    job.c.kind == bindparam("kind"),
    job.c.key == bindparam("key"),
    job.c.ended == JobEnded.GIVEN_UP.value,
    job.c.id != bindparam("but"),
)
_GIVEN_UP = (
    select(job.c.id, job.c.kind, job.c.due_at, job.c.ended_at, job.c.attempts, job.c.problem)
    .where(job.c.ended == JobEnded.GIVEN_UP.value)
    .order_by(job.c.ended_at)
)
_ANOTHER = job.alias("another")
_WAITS_ALREADY = exists().where(_ANOTHER.c.kind == job.c.kind, _ANOTHER.c.key == job.c.key, _ANOTHER.c.ended.is_(None))
_REOPEN = (
    update(job)
    .where(_THIS, job.c.ended == JobEnded.GIVEN_UP.value, ~_WAITS_ALREADY)
    .values(ended=None, ended_at=None, attempts=0, due_at=bindparam("now", type_=INSTANT))
    .returning(*_WAITING)
)
_IS_GIVEN_UP = select(exists().where(_THIS, job.c.ended == JobEnded.GIVEN_UP.value))
_STAND = select(
    func.count().filter(_DUE).label("waiting"),
    func.coalesce(bindparam("now", type_=INSTANT) - func.min(job.c.due_at).filter(_DUE), _NO_TIME).label("oldest"),
    func.count().filter(job.c.ended == JobEnded.GIVEN_UP.value).label("given_up"),
).where(_OPEN | (job.c.ended == JobEnded.GIVEN_UP.value))
_MISSING = (
    select(*_WAITING)
    .where(
        _OPEN,
        func.coalesce(job.c.began_at, job.c.enqueued_at) < bindparam("before", type_=INSTANT),
        ~exists().where(queue.c.dedupe_key == cast(job.c.id, Text()), queue.c.status.in_(("queued", "picked"))),
    )
    .order_by(job.c.due_at)
)
_FORGET_DONE = delete(job).where(
    job.c.ended == JobEnded.DONE.value, job.c.ended_at < bindparam("before", type_=INSTANT)
)
_FORGET_LOG = delete(queue_log).where(queue_log.c.created < bindparam("before", type_=INSTANT))


class Jobs:
    """Our own account of the jobs."""

    def __init__(self, connection: AsyncConnection, *, now: datetime) -> None:
        self._connection = connection
        self._now = now

    async def take(self, job: JobId) -> Job | None:
        """Count that this job is begun once more; nothing where it has ended already."""
        row = (await self._connection.execute(_TAKE, {"job": job, "now": self._now})).one_or_none()
        return None if row is None else _job(row)

    async def hold(self, job: Job) -> bool:
        """Hold it until this piece of work ends; False where it has ended or somebody else has begun it since."""
        return (await self._connection.execute(_HOLD, _as_taken(job))).one_or_none() is not None

    async def got_further(self, job: Job) -> None:
        """Count anew: part of it is done. It is held."""
        await self._connection.execute(_GOT_FURTHER, {"job": job.id})

    async def let_go(self, job: Job) -> None:
        """This time does not count: its worker stops."""
        await self._connection.execute(_LET_GO, _as_taken(job))

    async def failed(self, job: Job, problem: str) -> None:
        """Keep what went wrong this time."""
        await self._connection.execute(_FAILED, {**_as_taken(job), "what": problem})

    async def end(self, job: Job, how: JobEnded, *, problem: str | None = None) -> bool:
        """Keep how it ended; False where it has ended already. What was given up of its kind and key is made up for."""
        given = {"job": job.id, "how": how, "now": self._now, "what": problem}
        ended = (await self._connection.execute(_END, given)).one_or_none() is not None
        if ended:
            await self._connection.execute(_MADE_UP_FOR, {"kind": job.kind, "key": job.key, "but": job.id})
        return ended

    async def given_up(self) -> Sequence[GivenUp]:
        """The jobs that wait for an operator, oldest first."""
        return [
            GivenUp(
                id=JobId(row.id),
                kind=row.kind,
                due_at=row.due_at,
                given_up_at=row.ended_at,
                attempts=row.attempts,
                problem=row.problem,
            )
            for row in await self._connection.execute(_GIVEN_UP)
        ]

    async def reopen(self, job: JobId) -> Open:
        """Have a job tried anew that was given up. Raises `JobUnknown` or `JobWaitsAlready`."""
        row = (await self._connection.execute(_REOPEN, {"job": job, "now": self._now})).one_or_none()
        if row is not None:
            return _open(row)
        if (await self._connection.execute(_IS_GIVEN_UP, {"job": job})).scalar_one():
            raise JobWaitsAlready("Another of the same kind waits already and does the same.")
        raise JobUnknown("`caseload jobs list` shows those that were given up.")

    async def stand(self) -> JobsStand:
        """How many wait, for how long, and how many were given up."""
        row = (await self._connection.execute(_STAND, {"now": self._now})).one()
        return JobsStand(waiting=row.waiting, oldest=row.oldest, given_up=row.given_up)

    async def missing(self, *, begun_before: datetime) -> Sequence[Open]:
        """The open jobs that nobody has begun since then and that the queue does not know."""
        return [_open(row) for row in await self._connection.execute(_MISSING, {"before": begun_before})]

    async def forget(self, *, before: datetime) -> None:
        """Forget what was done before then, and the queue's account of it."""
        await self._connection.execute(_FORGET_DONE, {"before": before})
        await self._connection.execute(_FORGET_LOG, {"before": before})


def _as_taken(job: Job) -> dict[str, Any]:
    return {"job": job.id, "as_taken": job.takes}


def _job(row: Row[*tuple[Any, ...]]) -> Job:
    return Job(
        id=JobId(row.id),
        kind=row.kind,
        key=row.key,
        subject=row.subject,
        due_at=row.due_at,
        attempts=row.attempts,
        takes=row.takes,
    )


def _open(row: Row[*tuple[Any, ...]]) -> Open:
    return Open(id=JobId(row.id), kind=row.kind, due_at=row.due_at)
