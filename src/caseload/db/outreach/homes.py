"""Where those around clients are of whom a safety warning stands: what closes ways to a client."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import Uuid, any_, bindparam, exists, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.tables.family import related_person_version, related_person_warning
from caseload.domain.family import WarningKind
from caseload.domain.ids import ClientId
from caseload.domain.outreach import Warned

_newer = related_person_version.alias("newer")
WARNED: Final = (
    select(
        related_person_warning.c.client_id,
        related_person_warning.c.kind,
        related_person_version.c.phone,
        related_person_version.c.address,
        related_person_version.c.in_household,
    )
    .join(related_person_version, related_person_version.c.person_id == related_person_warning.c.person_id)
    .where(
        related_person_warning.c.client_id == any_(bindparam("clients", type_=ARRAY(Uuid()))),
        related_person_warning.c.lifted_at.is_(None),
        ~exists().where(
            _newer.c.person_id == related_person_version.c.person_id,
            _newer.c.version > related_person_version.c.version,
        ),
    )
    .order_by(related_person_warning.c.id)
)


async def warned_around(
    connection: AsyncConnection, clients: Sequence[ClientId]
) -> Mapping[ClientId, tuple[Warned, ...]]:
    """Of each of these, whom around them a warning is about now."""
    found = defaultdict[ClientId, tuple[Warned, ...]](tuple)
    for row in await connection.execute(WARNED, {"clients": clients}):
        warned = Warned(kind=WarningKind(row.kind), phone=row.phone, address=row.address, in_household=row.in_household)
        found[ClientId(row.client_id)] += (warned,)
    return found
