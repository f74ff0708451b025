"""Consents in PostgreSQL: what was signed, and the rows that ended it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Row, and_, bindparam, case, exists, func, insert, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db import locks
from caseload.db.access import reach_of, within_reach
from caseload.db.agreed import standing_restrictions
from caseload.db.periods import running
from caseload.db.tables.base import INSTANT
from caseload.db.tables.caseload import client
from caseload.db.tables.consent import consent, consent_event, consent_recipient, consent_revocation
from caseload.db.tables.family import related_person_involvement
from caseload.domain.access import Act
from caseload.domain.consent import (
    AgreedRestriction,
    AlreadyRevoked,
    Category,
    Consent,
    ConsentKind,
    ConsentUnknown,
    EventAlreadyRecorded,
    EventHappened,
    Expiry,
    Purpose,
    Recipient,
    RecipientClass,
    Revocation,
    Signatory,
    Signature,
)
from caseload.domain.family import InvolvementKind
from caseload.domain.ids import ClientId, ConsentId, ProgrammeId, RelatedPersonId, RightsRequestId, StaffId
from caseload.domain.journal import Journal
from caseload.domain.people import Staff


def _recipients(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """One column of all recipients of a consent, in the order in which they were written."""
    return func.array(
        select(column)
        .where(consent_recipient.c.consent_id == consent.c.id)
        .order_by(consent_recipient.c.place)
        .scalar_subquery()
    )


_FOR_THE_CLIENT = func.coalesce(consent.c.representative_id, consent.c.co_signer_id)
"""Who signed for the client, or with a minor; never both."""
_WITHOUT_AUTHORITY = and_(
    _FOR_THE_CLIENT.is_not(None),
    ~exists().where(
        related_person_involvement.c.person_id == _FOR_THE_CLIENT,
        related_person_involvement.c.kind == InvolvementKind.LEGAL_REPRESENTATIVE.value,
        running(related_person_involvement.c.period, consent.c.signed_at),
    ),
)
"""Whoever signed for the client, or with them, could not act for them then, as we know now."""

_standing = standing_restrictions("standing")
_AGREED = func.jsonb_agg(
    func.jsonb_build_object(
        "request", _standing.c.request_id,
        "person", _standing.c.person_id,
        "name", _standing.c.name,
        "group", _standing.c.group,
        "categories", _standing.c.categories,
        "purposes", _standing.c.purposes,
        "until", _standing.c.until,
    ),
    type_=JSONB,
)  # fmt: skip
_AGREED_WITH = select(_AGREED).where(_standing.c.client_id == bindparam("client"))
_RESTRICTIONS = select(_AGREED).where(_standing.c.client_id == consent.c.client_id).correlate(consent).scalar_subquery()
"""What was agreed with the client not to be told: read with each consent, so that nobody who decides by one can forget it."""

_EVERY = (
    select(
        consent.c.id,
        consent.c.client_id,
        consent.c.kind,
        consent.c.form,
        consent.c.form_digest,
        consent.c.discloser_id,
        consent.c.categories,
        consent.c.purposes,
        consent.c.last_day,
        consent.c.expires_at,
        consent.c.expiry_event,
        consent.c.never_expires,
        consent.c.signatory,
        consent.c.signed_name,
        consent.c.signed_at,
        consent.c.representative_id,
        consent.c.recorded_by,
        consent.c.recorded_at,
        _recipients(consent_recipient.c.person_id).label("people"),
        _recipients(consent_recipient.c.name).label("names"),
        _recipients(consent_recipient.c.group).label("groups"),
        consent.c.revocable_at,
        case(
            (
                consent_revocation.c.received_at.is_not(None),
                func.greatest(consent_revocation.c.received_at, consent.c.revocable_at),
            )
        ).label("revoked_at"),
        consent_event.c.happened_at.label("event_at"),
        consent.c.document_digest,
        consent.c.co_signer_id,
        consent.c.co_signed_name,
        consent.c.attestation,
        _WITHOUT_AUTHORITY.label("without_authority"),
        _RESTRICTIONS.label("restrictions"),
    )
    .outerjoin(consent_revocation, consent_revocation.c.consent_id == consent.c.id)
    .outerjoin(consent_event, consent_event.c.consent_id == consent.c.id)
)
_CONSENT = _EVERY.where(consent.c.client_id == bindparam("client"))
ENDING: Final = (
    _EVERY.join(client, client.c.id == consent.c.client_id)
    .where(
        within_reach(),
        consent.c.expires_at > bindparam("after", type_=INSTANT),
        consent.c.expires_at <= bindparam("until", type_=INSTANT),
    )
    .order_by(consent.c.expires_at, consent.c.id)
    .limit(bindparam("limit"))
)
_GET = _CONSENT.where(consent.c.id == bindparam("consent"))
_LAST_ENDED = (
    select(func.max(func.greatest(consent_revocation.c.recorded_at, consent_event.c.recorded_at)))
    .select_from(consent)
    .outerjoin(consent_revocation, consent_revocation.c.consent_id == consent.c.id)
    .outerjoin(consent_event, consent_event.c.consent_id == consent.c.id)
    .where(consent.c.client_id == bindparam("client"))
)
_OF = _CONSENT.order_by(consent.c.signed_at.desc(), consent.c.id.desc())


async def hold_what_may_be_told(connection: AsyncConnection, client: ClientId) -> None:
    """Until this transaction ends nothing else is told about a client, and nothing that allows or forbids it changes."""
    await locks.hold(connection, f"consents:{client}")


class Consents:
    """Satisfies `domain.consent.Consents`. Whoever asks has been let through to the client before."""

    def __init__(self, connection: AsyncConnection, journal: Journal) -> None:
        self._connection = connection
        self._journal = journal

    async def add(self, new: Consent) -> None:
        """See `domain.consent.Consents.add`."""
        await self._connection.execute(
            insert(consent).values(
                id=new.id,
                client_id=new.client,
                kind=new.kind,
                form=new.form,
                form_digest=new.form_digest,
                discloser_id=new.discloser,
                recipient_count=len(new.recipients),
                categories=sorted(new.categories),
                purposes=sorted(new.purposes),
                last_day=new.expiry.last_day,
                expires_at=new.expires_at,
                revocable_at=new.revocable_at,
                expiry_event=new.expiry.event,
                never_expires=new.expiry.never,
                signatory=new.signature.signatory,
                signed_name=new.signature.name,
                signed_at=new.signature.signed_at,
                document_digest=new.signature.document_digest,
                representative_id=new.signature.representative,
                co_signer_id=new.signature.co_signer,
                co_signed_name=new.signature.co_signed_name,
                attestation=new.signature.attestation,
                recorded_by=new.recorded_by,
                recorded_at=new.recorded_at,
            )
        )
        await self._connection.execute(
            insert(consent_recipient),
            [
                {
                    "consent_id": new.id,
                    "place": place,
                    "client_id": new.client,
                    "kind": new.kind,
                    "recipient_count": len(new.recipients),
                    "person_id": recipient.person,
                    "name": recipient.name,
                    "group": recipient.group,
                }
                for place, recipient in enumerate(new.recipients, start=1)
            ],
        )

    async def get(self, wanted: ConsentId, *, client: ClientId) -> Consent:
        """See `domain.consent.Consents.get`."""
        row = (await self._connection.execute(_GET, {"client": client, "consent": wanted})).first()
        if row is None:
            raise ConsentUnknown
        self._journal.saw(client, "consent")
        return _consent(row)

    async def of(self, client: ClientId) -> Sequence[Consent]:
        """See `domain.consent.Consents.of`."""
        rows = (await self._connection.execute(_OF, {"client": client})).all()
        self._journal.saw(client, "consent")
        return [_consent(row) for row in rows]

    async def restrictions(self, client: ClientId) -> Sequence[AgreedRestriction]:
        """See `domain.consent.Consents.restrictions`."""
        kept: Any = (await self._connection.execute(_AGREED_WITH, {"client": client})).scalar_one()
        self._journal.saw(client, "consent")
        return [_restriction(each) for each in kept or ()]

    async def ending(self, *, after: datetime, until: datetime, by: Staff, act: Act, limit: int) -> Sequence[Consent]:
        """See `domain.consent.ExpiringConsents.ending`."""
        given = {"after": after, "until": until, "limit": limit, **reach_of(by.reach(act), at=after)}
        found = [_consent(row) for row in (await self._connection.execute(ENDING, given)).all()]
        for one in found:
            self._journal.saw(one.client, "consent")
        return found

    async def hold(self, client: ClientId) -> datetime | None:
        """See `domain.consent.Consents.hold`. A lock by name: insert-only rows are not ours to lock."""
        await hold_what_may_be_told(self._connection, client)
        return (await self._connection.execute(_LAST_ENDED, {"client": client})).scalar_one()

    async def add_revocation(self, revocation: Revocation, *, of: Consent) -> None:
        """See `domain.consent.Consents.add_revocation`."""
        try:
            await self._connection.execute(
                insert(consent_revocation).values(
                    consent_id=revocation.consent,
                    signed_at=of.signature.signed_at,
                    how=revocation.how,
                    received_at=revocation.received_at,
                    note=revocation.note,
                    representative_id=revocation.representative,
                    recorded_by=revocation.recorded_by,
                    recorded_at=revocation.recorded_at,
                )
            )
        except IntegrityError as twice:
            raise AlreadyRevoked from twice

    async def add_event(self, event: EventHappened, *, of: Consent) -> None:
        """See `domain.consent.Consents.add_event`."""
        try:
            await self._connection.execute(
                insert(consent_event).values(
                    consent_id=event.consent,
                    signed_at=of.signature.signed_at,
                    expiry_event=of.expiry.event,
                    happened_at=event.happened_at,
                    recorded_by=event.recorded_by,
                    recorded_at=event.recorded_at,
                )
            )
        except IntegrityError as twice:
            raise EventAlreadyRecorded from twice


def _consent(row: Row[*tuple[Any, ...]]) -> Consent:
    return Consent(
        id=ConsentId(row.id),
        client=ClientId(row.client_id),
        kind=ConsentKind(row.kind),
        form=row.form,
        form_digest=row.form_digest,
        discloser=ProgrammeId(row.discloser_id),
        recipients=tuple(
            Recipient(
                person=None if person is None else RelatedPersonId(person),
                name=name,
                group=None if group is None else RecipientClass(group),
            )
            for person, name, group in zip(row.people, row.names, row.groups, strict=True)
        ),
        categories=frozenset(Category(word) for word in row.categories),
        purposes=frozenset(Purpose(word) for word in row.purposes),
        expiry=Expiry(last_day=row.last_day, event=row.expiry_event, never=row.never_expires),
        expires_at=row.expires_at,
        signature=Signature(
            signatory=Signatory(row.signatory),
            name=row.signed_name,
            signed_at=row.signed_at,
            representative=None if row.representative_id is None else RelatedPersonId(row.representative_id),
            document_digest=row.document_digest,
            co_signer=None if row.co_signer_id is None else RelatedPersonId(row.co_signer_id),
            co_signed_name=row.co_signed_name,
            attestation=row.attestation,
        ),
        recorded_at=row.recorded_at,
        recorded_by=StaffId(row.recorded_by),
        revocable_at=row.revocable_at,
        revoked_at=row.revoked_at,
        event_at=row.event_at,
        without_authority=row.without_authority,
        restrictions=tuple(_restriction(each) for each in row.restrictions or ()),
    )


def _restriction(kept: Mapping[str, Any]) -> AgreedRestriction:
    named = {name: kept[name] for name in ("person", "name", "group") if kept[name] is not None}
    recipient = None
    if named:
        recipient = Recipient(
            person=RelatedPersonId(UUID(named["person"])) if "person" in named else None,
            name=named.get("name"),
            group=RecipientClass(named["group"]) if "group" in named else None,
        )
    return AgreedRestriction(
        request=RightsRequestId(UUID(kept["request"])),
        recipient=recipient,
        categories=frozenset(Category(each) for each in kept["categories"]),
        purposes=frozenset(Purpose(each) for each in kept["purposes"]),
        until=None if kept["until"] is None else datetime.fromisoformat(kept["until"]),
    )
