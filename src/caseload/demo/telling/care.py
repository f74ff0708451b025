"""Registered, admitted, handed over, covered, discharged, and sometimes back again."""

from dataclasses import replace
from datetime import date, datetime, timedelta

from caseload.db.attendance import Sessions
from caseload.db.caseload import Caseloads
from caseload.db.checkin import Plans
from caseload.db.client import Clients
from caseload.db.window import WindowRecords
from caseload.demo.cast import SITES, person
from caseload.demo.telling.admitted import begin_in_the_meantime, examine_and_assess
from caseload.demo.telling.stage import Life, Stage
from caseload.domain.caseload import (
    Away,
    DischargeReason,
    admit,
    arrange_absence,
    hand_over,
    hand_over_or_offer,
    set_ceiling,
    set_terms,
)
from caseload.domain.caseload.discharging import discharge
from caseload.domain.client import Identifier, IdentifierKind, Identity, register
from caseload.domain.ids import AbsenceId, ClientId, EpisodeId, MessageId, PhotographId, ProgrammeId, new_id
from caseload.domain.people import Staff
from caseload.domain.window import leave_message, record_photograph
from caseload.request.work import Work

COVERED_SINCE_DAYS = 3
WITHOUT_PHOTOGRAPH = 6
"""Of every so many clients one has no photograph."""
WITH_MESSAGE = 9
COVERED_FOR = timedelta(days=14)
CEILING = 12
"""Low enough that somebody in the demo is over it."""


async def begin(life: Life, ago: int, *, stage: Stage, work: Work) -> None:
    """Register and admit a client on the first day of the story, or admit one who comes back."""
    story, now = life.story, stage.moment(ago, 6, 30)
    life.counsellor = story.counsellor
    if life.client is None:
        who = person(story.number)
        life.client = await register(
            Identity(given_name=who.given_name, family_name=who.family_name, birth_date=who.birth_date, sex=who.sex),
            [Identifier(kind=IdentifierKind.CHART, value=f"{stage.programme.code}-{story.number:05}")],
            as_id=ClientId(new_id()),
            programme=stage.programme.id,
            by=stage.team.nurses[0],
            now=now,
            today=stage.day(ago),
            clients=Clients(work.connection, work.journal, now=now),
            journal=work.journal,
        )
        await _introduce(life, stage.programme.id, today=stage.day(ago), now=now, by=stage.team.nurses[0], work=work)
    life.episode = await admit(
        life.client.id,
        as_id=EpisodeId(new_id()),
        programme=stage.programme,
        counsellor=stage.counsellor(life).id,
        at=now,
        level=SITES[story.site].level,
        by=stage.team.nurses[0],
        now=now,
        caseloads=_caseloads(work, now),
        journal=work.journal,
    )
    await examine_and_assess(life, life.episode, ago, now=now, stage=stage, work=work)
    await begin_in_the_meantime(life, life.episode, ago, now=now, stage=stage, work=work)


async def _introduce(life: Life, programme: ProgrammeId, *, today: date, now: datetime, by: Staff, work: Work) -> None:
    """Most are photographed as they are registered; of some the window should know something."""
    if life.client is None:
        return
    kept, number = WindowRecords(work.connection, work.journal), life.story.number
    if number % WITHOUT_PHOTOGRAPH:
        await record_photograph(
            life.client.id,
            today,
            "In the folder of the front desk.",
            as_id=PhotographId(new_id()),
            today=today,
            by=by,
            now=now,
            photographs=kept,
            journal=work.journal,
        )
    if number % WITH_MESSAGE == 0:
        await leave_message(
            life.client.id,
            programme,
            "Ask for the letter from the general practitioner.",
            as_id=MessageId(new_id()),
            by=by,
            now=now,
            messages=kept,
            journal=work.journal,
        )


async def end(life: Life, ago: int, *, stage: Stage, work: Work) -> None:
    """Discharge a client: one who will come back has dropped out, another has completed treatment."""
    if life.episode is None:
        return
    now = stage.moment(ago, 16)
    back = life.story.returned is not None
    await discharge(
        life.episode,
        at=now,
        reason=DischargeReason.DROPPED_OUT if back else DischargeReason.COMPLETED,
        note="Not seen for two weeks; letters unanswered." if back else "Goals met; door stays open.",
        by=stage.team.supervisor,
        now=now,
        caseloads=_caseloads(work, now),
        plans=Plans(work.connection, work.journal, now=now),
        sessions=Sessions(work.connection, work.journal, now=now),
        journal=work.journal,
    )
    life.episode = None


async def pass_to_another(life: Life, ago: int, *, stage: Stage, work: Work) -> None:
    """Hand a client over to the programme's other counsellor."""
    if life.episode is None:
        return
    now = stage.moment(ago, 15)
    life.counsellor = 1 - life.counsellor
    episode = life.episode
    await hand_over(
        episode,
        as_id=new_id(),
        to=stage.counsellor(life).id,
        at=now,
        note="Asked for a counsellor who is there in the evening.",
        by=stage.team.supervisor,
        now=now,
        caseloads=_caseloads(work, now),
        journal=work.journal,
    )
    life.episode = replace(episode, responsible=stage.counsellor(life).id)


async def whole_caseloads(stage: Stage, *, work: Work) -> None:
    """The second counsellor is away and the first stands in; what a supervisor says of load; and who is asked first."""
    begins = stage.moment(COVERED_SINCE_DAYS, 8)
    away, stands_in = stage.team.counsellors[1], stage.team.counsellors[0]
    programme, supervisor = stage.programme.id, stage.team.supervisor
    await arrange_absence(
        Away(
            programme=programme,
            counsellor=away.id,
            covered_by=stands_in.id,
            starts_at=begins,
            ends_at=begins + COVERED_FOR,
            reason="On leave for two weeks.",
        ),
        as_id=AbsenceId(new_id()),
        by=supervisor,
        now=begins,
        caseloads=_caseloads(work, begins),
        journal=work.journal,
    )
    now, kept = work.now, _caseloads(work, work.now)
    await set_ceiling(
        programme, None, CEILING, as_id=new_id(), by=supervisor, now=now, ceilings=kept, journal=work.journal
    )
    await set_terms(
        programme,
        "Agreed by the team: whoever takes a client over has read the chart.",
        handovers_wait=True,
        by=supervisor,
        now=now,
        terms=kept,
        journal=work.journal,
    )
    asked = next(life.episode for life in stage.lives if life.episode and stage.counsellor(life) is away)
    await hand_over_or_offer(
        asked,
        as_id=new_id(),
        to=stands_in.id,
        at=now,
        note="Comes on Thursdays only, when you are here.",
        at_once=False,
        by=supervisor,
        now=now,
        caseloads=kept,
        journal=work.journal,
    )


def _caseloads(work: Work, now: datetime) -> Caseloads:
    return Caseloads(work.connection, work.journal, now=now)
