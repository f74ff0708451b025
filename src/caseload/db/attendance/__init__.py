"""Sessions and attendance in PostgreSQL."""

from caseload.db.attendance.clients import Attendances, Attended
from caseload.db.attendance.rosters import Name
from caseload.db.attendance.sessions import Sessions

__all__ = ["Attendances", "Attended", "Name", "Sessions"]
