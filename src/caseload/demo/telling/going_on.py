"""Somebody without medicine who moves house: the next programme was asked yesterday to take them over, and has not answered."""

from caseload.db.attendance import Sessions
from caseload.db.caseload import Caseloads
from caseload.db.checkin import Plans
from caseload.db.departure import Deaths
from caseload.db.dosing import Charts
from caseload.db.programme import Programmes
from caseload.db.transfer import Transfers
from caseload.demo.telling.stage import Stage
from caseload.domain import departure
from caseload.domain.ids import TransferId, new_id
from caseload.domain.programme import Programme
from caseload.domain.transfer import Places, Wish, ask_transfer
from caseload.request.work import Work


async def tell_going_on(stage: Stage, to: Programme, *, work: Work) -> None:
    """Of the first client in care here without an order."""
    going = next(
        (
            life.client
            for life in stage.lives
            if life.client is not None and life.episode is not None and life.order is None and life.story.in_care(0)
        ),
        None,
    )
    if going is None:
        return
    now = stage.moment(1, 15)
    charts, caseloads = (
        Charts(work.connection, work.journal, now=now),
        Caseloads(work.connection, work.journal, now=now),
    )
    await ask_transfer(
        going.id,
        Wish(
            to=to.id,
            reason="Moves in with a sister there on Monday.",
            told="Stable, no medicine from here. Looks for a group on a weekday evening.",
            proposed_at=now,
        ),
        as_id=TransferId(new_id()),
        by=stage.team.supervisor,
        now=now,
        places=Places(
            transfers=Transfers(work.connection, work.journal, now=now),
            caseloads=caseloads,
            programmes=Programmes(work.connection),
            holds=charts,
            leaving=departure.Places(
                departures=Deaths(work.connection, work.journal, now=now),
                caseloads=caseloads,
                plans=Plans(work.connection, work.journal, now=now),
                sessions=Sessions(work.connection, work.journal, now=now),
                orders=charts,
            ),
        ),
        journal=work.journal,
    )
