"""Observations in PostgreSQL: versions of which the last counts."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, Select, bindparam, insert, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.tables.observation import observation
from caseload.db.versions import AFTER_ALL, as_each_stands, versions_of_one
from caseload.domain.ids import CheckInId, ClientId, StaffId
from caseload.domain.journal import Journal
from caseload.domain.observation import InstrumentName, Observation, ObservationChanged, ObservationUnknown, Score

_EVERY: Select[*tuple[Any, ...]] = select(*observation.c).where(observation.c.client_id == bindparam("client"))
_newer = observation.alias("newer")
OF_CHECK_IN: Final = (
    select(*observation.c)
    .where(
        observation.c.id.in_(
            select(_newer.c.id).where(_newer.c.check_in_id == bindparam("check_in"), _newer.c.version == 1)
        )
    )
    .ext(distinct_on(observation.c.id))
    .order_by(observation.c.id, observation.c.version.desc())
)
"""Each as it stands now. The first version says of which check-in it was."""
OF_CLIENT: Final = as_each_stands(_EVERY, observation)
VERSIONS: Final = versions_of_one(_EVERY, observation)


class KeptObservations:
    """Satisfies `domain.observation.Observations`. Whoever asks has been let through to the client before."""

    def __init__(self, connection: AsyncConnection, journal: Journal) -> None:
        self._connection = connection
        self._journal = journal

    async def of(self, client: ClientId, *, after: UUID | None, limit: int) -> Sequence[Observation]:
        """As each of them stands now, the last recorded first."""
        given = {"client": client, "after": after or AFTER_ALL, "limit": limit}
        rows = (await self._connection.execute(OF_CLIENT, given)).all()
        self._journal.saw(client, "observation")
        return [_observation(row) for row in rows]

    async def versions(self, wanted: UUID, *, of: ClientId) -> Sequence[Observation]:
        """Everything that was ever said of one, the newest first; or `ObservationUnknown`."""
        rows = (await self._connection.execute(VERSIONS, {"client": of, "wanted": wanted})).all()
        if not rows:
            raise ObservationUnknown("Look at the client's observations for its identifier.")
        self._journal.saw(of, "observation")
        return [_observation(row) for row in rows]

    async def of_check_in(self, check_in: CheckInId, /) -> Sequence[Observation]:
        """See `domain.checkin.FilledIn.of_check_in`."""
        found = [_observation(row) for row in await self._connection.execute(OF_CHECK_IN, {"check_in": check_in})]
        for each in found:
            self._journal.saw(each.client, "observation")
        return found

    async def add(self, new: Observation, /) -> None:
        """See `domain.observation.Observations.add`."""
        score = new.score
        try:
            await self._connection.execute(
                insert(observation).values(
                    id=new.id,
                    version=new.version,
                    client_id=new.client,
                    check_in_id=new.check_in,
                    instrument=new.instrument,
                    instrument_version=new.instrument_version,
                    observed_at=new.observed_at,
                    answers=None if score is None else list(score.answers),
                    total=None if score is None else score.total,
                    band=None if score is None else score.band,
                    note=new.note,
                    reason=new.reason,
                    recorded_by=new.recorded_by,
                    recorded_at=new.recorded_at,
                )
            )
        except IntegrityError as raced:
            raise ObservationChanged("Read it again, and correct what it says now.") from raced


def _observation(row: Row[*tuple[Any, ...]]) -> Observation:
    return Observation(
        id=row.id,
        version=row.version,
        client=ClientId(row.client_id),
        instrument=InstrumentName(row.instrument),
        instrument_version=row.instrument_version,
        observed_at=row.observed_at,
        score=None if row.answers is None else Score(tuple(row.answers), row.total, row.band),
        note=row.note,
        reason=row.reason,
        recorded_by=StaffId(row.recorded_by),
        recorded_at=row.recorded_at,
        check_in=None if row.check_in_id is None else CheckInId(row.check_in_id),
    )
