"""Where check-ins keep their record, for one piece of work."""

from caseload.db.checkin import CheckIns
from caseload.request.work import Work


def check_ins_of(work: Work) -> CheckIns:
    """What happened to each check-in, as one store."""
    return CheckIns(work.connection, work.journal, now=work.now)
