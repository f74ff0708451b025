"""Whoever has not come is looked for, as far as they allow it; clinicians are on call; and one escalation has gone on."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from caseload.db.care_task import KeptCareTasks
from caseload.db.escalation import Escalations
from caseload.db.on_call import KeptRotas
from caseload.db.outreach import KeptContacts, KeptLadders
from caseload.demo.cast import BANKSIA
from caseload.demo.telling.stage import Life, Stage
from caseload.domain.care_task import ask_for
from caseload.domain.escalation import Ground, OnCall, escalate, pass_on, plan_on_call
from caseload.domain.ids import CareTaskId, EscalationId, OnCallId, new_id
from caseload.domain.outreach import Channel, Contact, Reachable, climb, ground_of, say_contact
from caseload.domain.people import the_service
from caseload.request.work import Work

LOOKED_FOR_DAYS: Final = 21
MOST_LADDERS: Final = 500
SHIFT: Final = timedelta(hours=24)
SHIFTS: Final = 7
RAISED_BEFORE: Final = timedelta(minutes=20)
"""Longer than the clinician on call waits, and shorter than the supervisors do."""
HOLE: Final = 3
"""On the day that is so many days ahead nobody is on call yet."""

_ALLOWED: Final[Sequence[frozenset[Channel] | None]] = (
    frozenset({Channel.TELEPHONE, Channel.VOICEMAIL, Channel.TEXT, Channel.POST}),
    frozenset({Channel.TEXT}),
    None,
    frozenset({Channel.TELEPHONE, Channel.POST, Channel.VISIT}),
    frozenset(),
    frozenset({Channel.TELEPHONE, Channel.TEXT}),
)
"""What clients allow, one after the other; None of whoever has not been asked yet."""


async def tell_outreach(stage: Stage, *, work: Work) -> None:
    """Everything of it, of one programme."""
    for life in stage.lives:
        await _may_be_reached(life, stage, work)
    for ago in range(LOOKED_FOR_DAYS, -1, -1):
        now = stage.moment(ago, 6) if ago else work.now
        await _climb(stage, work, now=min(now, work.now))
    await _ask_a_colleague(stage, work)
    if stage.programme.code != BANKSIA:
        await _be_on_call(stage, work)
        await _raise_one(stage, work, now=work.now - RAISED_BEFORE)
    await _pass_on(stage, work)


async def _may_be_reached(life: Life, stage: Stage, work: Work) -> None:
    allowed = _ALLOWED[life.story.number % len(_ALLOWED)]
    if life.client is None or life.episode is None or allowed is None:
        return
    await say_contact(
        Contact(client=life.client.id, version=0),
        Reachable(
            allowed=allowed,
            telephone=f"555 01{life.story.number % 100:02}",
            address=f"{life.story.number} Demo Street",
            heed="Not before noon, and never with the clinic's name." if life.story.number % 4 == 0 else None,
        ),
        None,
        by=stage.counsellor(life),
        now=life.episode.starts_at,
        contacts=KeptContacts(work.connection, work.journal),
        journal=work.journal,
    )


async def _climb(stage: Stage, work: Work, *, now: datetime) -> None:
    """What the job took on that day of the check-ins that still wait."""
    ladders = KeptLadders(work.connection, work.journal, now=now)
    closed = await ladders.closed_days(stage.programme.id, since=stage.day(LOOKED_FOR_DAYS * 2))
    ground = ground_of(stage.programme, closed, now=now)
    for climber in await ladders.due(stage.programme.id, at_most=MOST_LADDERS):
        await climb(climber, ground, by=the_service(), now=now, ladders=ladders, journal=work.journal)


async def _ask_a_colleague(stage: Stage, work: Work) -> None:
    life = next(each for each in stage.lives if each.client is not None and each.episode is not None and each.plan)
    if life.client is None:
        return
    await ask_for(
        life.client.id,
        "Ask the housing office whether the flat is free in January.",
        as_id=CareTaskId(new_id()),
        programme=stage.programme.id,
        for_staff=stage.counsellor(life).id,
        due_at=work.now + timedelta(days=3),
        by=stage.team.supervisor,
        now=work.now,
        tasks=KeptCareTasks(work.connection, work.journal, now=work.now),
        journal=work.journal,
    )


async def _be_on_call(stage: Stage, work: Work) -> None:
    """A rota of a week, of which half a shift has passed, with a hole in it."""
    first = work.now.replace(minute=0, second=0, microsecond=0) - SHIFT / 2
    for number in range(SHIFTS):
        if number == HOLE:
            continue
        clinician = stage.team.nurses[0] if number % 2 else stage.team.prescriber
        await plan_on_call(
            OnCall(
                id=OnCallId(new_id()),
                programme=stage.programme.id,
                staff=clinician.id,
                starts_at=first + number * SHIFT,
                ends_at=first + (number + 1) * SHIFT,
                recorded_by=stage.team.supervisor.id,
                recorded_at=work.now,
            ),
            by=stage.team.supervisor,
            now=work.now,
            rotas=KeptRotas(work.connection, now=work.now),
            journal=work.journal,
        )


async def _raise_one(stage: Stage, work: Work, *, now: datetime) -> None:
    """What was seen some minutes ago, and no clinician has taken on yet."""
    life = next(each for each in reversed(stage.lives) if each.client is not None and each.episode is not None)
    if life.client is None:
        return
    await escalate(
        life.client.id,
        Ground.SAFEGUARDING,
        "Came with a child who had not eaten since yesterday.",
        as_id=EscalationId(new_id()),
        programme=stage.programme.id,
        by=stage.counsellor(life),
        now=now,
        escalations=Escalations(work.connection, work.journal, now=now),
        journal=work.journal,
    )


async def _pass_on(stage: Stage, work: Work) -> None:
    """What is open has gone to the clinician on call by now, and of the last days to the supervisors, too."""
    rotas = KeptRotas(work.connection, now=work.now)
    rules = stage.programme.rules_on(stage.programme.today(work.now))
    for each in await rotas.held_open(stage.programme.id):
        await pass_on(each, (), rules, now=work.now, recipients=rotas, journal=work.journal)
