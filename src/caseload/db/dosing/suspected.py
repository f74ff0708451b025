"""What registrations took, hold and keep at home that may be the same client's: read only of whoever is suspected."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final
from uuid import UUID

from sqlalchemy import Date, Text, Uuid, and_, any_, bindparam, cast, exists, literal, null, or_, select, union_all
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.dosing.taken import DAY, is_taken
from caseload.db.medication.beside import BACK
from caseload.db.tables.dosing import dose
from caseload.db.tables.hold import hold, medication_decision
from caseload.db.tables.medication import medication_order
from caseload.db.tables.merge import client_merge_side
from caseload.db.tables.takehome import take_home_unit
from caseload.db.takehome.covering import NO_HOUR, counts
from caseload.domain.dosing import Found, UnderAnother
from caseload.domain.ids import ClientId
from caseload.domain.medication import Acting, HoldReason
from caseload.domain.medicines import Form, Medicine
from caseload.domain.merge import Standing

_mine, _other = client_merge_side.alias("mine"), client_merge_side.alias("other_one")
_others = (
    select(_mine.c.client_id.label("client_id"), _other.c.client_id.label("other_id"))
    .select_from(_mine.join(_other, _other.c.survivor_id == _mine.c.survivor_id))
    .where(
        _mine.c.client_id == any_(bindparam("clients", type_=ARRAY(Uuid()))),
        _mine.c.standing == Standing.SUSPECTED.value,
        _other.c.standing != Standing.APART.value,
        _other.c.client_id != _mine.c.client_id,
    )
    .distinct()
    .cte("others")
)
_newest, _newer = dose.alias("newest_version"), dose.alias("newer_version")
_NOTHING = cast(null(), Text())
UNDER_ANOTHER: Final = union_all(
    select(
        _others.c.client_id,
        literal(Found.TAKEN.value).label("what"),
        dose.c.dosing_day.label("day"),
        _newest.c.given_at.label("at"),
        _newest.c.medicine.label("medicine"),
        _newest.c.form.label("form"),
        medication_order.c.product.label("product"),
    )
    .select_from(
        _others.join(dose, dose.c.client_id == _others.c.other_id)
        .join(_newest, _newest.c.id == dose.c.id)
        .outerjoin(medication_order, medication_order.c.id == _newest.c.order_id)
    )
    .where(
        dose.c.dosing_day > DAY - BACK,
        dose.c.dosing_day <= DAY + 1,
        is_taken(dose),
        ~exists().where(_newer.c.id == _newest.c.id, _newer.c.version > _newest.c.version),
    ),
    select(_others.c.client_id, literal(Found.AT_HOME.value), take_home_unit.c.for_on, NO_HOUR, *[_NOTHING] * 3)
    .select_from(_others.join(take_home_unit, take_home_unit.c.client_id == _others.c.other_id))
    .where(take_home_unit.c.for_on == DAY, counts(take_home_unit)),
    select(_others.c.client_id, literal(Found.HELD.value), cast(DAY, Date()), NO_HOUR, *[_NOTHING] * 3)
    .select_from(_others.join(hold, hold.c.client_id == _others.c.other_id))
    .where(
        hold.c.reason != HoldReason.REGISTERED_TWICE.value,
        hold.c.order_id.is_(None),
        or_(hold.c.on_day.is_(None), hold.c.on_day == DAY),
        ~exists().where(and_(medication_decision.c.hold_id == hold.c.id)),
    ),
)


async def under_another(
    connection: AsyncConnection, clients: Sequence[UUID], day: date
) -> Mapping[ClientId, Sequence[UnderAnother]]:
    """What is known of the registrations that may be these clients', as far as it matters on a day."""
    found: dict[ClientId, list[UnderAnother]] = defaultdict(list)
    if not clients:
        return found
    for row in (await connection.execute(UNDER_ANOTHER, {"clients": list(clients), "day": day})).all():
        last = None
        if row.medicine is not None:
            last = Acting(medicine=Medicine(row.medicine), form=Form(row.form), product=row.product, on=row.day)
        found[ClientId(row.client_id)].append(UnderAnother(what=Found(row.what), day=row.day, at=row.at, last=last))
    return found
