"""What a privacy officer looks for: consents that stand apart, what a court was sent and passed on, the police, and two clients of one family."""

from datetime import datetime, timedelta
from typing import Final

from caseload.db.consent import Consents
from caseload.db.disclosure import KeptDisclosures
from caseload.db.family import Families
from caseload.db.family.linked import LinkBook
from caseload.demo.telling.disclosures import desk_of
from caseload.demo.telling.family import SIGNED_DAYS_AGO, form_of, signed_by
from caseload.demo.telling.stage import Stage
from caseload.domain.client import Client
from caseload.domain.consent import (
    Category,
    CheckMethod,
    ConsentKind,
    Draft,
    Expiry,
    IdentityCheck,
    Purpose,
    Recipient,
    give_consent,
)
from caseload.domain.disclosure import (
    Disclosure,
    Ground,
    Making,
    Manner,
    Redisclosure,
    disclose,
    hear_of_redisclosure,
)
from caseload.domain.family import (
    PersonDetails,
    RelatedPerson,
    Relationship,
    WarnedBy,
    WarningKind,
    add_person,
    link_relative,
    warn_of,
)
from caseload.domain.ids import ConsentId, DisclosureId, RedisclosureId, RelatedPersonId, RelativeLinkId, new_id
from caseload.domain.people import Staff
from caseload.request.work import Work

COURT: Final = "Harbor County Drug Court"
THERAPIST: Final = "Dr N. Reed, psychotherapist"
IN_CARE_SINCE: Final = SIGNED_DAYS_AGO + 5


async def tell_confidences(stage: Stage, *, work: Work) -> None:
    """Of the last clients in care here who came long enough ago."""
    long_here = [
        (life.client, stage.counsellor(life))
        for life in stage.lives
        if life.client is not None and life.story.discharged is None and life.story.admitted > IN_CARE_SINCE
    ]
    if len(long_here) < 2:
        return
    (one, counsellor), (other, _) = long_here[-2:]
    await _consent_apart(
        one, ConsentKind.LEGAL_PROCEEDINGS, COURT, Category.ATTENDANCE, Purpose.LEGAL_PROCEEDINGS, stage, work
    )
    await _consent_apart(
        one, ConsentKind.COUNSELLING_NOTES, THERAPIST, Category.COUNSELLING_NOTES, Purpose.TREATMENT, stage, work
    )
    await _passed_on(await _write_to_the_court(one, counsellor, stage, work), stage, work)
    await _report_to_the_police(other, stage, work)
    sister = await _listed(one, other, stage, work)
    await _link(sister, other, one, stage, work)
    await _not_to_be_rung(sister, one, stage, work)


async def _consent_apart(
    client: Client, kind: ConsentKind, to: str, category: Category, purpose: Purpose, stage: Stage, work: Work
) -> None:
    """Bundled with no other (42 CFR 2.31(b) and (d))."""
    await give_consent(
        client,
        Draft(
            kind=kind,
            form=form_of(kind, stage) or "",
            discloser=stage.programme.id,
            recipients=(Recipient(name=to),),
            categories=frozenset({category}),
            purposes=frozenset({purpose}),
            expiry=Expiry(last_day=stage.day(-90)),
            signature=signed_by(client, stage, SIGNED_DAYS_AGO),
        ),
        as_id=ConsentId(new_id()),
        programme=stage.programme,
        by=stage.team.counsellors[0],
        now=stage.moment(SIGNED_DAYS_AGO, 10),
        families=Families(work.connection, work.journal),
        consents=Consents(work.connection, work.journal),
        journal=work.journal,
    )


async def _write_to_the_court(client: Client, by: Staff, stage: Stage, work: Work) -> Disclosure:
    making = Making(
        recipient=Recipient(name=COURT),
        name=f"The clerk, {COURT}",
        address="1 Court Square",
        categories=(Category.ATTENDANCE,),
        manner=Manner.WRITTEN,
        check=IdentityCheck(method=CheckMethod.DOCUMENT, detail="The court's letter, with its seal."),
        purpose=Purpose.LEGAL_PROCEEDINGS,
    )
    return await _disclose(making, client, stage.moment(4, 11), by, stage, work)


async def _report_to_the_police(client: Client, stage: Stage, work: Work) -> None:
    """About a crime on the premises: the circumstances, that it was a client, name and address (42 CFR 2.12(c)(5))."""
    making = Making(
        recipient=Recipient(name="Harbor Police"),
        name="The officer on duty, Harbor Police",
        categories=(Category.PRESENCE,),
        manner=Manner.SPOKEN,
        check=IdentityCheck(method=CheckMethod.IN_PERSON),
        ground=Ground.CRIME_ON_PREMISES,
        stated={
            "crime": "Struck the guard at the door and broke the glass of it.",
            "where": "At the entrance of the clinic; against the guard.",
            "authority": "Harbor Police, who came when the guard rang.",
        },
    )
    await _disclose(making, client, stage.moment(3, 16, 20), stage.team.privacy, stage, work)


async def _disclose(making: Making, client: Client, now: datetime, by: Staff, stage: Stage, work: Work) -> Disclosure:
    return await disclose(
        making,
        client,
        stage.programme,
        as_id=DisclosureId(new_id()),
        by=by,
        now=now,
        desk=desk_of(stage, work, now),
        journal=work.journal,
    )


async def _passed_on(told: Disclosure, stage: Stage, work: Work) -> None:
    now = stage.moment(2, 9, 30)
    await hear_of_redisclosure(
        Redisclosure(
            id=RedisclosureId(new_id()),
            disclosure=told.id,
            to="The probation office",
            learnt_from="The client, who was asked about it there",
            why=None,
            learnt_at=now - timedelta(hours=1),
            recorded_by=stage.team.privacy.id,
            recorded_at=now,
        ),
        of=told,
        by=stage.team.privacy,
        now=now,
        redisclosures=KeptDisclosures(work.connection, work.journal, now=now),
        journal=work.journal,
    )


async def _listed(client: Client, sister: Client, stage: Stage, work: Work) -> RelatedPerson:
    """On the one's list stands the other, who comes here too: neither chart says so."""
    return await add_person(
        client,
        PersonDetails(
            name=f"{sister.identity.given_name} {sister.identity.family_name}",
            relationship=Relationship.SIBLING,
            phone="555-0300",
        ),
        as_id=RelatedPersonId(new_id()),
        programme=stage.programme,
        by=stage.team.nurses[0],
        now=stage.moment(6, 9, 10),
        families=Families(work.connection, work.journal),
        journal=work.journal,
    )


async def _link(person: RelatedPerson, own: Client, client: Client, stage: Stage, work: Work) -> None:
    await link_relative(
        person,
        own,
        "Said by both, each alone.",
        as_id=RelativeLinkId(new_id()),
        client=client,
        by=stage.team.privacy,
        now=stage.moment(5, 10),
        links=LinkBook(work.connection, work.journal),
        journal=work.journal,
    )


async def _not_to_be_rung(person: RelatedPerson, client: Client, stage: Stage, work: Work) -> None:
    now = stage.moment(5, 10, 30)
    await warn_of(
        person,
        WarningKind.DO_NOT_CALL,
        "Shares the telephone with somebody who is to know nothing. Speak when they come.",
        said=WarnedBy(who="They themselves, at the desk", at=now - timedelta(minutes=5)),
        client=client,
        by=stage.team.nurses[0],
        now=now,
        families=Families(work.connection, work.journal),
        journal=work.journal,
    )
