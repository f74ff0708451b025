"""What was told to others: a mother by consent, an emergency department without, with the record of it still open."""

from datetime import datetime

from caseload.db.consent import Consents
from caseload.db.disclosure import KeptDisclosures
from caseload.db.disclosure.rendering import Rendered
from caseload.db.family import Families
from caseload.demo.telling.stage import Stage
from caseload.domain.client import Client
from caseload.domain.consent import Category, CheckMethod, IdentityCheck, Purpose, Recipient
from caseload.domain.disclosure import Desk, Ground, Making, Manner, NoticeHow, Release, disclose, release_in_emergency
from caseload.domain.family import RelatedPerson
from caseload.domain.ids import DisclosureId, new_id
from caseload.request.work import Work


async def tell_attendance(relative: RelatedPerson, client: Client, *, stage: Stage, work: Work) -> None:
    """After the answer on the telephone: they are told, and the notice is read out where one goes with it."""
    now = stage.moment(1, 10, 20)
    american = stage.programme.profiles.first.startswith("US")
    await disclose(
        Making(
            recipient=Recipient(person=relative.id),
            name=relative.details.name,
            categories=(Category.ATTENDANCE,),
            manner=Manner.SPOKEN,
            check=IdentityCheck(method=CheckMethod.CALL_BACK),
            purpose=Purpose.FAMILY_INVOLVEMENT,
            notice_how=NoticeHow.READ_OUT if american else None,
        ),
        client,
        stage.programme,
        as_id=DisclosureId(new_id()),
        by=stage.team.nurses[0],
        now=now,
        desk=desk_of(stage, work, now),
        journal=work.journal,
    )


def desk_of(stage: Stage, work: Work, now: datetime) -> Desk:
    """What a disclosure is decided and kept with."""
    return Desk(
        consents=Consents(work.connection, work.journal),
        families=Families(work.connection, work.journal),
        rendering=Rendered(work.connection, work.journal, stage.programme, now=now),
        disclosures=KeptDisclosures(work.connection, work.journal, now=now),
    )


async def tell_in_their_interests(relative: RelatedPerson, client: Client, *, stage: Stage, work: Work) -> None:
    """In the afternoon the client was awake and could not follow what was said; who takes them home was told what to look for."""
    now = stage.moment(1, 15, 30)
    await disclose(
        Making(
            recipient=Recipient(person=relative.id),
            name=relative.details.name,
            categories=(Category.RISK, Category.TAKE_HOME),
            manner=Manner.SPOKEN,
            check=IdentityCheck(method=CheckMethod.IN_PERSON),
            ground=Ground.BEST_INTERESTS,
            stated={
                "capacity": "lacks",
                "assessed_by": "The psychiatrist of the ward",
                "assessed_on": str(stage.programme.today(now)),
                "unable_to": "Cannot retain or weigh what is said: confused after the overdose.",
                "helped": "Asked twice, an hour apart, in plain words, with somebody they know beside them.",
                "can_wait": "no",
                "decides": "nobody_else",
                "wishes": "Has let them keep the box with the medicine before; never refused that they are told.",
                "consulted": "The ward, and the counsellor: both agree.",
                "interests": "Somebody must see to them tonight and lock the medicine away; nothing less is safe.",
                "told": "That there was an overdose, what to look for, and which days there is medicine at home.",
            },
        ),
        client,
        stage.programme,
        as_id=DisclosureId(new_id()),
        by=stage.team.nurses[0],
        now=now,
        desk=desk_of(stage, work, now),
        journal=work.journal,
    )


async def release(client: Client, *, stage: Stage, work: Work) -> None:
    """The emergency department rang at noon; where the nurse who rang works nobody has written down yet."""
    now = stage.moment(1, 12, 40)
    await release_in_emergency(
        Release(
            name="The nurse in charge, emergency department",
            emergency="Found unconscious, thought to be an overdose.",
            manner=Manner.SPOKEN,
            disclosed_by=stage.team.nurses[0].id,
            disclosed_at=now,
        ),
        client,
        stage.programme,
        as_id=DisclosureId(new_id()),
        by=stage.team.nurses[0],
        now=now,
        releases=KeptDisclosures(work.connection, work.journal, now=now),
        rendering=Rendered(work.connection, work.journal, stage.programme, now=now),
        journal=work.journal,
    )
