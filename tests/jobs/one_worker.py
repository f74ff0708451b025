"""A worker in a process of its own, which kills itself in its third step: `python -m tests.jobs.one_worker DSN DATA NOW`."""

import asyncio
import os
import signal
import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from caseload.domain.job import Job
from caseload.jobs import check_ins
from caseload.jobs.check_ins import SCHEDULE_CHECK_INS
from caseload.jobs.kind import Step
from caseload.jobs.worker import Worker
from caseload.request.service import open_service
from caseload.request.work import Work
from caseload.settings import Secret, Settings


async def main(dsn: str, data: str, now: str) -> None:
    """Two plans at a time, and no end in an orderly way."""
    steps = 0

    async def killed_in_the_third(work: Work, job: Job) -> Step:
        nonlocal steps
        steps += 1
        done = await check_ins.schedule_check_ins(work, job)
        if steps == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        return done

    check_ins.PLANS_AT_ONCE = 2
    async with open_service(Settings(database_url=Secret(dsn), data_dir=Path(data))) as service:
        then = replace(service, clock=lambda: datetime.fromisoformat(now))
        await Worker(then, [replace(SCHEDULE_CHECK_INS, step=killed_in_the_third)]).drain()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
