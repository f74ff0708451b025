"""Where everything is kept that ends when a client leaves, for one piece of work."""

from caseload.api.caseload.store import caseloads_of
from caseload.api.dosing.store import charts
from caseload.db.attendance import Sessions
from caseload.db.checkin import Plans
from caseload.db.departure import Deaths
from caseload.domain.departure import Places
from caseload.request.work import Work


def departures(work: Work) -> Deaths:
    """Discharges that wait, and deaths."""
    return Deaths(work.connection, work.journal, now=work.now)


def places(work: Work) -> Places:
    """What a departure ends."""
    return Places(
        departures=departures(work),
        caseloads=caseloads_of(work),
        plans=Plans(work.connection, work.journal, now=work.now),
        sessions=Sessions(work.connection, work.journal, now=work.now),
        orders=charts(work),
    )
