"""Check-ins in PostgreSQL: plans, what happened to each check-in, and the lists of those that are overdue."""

from caseload.db.checkin.answers import Templates
from caseload.db.checkin.closing import Closing
from caseload.db.checkin.overdue import OverdueCheckIns
from caseload.db.checkin.plans import Plans
from caseload.db.checkin.records import CheckIns

__all__ = ["CheckIns", "Closing", "OverdueCheckIns", "Plans", "Templates"]
