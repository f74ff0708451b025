"""Relatives on rosters and registers in PostgreSQL, and what decides whether they may come in."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Uuid, any_, bindparam, exists, insert, or_, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.attendance.rows import relative_line_of, relative_line_values, relative_place_of
from caseload.db.consent import Consents
from caseload.db.family import Families
from caseload.db.programme import Programmes
from caseload.db.tables.attendance import therapy_session_cancellation
from caseload.db.tables.family import related_person_version
from caseload.db.tables.session_relative import session_relative, session_relative_cancellation, session_relative_line
from caseload.domain.attendance import (
    AlreadyOnRoster,
    ComesAs,
    NotOnRoster,
    Register,
    RelativeCancellation,
    RelativeLine,
    RelativePlace,
)
from caseload.domain.attendance.door import Door
from caseload.domain.ids import ClientId, ProgrammeId, RelativePlaceId, TherapySessionId
from caseload.domain.journal import Journal

_THESE = any_(bindparam("these", type_=ARRAY(Uuid())))
_newer = related_person_version.alias("newer")
_is_newest = ~exists().where(
    _newer.c.person_id == related_person_version.c.person_id, _newer.c.version > related_person_version.c.version
)
_PLACES = (
    select(
        session_relative.c.id,
        session_relative.c.session_id,
        session_relative.c.client_id,
        session_relative.c.person_id,
        session_relative.c.comes_as,
        session_relative.c.booked_by,
        session_relative.c.booked_at,
        related_person_version.c.name,
        session_relative_cancellation.c.cancelled_by,
        session_relative_cancellation.c.reason,
        session_relative_cancellation.c.recorded_by,
        session_relative_cancellation.c.recorded_at,
    )
    .join(related_person_version, related_person_version.c.person_id == session_relative.c.person_id)
    .outerjoin(session_relative_cancellation, session_relative_cancellation.c.place_id == session_relative.c.id)
    .where(session_relative.c.session_id == _THESE, _is_newest)
    .order_by(session_relative.c.booked_at, session_relative.c.id)
)
_LINES = (
    select(session_relative_line)
    .where(session_relative_line.c.session_id == _THESE)
    .order_by(session_relative_line.c.version, session_relative_line.c.number)
)
STANDS: Final = ~or_(
    exists().where(session_relative_cancellation.c.place_id == session_relative.c.id),
    exists().where(
        session_relative.c.comes_as == ComesAs.WITH_CLIENT.value,
        therapy_session_cancellation.c.session_id == session_relative.c.session_id,
        therapy_session_cancellation.c.client_id == session_relative.c.client_id,
    ),
)
"""Whether a relative's place takes one of the session's: neither it nor that of the client beside them was called off."""


class Relatives:
    """The relatives on the rosters and registers of sessions."""

    def __init__(self, connection: AsyncConnection, journal: Journal, *, now: datetime) -> None:
        self._connection = connection
        self._journal = journal
        self._now = now

    async def add_relatives(self, session: TherapySessionId, places: Sequence[RelativePlace]) -> None:
        """See `domain.attendance.door.Seats.add_relatives`."""
        together = ComesAs.WITH_CLIENT
        try:
            await self._connection.execute(
                insert(session_relative),
                [
                    {
                        "id": each.id,
                        "session_id": session,
                        "client_id": each.client,
                        "person_id": each.person,
                        "comes_as": each.comes_as,
                        "beside_client_id": each.client if each.comes_as is together else None,
                        "booked_by": each.booked_by,
                        "booked_at": each.booked_at,
                    }
                    for each in places
                ],
            )
        except IntegrityError as raced:
            raise AlreadyOnRoster("Read the session again.") from raced

    async def add_relative_cancellation(self, place: RelativePlaceId, cancellation: RelativeCancellation) -> None:
        """See `domain.attendance.door.Seats.add_relative_cancellation`."""
        try:
            await self._connection.execute(
                insert(session_relative_cancellation).values(
                    place_id=place,
                    cancelled_by=cancellation.by,
                    reason=cancellation.reason,
                    recorded_by=cancellation.recorded_by,
                    recorded_at=cancellation.recorded_at,
                )
            )
        except IntegrityError as raced:
            raise NotOnRoster("Read the session again.") from raced

    async def door(self, clients: Collection[ClientId], *, of: ProgrammeId) -> Door:
        """See `domain.attendance.door.Seats.door`. Nothing of what decides it is shown by it."""
        consents, families = Consents(self._connection, self._journal), Families(self._connection, self._journal)
        return Door(
            programme=await Programmes(self._connection).get(of),
            consents={client: await consents.of(client) for client in sorted(clients)},
            around={client: await families.around(client) for client in sorted(clients)},
        )

    async def _relatives_of(self, sessions: Sequence[UUID]) -> Mapping[UUID, Sequence[RelativePlace]]:
        """Their places, in the order in which they were booked."""
        places: dict[UUID, list[RelativePlace]] = defaultdict(list)
        for row in await self._connection.execute(_PLACES, {"these": list(sessions)}):
            places[row.session_id].append(relative_place_of(row))
        return places

    async def _relative_lines_of(self, sessions: Sequence[UUID]) -> Mapping[tuple[UUID, int], Sequence[RelativeLine]]:
        """Their lines in every version of the registers."""
        lines: dict[tuple[UUID, int], list[RelativeLine]] = defaultdict(list)
        for row in await self._connection.execute(_LINES, {"these": list(sessions)}):
            lines[row.session_id, row.version].append(relative_line_of(row))
        return lines

    async def _add_relative_lines(self, register: Register) -> None:
        if not register.relatives:
            return
        places = {each.id: each for each in (await self._relatives_of([register.session]))[register.session]}
        values: Iterable[dict[str, Any]] = relative_line_values(register, places)
        await self._connection.execute(insert(session_relative_line), list(values))
