"""What clients ask for about their own record, in PostgreSQL."""

from caseload.db.rights.requests import KeptRights

__all__ = ["KeptRights"]
