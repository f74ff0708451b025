"""Every kind of job there is."""

from caseload.jobs.check_ins import SCHEDULE_CHECK_INS
from caseload.jobs.outreach import CLIMB_LADDERS
from caseload.jobs.tidying import FORGET_JOBS

KINDS = (SCHEDULE_CHECK_INS, CLIMB_LADDERS, FORGET_JOBS)
