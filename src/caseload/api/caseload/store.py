"""Where episodes of care and responsibility keep their record, for one piece of work."""

from caseload.db.caseload import Caseloads
from caseload.request.work import Work


def caseloads_of(work: Work) -> Caseloads:
    """Episodes, responsibility and cover, as one store."""
    return Caseloads(work.connection, work.journal, now=work.now)
