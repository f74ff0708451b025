"""Every kind of job there is."""

from caseload.jobs.alerts import RAISE_ALERTS
from caseload.jobs.check_ins import SCHEDULE_CHECK_INS, STEP_UP_CHECK_INS
from caseload.jobs.escalations import MISSED_DOSES, PASS_ON
from caseload.jobs.outreach import CLIMB_LADDERS
from caseload.jobs.tidying import FORGET_JOBS
from caseload.jobs.zones import FOLLOW_ZONES

KINDS = (
    SCHEDULE_CHECK_INS,
    STEP_UP_CHECK_INS,
    CLIMB_LADDERS,
    PASS_ON,
    MISSED_DOSES,
    RAISE_ALERTS,
    FOLLOW_ZONES,
    FORGET_JOBS,
)
