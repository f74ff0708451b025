"""What two clients asked for about their own record: a copy that is overdue, and an entry that was not changed."""

from datetime import timedelta
from typing import Final

from caseload.db.rights import KeptRights
from caseload.demo.telling.stage import Stage
from caseload.domain.client import Client
from caseload.domain.consent import CheckMethod, IdentityCheck
from caseload.domain.ids import RightsRequestId, new_id
from caseload.domain.profiles.rights import DenialGround, RightKind
from caseload.domain.rights import Answering, AskedFor, Outcome, RightsRequest, answer_request, take_request
from caseload.request.work import Work

OVERDUE_SINCE: Final = timedelta(days=2)
ASKED_BEFORE: Final = timedelta(days=12)
ANSWERED_BEFORE: Final = timedelta(days=5)


async def tell_rights(stage: Stage, *, work: Work) -> None:
    """Of the first two clients in care here who came before they asked."""
    clock = stage.programme.rules_on(stage.today).rights.clocks.record_copy
    long_ago = OVERDUE_SINCE + (clock.last_day(stage.today) - stage.today)
    since = work.now - long_ago
    there = [
        life.client
        for life in stage.lives
        if life.client is not None
        and life.episode is not None
        and life.story.discharged is None
        and life.episode.starts_at < since
    ]
    for client in there[:1]:
        await _take(client, RightKind.RECORD_COPY, "A copy of everything, for my lawyer.", long_ago, stage, work)
    for client in there[1:2]:
        says = "I was not late on Tuesday; please take that out."
        asked = await _take(client, RightKind.AMENDMENT, says, ASKED_BEFORE, stage, work)
        await _deny(asked, stage, work)


async def _take(
    client: Client, kind: RightKind, says: str, before: timedelta, stage: Stage, work: Work
) -> RightsRequest:
    now = work.now - before
    return await take_request(
        AskedFor(kind=kind, says=says, received_at=now, check=IdentityCheck(method=CheckMethod.IN_PERSON)),
        client,
        stage.programme,
        as_id=RightsRequestId(new_id()),
        by=stage.team.counsellors[0],
        now=now,
        requests=KeptRights(work.connection, work.journal, now=now),
        journal=work.journal,
    )


async def _deny(asked: RightsRequest, stage: Stage, work: Work) -> None:
    now = work.now - ANSWERED_BEFORE
    await answer_request(
        asked.id,
        Answering(
            outcome=Outcome.DENIED,
            ground=DenialGround.ACCURATE_AND_COMPLETE,
            says="Told in a letter, with how to disagree and where to complain: the register was taken by two people.",
        ),
        programme=stage.programme,
        by=stage.team.privacy,
        now=now,
        answers=KeptRights(work.connection, work.journal, now=now),
        journal=work.journal,
    )
