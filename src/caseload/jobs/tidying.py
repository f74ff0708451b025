"""Forgetting jobs that were done long ago. What they did stands in the audit log."""

from datetime import timedelta
from typing import Final

from caseload.db.job import Jobs
from caseload.domain.job import Job
from caseload.jobs.kind import Kind, Step
from caseload.request.work import Work

KEPT_FOR: Final = timedelta(days=30)


async def _forget(work: Work, _: Job) -> Step:
    await Jobs(work.connection, now=work.now).forget(before=work.now - KEPT_FOR)
    return Step.DONE


FORGET_JOBS: Final = Kind(name="job.forgotten", step=_forget, every=timedelta(days=1))
