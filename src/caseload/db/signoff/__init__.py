"""Sign-off in PostgreSQL: what waits, and how each look ended."""

from caseload.db.signoff.queue import Queue
from caseload.db.signoff.verdicts import SignOffs

__all__ = ["Queue", "SignOffs"]
