"""What happens to containers, in PostgreSQL: uses and pours, beside waste and counts."""

from datetime import datetime, timedelta

from sqlalchemy import bindparam, func, insert, update
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.exc import IntegrityError

from caseload.db.stock.counting import Counts
from caseload.db.stock.waste import Wastes
from caseload.db.tables.base import INSTANT
from caseload.db.tables.stock import stock_container, stock_use
from caseload.db.tables.stock_acts import stock_pour
from caseload.domain.ids import ContainerId, StaffId, new_id
from caseload.domain.stock.container import Use
from caseload.domain.stock.moving import InUse, Pour, StationUnknown

_END_USE = (
    update(stock_use)
    .where(stock_use.c.container_id == bindparam("container"), func.upper_inf(stock_use.c.period))
    .values(
        # The clocks of two services differ a little, and a use has lasted for a moment at least.
        period=func.tstzrange(
            func.lower(stock_use.c.period),
            func.greatest(bindparam("at", type_=INSTANT), func.lower(stock_use.c.period) + timedelta(microseconds=1)),
        ),
        ended_by=bindparam("by"),
    )
)
_CLOSE = (
    update(stock_container)
    .where(stock_container.c.id == bindparam("container"))
    .values(closed_at=bindparam("at", type_=INSTANT), closed_by=bindparam("by"))
)


class Acts(Wastes, Counts):
    """Satisfies `domain.stock.moving.Movements`, and what its bases do: everything that happens to a container."""

    async def add_use(self, use: Use) -> None:
        """See `domain.stock.moving.Movements.add_use`."""
        made = use.container.made
        try:
            await self._connection.execute(
                insert(stock_use).values(
                    id=new_id(),
                    container_id=use.container.id,
                    station_id=use.station,
                    programme_id=use.container.programme,
                    medicine=made.medicine,
                    form=made.form,
                    strength_mg=made.strength_mg,
                    period=Range(use.since, None),
                    recorded_by=use.by,
                    recorded_at=use.since,
                )
            )
        except IntegrityError as refused:
            if "stock_use_station_fkey" in str(refused):
                raise StationUnknown from refused
            raise InUse from refused

    async def end_use(self, container: ContainerId, *, by: StaffId, at: datetime) -> None:
        """See `domain.stock.moving.Movements.end_use`."""
        await self._connection.execute(_END_USE, {"container": container, "by": by, "at": at})

    async def add_pour(self, pour: Pour) -> None:
        """See `domain.stock.moving.Movements.add_pour`."""
        made = pour.source.made
        await self._connection.execute(
            insert(stock_pour).values(
                id=pour.id,
                source_id=pour.source.id,
                target_id=pour.target.id,
                programme_id=pour.source.programme,
                medicine=made.medicine,
                form=made.form,
                strength_mg=made.strength_mg,
                amount_mg=pour.amount_mg,
                poured_at=pour.poured_at,
                recorded_by=pour.by,
                recorded_at=pour.poured_at,
            )
        )

    async def close(self, container: ContainerId, *, by: StaffId, at: datetime) -> None:
        """See `domain.stock.moving.Movements.close`."""
        await self._connection.execute(_CLOSE, {"container": container, "by": by, "at": at})
