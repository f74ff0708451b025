"""Where take-homes are kept, for one piece of work."""

from caseload.db.takehome.returns import Returns
from caseload.request.work import Work


def take_homes(work: Work) -> Returns:
    """Decisions, units and what became of them, as one store, beside the doses and orders."""
    return Returns(work.connection, work.journal, now=work.now)
