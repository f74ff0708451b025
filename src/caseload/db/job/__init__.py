"""Jobs in PostgreSQL. What only looks imports `kept`; what enqueues or works on them needs the queue of a library."""

from caseload.db.job.kept import Jobs

__all__ = ["Jobs"]
