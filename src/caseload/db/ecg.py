"""Who is on methadone, and which electrocardiograms are known of them, in PostgreSQL."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Date, Text, Uuid, any_, bindparam, exists, literal_column, or_, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.access import reach_of, within_reach
from caseload.db.dosing.expected import ORDERS_OF
from caseload.db.medication.rows import COUNTS, ORDER_COLUMNS, WITH_WHAT_HAPPENED, order_of
from caseload.db.tables.caseload import client, client_identity
from caseload.db.tables.flag import flag, flag_end
from caseload.db.tables.medication import (
    medication_order,
    medication_order_replacement,
    medication_order_stop,
    medication_record,
)
from caseload.db.tables.observation import observation
from caseload.domain.access import Reach
from caseload.domain.ecg import Heart
from caseload.domain.flag import FlagKind
from caseload.domain.ids import ClientId
from caseload.domain.medication import MedicationRecord, Order
from caseload.domain.medicines import Medicine
from caseload.domain.observation import InstrumentName
from caseload.domain.programme import Programme
from caseload.domain.zones import zone_of

_TODAY = bindparam("today", type_=Date())
_CLIENTS = any_(bindparam("clients", type_=ARRAY(Uuid())))
_later = client_identity.alias("later")
_newer = observation.alias("newer")

ON_METHADONE: Final = (
    select(
        *ORDER_COLUMNS,
        client.c.programme_id.label("home_id"),
        client.c.zones.label("own_zones"),
        client_identity.c.given_name,
        client_identity.c.family_name,
        medication_record.c.history_until,
    )
    .select_from(
        WITH_WHAT_HAPPENED.join(client, client.c.id == medication_order.c.client_id)
        .join(client_identity, client_identity.c.client_id == client.c.id)
        .join(medication_record, medication_record.c.client_id == client.c.id)
    )
    .where(
        client.c.programme_id == bindparam("programme", type_=Uuid()),
        ~exists().where(_later.c.client_id == client.c.id, _later.c.version > client_identity.c.version),
        medication_order.c.medicine == literal_column(f"'{Medicine.METHADONE}'", Text()),
        COUNTS,
        or_(medication_order.c.ends_on.is_(None), medication_order.c.ends_on >= _TODAY),
        medication_order_stop.c.order_id.is_(None),
        or_(medication_order_replacement.c.from_on.is_(None), medication_order_replacement.c.from_on > _TODAY),
        within_reach(),
    )
    .order_by(medication_order.c.starts_on, medication_order.c.id)
)
"""Orders of methadone that are in force on a day, or still to come."""
ECGS: Final = (
    select(observation.c.client_id, observation.c.observed_at, observation.c.total)
    .where(
        observation.c.client_id == _CLIENTS,
        observation.c.instrument == InstrumentName.QTC.value,
        observation.c.total.is_not(None),
        ~exists().where(
            _newer.c.client_id == observation.c.client_id,
            _newer.c.id == observation.c.id,
            _newer.c.version > observation.c.version,
        ),
    )
    .order_by(observation.c.client_id, observation.c.observed_at, observation.c.id)
)
FAINTED: Final = (
    select(flag.c.client_id, flag.c.since)
    .select_from(flag.outerjoin(flag_end, flag_end.c.flag_id == flag.c.id))
    .where(
        flag.c.client_id == _CLIENTS,
        flag.c.kind == FlagKind.FAINTED.value,
        or_(flag_end.c.ended_on.is_(None), flag_end.c.ended_on > _TODAY),
    )
)


async def hearts_in(
    connection: AsyncConnection, programme: Programme, today: date, *, reach: Reach, at: datetime
) -> Sequence[Heart]:
    """What is known of everybody of a programme who is on methadone or about to begin; of two orders by the earlier.

    Whoever shows somebody of them tells the journal.
    """
    given = {"programme": programme.id, "today": today, **reach_of(reach, at=at)}
    rows = (await connection.execute(ON_METHADONE, given)).mappings().all()
    first = {ClientId(row["order_client_id"]): row for row in reversed(rows)}
    if not first:
        return []
    about = {"clients": list(first), "today": today}
    orders: dict[UUID, list[Order]] = defaultdict(list)
    for row in await ORDERS_OF.all(connection, about):
        orders[row["order_client_id"]].append(order_of(row))
    zones = {who: row["own_zones"] or programme.zones or programme.time_zone for who, row in first.items()}
    ecgs: dict[UUID, list[tuple[date, int]]] = defaultdict(list)
    for each in (await connection.execute(ECGS, about)).all():
        ecgs[each.client_id].append((each.observed_at.astimezone(zone_of(zones[each.client_id])).date(), each.total))
    fainted: dict[UUID, list[date]] = defaultdict(list)
    for each in (await connection.execute(FAINTED, about)).all():
        fainted[each.client_id].append(each.since)
    found: list[Heart] = []
    for who, row in first.items():
        found.append(
            Heart(
                record=MedicationRecord(
                    client=who,
                    programme=programme.id,
                    time_zone=zones[who],
                    profiles=programme.profiles,
                    history_until=row["history_until"],
                ),
                given_name=row["given_name"],
                family_name=row["family_name"],
                order=order_of(row),
                orders=orders[who],
                ecgs=[day for day, _ in ecgs[who]],
                last_qtc=ecgs[who][-1][1] if ecgs[who] else None,
                fainted=fainted[who],
            )
        )
    return found
