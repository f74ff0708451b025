"""What the last dose is told from, and what was told of it to others, in PostgreSQL."""

from collections.abc import Sequence
from datetime import date
from typing import Final

from sqlalchemy import bindparam, select, union_all

from caseload.db.disclosure.kept import KeptDisclosures
from caseload.db.dosing.doses import Doses
from caseload.db.dosing.taken import DAY, is_of_kind, is_taken
from caseload.db.tables.dosing import dose
from caseload.db.tables.window_doses import dose_vomited
from caseload.db.takehome.covering import held_from
from caseload.domain.dosing import CoveredDay, GivenThatDay
from caseload.domain.ids import ClientId
from caseload.domain.medicines import Medicine

_newest, _newer = dose.alias("newest_version"), dose.alias("newer_version")
_taken = union_all(
    *(
        select(dose.c.id).where(
            dose.c.client_id == bindparam("client"), dose.c.dosing_day == DAY, is_taken(dose), of_kind
        )
        for of_kind in is_of_kind()
    )
).subquery("taken")
_GIVEN_ON: Final = (
    select(
        _newest.c.given_at,
        _newest.c.medicine,
        _newest.c.amount_mg,
        dose_vomited.c.minutes_after,
        _newest.c.replacement_id.is_not(None).label("is_replacement"),
    )
    .select_from(
        _taken.join(_newest, _newest.c.id == _taken.c.id).outerjoin(
            dose_vomited, dose_vomited.c.dose_id == _newest.c.id
        )
    )
    .where(~select(_newer.c.id).where(_newer.c.id == _newest.c.id, _newer.c.version > _newest.c.version).exists())
    .order_by(_newest.c.given_at.nulls_last(), _newest.c.id)
)


class HandingOn(Doses, KeptDisclosures):
    """Satisfies `domain.dosing.HandingOn`."""

    async def take_homes_from(self, wanted: ClientId, day: date) -> Sequence[CoveredDay]:
        """See `domain.dosing.LastDoses.take_homes_from`."""
        return await held_from(self._connection, wanted, day)

    async def all_given_on(self, wanted: ClientId, day: date) -> Sequence[GivenThatDay]:
        """See `domain.dosing.LastDoses.all_given_on`."""
        rows = await self._connection.execute(_GIVEN_ON, {"client": wanted, "day": day})
        return [
            GivenThatDay(
                at=row.given_at,
                medicine=Medicine(row.medicine),
                amount_mg=row.amount_mg,
                came_back_after_minutes=row.minutes_after,
                is_replacement=row.is_replacement,
            )
            for row in rows
        ]
