"""Consents as they were given, and what each is worth now."""

from datetime import date
from uuid import UUID

import msgspec
from litestar.params import FromPath, JSONBody

from caseload.api.consent.wire import ConsentIn, ConsentOut, ConsentsOut, GivenConsentOut
from caseload.api.route import reading, writing
from caseload.api.wire import Wire
from caseload.api.work import TheKey, TheWork, client_within
from caseload.db.consent import Consents
from caseload.db.family import Families
from caseload.db.idempotency import Kept
from caseload.db.programme import Programmes
from caseload.domain import consent as domain
from caseload.domain.access import Act
from caseload.domain.consent import Consent
from caseload.domain.ids import ConsentId, new_id
from caseload.request.idempotency import once


@reading("/clients/{client_id:uuid}/consents", act=Act.SEE_CONSENT, name="list_consents")
async def list_consents(client_id: FromPath[UUID], work: TheWork) -> ConsentsOut:
    """Every consent the client ever gave, whatever it is worth now."""
    client = await client_within(work, client_id, Act.SEE_CONSENT)
    given = await Consents(work.connection, work.journal).of(client.id)
    gone = await Families(work.connection, work.journal).no_longer_involved(client.id, at=work.now)
    return ConsentsOut(items=[ConsentOut.of(consent, at=work.now, gone=gone) for consent in given])


@writing("/clients/{client_id:uuid}/consents", act=Act.RECORD_CONSENT, name="give_consent")
async def give_consent(
    client_id: FromPath[UUID], data: JSONBody[ConsentIn], work: TheWork, key: TheKey
) -> GivenConsentOut:
    """Record a consent that was signed; refused with every element of 42 CFR 2.31(a) that is missing."""
    client = await client_within(work, client_id, Act.RECORD_CONSENT)
    programme = await Programmes(work.connection).get(client.programme)
    consents, families = Consents(work.connection, work.journal), Families(work.connection, work.journal)
    new = ConsentId(new_id())

    async def give() -> Consent:
        return await domain.give_consent(
            client,
            data.read(),
            as_id=new,
            programme=programme,
            by=work.by,
            now=work.now,
            families=families,
            consents=consents,
            journal=work.journal,
        )

    async def again(kept: Kept) -> Consent:
        return await consents.get(ConsentId(kept.resource), client=client.id)

    given = await once(work, key, Kept(status=201, resource=new), do=give, again=again)
    said = GivenConsentOut.of(given, at=work.now, gone=await families.no_longer_involved(client.id, at=work.now))
    still = await domain.still_allowing(given, now=work.now, consents=consents, families=families)
    return msgspec.structs.replace(said, still_allows=tuple(still))


class ExpiringOut(Wire, frozen=True, kw_only=True):
    """A consent in force whose last day is near."""

    consent_id: UUID
    client_id: UUID
    last_day: date
    days_left: int
    """0 on the last day itself."""
    alert: int
    """The nearest step that has been reached: 30, 14 or 7 days."""
    rule: str


class ExpiringsOut(Wire, frozen=True, kw_only=True):
    """Consents that expire soon, those that end first before the others; 200 at most."""

    items: list[ExpiringOut]


@reading("/expiring-consents", act=Act.SEE_CONSENT, name="list_expiring_consents", problems=())
async def list_expiring_consents(work: TheWork) -> ExpiringsOut:
    """The consents of your clients that expire soon, with the step of 30, 14 or 7 days that has been reached."""
    found = await domain.expiring(
        by=work.by,
        act=Act.SEE_CONSENT,
        now=work.now,
        consents=Consents(work.connection, work.journal),
        programmes=await Programmes(work.connection).all(),
    )
    return ExpiringsOut(
        items=[
            ExpiringOut(
                consent_id=each.consent.id,
                client_id=each.consent.client,
                last_day=each.last_day,
                days_left=each.days_left,
                alert=each.alert,
                rule=each.rule,
            )
            for each in found
        ]
    )


@reading("/clients/{client_id:uuid}/consents/{consent_id:uuid}", act=Act.SEE_CONSENT, name="read_consent")
async def read_consent(client_id: FromPath[UUID], consent_id: FromPath[UUID], work: TheWork) -> ConsentOut:
    """One consent, and what it is worth now."""
    client = await client_within(work, client_id, Act.SEE_CONSENT)
    consent = await Consents(work.connection, work.journal).get(ConsentId(consent_id), client=client.id)
    gone = await Families(work.connection, work.journal).no_longer_involved(client.id, at=work.now)
    return ConsentOut.of(consent, at=work.now, gone=gone)
