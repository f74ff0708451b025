"""The orders of clients of whom any two stood beside each other. Nearly nobody has any: an index of its own says so."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import Uuid, any_, bindparam, exists, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.medication.orders import CONFIRMED, with_answers
from caseload.db.medication.rows import COUNTS, ORDER_COLUMNS, WITH_WHAT_HAPPENED
from caseload.db.tables.medication import medication_order
from caseload.domain.ids import ClientId
from caseload.domain.medication import Order

_beside = medication_order.alias("order_beside")

TOGETHER = (
    select(*ORDER_COLUMNS, CONFIRMED)
    .select_from(WITH_WHAT_HAPPENED)
    .where(
        medication_order.c.client_id == any_(bindparam("clients", type_=ARRAY(Uuid()))),
        COUNTS,
        exists().where(_beside.c.client_id == medication_order.c.client_id, _beside.c.beside_id.is_not(None)),
    )
    .order_by(medication_order.c.starts_on.desc(), medication_order.c.id.desc())
)


async def orders_together(connection: AsyncConnection, clients: Sequence[UUID]) -> Mapping[ClientId, Sequence[Order]]:
    """Every order that counts of those clients who ever had two beside each other, with what was answered."""
    found: dict[ClientId, list[Order]] = defaultdict(list)
    for row in (await connection.execute(TOGETHER, {"clients": list(clients)})).mappings():
        order = with_answers(row)
        found[order.client].append(order)
    return found
