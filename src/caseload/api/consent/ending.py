"""What ends a consent: the client's word, or the event it names."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from litestar.params import FromPath, JSONBody

from caseload.api.consent.wire import ConsentOut, ExpiryEventIn, RevocationIn
from caseload.api.route import writing
from caseload.api.work import TheKey, TheWork, client_within
from caseload.db.consent import Consents
from caseload.db.family import Families
from caseload.db.idempotency import Kept
from caseload.domain import consent as domain
from caseload.domain.access import Act
from caseload.domain.client import Client
from caseload.domain.consent import Consent
from caseload.domain.ids import ConsentId, RelatedPersonId
from caseload.request.idempotency import RequestKey, once
from caseload.request.work import Work


@writing(
    "/clients/{client_id:uuid}/consents/{consent_id:uuid}/revocation",
    act=Act.RECORD_CONSENT,
    name="revoke_consent",
)
async def revoke_consent(
    client_id: FromPath[UUID], consent_id: FromPath[UUID], data: JSONBody[RevocationIn], work: TheWork, key: TheKey
) -> ConsentOut:
    """Record that the client has revoked a consent, written or spoken. It counts from the receipt on."""
    families, said_by = Families(work.connection, work.journal), data.representative_id

    async def revoke(consent: Consent, client: Client, consents: Consents) -> None:
        representative = None if said_by is None else await families.get(RelatedPersonId(said_by), client=client.id)
        await domain.revoke_consent(
            consent,
            how=data.how,
            received_at=data.received_at or work.now,
            note=data.note,
            client=client,
            by=work.by,
            now=work.now,
            consents=consents,
            journal=work.journal,
            representative=representative,
        )

    return await _ended(work, key, client_id, consent_id, revoke)


@writing(
    "/clients/{client_id:uuid}/consents/{consent_id:uuid}/expiry-event",
    act=Act.RECORD_CONSENT,
    name="record_consent_event",
)
async def record_consent_event(
    client_id: FromPath[UUID], consent_id: FromPath[UUID], data: JSONBody[ExpiryEventIn], work: TheWork, key: TheKey
) -> ConsentOut:
    """Record that the event has come with which a consent ends."""

    async def record(consent: Consent, client: Client, consents: Consents) -> None:
        await domain.record_event(
            consent,
            happened_at=data.happened_at or work.now,
            client=client,
            by=work.by,
            now=work.now,
            consents=consents,
            journal=work.journal,
        )

    return await _ended(work, key, client_id, consent_id, record)


async def _ended(
    work: Work,
    key: RequestKey | None,
    client_id: UUID,
    consent_id: UUID,
    end: Callable[[Consent, Client, Consents], Awaitable[None]],
) -> ConsentOut:
    """End it once, and answer with the consent as it stands then."""
    client = await client_within(work, client_id, Act.RECORD_CONSENT)
    consents = Consents(work.connection, work.journal)
    consent = await consents.get(ConsentId(consent_id), client=client.id)

    async def do() -> Consent:
        await end(consent, client, consents)
        return await consents.get(consent.id, client=client.id)

    async def again(kept: Kept) -> Consent:
        return await consents.get(ConsentId(kept.resource), client=client.id)

    ended = await once(work, key, Kept(status=201, resource=consent.id), do=do, again=again)
    gone = await Families(work.connection, work.journal).no_longer_involved(client.id, at=work.now)
    return ConsentOut.of(ended, at=work.now, gone=gone)
