"""A session of the family: somebody close sits beside the client, as the client has allowed, and is in its register."""

from datetime import timedelta

from caseload.db.attendance import Sessions
from caseload.db.attendance.rules import RulesOfSessions
from caseload.demo.telling.stage import Life, Stage
from caseload.domain.attendance import (
    ComesAs,
    Line,
    RelativeLine,
    SessionKind,
    Status,
    Taking,
    Wanted,
    plan_session,
    take_register,
)
from caseload.domain.attendance.seating import seat
from caseload.domain.client import Client
from caseload.domain.consent import CheckMethod, IdentityCheck
from caseload.domain.family import RelatedPerson
from caseload.domain.ids import RelativePlaceId, TherapySessionId, new_id
from caseload.request.work import Work

HELD_DAYS_AGO = 2
LONG = timedelta(minutes=50)


async def sit_together(relative: RelatedPerson, client: Client, life: Life, *, stage: Stage, work: Work) -> None:
    """The session the day before yesterday of whoever is in care, written down when it was over, with its register."""
    if life.episode is None or life.story.admitted <= HELD_DAYS_AGO:
        return
    starts_at = stage.moment(HELD_DAYS_AGO, 12)
    now, leader = starts_at + LONG + timedelta(minutes=10), stage.team.counsellors[0]
    sessions = Sessions(work.connection, work.journal, now=now)
    rules, _ = await RulesOfSessions(work.connection).rules_of(stage.programme.id)
    session = await plan_session(
        Wanted(
            kind=SessionKind.FAMILY,
            title="Family meeting",
            starts_at=starts_at,
            ends_at=starts_at + LONG,
            facilitators=(leader.id,),
            place="Room 3",
        ),
        [client.id],
        as_id=TherapySessionId(new_id()),
        programme=stage.programme.id,
        rules=rules,
        by=stage.team.supervisor,
        now=now,
        sessions=sessions,
        journal=work.journal,
    )
    place = RelativePlaceId(new_id())
    session = await seat(
        session,
        relative,
        ComesAs.WITH_CLIENT,
        as_id=place,
        client=client,
        by=stage.team.supervisor,
        now=now,
        sessions=sessions,
        journal=work.journal,
    )
    known = IdentityCheck(method=CheckMethod.IN_PERSON)
    await take_register(
        session,
        Taking(
            started_at=starts_at,
            ended_at=starts_at + LONG,
            lines=(Line(client=client.id, status=Status.ATTENDED),),
            relatives=(RelativeLine(place=place, status=Status.ATTENDED_LATE, late_minutes=5, check=known),),
        ),
        by=leader,
        now=now,
        sessions=sessions,
        journal=work.journal,
    )
