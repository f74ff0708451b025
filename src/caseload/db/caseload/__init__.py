"""Episodes, and who looks after whom, in PostgreSQL."""

from caseload.db.caseload.caseloads import Caseloads

__all__ = ["Caseloads"]
