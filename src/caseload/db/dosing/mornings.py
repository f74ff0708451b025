"""What the record of one client says on a dosing day, of one order."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from caseload.db.dosing.doses import Doses
from caseload.db.takehome.covering import at_home_on
from caseload.domain.dosing import EVERYTHING_COMMITTED, Due, Giving, Morning, due_on, order_on, orders_on
from caseload.domain.dosing.own import own_first
from caseload.domain.ids import ProgrammeId
from caseload.domain.medication import MedicationRecord, Order
from caseload.domain.medicines import DosePart, Form, Medicine


class Mornings(Doses):
    """Reads what the rules need to know of a client's day."""

    async def morning(
        self,
        day: date,
        *,
        record: MedicationRecord,
        orders: Sequence[Order],
        asked: Order | None = None,
        or_else: Order | None = None,
        place: ProgrammeId | None = None,
    ) -> Morning:
        """What the record says on a day, of the order that is asked for, of the day's order, or else of another.

        `place` is the programme that asks, unless it is the client's own.
        """
        wanted, order = record.client, asked or order_on(day, orders) or or_else
        parts = list(order.amounts_mg) if order is not None else []
        giving = Giving(
            client=wanted,
            order=order.id if order is not None else None,
            medicine=order.medicine if order is not None else Medicine.METHADONE,
            form=order.form if order is not None else Form.ORAL_SOLUTION,
            amount_mg=Decimal(1),
            part=parts[0] if len(parts) == 1 else DosePart.WHOLE,
            given_at=self._now,
            supervised=True,
        )
        facts = await self.facts(record, giving, day, at=EVERYTHING_COMMITTED)
        return Morning(
            record=record,
            orders=own_first([each for each in orders if each.counts], giving.medicine),
            given=[*(await self.given_on([wanted], day)).get(wanted, []), *await self.covered_on(record, day)],
            last=facts.last,
            held=facts.held,
            allowed=facts.allowed,
            beside=facts.beside,
            answered=facts.answered,
            at=self._now,
            taken_since=facts.taken_since,
            observed=facts.observed,
            lately=facts.lately,
            injected=facts.injected,
            away=facts.away,
            guests=facts.guests,
            under_another=facts.under_another,
            place=place,
            at_home=(await at_home_on(self._connection, [wanted], day)).get(wanted, ()),
            together=facts.together,
            asked=order.id if order is not None else None,
        )

    async def dues(
        self, day: date, *, record: MedicationRecord, orders: Sequence[Order], place: ProgrammeId | None = None
    ) -> Sequence[Due]:
        """What is due by each order in force on a day, the earlier part of the day first; without any, nothing once."""
        return [
            due_on(day, await self.morning(day, record=record, orders=orders, asked=order, place=place))
            for order in orders_on(day, orders) or [None]
        ]
