"""The notice on how a record is protected: who was given it at the desk, who would not sign, and who is still to be given it."""

import hashlib
from datetime import timedelta
from typing import Final

from caseload.db.patient_notice import Notices
from caseload.demo.telling.stage import Stage
from caseload.domain.client import Client
from caseload.domain.ids import NoticeGivenId, NoticeId, new_id
from caseload.domain.patient_notice import Acknowledgement, Giving, Manner, Wording, give, put_in_force
from caseload.request.work import Work

IN_FORCE_SINCE: Final = timedelta(days=30)
TEXT: Final = "This notice says how what we know of you is protected, and what you may ask of us."
SIGNED: Final = (Acknowledgement.SIGNED, None)
DECLINED: Final = (Acknowledgement.DECLINED, "Has read it and was asked twice; does not sign papers.")


async def tell_notices(stage: Stage, *, work: Work) -> None:
    """Everybody in care here has been given it, but whoever came last."""
    in_care = [
        (life.episode.starts_at, life.client)
        for life in stage.lives
        if life.client is not None and life.episode is not None and life.story.discharged is None
    ]
    there = [client for _, client in sorted(in_care, key=lambda each: each[0])]
    await _put(stage, work)
    for place, client in enumerate(there[:-1]):
        await _give(client, DECLINED if place == 0 else SIGNED, stage, work)


async def _put(stage: Stage, work: Work) -> None:
    now = work.now - IN_FORCE_SINCE
    await put_in_force(
        stage.programme,
        Wording(
            title="How we protect your record",
            version="2026-1",
            in_force_from=stage.programme.today(now),
            text_sha256=hashlib.sha256(TEXT.encode()).hexdigest(),
        ),
        as_id=NoticeId(new_id()),
        by=stage.team.privacy,
        now=now,
        notices=Notices(work.connection, work.journal, now=now),
        journal=work.journal,
    )


async def _give(client: Client, said: tuple[Acknowledgement, str | None], stage: Stage, work: Work) -> None:
    acknowledgement, why_not = said
    await give(
        client.id,
        Giving(given_at=work.now, manner=Manner.PAPER, acknowledgement=acknowledgement, why_not=why_not),
        version=None,
        programme=stage.programme,
        as_id=NoticeGivenId(new_id()),
        by=stage.team.counsellors[0],
        now=work.now,
        notices=Notices(work.connection, work.journal, now=work.now),
        journal=work.journal,
    )
