"""What clients ask for about their own record, in PostgreSQL."""

from caseload.db.rights.accountings import KeptAccountings
from caseload.db.rights.requests import MOST, KeptRights

__all__ = ["MOST", "KeptAccountings", "KeptRights"]
