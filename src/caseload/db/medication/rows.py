"""An order in a row, and the row of an order."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from sqlalchemy import or_

from caseload.db.direct import Named
from caseload.db.tables.medication import (
    medication_order,
    medication_order_replacement,
    medication_order_signature,
    medication_order_stop,
)
from caseload.domain.ids import ClientId, OrderId, ProgrammeId, StaffId
from caseload.domain.medication import (
    Order,
    Step,
    Supply,
)
from caseload.domain.medicines import DosePart, Form, Medicine

_WRITTEN_COLUMNS = (
    medication_order.c.id.label("order_id"),
    medication_order.c.chain_id,
    medication_order.c.version.label("order_version"),
    medication_order.c.replaces_id,
    medication_order.c.client_id.label("order_client_id"),
    medication_order.c.programme_id.label("order_programme_id"),
    medication_order.c.medicine.label("order_medicine"),
    medication_order.c.form.label("order_form"),
    medication_order.c.strength_mg,
    medication_order.c.whole_mg,
    medication_order.c.morning_mg,
    medication_order.c.evening_mg,
    medication_order.c.every_days,
    medication_order.c.starts_on,
    medication_order.c.ends_on,
    medication_order.c.supervised.label("order_supervised"),
    medication_order.c.note.label("order_note"),
    medication_order.c.product,
    medication_order.c.supply,
    medication_order.c.verbal_by,
    medication_order.c.countersign_by,
    medication_order.c.step_from,
    medication_order.c.step_whole_mg,
    medication_order.c.step_morning_mg,
    medication_order.c.step_evening_mg,
    medication_order.c.written_by,
    medication_order.c.written_at,
    medication_order.c.rapid_start,
    medication_order.c.last_opioid_on,
    medication_order.c.no_opioid_known,
    medication_order.c.beside_id,
)
SINCE_COLUMNS = (
    medication_order_signature.c.signed_at,
    medication_order_stop.c.stopped_at,
    medication_order_replacement.c.order_id.label("replaced_by"),
    medication_order_replacement.c.replaced_at,
    medication_order_replacement.c.from_on.label("replaced_from"),
)
"""What has happened to an order. Nothing else of it changes: its own row is written once."""

ORDER_COLUMNS = (*_WRITTEN_COLUMNS, *SINCE_COLUMNS)
"""What `order_of` reads; every name is its own, so that they can stand beside others in one row."""

COUNTS = or_(medication_order_signature.c.order_id.is_not(None), medication_order.c.verbal_by.is_not(None))
"""Signed, or spoken and taken down: anything may be given only under such an order."""

WITH_WHAT_HAPPENED = (
    medication_order.outerjoin(
        medication_order_signature, medication_order_signature.c.order_id == medication_order.c.id
    )
    .outerjoin(medication_order_stop, medication_order_stop.c.order_id == medication_order.c.id)
    .outerjoin(medication_order_replacement, medication_order_replacement.c.replaced_id == medication_order.c.id)
)


def order_row(order: Order) -> dict[str, Any]:
    return {
        "id": order.id,
        "chain_id": order.chain,
        "version": order.version,
        "replaces_id": order.replaces,
        "client_id": order.client,
        "programme_id": order.programme,
        "medicine": order.medicine,
        "form": order.form,
        "strength_mg": order.strength_mg,
        "whole_mg": order.amounts_mg.get(DosePart.WHOLE),
        "morning_mg": order.amounts_mg.get(DosePart.MORNING),
        "evening_mg": order.amounts_mg.get(DosePart.EVENING),
        "every_days": order.every_days,
        "starts_on": order.starts_on,
        "ends_on": order.ends_on,
        "supervised": order.supervised,
        "note": order.note,
        "product": order.product,
        "supply": order.supply,
        "verbal_by": order.verbal_by,
        "countersign_by": order.countersign_by,
        "read_back": True if order.verbal_by is not None else None,
        "rapid_start": order.rapid_start,
        "last_opioid_on": order.last_opioid_on,
        "no_opioid_known": order.no_opioid_known,
        "beside_id": order.beside,
        "step_from": [step.from_on for step in order.steps] or None,
        "step_whole_mg": _of_steps(order, DosePart.WHOLE),
        "step_morning_mg": _of_steps(order, DosePart.MORNING),
        "step_evening_mg": _of_steps(order, DosePart.EVENING),
        "written_by": order.written_by,
        "written_at": order.written_at,
    }


def _of_steps(order: Order, part: DosePart) -> list[Decimal] | None:
    return [step.amounts_mg[part] for step in order.steps] if order.steps and part in order.amounts_mg else None


def _steps_of(row: Named) -> tuple[Step, ...]:
    parts = (
        (DosePart.WHOLE, row["step_whole_mg"]),
        (DosePart.MORNING, row["step_morning_mg"]),
        (DosePart.EVENING, row["step_evening_mg"]),
    )
    return tuple(
        Step(from_on=day, amounts_mg={part: amounts[number] for part, amounts in parts if amounts is not None})
        for number, day in enumerate(row["step_from"])
    )


def order_of(row: Named) -> Order:
    """The order in a row with `ORDER_COLUMNS`."""
    amounts = (
        (DosePart.WHOLE, row["whole_mg"]),
        (DosePart.MORNING, row["morning_mg"]),
        (DosePart.EVENING, row["evening_mg"]),
    )
    return Order(
        id=OrderId(row["order_id"]),
        chain=OrderId(row["chain_id"]),
        version=row["order_version"],
        replaces=row["replaces_id"],
        client=ClientId(row["order_client_id"]),
        programme=ProgrammeId(row["order_programme_id"]),
        medicine=Medicine(row["order_medicine"]),
        form=Form(row["order_form"]),
        strength_mg=row["strength_mg"],
        amounts_mg={part: amount for part, amount in amounts if amount is not None},
        every_days=row["every_days"],
        starts_on=row["starts_on"],
        ends_on=row["ends_on"],
        supervised=row["order_supervised"],
        note=row["order_note"],
        product=row["product"],
        supply=Supply(row["supply"]),
        verbal_by=StaffId(row["verbal_by"]) if row["verbal_by"] is not None else None,
        countersign_by=row["countersign_by"],
        rapid_start=row["rapid_start"],
        last_opioid_on=row["last_opioid_on"],
        no_opioid_known=row["no_opioid_known"],
        beside=row["beside_id"],
        steps=_steps_of(row) if row["step_from"] is not None else (),
        written_by=StaffId(row["written_by"]),
        written_at=row["written_at"],
        signed_at=row["signed_at"],
        stopped_at=row["stopped_at"],
        replaced_by=row["replaced_by"],
        replaced_at=row["replaced_at"],
        replaced_from=row["replaced_from"],
    )


def as_it_stands(order: Order, row: Named) -> Order:
    """An order that was read before, with what has happened to it by a row with `SINCE_COLUMNS`."""
    return replace(
        order,
        signed_at=row["signed_at"],
        stopped_at=row["stopped_at"],
        replaced_by=row["replaced_by"],
        replaced_at=row["replaced_at"],
        replaced_from=row["replaced_from"],
    )
