"""Somebody who is not of age, and whose consent their mother signed with them, as the programme's profile asks (42 CFR 2.14)."""

from datetime import date, timedelta
from typing import Final

from caseload.db.caseload import Caseloads
from caseload.db.client import Clients
from caseload.db.consent import Consents
from caseload.db.family import Families
from caseload.demo.telling.stage import Stage
from caseload.domain.caseload import Edition, LevelOfCare, admit
from caseload.domain.client import Client, Identity, Sex, register
from caseload.domain.consent import (
    Category,
    ConsentKind,
    Draft,
    Expiry,
    Purpose,
    Recipient,
    Signatory,
    Signature,
    forms,
    give_consent,
    jurisdiction_of,
)
from caseload.domain.family import Beginning, InvolvementKind, PersonDetails, RelatedPerson, Relationship, add_person
from caseload.domain.ids import ClientId, ConsentId, EpisodeId, RelatedPersonId, new_id
from caseload.request.work import Work

YEARS_BEFORE_OF_AGE: Final = 2
CAME_DAYS_AGO: Final = 4
LEVEL: Final = LevelOfCare(edition=Edition.ASAM_4, level="1.5")
IN_FORCE_FOR: Final = timedelta(days=180)


async def tell_minor(stage: Stage, *, work: Work) -> None:
    """Where the profile says who signs for minors: one came in last week, and agreed that their mother is told when they come."""
    minors = stage.rules(CAME_DAYS_AGO).minors
    if minors is None:
        return
    came = stage.day(CAME_DAYS_AGO)
    client = await _came(date(came.year - minors.until_age + YEARS_BEFORE_OF_AGE, 1, 1), stage, work)
    mother = await _mother(client, stage, work)
    await _signed_by_both(client, mother, stage, work)


async def _came(born: date, stage: Stage, work: Work) -> Client:
    now, nurse = stage.moment(CAME_DAYS_AGO, 14), stage.team.nurses[0]
    client = await register(
        Identity(given_name="Rowan", family_name="Applegarth", birth_date=born, sex=Sex.FEMALE),
        [],
        as_id=ClientId(new_id()),
        programme=stage.programme.id,
        by=nurse,
        now=now,
        today=stage.day(CAME_DAYS_AGO),
        clients=Clients(work.connection, work.journal, now=now),
        journal=work.journal,
    )
    await admit(
        client.id,
        as_id=EpisodeId(new_id()),
        programme=stage.programme,
        counsellor=stage.team.counsellors[0].id,
        at=now,
        level=LEVEL,
        by=nurse,
        now=now,
        caseloads=Caseloads(work.connection, work.journal, now=now),
        journal=work.journal,
    )
    return client


async def _mother(client: Client, stage: Stage, work: Work) -> RelatedPerson:
    return await add_person(
        client,
        PersonDetails(name="Juniper Applegarth", relationship=Relationship.MOTHER, phone="555-0399"),
        [
            Beginning(kind=InvolvementKind.FAMILY_THERAPY),
            Beginning(kind=InvolvementKind.LEGAL_REPRESENTATIVE, evidence="The mother; birth certificate seen."),
        ],
        as_id=RelatedPersonId(new_id()),
        programme=stage.programme,
        by=stage.team.nurses[0],
        now=stage.moment(CAME_DAYS_AGO, 14, 20),
        families=Families(work.connection, work.journal),
        journal=work.journal,
    )


async def _signed_by_both(client: Client, mother: RelatedPerson, stage: Stage, work: Work) -> None:
    country = jurisdiction_of(stage.programme.profiles.first)
    named = [form for form in forms().values() if form.kind is ConsentKind.NAMED and form.jurisdiction == country]
    await give_consent(
        client,
        Draft(
            kind=ConsentKind.NAMED,
            form=max(named, key=lambda form: form.in_force_from).version,
            discloser=stage.programme.id,
            recipients=(Recipient(person=mother.id),),
            categories=frozenset({Category.PRESENCE, Category.ATTENDANCE}),
            purposes=frozenset({Purpose.FAMILY_INVOLVEMENT}),
            expiry=Expiry(last_day=stage.today + IN_FORCE_FOR),
            signature=Signature(
                signatory=Signatory.CLIENT,
                name="Rowan Applegarth",
                signed_at=stage.moment(CAME_DAYS_AGO, 14, 30),
                co_signer=mother.id,
                co_signed_name="Juniper Applegarth",
            ),
        ),
        as_id=ConsentId(new_id()),
        programme=stage.programme,
        by=stage.team.nurses[0],
        now=stage.moment(CAME_DAYS_AGO, 14, 35),
        families=Families(work.connection, work.journal),
        consents=Consents(work.connection, work.journal),
        journal=work.journal,
    )
