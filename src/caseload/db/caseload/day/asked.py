"""What the statements of a day are asked with, and what they have in common."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Uuid,
    any_,
    bindparam,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, INTERVAL

from caseload.db.tables.base import INSTANT
from caseload.db.tables.caseload import client, client_identity

MOST_LINES: Final = 200
"""Overdue check-ins, drafts and offers that one day shows; how many are overdue in all is counted."""

NOW: Final = bindparam("reach_at", type_=INSTANT)
ME: Final = bindparam("counsellor", type_=Uuid())
CLIENTS: Final = any_(bindparam("clients", type_=ARRAY(Uuid())))
PROGRAMMES: Final = any_(bindparam("programmes", type_=ARRAY(Uuid())))
A_DAY: Final = literal_column("interval '1 day'", INTERVAL())
A_WEEK: Final = literal_column("interval '7 days'", INTERVAL())
A_WEEK_AGO: Final = literal_column("interval '-7 days'", INTERVAL())
TWO_DAYS: Final = literal_column("interval '2 days'", INTERVAL())


def midnight(zone: ColumnElement[str], later: ColumnElement[Any] | None = None) -> ColumnElement[datetime]:
    """When the local day began, or so much later by the calendar; earlier where that is negative."""
    began = func.date_trunc(literal_column("'day'"), func.timezone(zone, NOW))
    return func.timezone(zone, began if later is None else began + later, type_=INSTANT)


newest = (
    select(client_identity.c.given_name, client_identity.c.family_name)
    .where(client_identity.c.client_id == client.c.id)
    .order_by(client_identity.c.version.desc())
    .limit(literal_column("1"))
    .lateral("identity")
)
