"""A worker in a process of its own, which sends itself a signal in its third step.

python -m tests.jobs.one_worker DSN DATA NOW SIGNAL
"""

import asyncio
import os
import signal
import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from caseload.commands.jobs import stop_on_signals
from caseload.domain.job import Job
from caseload.jobs import check_ins
from caseload.jobs.check_ins import SCHEDULE_CHECK_INS
from caseload.jobs.kind import Step
from caseload.jobs.worker import Worker
from caseload.request.service import open_service
from caseload.request.work import Work
from caseload.settings import Secret, Settings


async def main(dsn: str, data: str, now: str, told: str) -> None:
    """Two plans at a time, and in the third step this signal."""
    steps = 0

    async def told_in_the_third(work: Work, job: Job) -> Step:
        nonlocal steps
        steps += 1
        done = await check_ins.schedule_check_ins(work, job)
        if steps == 3:
            os.kill(os.getpid(), signal.Signals[told])
        return done

    check_ins.PLANS_AT_ONCE = 2
    async with open_service(Settings(database_url=Secret(dsn), data_dir=Path(data))) as service:
        then = replace(service, clock=lambda: datetime.fromisoformat(now))
        worker = Worker(then, [replace(SCHEDULE_CHECK_INS, step=told_in_the_third)])
        stop_on_signals(worker.stop)
        await worker.drain()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
