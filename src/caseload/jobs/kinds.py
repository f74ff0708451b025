"""Every kind of job there is."""

from caseload.jobs.check_ins import SCHEDULE_CHECK_INS
from caseload.jobs.tidying import FORGET_JOBS

KINDS = (SCHEDULE_CHECK_INS, FORGET_JOBS)
