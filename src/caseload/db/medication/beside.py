"""What a client took lately of every product, whichever it is: read only where one may stand beside another."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Date,
    Integer,
    Text,
    Uuid,
    any_,
    bindparam,
    case,
    exists,
    func,
    literal_column,
    or_,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.medication.covered import covered_since
from caseload.db.tables.dosing import dose, dose_correction
from caseload.db.tables.medication import medication_order, medication_order_confirmation
from caseload.db.tables.takehome import take_home_unit
from caseload.db.takehome.covering import counts
from caseload.domain.dosing import Kind
from caseload.domain.dosing.covered import acting_of
from caseload.domain.ids import ClientId, OrderId
from caseload.domain.medication import LOOKS_BACK_DAYS, Acting
from caseload.domain.medicines import Form, Medicine

ORDINARY: Final = literal_column(f"'{Kind.ORDINARY}'", Text())
BACK: Final = literal_column(str(LOOKS_BACK_DAYS), Integer())
_newest = dose.alias("newest_version")
_newer = dose.alias("newer_version")

_taken = union_all(
    select(
        dose.c.client_id,
        _newest.c.medicine,
        _newest.c.form,
        medication_order.c.product,
        dose.c.dosing_day,
    )
    .select_from(
        dose.join(_newest, _newest.c.id == dose.c.id).outerjoin(
            medication_order, medication_order.c.id == _newest.c.order_id
        )
    )
    .where(
        dose.c.client_id == any_(bindparam("clients", type_=ARRAY(Uuid()))),
        dose.c.dosing_day <= bindparam("day", type_=Date()),
        dose.c.dosing_day > bindparam("day", type_=Date()) - BACK,
        dose.c.version == literal_column("1", Integer()),
        ~exists().where(_newer.c.id == _newest.c.id, _newer.c.version > _newest.c.version),
        ~exists().where(dose_correction.c.dose_id == dose.c.id),
    ),
    select(
        take_home_unit.c.client_id,
        take_home_unit.c.medicine,
        take_home_unit.c.form,
        medication_order.c.product,
        take_home_unit.c.for_on,
    )
    .select_from(take_home_unit.join(medication_order, medication_order.c.id == take_home_unit.c.order_id))
    .where(
        take_home_unit.c.client_id == any_(bindparam("clients", type_=ARRAY(Uuid()))),
        take_home_unit.c.for_on <= bindparam("day", type_=Date()),
        take_home_unit.c.for_on > bindparam("day", type_=Date()) - BACK,
        counts(take_home_unit),
    ),
).subquery("taken")
_last_day = func.max(_taken.c.dosing_day)
_LATELY = (
    select(
        _taken.c.client_id,
        _taken.c.medicine,
        _taken.c.form,
        _taken.c.product,
        _last_day.label("last_day"),
    )
    .group_by(_taken.c.client_id, _taken.c.medicine, _taken.c.form, _taken.c.product)
    .order_by(_taken.c.client_id, _last_day.desc(), _taken.c.medicine, _taken.c.form)
)


_ANSWERED = select(medication_order_confirmation.c.order_id, medication_order_confirmation.c.rule).where(
    medication_order_confirmation.c.order_id == any_(bindparam("orders", type_=ARRAY(Uuid())))
)


def has_another(client: ColumnElement[UUID], medicine: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether a client has an order of something that does not go with a medicine, or lately a dose without one.

    Over the few orders of one client and the index of doses that are not ordinary (`version = 1` stands in its
    predicate): nearly always there is nothing, and what was taken need not be read.
    """
    other, loose = medication_order.alias("order_of_another"), dose.alias("dose_of_another")
    return or_(
        exists().where(other.c.client_id == client, kind_of(other.c.medicine) != kind_of(medicine)),
        exists().where(
            loose.c.client_id == client,
            loose.c.kind != ORDINARY,
            loose.c.version == literal_column("1", Integer()),
            loose.c.dosing_day > bindparam("day", type_=Date()) - BACK,
        ),
    )


def kind_of(medicine: ColumnElement[str]) -> ColumnElement[str]:
    """The medicine, both buprenorphines being one."""
    naloxone = literal_column(f"'{Medicine.BUPRENORPHINE_NALOXONE}'", Text())
    return case((medicine == naloxone, literal_column(f"'{Medicine.BUPRENORPHINE}'", Text())), else_=medicine)


async def given_lately(
    connection: AsyncConnection, clients: Sequence[ClientId], day: date
) -> Mapping[ClientId, Sequence[Acting]]:
    """The last day of every product that clients took until a day: here, at home, and by what else covers."""
    found: dict[ClientId, list[Acting]] = defaultdict(list)
    for row in (await connection.execute(_LATELY, {"clients": list(clients), "day": day})).all():
        acting = Acting(medicine=Medicine(row.medicine), form=Form(row.form), product=row.product, on=row.last_day)
        found[ClientId(row.client_id)].append(acting)
    since = day - timedelta(days=LOOKS_BACK_DAYS - 1)
    for who, covered in (await covered_since(connection, clients, since)).items():
        found[who] += acting_of(covered, day)
    return found


async def answered(connection: AsyncConnection, orders: Sequence[OrderId]) -> Mapping[OrderId, frozenset[str]]:
    """The rules of the profile that were answered as each order was signed."""
    found: dict[OrderId, set[str]] = defaultdict(set)
    for row in (await connection.execute(_ANSWERED, {"orders": list(orders)})).all():
        found[OrderId(row.order_id)].add(row.rule)
    return {order: frozenset(rules) for order, rules in found.items()}
