"""Orders that were written and that nobody has signed."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

from sqlalchemy import Date, Uuid, bindparam, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.access import reach_of, within_reach
from caseload.db.medication.record import KIND
from caseload.db.medication.rows import ORDER_COLUMNS, WITH_WHAT_HAPPENED, order_of
from caseload.db.tables.caseload import client
from caseload.db.tables.medication import medication_order, medication_order_signature, medication_order_stop
from caseload.domain.access import Reach
from caseload.domain.ids import ProgrammeId
from caseload.domain.journal import Journal
from caseload.domain.medication import Order

DRAFTS: Final = (
    select(*ORDER_COLUMNS)
    .select_from(WITH_WHAT_HAPPENED.join(client, client.c.id == medication_order.c.client_id))
    .where(
        medication_order.c.programme_id == bindparam("programme", type_=Uuid()),
        medication_order.c.starts_on >= bindparam("since", type_=Date()),
        or_(medication_order.c.ends_on.is_(None), medication_order.c.ends_on >= bindparam("today", type_=Date())),
        medication_order.c.verbal_by.is_(None),
        medication_order_signature.c.order_id.is_(None),
        medication_order_stop.c.order_id.is_(None),
        within_reach(),
    )
    .order_by(medication_order.c.starts_on, medication_order.c.id)
)


async def drafts_in(
    connection: AsyncConnection,
    journal: Journal,
    programme: ProgrammeId,
    *,
    since: date,
    today: date,
    reach: Reach,
    at: datetime,
) -> Sequence[Order]:
    """The orders of a programme that nobody has signed, with a first day since then and a last day to come.

    The first day first. Whatever is older was left behind: its prescriber writes another.
    """
    given = {"programme": programme, "since": since, "today": today, **reach_of(reach, at=at)}
    found = [order_of(row) for row in (await connection.execute(DRAFTS, given)).mappings()]
    for each in found:
        journal.saw(each.client, KIND)
    return found
