"""Two people who were registered twice: one merged by two people, and one of whom nobody has said yet whether it is so."""

from datetime import datetime, timedelta
from typing import Final

from caseload.db.client import Clients
from caseload.db.merge import Merges
from caseload.demo.telling.stage import Stage
from caseload.domain.client import Client, Identity, register
from caseload.domain.ids import ClientId, MergeId, new_id
from caseload.domain.merge import Merge, confirm_merge, propose_merge
from caseload.request.work import Work

MARRIED: Final = "Brandt-"
"""Registered under the name of before, and with a slip in the year: nobody was asked whether it is a probable match."""
A_YEAR: Final = timedelta(days=365)


async def tell_registered_twice(stage: Stage, *, work: Work) -> None:
    """Somebody without medicine was registered again and merged; of somebody in care it was noticed last night."""
    known = [(life, life.client) for life in stage.lives if life.client is not None]
    gone = next((client for life, client in known if life.order is None or life.episode is None), None)
    here = next(
        (client for life, client in reversed(known) if life.order is not None and life.episode is not None), None
    )
    if gone is not None:
        merge = await _proposed(gone, stage.moment(1, 10), stage, work)
        director = stage.team.director
        at = stage.moment(1, 11)
        await confirm_merge(
            merge,
            "Both cards were on the desk: one person.",
            by=director,
            now=at,
            merges=Merges(work.connection, work.journal, now=at),
            journal=work.journal,
        )
    if here is not None:
        await _proposed(here, stage.moment(1, 18), stage, work)


async def _proposed(client: Client, now: datetime, stage: Stage, work: Work) -> MergeId:
    """Register somebody a second time, and say that it is the same person."""
    nurse, known = stage.team.nurses[0], client.identity
    double = await register(
        Identity(
            given_name=known.given_name,
            family_name=MARRIED + known.family_name,
            birth_date=known.birth_date - A_YEAR,
            sex=known.sex,
        ),
        [],
        as_id=ClientId(new_id()),
        programme=stage.programme.id,
        by=nurse,
        now=now,
        today=stage.today,
        clients=Clients(work.connection, work.journal, now=now),
        journal=work.journal,
    )
    merge = Merge(
        id=MergeId(new_id()),
        duplicate=double.id,
        survivor=client.id,
        reason="The same photograph on both cards.",
        proposed_by=nurse.id,
        proposed_at=now,
    )
    merges = Merges(work.connection, work.journal, now=now)
    await propose_merge(merge, by=nurse, now=now, merges=merges, journal=work.journal)
    return merge.id
