"""Where programmes are, in PostgreSQL."""

from typing import Final

from sqlalchemy import bindparam, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.programme import Programmes
from caseload.db.tables.programme import programme_premises
from caseload.domain.ids import ProgrammeId, StaffId
from caseload.domain.programme import Programme
from caseload.domain.takehome import Premises, PremisesMoved

NEWEST: Final = (
    select(
        programme_premises.c.version,
        programme_premises.c.address,
        programme_premises.c.telephone,
        programme_premises.c.recorded_by,
        programme_premises.c.recorded_at,
    )
    .where(programme_premises.c.programme_id == bindparam("programme"))
    .order_by(programme_premises.c.version.desc())
    .limit(1)
)
_ADD = insert(programme_premises)


class TheirPremises:
    """Satisfies `domain.takehome.label.TheirPremises`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def programme(self, wanted: ProgrammeId) -> Programme:
        """See `domain.takehome.label.TheirPremises.programme`."""
        return await Programmes(self._connection).get(wanted)

    async def premises(self, programme: ProgrammeId) -> Premises | None:
        """See `domain.takehome.label.TheirPremises.premises`."""
        row = (await self._connection.execute(NEWEST, {"programme": programme})).first()
        if row is None:
            return None
        return Premises(
            programme=programme,
            version=row.version,
            address=row.address,
            telephone=row.telephone,
            recorded_by=StaffId(row.recorded_by),
            recorded_at=row.recorded_at,
        )

    async def add_premises(self, premises: Premises) -> None:
        """See `domain.takehome.label.TheirPremises.add_premises`."""
        try:
            await self._connection.execute(
                _ADD,
                {
                    "programme_id": premises.programme,
                    "version": premises.version,
                    "address": premises.address,
                    "telephone": premises.telephone,
                    "recorded_by": premises.recorded_by,
                    "recorded_at": premises.recorded_at,
                },
            )
        except IntegrityError as raced:
            raise PremisesMoved from raced
