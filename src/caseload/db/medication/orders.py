"""Orders in PostgreSQL, and what has happened to them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, any_, bindparam, exists, func, insert, or_, select
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, aggregate_order_by
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.access import reach_of, within_reach
from caseload.db.direct import Named
from caseload.db.failures import violated
from caseload.db.medication.beside import given_lately
from caseload.db.medication.record import KIND, MedicationRecords
from caseload.db.medication.rows import ORDER_COLUMNS, WITH_WHAT_HAPPENED, order_of, order_row
from caseload.db.people.grants import constants, in_force, works_here
from caseload.db.tables.base import INSTANT
from caseload.db.tables.caseload import client
from caseload.db.tables.medication import (
    medication_order,
    medication_order_confirmation,
    medication_order_replacement,
    medication_order_signature,
    medication_order_stop,
)
from caseload.db.tables.people import role_grant
from caseload.domain.access import MAY, Act
from caseload.domain.ids import ClientId, OrderId, ProgrammeId, StaffId
from caseload.domain.medication import (
    Acting,
    ClientHasDied,
    Confirmed,
    Order,
    OrderMoved,
    OrderUnknown,
    Stop,
)
from caseload.domain.people import Staff
from caseload.domain.signature import Signature

CONFIRMED = (
    select(
        func.jsonb_agg(
            aggregate_order_by(
                func.jsonb_build_object(
                    "rule",
                    medication_order_confirmation.c.rule,
                    "profile",
                    medication_order_confirmation.c.profile,
                    "profile_version",
                    medication_order_confirmation.c.profile_version,
                    "reason",
                    medication_order_confirmation.c.reason,
                    "facts",
                    medication_order_confirmation.c.facts,
                ),
                medication_order_confirmation.c.rule,
            ),
            type_=JSONB(),
        )
    )
    .where(medication_order_confirmation.c.order_id == medication_order.c.id)
    .scalar_subquery()
    .label("confirmed")
)
_ORDERS = select(*ORDER_COLUMNS, CONFIRMED).select_from(WITH_WHAT_HAPPENED)
_ONE = _ORDERS.join(client, client.c.id == medication_order.c.client_id).where(
    medication_order.c.id == bindparam("order"), within_reach()
)
_OF_CLIENT = _ORDERS.where(medication_order.c.client_id == bindparam("client")).order_by(
    medication_order.c.starts_on.desc(), medication_order.c.id.desc()
)
_NAMED = _ORDERS.where(medication_order.c.id == any_(bindparam("orders", type_=ARRAY(Uuid()))))
_PRESCRIBER = bindparam("prescriber", type_=Uuid())
_SPOKEN = (
    _ORDERS.join(client, client.c.id == medication_order.c.client_id)
    .where(
        medication_order.c.programme_id == bindparam("programme"),
        medication_order.c.verbal_by.is_not(None),
        medication_order_signature.c.order_id.is_(None),
        medication_order_stop.c.order_id.is_(None),
        or_(_PRESCRIBER.is_(None), medication_order.c.verbal_by == _PRESCRIBER),
        within_reach(),
    )
    .order_by(medication_order.c.countersign_by, medication_order.c.id)
)
_MAY_ORDER = select(
    exists().where(
        role_grant.c.staff_id == bindparam("staff"),
        role_grant.c.role.in_(constants(MAY[Act.WRITE_ORDER])),
        role_grant.c.programme_id == bindparam("programme"),
        in_force(bindparam("at", type_=INSTANT)),
        works_here(bindparam("at", type_=INSTANT)),
    )
)
_ADD = insert(medication_order)
_SIGN = insert(medication_order_signature)
_CONFIRM = insert(medication_order_confirmation)
_REPLACE = insert(medication_order_replacement)
_STOP = insert(medication_order_stop)


class Orders(MedicationRecords):
    """Satisfies `domain.medication.Orders`."""

    async def add_order(self, order: Order) -> None:
        """See `domain.medication.Orders.add_order`."""
        try:
            await self._connection.execute(_ADD, order_row(order))
        except IntegrityError as refused:
            if violated(refused) == "order_for_the_living":
                raise ClientHasDied("Somebody else has to correct the report before an order is written.") from refused
            raise

    async def order(self, wanted: OrderId, *, by: Staff, act: Act) -> Order:
        """See `domain.medication.Orders.order`."""
        given = {"order": wanted, **reach_of(by.reach(act), at=self._now)}
        row = (await self._connection.execute(_ONE, given)).mappings().first()
        if row is None:
            raise OrderUnknown("Read the client's medication chart for the orders there are.")
        found = with_answers(row)
        self._journal.saw(found.client, KIND)
        return found

    async def orders_of(self, wanted: ClientId) -> Sequence[Order]:
        """See `domain.medication.Orders.orders_of`."""
        rows = (await self._connection.execute(_OF_CLIENT, {"client": wanted})).mappings().all()
        self._journal.saw(wanted, KIND)
        return [with_answers(row) for row in rows]

    async def spoken_in(
        self, wanted: ProgrammeId, *, by: Staff, act: Act, prescriber: StaffId | None = None
    ) -> Sequence[Order]:
        """The verbal orders of a programme that wait for their prescriber, or for this one, the first deadline first."""
        given = {"programme": wanted, "prescriber": prescriber, **reach_of(by.reach(act), at=self._now)}
        found = [order_of(row) for row in (await self._connection.execute(_SPOKEN, given)).mappings()]
        for each in found:
            self._journal.saw(each.client, KIND)
        return found

    async def may_order(self, staff: StaffId, programme: ProgrammeId, *, at: datetime) -> bool:
        """See `domain.medication.verbal.VerbalOrders.may_order`."""
        given = {"staff": staff, "programme": programme, "at": at}
        return bool((await self._connection.execute(_MAY_ORDER, given)).scalar_one())

    async def given_lately(self, wanted: ClientId, day: date) -> Sequence[Acting]:
        """See `domain.medication.Orders.given_lately`."""
        self._journal.saw(wanted, KIND)
        return (await given_lately(self._connection, [wanted], day)).get(wanted, [])

    async def add_order_signature(self, order: Order, signature: Signature) -> None:
        """See `domain.medication.Orders.add_order_signature`."""
        at = signature.statement.signed_at
        await self.add(signature)
        try:
            await self._connection.execute(_SIGN, {"order_id": order.id, "signature_id": signature.id, "signed_at": at})
            if order.confirmed:
                await self._connection.execute(_CONFIRM, [_answer_row(order, each) for each in order.confirmed])
            if order.replaces is not None:
                replaced = {"replaced_id": order.replaces, "order_id": order.id}
                await self._connection.execute(_REPLACE, {**replaced, "from_on": order.starts_on, "replaced_at": at})
        except IntegrityError as raced:
            raise OrderMoved("Read the chart again.", order=str(order.id)) from raced

    async def add_order_stop(self, stop: Stop, order: Order, signature: Signature) -> None:
        """See `domain.medication.Orders.add_order_stop`."""
        await self.add(signature)
        try:
            await self._connection.execute(
                _STOP,
                {
                    "order_id": order.id,
                    "reason": stop.reason,
                    "stopped_by": stop.stopped_by,
                    "stopped_at": stop.stopped_at,
                    "signature_id": signature.id,
                },
            )
        except IntegrityError as raced:
            raise OrderMoved("Read the chart again.", order=str(order.id)) from raced


async def orders_named(connection: AsyncConnection, wanted: Sequence[UUID]) -> Sequence[Order]:
    """These orders, whoever asks: for what shows nobody, such as the verification of signatures."""
    rows = (await connection.execute(_NAMED, {"orders": list(wanted)})).mappings()
    return [with_answers(row) for row in rows]


def _answer_row(order: Order, answered: Confirmed) -> dict[str, Any]:
    return {
        "order_id": order.id,
        "rule": answered.rule,
        "profile": answered.profile,
        "profile_version": answered.profile_version,
        "reason": answered.reason,
        "facts": dict(answered.facts),
        "confirmed_at": answered.at,
    }


def with_answers(row: Named) -> Order:
    """The order with what the profile asked before it was signed."""
    order = order_of(row)
    if row["confirmed"] is None or order.signed_at is None:
        return order
    answers = (Confirmed(**each, at=order.signed_at) for each in row["confirmed"])
    return replace(order, confirmed=tuple(answers))
