"""Injections in PostgreSQL: those that were given, what was delivered for one client, and when the next ones are due."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Date,
    FromClause,
    RowMapping,
    Select,
    Uuid,
    any_,
    bindparam,
    exists,
    insert,
    or_,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.dosing.taken import DAY, is_of_kind, is_taken
from caseload.db.tables.dosing import dose, dose_correction
from caseload.db.tables.injection import dose_injection, named_delivery
from caseload.db.tables.merge import client_merge_side
from caseload.domain.dosing import Delivery, Dose, Injected, Injecting, NamedDelivery, Site
from caseload.domain.ids import ClientId, DeliveryId, ProgrammeId, StaffId
from caseload.domain.medication import is_another
from caseload.domain.medicines import LONG_ACTING, Form, Medicine
from caseload.domain.merge import Side, Standing

_BACK_DAYS: Final = 400
"""How far back the injections of a client are read at first: the last, and whether there was one before it."""
_FIRST_OF_ALL: Final = date(1900, 1, 1)
_FORMS: Final = [form.value for form in sorted(LONG_ACTING)]
_newest, _newer = dose.alias("newest_version"), dose.alias("newer_version")

_merged = client_merge_side
_THESE = any_(bindparam("clients", type_=ARRAY(Uuid())))


def _injected(
    client: ColumnElement[UUID], doses: FromClause, *conditions: ColumnElement[bool]
) -> Select[*tuple[Any, ...]]:
    """The injections among doses, each with whose it is."""
    return (
        select(
            client.label("client_id"),
            dose.c.dosing_day.label("dosing_day"),
            _newest.c.medicine.label("medicine"),
            dose_injection.c.site.label("site"),
            dose.c.given_at.label("given_at"),
        )
        .select_from(
            doses.join(_newest, _newest.c.id == dose.c.id).outerjoin(
                dose_injection, dose_injection.c.dose_id == dose.c.id
            )
        )
        .where(
            *conditions,
            dose.c.dosing_day >= bindparam("since", type_=Date()),
            dose.c.dosing_day <= DAY,
            is_taken(dose),
            or_(*is_of_kind()),
            _newest.c.form.in_(_FORMS),
            ~exists().where(_newer.c.id == _newest.c.id, _newer.c.version > _newest.c.version),
        )
    )


_every = union_all(
    _injected(dose.c.client_id, dose, dose.c.client_id == _THESE),
    _injected(
        _merged.c.survivor_id,
        _merged.join(dose, dose.c.client_id == _merged.c.client_id),
        _merged.c.survivor_id == _THESE,
        _merged.c.side == Side.DUPLICATE.value,
        _merged.c.standing == Standing.MERGED.value,
    ),
).subquery("injected")
INJECTED: Final = select(_every.c.client_id, _every.c.dosing_day, _every.c.medicine, _every.c.site).order_by(
    _every.c.client_id, _every.c.dosing_day.desc(), _every.c.given_at.desc().nulls_last()
)
"""Those under a registration that was merged into this one among them: a depot acts in whoever had it."""
_used = exists().where(
    dose_injection.c.delivery_id == named_delivery.c.id,
    ~exists().where(dose_correction.c.dose_id == dose_injection.c.dose_id),
)
_DELIVERIES = select(
    named_delivery.c.id,
    named_delivery.c.client_id,
    named_delivery.c.programme_id,
    named_delivery.c.medicine,
    named_delivery.c.form,
    named_delivery.c.strength_mg,
    named_delivery.c.pharmacy,
    named_delivery.c.lot,
    named_delivery.c.received_on,
    named_delivery.c.recorded_by,
    named_delivery.c.recorded_at,
    _used.label("is_used"),
)
ONE_DELIVERY: Final = _DELIVERIES.where(
    named_delivery.c.id == bindparam("delivery"), named_delivery.c.client_id == bindparam("client")
)
DELIVERIES_OF: Final = _DELIVERIES.where(named_delivery.c.client_id == bindparam("client")).order_by(
    named_delivery.c.received_on.desc(), named_delivery.c.id.desc()
)
ADD_DELIVERY: Final = insert(named_delivery)
ADD_INJECTION: Final = insert(dose_injection)


async def injected_until(
    connection: AsyncConnection, wanted: Sequence[tuple[ClientId, Medicine]], day: date
) -> Mapping[ClientId, Sequence[Injected]]:
    """The injections that clients were given until a day, the newest first.

    They are read some way back; of whoever had none of the wanted medicine there, all that ever were: the last one says
    that the next is overdue, however long ago it was and whatever was injected since.
    """
    since = day - timedelta(days=_BACK_DAYS)
    found = await _injected_between(connection, {client for client, _ in wanted}, since, day)
    unseen = {client for client, medicine in wanted if not _has(found.get(client, ()), medicine)}
    return {**found, **await _injected_between(connection, unseen, _FIRST_OF_ALL, day)}


def _has(injected: Sequence[Injected], medicine: Medicine) -> bool:
    return any(not is_another(each.medicine, medicine) for each in injected)


async def _injected_between(
    connection: AsyncConnection, clients: Collection[ClientId], since: date, day: date
) -> Mapping[ClientId, Sequence[Injected]]:
    found: dict[ClientId, list[Injected]] = defaultdict(list)
    if clients:
        given = {"clients": sorted(clients), "since": since, "day": day}
        for row in (await connection.execute(INJECTED, given)).all():
            site = Site(row.site) if row.site is not None else None
            injected = Injected(day=row.dosing_day, medicine=Medicine(row.medicine), site=site)
            found[ClientId(row.client_id)].append(injected)
    return found


async def delivery_of(connection: AsyncConnection, client: ClientId, wanted: UUID) -> Delivery | None:
    """What was delivered for a client; None where it was not for this one."""
    row = (await connection.execute(ONE_DELIVERY, {"delivery": wanted, "client": client})).mappings().first()
    return named_delivery_of(row).delivery if row is not None else None


def named_delivery_of(row: RowMapping) -> NamedDelivery:
    """The delivery in a row."""
    return NamedDelivery(
        delivery=Delivery(
            id=DeliveryId(row["id"]),
            medicine=Medicine(row["medicine"]),
            form=Form(row["form"]),
            strength_mg=row["strength_mg"],
            received_on=row["received_on"],
            is_used=row["is_used"],
        ),
        client=ClientId(row["client_id"]),
        programme=ProgrammeId(row["programme_id"]),
        pharmacy=row["pharmacy"],
        lot=row["lot"],
        recorded_by=StaffId(row["recorded_by"]),
        recorded_at=row["recorded_at"],
    )


def delivery_values(made: NamedDelivery) -> dict[str, Any]:
    """The columns of a delivery."""
    return {
        "id": made.delivery.id,
        "client_id": made.client,
        "programme_id": made.programme,
        "medicine": made.delivery.medicine,
        "form": made.delivery.form,
        "strength_mg": made.delivery.strength_mg,
        "pharmacy": made.pharmacy,
        "lot": made.lot,
        "received_on": made.delivery.received_on,
        "recorded_by": made.recorded_by,
        "recorded_at": made.recorded_at,
    }


def injection_values(given: Dose, injecting: Injecting) -> dict[str, Any]:
    """The columns of what is said of an injection."""
    return {
        "dose_id": given.id,
        "dose_version": given.version,
        "client_id": given.client,
        "site": injecting.site,
        "same_site_reason": injecting.same_site_reason,
        "delivery_id": injecting.delivery,
    }
