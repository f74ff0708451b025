"""What the last dose is told from, and what was told of it to others, in PostgreSQL."""

from collections.abc import Sequence
from datetime import date

from caseload.db.disclosure.kept import KeptDisclosures
from caseload.db.dosing.doses import Doses
from caseload.db.takehome.covering import held_from
from caseload.domain.dosing import CoveredDay
from caseload.domain.ids import ClientId


class HandingOn(Doses, KeptDisclosures):
    """Satisfies `domain.dosing.HandingOn`."""

    async def take_homes_from(self, wanted: ClientId, day: date) -> Sequence[CoveredDay]:
        """See `domain.dosing.LastDoses.take_homes_from`."""
        return await held_from(self._connection, wanted, day)
