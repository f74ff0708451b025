"""Drug screens in PostgreSQL: versions of which the last counts."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, Select, bindparam, func, insert, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.failures import violated
from caseload.db.tables.screening import drug_screen, drug_screen_result
from caseload.db.versions import AFTER_ALL, as_each_stands, versions_of_one
from caseload.domain.ids import ClientId, ProgrammeId, StaffId
from caseload.domain.journal import Journal
from caseload.domain.screening import (
    Expected,
    Finding,
    Matrix,
    Method,
    NotDrawn,
    Result,
    Sample,
    Screen,
    ScreenChanged,
    ScreenUnknown,
    Substance,
    Why,
)

_results = (
    select(
        func.array_agg(
            aggregate_order_by(
                func.json_build_array(
                    drug_screen_result.c.substance, drug_screen_result.c.method, drug_screen_result.c.finding
                ),
                drug_screen_result.c.substance,
                drug_screen_result.c.method,
            )
        )
    )
    .where(drug_screen_result.c.screen_id == drug_screen.c.id, drug_screen_result.c.version == drug_screen.c.version)
    .correlate(drug_screen)
    .scalar_subquery()
    .label("results")
)
_EVERY: Select[*tuple[Any, ...]] = select(*drug_screen.c, _results).where(
    drug_screen.c.client_id == bindparam("client")
)
OF_CLIENT: Final = as_each_stands(_EVERY, drug_screen)
VERSIONS: Final = versions_of_one(_EVERY, drug_screen)


class KeptScreens:
    """Satisfies `domain.screening.Screens`. Whoever asks for one client has been let through to them."""

    def __init__(self, connection: AsyncConnection, journal: Journal) -> None:
        self._connection = connection
        self._journal = journal

    async def of(self, whom: ClientId, *, after: UUID | None, limit: int) -> Sequence[Screen]:
        """As each of a client's screens stands now, the last recorded first."""
        given = {"client": whom, "after": after or AFTER_ALL, "limit": limit}
        rows = (await self._connection.execute(OF_CLIENT, given)).all()
        self._journal.saw(whom, "drug_screen")
        return [_screen(row) for row in rows]

    async def versions(self, wanted: UUID, *, of: ClientId) -> Sequence[Screen]:
        """Everything that was ever said of one screen, the newest first; or `ScreenUnknown`."""
        rows = (await self._connection.execute(VERSIONS, {"client": of, "wanted": wanted})).all()
        if not rows:
            raise ScreenUnknown("Look at the client's drug screens for its identifier.")
        self._journal.saw(of, "drug_screen")
        return [_screen(row) for row in rows]

    async def add(self, new: Screen, /) -> None:
        """See `domain.screening.Screens.add`."""
        sample = new.sample
        said: dict[str, Any] = (
            {}
            if sample is None
            else {
                "why": sample.why,
                "drawn_on": sample.drawn_on,
                "collected_at": sample.collected_at,
                "matrix": sample.matrix,
                "observed": sample.observed,
                "refused": sample.refused,
                "expected": sample.expected,
                "interpretation": sample.interpretation,
            }
        )
        try:
            await self._connection.execute(
                insert(drug_screen).values(
                    id=new.id,
                    version=new.version,
                    client_id=new.client,
                    programme_id=new.programme,
                    reason=new.reason,
                    recorded_by=new.recorded_by,
                    recorded_at=new.recorded_at,
                    **said,
                )
            )
        except IntegrityError as refused:
            if violated(refused) == "drug_screen_draw_fkey":
                raise NotDrawn("Look at the draw of that day, or give the reason for which you asked.") from refused
            raise ScreenChanged("Read it again, and add to what it says now.") from refused
        if sample is not None and sample.results:
            await self._connection.execute(
                insert(drug_screen_result),
                [
                    {"screen_id": new.id, "version": new.version, "refused": False, **result._asdict()}
                    for result in sample.results
                ],
            )


def _screen(row: Row[*tuple[Any, ...]]) -> Screen:
    return Screen(
        id=row.id,
        version=row.version,
        client=ClientId(row.client_id),
        programme=ProgrammeId(row.programme_id),
        sample=None if row.why is None else _sample(row),
        reason=row.reason,
        recorded_by=StaffId(row.recorded_by),
        recorded_at=row.recorded_at,
    )


def _sample(row: Row[*tuple[Any, ...]]) -> Sample:
    return Sample(
        why=Why(row.why),
        collected_at=row.collected_at,
        drawn_on=row.drawn_on,
        matrix=Matrix(row.matrix),
        observed=row.observed,
        refused=row.refused,
        results=[
            Result(Substance(substance), Method(method), Finding(finding))
            for substance, method, finding in row.results or ()
        ],
        expected=None if row.expected is None else Expected(row.expected),
        interpretation=row.interpretation,
    )
