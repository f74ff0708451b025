"""Jobs are done once, tried a bounded number of times, and never lost: whatever becomes of their workers."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from pgqueuer.adapters.persistence import schema_inspect
from pgqueuer.domain.schema.declaration import target

from caseload.audit.batcher import LogUnavailable
from caseload.db.job import Jobs
from caseload.db.job.queue import NAMES, Queue, queries_of
from caseload.domain.ids import JobId, new_id
from caseload.domain.job import (
    MOST_ATTEMPTS,
    WORKER_ENDED,
    Job,
    JobEnded,
    JobUnknown,
    JobWaitsAlready,
    pause_after,
)
from caseload.domain.journal import Event
from caseload.jobs.kind import Kind, Step
from caseload.jobs.kinds import KINDS
from caseload.jobs.worker import LONGEST_WAIT, MISSED_AFTER
from caseload.request.refusal import UNAVAILABLE
from caseload.request.work import Service, Unsettled, Work
from tests.jobs.conftest import LATER, Told, worker

pytestmark = pytest.mark.anyio


class Something(Event):
    """Something was done."""

    name = "test.done"


def kind(step: Callable[[Work, Job], Awaitable[Step]], *, every: timedelta | None = None) -> Kind:
    return Kind(name="test.done", step=step, every=every)


async def tells(work: Work, job: Job) -> Step:
    work.journal.tell(Something(records=(job.id,)))
    return Step.DONE


async def breaks(_: Work, __: Job) -> Step:
    message = "Ada Nowak's dose"
    raise RuntimeError(message)


async def idles(_: Work, __: Job) -> Step:
    return Step.NOTHING


async def enqueued(
    service: Service, key: str = "one", *, due_at: datetime | None = None, subject: UUID | None = None
) -> JobId:
    async with service.engine.begin() as connection:
        made = await Queue(connection, now=LATER).add("test.done", key=key, due_at=due_at, subject=subject)
    assert made is not None
    return made


async def row(owner: Any, job: UUID) -> dict[str, Any]:
    return dict(await owner.fetchrow("select * from jobs.job where id = $1", job))


async def test_what_is_due_is_done_once_in_a_piece_of_work_of_the_services_own(
    service: Service, owner: Any, told: Told
) -> None:
    subject = new_id()
    seen: list[Job] = []

    async def remembers(work: Work, job: Job) -> Step:
        seen.append(job)
        assert work.by.holdings == ()
        return await tells(work, job)

    done, later = (
        await enqueued(service, subject=subject),
        await enqueued(service, key="later", due_at=LATER + timedelta(hours=1)),
    )
    await worker(service, kind(remembers)).drain()
    await worker(service, kind(remembers)).drain()

    assert [(job.id, job.subject, job.attempts) for job in seen] == [(done, subject, 1)]
    assert (await row(owner, done))["ended"] == JobEnded.DONE
    assert (await row(owner, later))["ended"] is None
    assert await told("test.done") == 1
    left = await owner.fetch("select dedupe_key, payload, headers from jobs.pgqueuer")
    assert [tuple(each) for each in left] == [(str(later), later.bytes, "null")]
    assert await owner.fetchval("select count(*) from jobs.pgqueuer_log where traceback is not null") == 0


async def test_a_job_is_enqueued_with_the_work_that_asks_for_it_or_not_at_all(service: Service, owner: Any) -> None:
    async with service.engine.connect() as connection:
        await connection.begin()
        assert await Queue(connection, now=LATER).add("test.done", key="one") is not None
        await connection.rollback()
    assert await owner.fetchval("select count(*) from jobs.job") == 0
    assert await owner.fetchval("select count(*) from jobs.pgqueuer") == 0


async def test_two_that_would_do_the_same_are_one_until_it_is_done(service: Service) -> None:
    first = await enqueued(service)
    async with service.engine.begin() as connection:
        assert await Queue(connection, now=LATER).add("test.done", key="one") is None
    await worker(service, kind(tells)).attempt(kind(tells), first)
    assert await enqueued(service) != first


async def test_what_a_job_did_is_undone_with_it_and_nothing_of_its_error_is_kept(service: Service, owner: Any) -> None:
    made = await enqueued(service)

    async def writes_and_breaks(work: Work, job: Job) -> Step:
        await Queue(work.connection, now=work.now).add("test.done", key="by the way")
        return await breaks(work, job)

    assert await worker(service).attempt(kind(writes_and_breaks), made) == pause_after(1)
    assert await owner.fetchval("select count(*) from jobs.job") == 1
    kept = await row(owner, made)
    assert (kept["ended"], kept["attempts"], kept["problem"]) == (None, 1, "RuntimeError")
    await worker(service, kind(breaks)).drain()
    kept_anywhere = await owner.fetch(
        "select t::text from jobs.job t union all select t::text from jobs.pgqueuer t"
        " union all select t::text from jobs.pgqueuer_log t"
    )
    assert "RuntimeError" in str(kept_anywhere)
    assert "Ada" not in str(kept_anywhere)


async def test_a_job_that_fails_every_time_is_given_up_and_listed_until_somebody_has_it_tried_again(
    service: Service, owner: Any, told: Told
) -> None:
    made, one = await enqueued(service), worker(service)
    pauses = [await one.attempt(kind(breaks), made) for _ in range(MOST_ATTEMPTS)]
    assert pauses == [*(pause_after(each) for each in range(1, MOST_ATTEMPTS)), None]
    assert await one.attempt(kind(tells), made) is None, "what was given up is not begun again by itself"

    async with service.engine.begin() as connection:
        jobs = Jobs(connection, now=LATER)
        [listed] = await jobs.given_up()
        assert (listed.id, listed.attempts, listed.problem) == (made, MOST_ATTEMPTS, "RuntimeError")
        assert (await jobs.stand()).given_up == 1
        await Queue(connection, now=LATER).put([await jobs.reopen(made)])
        with pytest.raises(JobUnknown):
            await jobs.reopen(made)
    assert await told("job.given_up") == 1
    await worker(service, kind(tells)).drain()
    assert (await row(owner, made))["ended"] == JobEnded.DONE


async def test_a_job_that_ends_its_workers_is_given_up_although_none_says_why(
    service: Service, owner: Any, told: Told
) -> None:
    made = await enqueued(service)
    for _ in range(MOST_ATTEMPTS):
        async with service.engine.begin() as connection:
            assert await Jobs(connection, now=LATER).take(made) is not None
    await worker(service, kind(tells)).drain()
    kept = await row(owner, made)
    assert (kept["ended"], kept["problem"]) == (JobEnded.GIVEN_UP, WORKER_ENDED)
    assert await told("test.done") == 0


async def test_what_got_further_counts_anew(service: Service, owner: Any, told: Told) -> None:
    made, steps = await enqueued(service), 0

    async def fails_every_second_time(work: Work, job: Job) -> Step:
        nonlocal steps
        steps += 1
        if steps % 2:
            work.journal.tell(Something(records=(job.id,)))
            return Step.MORE
        return await breaks(work, job)

    for _ in range(MOST_ATTEMPTS + 1):
        await worker(service).attempt(kind(fails_every_second_time), made)
    kept = await row(owner, made)
    assert (kept["ended"], kept["takes"]) == (None, MOST_ATTEMPTS + 1)
    assert await told("test.done") == 2 * (MOST_ATTEMPTS + 1), "each part and each failure has its entry"


async def test_who_is_overtaken_keeps_nothing_and_ends_nothing(service: Service, owner: Any) -> None:
    made = await enqueued(service)

    async def slow(work: Work, job: Job) -> Step:
        return await tells(work, job)

    async with service.engine.begin() as connection:
        first = await Jobs(connection, now=LATER).take(made)
    assert first is not None
    async with service.engine.begin() as connection:
        await Jobs(connection, now=LATER).take(made)
    async with service.engine.begin() as connection:
        jobs = Jobs(connection, now=LATER)
        assert not await jobs.hold(first)
        await jobs.failed(first, "TooLate")
        await jobs.let_go(first)
    kept = await row(owner, made)
    assert (kept["attempts"], kept["takes"], kept["problem"]) == (2, 2, None)
    assert await worker(service).attempt(kind(slow), made) is None
    assert (await row(owner, made))["ended"] == JobEnded.DONE


async def test_one_that_was_done_meanwhile_is_undone_the_second_time(service: Service, owner: Any, told: Told) -> None:
    made = await enqueued(service)

    async def done_elsewhere(work: Work, job: Job) -> Step:
        await Jobs(work.connection, now=work.now).end(job, JobEnded.DONE)
        return await tells(work, job)

    assert await worker(service).attempt(kind(done_elsewhere), made) is None
    assert (await row(owner, made))["ended"] is None
    assert await told("test.done") == 1, "the attempt that failed"


async def test_a_log_that_is_away_costs_no_attempt(service: Service, owner: Any) -> None:
    made = await enqueued(service)

    async def cannot_be_logged(_: Work, __: Job) -> Step:
        raise Unsettled(UNAVAILABLE) from LogUnavailable()

    assert await worker(service).attempt(kind(cannot_be_logged), made) == LONGEST_WAIT
    assert (await row(owner, made))["attempts"] == 0


async def test_a_worker_that_stops_leaves_the_rest_to_another(service: Service, owner: Any) -> None:
    made, one = await enqueued(service), worker(service)

    async def stops(work: Work, job: Job) -> Step:
        one.stop()
        work.journal.tell(Something(records=(job.id,)))
        return Step.MORE

    assert await one.attempt(kind(stops), made) == timedelta()
    kept = await row(owner, made)
    assert (kept["ended"], kept["attempts"]) == (None, 0)


async def test_what_is_open_and_not_in_the_queue_is_put_back(service: Service, owner: Any) -> None:
    made = await enqueued(service)
    await owner.execute("delete from jobs.pgqueuer")
    await worker(service, kind(tells)).drain()
    assert (await row(owner, made))["ended"] is None, "it may be in somebody's hands"
    late = replace(service, clock=lambda: LATER + MISSED_AFTER + timedelta(seconds=1))
    await worker(late, kind(tells)).drain()
    assert (await row(owner, made))["ended"] == JobEnded.DONE


async def test_one_that_comes_round_is_there_by_itself_and_due_again_after_its_time(
    service: Service, owner: Any, told: Told
) -> None:
    hourly = kind(idles, every=timedelta(hours=1))
    await worker(service, hourly).drain()
    await worker(service, hourly).drain()
    rows = await owner.fetch("select ended, due_at, enqueued_at from jobs.job order by due_at")
    assert [(each["ended"], each["due_at"] - LATER) for each in rows] == [
        ("done", timedelta()),
        (None, timedelta(hours=1)),
    ]
    assert await told("test.done") == 0, "where nothing was to do nothing is told"


async def test_one_that_comes_round_goes_on_after_it_was_given_up_and_makes_up_for_it(
    service: Service, owner: Any
) -> None:
    hourly, one = kind(breaks, every=timedelta(hours=1)), worker(service)
    made = await enqueued(service, key="")
    for _ in range(MOST_ATTEMPTS):
        await one.attempt(hourly, made)
    async with service.engine.begin() as connection:
        with pytest.raises(JobWaitsAlready):
            await Jobs(connection, now=LATER).reopen(made)
    [following] = [each["id"] for each in await owner.fetch("select id from jobs.job where ended is null")]
    assert await worker(service).attempt(kind(tells), following) is None
    assert await owner.fetchval("select count(*) from jobs.job where ended = 'given_up'") == 0


async def test_a_worker_does_what_comes_while_it_runs_and_stops_when_told(service: Service, owner: Any) -> None:
    done = asyncio.Event()

    async def says_so(work: Work, job: Job) -> Step:
        done.set()
        return await tells(work, job)

    one = worker(service, kind(says_so))
    running = asyncio.create_task(one.run())
    made = await enqueued(service)
    async with asyncio.timeout(10):
        await done.wait()
        one.stop()
        await running
    assert (await row(owner, made))["ended"] == JobEnded.DONE


async def test_a_worker_waits_for_a_database_that_is_away(
    service: Service, owner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, tried = worker(service, kind(tells)), 0
    whole = one.drain

    async def away() -> None:
        nonlocal tried
        tried += 1
        if tried == 2:
            one.stop()
        raise ConnectionRefusedError

    monkeypatch.setattr("caseload.jobs.worker.LOOK_AGAIN", timedelta(milliseconds=1))
    monkeypatch.setattr(one, "_put_back", away)
    await one.run()
    assert tried == 2
    with pytest.raises(ConnectionRefusedError):
        await whole()


async def test_how_the_jobs_stand(service: Service) -> None:
    await enqueued(service, due_at=LATER - timedelta(minutes=7))
    await enqueued(service, key="later", due_at=LATER + timedelta(minutes=1))
    async with service.engine.connect() as connection:
        stand = await Jobs(connection, now=LATER).stand()
    assert (stand.waiting, stand.oldest, stand.given_up) == (1, timedelta(minutes=7), 0)


async def test_what_was_done_is_forgotten_after_a_while_and_what_was_given_up_is_not(
    service: Service, owner: Any
) -> None:
    done, given_up = await enqueued(service), await enqueued(service, key="two")
    await worker(service).attempt(kind(tells), done)
    for _ in range(MOST_ATTEMPTS):
        await worker(service).attempt(kind(breaks), given_up)
    async with service.engine.begin() as connection:
        await Jobs(connection, now=LATER).forget(before=LATER)
    assert await owner.fetchval("select count(*) from jobs.job") == 2
    async with service.engine.begin() as connection:
        await Jobs(connection, now=LATER).forget(before=LATER + timedelta(seconds=1))
    assert [each["id"] for each in await owner.fetch("select id from jobs.job")] == [given_up]


async def test_the_tables_are_those_that_the_library_declares(service: Service) -> None:
    """But for its trigger, its function and its schedules, which are left out."""
    wanted = target(NAMES)
    queries = queries_of(service.engine)
    found = await schema_inspect.inspect(queries.driver, NAMES)
    ours = [each for each in wanted.tables if each.name != NAMES.schedules_table]
    assert [each for each in found.tables if each.name != "job"] == ours
    assert [each for each in found.indexes if each.table != "job"] == list(wanted.indexes)
    assert list(found.enums) == list(wanted.enums)


async def test_no_two_kinds_have_one_name() -> None:
    assert len({each.name for each in KINDS}) == len(KINDS)
