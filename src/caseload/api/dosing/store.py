"""Where dosing and medication keep their record, for one piece of work."""

from caseload.db.dosing import Charts
from caseload.request.work import Work


def charts(work: Work) -> Charts:
    """Orders, holds, decisions and doses, as one store."""
    return Charts(work.connection, work.journal, now=work.now)
