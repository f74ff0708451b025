"""What clients took in the last days, here and at home, for gaps that repeat themselves. Read only where there is one."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final
from uuid import UUID

from sqlalchemy import (
    Date,
    Integer,
    Uuid,
    any_,
    bindparam,
    case,
    cast,
    exists,
    literal_column,
    null,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.direct import Direct
from caseload.db.dosing.taken import FIRST, INJECTIONS, ORDINARY
from caseload.db.tables.dosing import dose, dose_correction
from caseload.db.tables.takehome import take_home_unit
from caseload.db.tables.window_doses import dose_vomited
from caseload.db.takehome.covering import counts
from caseload.domain.dosing import Kind, Lately
from caseload.domain.ids import ClientId
from caseload.domain.medicines import Medicine

_NOTHING: Final = literal_column("0", Integer())
_newest, _newer = dose.alias("newest_version"), dose.alias("newer_version")

_GIVEN = (
    select(
        dose.c.client_id,
        dose.c.dosing_day,
        # Of what came back nobody can say how much was taken: a day on which it was not replaced in full was one in part.
        case((exists().where(dose_vomited.c.dose_id == dose.c.id), _NOTHING), else_=_newest.c.amount_mg).label(
            "amount_mg"
        ),
        _newest.c.kind,
        dose.c.decision_id,
        _newest.c.medicine,
    )
    .select_from(dose.join(_newest, _newest.c.id == dose.c.id))
    .where(
        dose.c.client_id == any_(bindparam("clients", type_=ARRAY(Uuid()))),
        dose.c.dosing_day >= bindparam("since", type_=Date()),
        dose.c.dosing_day <= bindparam("day", type_=Date()),
        dose.c.version == FIRST,
        _newest.c.form.not_in(INJECTIONS),
        ~exists().where(_newer.c.id == _newest.c.id, _newer.c.version > _newest.c.version),
        ~exists().where(dose_correction.c.dose_id == dose.c.id),
    )
)
_AT_HOME = select(
    take_home_unit.c.client_id,
    take_home_unit.c.for_on,
    take_home_unit.c.amount_mg,
    ORDINARY,
    cast(null(), Uuid()),
    take_home_unit.c.medicine,
).where(
    take_home_unit.c.client_id == any_(bindparam("clients", type_=ARRAY(Uuid()))),
    take_home_unit.c.for_on >= bindparam("since", type_=Date()),
    take_home_unit.c.for_on <= bindparam("day", type_=Date()),
    counts(take_home_unit),
)
LATELY: Final = union_all(_GIVEN, _AT_HOME)
_READ: Final = Direct(LATELY, anywhere=True)


async def taken_lately(
    connection: AsyncConnection, clients: Sequence[UUID], since: date, day: date
) -> Mapping[ClientId, Sequence[Lately]]:
    """The doses that clients took from a day until another, here as their newest versions say, and at home."""
    found: dict[ClientId, list[Lately]] = defaultdict(list)
    if clients:
        given = {"clients": list(clients), "since": since, "day": day}
        for row in await _READ.all(connection, given):
            decided = row["decision_id"] is not None or row["kind"] == Kind.EXCEPTION
            medicine = Medicine(row["medicine"])
            found[ClientId(row["client_id"])].append(
                Lately(day=row["dosing_day"], amount_mg=row["amount_mg"], decided=decided, medicine=medicine)
            )
    return found
