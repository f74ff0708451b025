"""What a client disputes and goes along with what is told of it, in PostgreSQL."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Uuid, and_, bindparam, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.tables.rights import rights_answer, rights_request, rights_statement
from caseload.db.tables.rights_amended import rights_asked_along, rights_dispute
from caseload.domain.consent import Category
from caseload.domain.disclosure import Dispute, DisputeTold
from caseload.domain.ids import ClientId, RightsRequestId
from caseload.domain.rights import Side

_disagreement, _rebuttal = rights_statement.alias("disagreement"), rights_statement.alias("rebuttal")
_GOES_ALONG: Final = (
    select(
        rights_request.c.id,
        rights_request.c.received_on,
        rights_request.c.says.label("asked"),
        rights_answer.c.says.label("denied"),
        rights_dispute.c.categories,
        _disagreement.c.says.label("disagreement"),
        _rebuttal.c.says.label("rebuttal"),
    )
    .select_from(rights_dispute)
    .join(rights_request, rights_request.c.id == rights_dispute.c.request_id)
    .join(rights_answer, rights_answer.c.request_id == rights_dispute.c.request_id)
    .outerjoin(rights_asked_along, rights_asked_along.c.request_id == rights_dispute.c.request_id)
    .outerjoin(
        _disagreement,
        and_(
            _disagreement.c.request_id == rights_dispute.c.request_id,
            _disagreement.c.side == Side.DISAGREEMENT.value,
        ),
    )
    .outerjoin(
        _rebuttal,
        and_(_rebuttal.c.request_id == rights_dispute.c.request_id, _rebuttal.c.side == Side.REBUTTAL.value),
    )
    .where(
        rights_dispute.c.client_id == bindparam("client", type_=Uuid()),
        or_(_disagreement.c.request_id.is_not(None), rights_asked_along.c.request_id.is_not(None)),
    )
    .order_by(rights_request.c.id)
)


async def disputes_of(connection: AsyncConnection, of: ClientId) -> Sequence[Dispute]:
    """See `domain.disclosure.Disclosures.disputes_of`."""
    return [
        Dispute(
            request=RightsRequestId(row.id),
            categories=tuple(Category(each) for each in row.categories),
            received_on=row.received_on,
            asked=row.asked,
            denied=row.denied,
            disagreement=row.disagreement,
            rebuttal=row.rebuttal,
        )
        for row in await connection.execute(_GOES_ALONG, {"client": of})
    ]


def written(disputes: Iterable[DisputeTold]) -> list[Mapping[str, object]]:
    """As they are kept with what was told."""
    return [
        {
            "request": str(each.request),
            "categories": [category.value for category in each.categories],
            "says": each.says,
            "words": dict(each.words),
        }
        for each in disputes
    ]


def read(kept: Sequence[Mapping[str, Any]]) -> tuple[DisputeTold, ...]:
    """As they were kept with what was told."""
    return tuple(
        DisputeTold(
            request=RightsRequestId(UUID(each["request"])),
            categories=tuple(Category(category) for category in each["categories"]),
            says=each["says"],
            words=each["words"],
        )
        for each in kept
    )
