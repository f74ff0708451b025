"""The routine review in PostgreSQL: what may explain a finding, and who has looked at it."""

from caseload.db.oversight.grounds import Grounds
from caseload.db.oversight.reviews import Reviews

__all__ = ["Grounds", "Reviews"]
