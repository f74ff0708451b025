"""Where dosing and medication keep their record, for one piece of work."""

from caseload.db.dosing import Charts
from caseload.db.dosing.past import Pasts
from caseload.request.work import Work


def charts(work: Work) -> Charts:
    """Orders, holds, decisions and doses, as one store."""
    return Charts(work.connection, work.journal, now=work.now)


def pasts(work: Work) -> Pasts:
    """Everything that was ever on a client's chart."""
    return Pasts(work.connection, work.journal, now=work.now)
