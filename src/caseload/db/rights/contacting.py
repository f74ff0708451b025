"""How and where it was agreed that clients are reached, and the end of that, in PostgreSQL."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Insert, Row, insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.tables.rights_agreed import rights_contact, rights_contact_end
from caseload.domain.ids import RightsRequestId, StaffId
from caseload.domain.outreach import Channel, Reachable
from caseload.domain.rights import (
    Answering,
    ContactAgreement,
    ContactAgreementOver,
    ContactEnd,
    ContactEndedHow,
    RightsAnswer,
    RightsRequest,
)

CONTACTING = (
    rights_contact.c.allowed.label("contact_allowed"),
    rights_contact.c.telephone.label("contact_telephone"),
    rights_contact.c.address.label("contact_address"),
    rights_contact.c.heed.label("contact_heed"),
    rights_contact_end.c.how.label("contact_ended_how"),
    rights_contact_end.c.says.label("contact_end_says"),
    rights_contact_end.c.recorded_by.label("contact_ended_by"),
    rights_contact_end.c.recorded_at.label("contact_ended_at"),
)
"""What a request for a confidential contact is read with."""


def agreed(request: RightsRequest, answer: RightsAnswer, answering: Answering) -> Iterator[Insert]:
    """What is kept of a confidential contact that is granted, beside the answer."""
    to = answering.contact
    if to is not None:
        yield insert(rights_contact).values(
            request_id=request.id,
            kind=request.asked.kind,
            client_id=request.client,
            outcome=answer.outcome,
            allowed=sorted(to.allowed),
            telephone=to.telephone,
            address=to.address,
            heed=to.heed,
            recorded_by=answer.by,
            recorded_at=answer.at,
        )


async def end_contact(connection: AsyncConnection, request: RightsRequestId, end: ContactEnd) -> None:
    """See `domain.rights.AgreedContacts.end_contact`."""
    try:
        await connection.execute(
            insert(rights_contact_end).values(
                request_id=request, how=end.how, says=end.says, recorded_by=end.by, recorded_at=end.at
            )
        )
    except IntegrityError as twice:
        raise ContactAgreementOver from twice


def contact(row: Row[*tuple[Any, ...]]) -> ContactAgreement | None:
    """What was agreed on a request of how the client is reached."""
    if row.contact_allowed is None:
        return None
    end = None
    if row.contact_ended_at is not None:
        end = ContactEnd(
            how=ContactEndedHow(row.contact_ended_how),
            says=row.contact_end_says,
            by=StaffId(row.contact_ended_by),
            at=row.contact_ended_at,
        )
    to = Reachable(
        allowed=frozenset(Channel(each) for each in row.contact_allowed),
        telephone=row.contact_telephone,
        address=row.contact_address,
        heed=row.contact_heed,
    )
    return ContactAgreement(to=to, end=end)
