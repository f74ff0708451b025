"""Sessions of the family: somebody close sits beside the client, as the client has allowed, and comes to every evening to come."""

from collections.abc import Sequence
from datetime import timedelta

from caseload.db.attendance import Sessions
from caseload.db.attendance.rules import RulesOfSessions
from caseload.db.family import Families
from caseload.demo.stories import Sharing
from caseload.demo.telling.stage import Life, Stage
from caseload.domain.attendance import (
    ComesAs,
    Line,
    RelativeLine,
    Session,
    SessionKind,
    Status,
    Taking,
    Wanted,
    plan_session,
    take_register,
)
from caseload.domain.attendance.regulars import seat_in_series
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


async def come_to_every_evening(evenings: Sequence[Session], *, stage: Stage, work: Work) -> None:
    """Whoever is close to the first client on the roster who allows it has a place in the whole series."""
    now, families = stage.moment(1, 13), Families(work.connection, work.journal)
    for life in stage.lives:
        client = life.client
        if client is None or life.story.sharing is not Sharing.ALLOWED or not evenings:
            continue
        if client.id in evenings[0].expected and evenings[0].series is not None:
            around = await families.around(client.id)
            await seat_in_series(
                evenings[0].series,
                [each for each in evenings if each.wanted.starts_at > now and each.heads < each.wanted.places],
                around[0],
                ComesAs.WITH_CLIENT,
                client=client,
                by=stage.team.supervisor,
                now=now,
                sessions=Sessions(work.connection, work.journal, now=now),
                journal=work.journal,
                others_agreed=True,
            )
            return
