"""The days on which clients are guests, as the rules need them: read only where the client's record says that there are any."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import Uuid, any_, bindparam, false, func, insert, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.medication.orders import Orders
from caseload.db.tables.guest import guest_agreement, guest_end, guest_order
from caseload.domain.ids import ClientId, GuestId, OrderId, ProgrammeId
from caseload.domain.medication import Direction, GuestDays
from caseload.domain.medicines import Form, Medicine

_orders = (
    select(func.array_agg(guest_order.c.order_id))
    .where(guest_order.c.agreement_id == guest_agreement.c.id)
    .scalar_subquery()
)
GUEST_DAYS: Final = (
    select(
        guest_agreement.c.id,
        guest_agreement.c.client_id,
        guest_agreement.c.direction,
        guest_agreement.c.facility,
        guest_agreement.c.host_programme_id,
        guest_agreement.c.first_on,
        (guest_agreement.c.until_on - 1).label("last_on"),
        guest_agreement.c.medicine,
        guest_agreement.c.form,
        guest_agreement.c.amount_mg,
        guest_agreement.c.holds_on,
        guest_agreement.c.recorded_at,
        func.coalesce(guest_end.c.became_ours, false()).label("became_ours"),
        _orders.label("orders"),
    )
    .select_from(guest_agreement.outerjoin(guest_end, guest_end.c.agreement_id == guest_agreement.c.id))
    .where(guest_agreement.c.client_id == any_(bindparam("clients", type_=ARRAY(Uuid()))))
    .order_by(guest_agreement.c.client_id, guest_agreement.c.first_on.desc(), guest_agreement.c.id.desc())
)
_BIND = insert(guest_order)


async def guest_days_of(connection: AsyncConnection, clients: Sequence[UUID]) -> Mapping[ClientId, Sequence[GuestDays]]:
    """The guest agreements of clients as they stand, the last first."""
    found: dict[ClientId, list[GuestDays]] = defaultdict(list)
    if not clients:
        return found
    for row in (await connection.execute(GUEST_DAYS, {"clients": list(clients)})).all():
        found[ClientId(row.client_id)].append(
            GuestDays(
                agreement=GuestId(row.id),
                direction=Direction(row.direction),
                facility=row.facility,
                host=ProgrammeId(row.host_programme_id) if row.host_programme_id is not None else None,
                first_on=row.first_on,
                last_on=row.last_on,
                medicine=Medicine(row.medicine),
                form=Form(row.form),
                amount_mg=row.amount_mg,
                recorded_at=row.recorded_at,
                became_ours=row.became_ours,
                holds_on=frozenset(row.holds_on),
                orders=frozenset(OrderId(each) for each in row.orders or ()),
            )
        )
    return found


class GuestOrders(Orders):
    """Satisfies `domain.medication.GuestOrders`."""

    async def guest_days(self, wanted: ClientId) -> Sequence[GuestDays]:
        """See `domain.medication.GuestOrders.guest_days`."""
        return (await guest_days_of(self._connection, [wanted])).get(wanted, ())

    async def bind_order(self, order: OrderId, guest: GuestDays, client: ClientId) -> None:
        """See `domain.medication.GuestOrders.bind_order`."""
        given = {"order_id": order, "agreement_id": guest.agreement, "client_id": client}
        await self._connection.execute(_BIND, given)
