"""The people around the clients, what they may be told, and what they have asked and said."""

from datetime import timedelta

from caseload.db.consent import Consents
from caseload.db.family import Families
from caseload.demo.cast import relative
from caseload.demo.stories import Sharing
from caseload.demo.telling.disclosures import release, tell_attendance, tell_in_their_interests
from caseload.demo.telling.joint import sit_together
from caseload.demo.telling.stage import Life, Stage
from caseload.domain.client import Client
from caseload.domain.consent import (
    Asked,
    Category,
    CheckMethod,
    Consent,
    ConsentKind,
    Draft,
    Expiry,
    How,
    IdentityCheck,
    Purpose,
    Recipient,
    RecipientClass,
    Signatory,
    Signature,
    ask,
    forms,
    give_consent,
    jurisdiction_of,
    record_event,
    revoke_consent,
)
from caseload.domain.family import (
    Beginning,
    ContactWay,
    InvolvementKind,
    PersonDetails,
    RelatedPerson,
    Relationship,
    Told,
    WarnedBy,
    WarningKind,
    add_person,
    receive_information,
    warn_of,
)
from caseload.domain.ids import ConsentId, InformationId, RelatedPersonId, new_id
from caseload.request.work import Work

SIGNED_DAYS_AGO = 25
ENDED_DAYS_AGO = 6
EMERGENCIES_AMONG = 12
"""Of so many clients, those whose family may be told nothing have been in an emergency department."""
WARNED_AMONG = 25
"""One client in so many has somebody around them of whom a safety warning stands."""
REPRESENTED_AMONG = 7
"""One in so many has somebody who may act for them, for so many days to come."""
AUTHORITY_DAYS = 120


async def tell(life: Life, *, stage: Stage, work: Work) -> None:
    """Everything about a client's family at once; it happened in the last weeks, each thing at its own time."""
    story, client = life.story, life.client
    if client is None or story.sharing is Sharing.NOTHING:
        return
    ago = min(story.admitted, SIGNED_DAYS_AGO)
    mother = await _add_relative(life, client, ago, stage=stage, work=work)
    await _warn_of_former_partner(life, client, ago, stage=stage, work=work)
    if life.chance.random() < 0.3:
        await _hear(mother, client, ago - 2, stage=stage, work=work)
    if story.sharing is Sharing.LISTED:
        if story.number < EMERGENCIES_AMONG:
            await _help_in_an_emergency(mother, client, stage=stage, work=work)
        return
    consent = await _give(life, client, mother, ago, stage=stage, work=work)
    match story.sharing:
        case Sharing.REVOKED:
            await _revoke(consent, client, stage=stage, work=work)
        case Sharing.ENDED_BY_EVENT:
            await _end_by_event(consent, client, stage=stage, work=work)
        case _:
            pass
    await _ask(mother, client, stage=stage, work=work)
    if story.sharing is Sharing.ALLOWED:
        await tell_attendance(mother, client, stage=stage, work=work)
        await sit_together(mother, client, life, stage=stage, work=work)


async def _help_in_an_emergency(mother: RelatedPerson, client: Client, *, stage: Stage, work: Work) -> None:
    """The ward is told at once; and where the country's rules know it, so is whoever takes them home."""
    await release(client, stage=stage, work=work)
    if jurisdiction_of(stage.programme.profiles.first) == "UK":
        await tell_in_their_interests(mother, client, stage=stage, work=work)


async def _warn_of_former_partner(life: Life, client: Client, ago: int, *, stage: Stage, work: Work) -> None:
    """Somebody who once helped, and is not to be told or rung; around a few clients only."""
    if life.story.number % WARNED_AMONG:
        return
    now, families, nurse = stage.moment(ago, 9, 40), Families(work.connection, work.journal), stage.team.nurses[0]
    former = await add_person(
        client,
        PersonDetails(
            name=relative(life.story.number + 7),
            relationship=Relationship.PARTNER,
            phone=f"555-02{life.story.number % 100:02}",
        ),
        as_id=RelatedPersonId(new_id()),
        programme=stage.programme,
        by=nurse,
        now=now,
        families=families,
        journal=work.journal,
    )
    await warn_of(
        former,
        WarningKind.DOMESTIC_RISK,
        "Has threatened the client. Say nothing, do not ring; speak with the client alone.",
        said=WarnedBy(who="The client, on the telephone", at=now - timedelta(minutes=20)),
        client=client,
        by=nurse,
        now=now,
        families=families,
        journal=work.journal,
    )


async def operations(life: Life, *, stage: Stage, work: Work) -> None:
    """The one consent for treatment, payment and operations that nearly every client of a US programme signs."""
    client = life.client
    form = form_of(ConsentKind.TREATMENT_PAYMENT_OPERATIONS, stage)
    if client is None or form is None or life.chance.random() < 0.1:
        return
    ago = min(life.story.admitted, SIGNED_DAYS_AGO)
    now = stage.moment(ago, 8, 45)
    await give_consent(
        client,
        Draft(
            kind=ConsentKind.TREATMENT_PAYMENT_OPERATIONS,
            form=form,
            discloser=stage.programme.id,
            recipients=(
                Recipient(group=RecipientClass.TREATING_PROVIDERS),
                Recipient(group=RecipientClass.HEALTH_PLANS),
            ),
            categories=frozenset({Category.PRESENCE, Category.ATTENDANCE, Category.MEDICATION, Category.PLAN}),
            purposes=frozenset({Purpose.TREATMENT, Purpose.PAYMENT, Purpose.OPERATIONS}),
            expiry=Expiry(never=True),
            signature=signed_by(client, stage, ago),
        ),
        as_id=ConsentId(new_id()),
        programme=stage.programme,
        by=stage.team.nurses[0],
        now=now,
        families=Families(work.connection, work.journal),
        consents=Consents(work.connection, work.journal),
        journal=work.journal,
    )


async def _add_relative(life: Life, client: Client, ago: int, *, stage: Stage, work: Work) -> RelatedPerson:
    two = life.chance.sample(
        [InvolvementKind.CARE_PARTNER, InvolvementKind.FAMILY_THERAPY, InvolvementKind.OWN_SUPPORT], 2
    )
    authority = Beginning(
        kind=InvolvementKind.LEGAL_REPRESENTATIVE,
        last_day=stage.day(-AUTHORITY_DAYS),
        evidence="Lasting power of attorney, copy in the cabinet of the office.",
    )
    relationship = life.chance.choice([Relationship.MOTHER, Relationship.PARTNER, Relationship.SIBLING])
    return await add_person(
        client,
        PersonDetails(
            name=relative(life.story.number),
            relationship=relationship,
            language=life.chance.choice(["en", "en", "es", "pt-BR"]),
            contact_by=(ContactWay.TELEPHONE, ContactWay.TEXT),
            phone=f"555-01{life.story.number % 100:02}",
            contact_note="Evenings only.",
        ),
        [
            *(Beginning(kind=kind) for kind in (*two, InvolvementKind.EMERGENCY_CONTACT)),
            *((authority,) if life.story.number % REPRESENTED_AMONG == 0 else ()),
        ],
        as_id=RelatedPersonId(new_id()),
        programme=stage.programme,
        by=stage.team.nurses[0],
        now=stage.moment(ago, 8, 50),
        families=Families(work.connection, work.journal),
        journal=work.journal,
    )


async def _hear(mother: RelatedPerson, client: Client, ago: int, *, stage: Stage, work: Work) -> None:
    now = stage.moment(ago, 14, 20)
    await receive_information(
        Told(
            text="Says that he has hardly slept this week and is worried about an old friend who calls.",
            received_at=now - timedelta(minutes=10),
            person=mother.id,
            confidential=True,
        ),
        as_id=InformationId(new_id()),
        client=client,
        by=stage.team.nurses[0],
        now=now,
        families=Families(work.connection, work.journal),
        journal=work.journal,
    )


async def _give(life: Life, client: Client, mother: RelatedPerson, ago: int, *, stage: Stage, work: Work) -> Consent:
    form = form_of(ConsentKind.NAMED, stage)
    also = life.chance.choice([Category.PLAN, Category.EMERGENCY])
    match life.story.sharing:
        case Sharing.EXPIRED:
            expiry = Expiry(last_day=stage.day(ENDED_DAYS_AGO))
        case Sharing.ENDED_BY_EVENT:
            expiry = Expiry(event="the family meeting has taken place")
        case _:
            expiry = Expiry(last_day=stage.day(-330))
    return await give_consent(
        client,
        Draft(
            kind=ConsentKind.NAMED,
            form=form or "",
            discloser=stage.programme.id,
            recipients=(Recipient(person=mother.id),),
            categories=frozenset({Category.PRESENCE, Category.ATTENDANCE, Category.JOINT_SESSIONS, also}),
            purposes=frozenset({Purpose.FAMILY_INVOLVEMENT}),
            expiry=expiry,
            signature=signed_by(client, stage, ago),
        ),
        as_id=ConsentId(new_id()),
        programme=stage.programme,
        by=stage.team.nurses[0],
        now=stage.moment(ago, 9),
        families=Families(work.connection, work.journal),
        consents=Consents(work.connection, work.journal),
        journal=work.journal,
    )


async def _revoke(consent: Consent, client: Client, *, stage: Stage, work: Work) -> None:
    now = stage.moment(ENDED_DAYS_AGO, 11)
    await revoke_consent(
        consent,
        how=How.SPOKEN,
        received_at=now - timedelta(minutes=5),
        note="Does not want his family to be told anything for now.",
        client=client,
        by=stage.team.nurses[0],
        now=now,
        consents=Consents(work.connection, work.journal),
        journal=work.journal,
    )


async def _end_by_event(consent: Consent, client: Client, *, stage: Stage, work: Work) -> None:
    now = stage.moment(ENDED_DAYS_AGO, 17)
    await record_event(
        consent,
        happened_at=now - timedelta(hours=1),
        client=client,
        by=stage.team.nurses[0],
        now=now,
        consents=Consents(work.connection, work.journal),
        journal=work.journal,
    )


async def _ask(mother: RelatedPerson, client: Client, *, stage: Stage, work: Work) -> None:
    """The relative rang yesterday; the answer, yes or no, is in the log."""
    await ask(
        Asked(
            recipient=Recipient(person=mother.id),
            categories=(Category.ATTENDANCE, Category.MEDICATION),
            purpose=Purpose.FAMILY_INVOLVEMENT,
            check=IdentityCheck(method=CheckMethod.CALL_BACK),
        ),
        client=client,
        programme=stage.programme,
        by=stage.team.nurses[0],
        now=stage.moment(1, 10, 15),
        consents=Consents(work.connection, work.journal),
        families=Families(work.connection, work.journal),
        journal=work.journal,
    )


def signed_by(client: Client, stage: Stage, ago: int) -> Signature:
    """A client's own typed signature of that morning."""
    identity = client.identity
    return Signature(
        signatory=Signatory.CLIENT,
        name=f"{identity.given_name} {identity.family_name}",
        signed_at=stage.moment(ago, 8, 40),
    )


def form_of(kind: ConsentKind, stage: Stage) -> str | None:
    """The newest form of that kind in this country, if there is one."""
    country = jurisdiction_of(stage.programme.profiles.first)
    found = [form for form in forms().values() if form.kind is kind and form.jurisdiction == country]
    return max(found, key=lambda form: form.in_force_from).version if found else None
