"""Where everything is kept that ends when a client leaves, for one piece of work."""

from caseload.api.caseload.store import caseloads_of
from caseload.api.dosing.store import charts
from caseload.db.attendance import Sessions
from caseload.db.checkin import Plans
from caseload.db.departure import Deaths
from caseload.db.programme import Programmes
from caseload.db.transfer import Transfers
from caseload.domain.departure import Places
from caseload.domain.transfer import Places as TransferPlaces
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


def transfers(work: Work) -> Transfers:
    """Transfers to another programme."""
    return Transfers(work.connection, work.journal, now=work.now)


def transfer_places(work: Work) -> TransferPlaces:
    """What a transfer ends, and what it begins."""
    return TransferPlaces(
        transfers=transfers(work),
        caseloads=caseloads_of(work),
        programmes=Programmes(work.connection),
        holds=charts(work),
        leaving=places(work),
    )
