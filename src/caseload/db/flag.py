"""Flags in PostgreSQL."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from sqlalchemy import Row, Uuid, any_, bindparam, exists, insert, select
from sqlalchemy.dialects.postgresql import ARRAY, distinct_on
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.tables.flag import flag, flag_end
from caseload.db.tables.observation import observation
from caseload.domain.flag import End, Flag, FlagAlreadyEnded, FlagKind, FlagUnknown, LastQtc, Raised, SeeFirst
from caseload.domain.ids import ClientId, FlagId, ProgrammeId, StaffId
from caseload.domain.journal import Journal
from caseload.domain.observation import InstrumentName

OF_CLIENTS: Final = (
    select(
        *flag.c,
        flag_end.c.ended_on,
        flag_end.c.reason,
        flag_end.c.recorded_by.label("ended_by"),
        flag_end.c.recorded_at.label("end_recorded_at"),
    )
    .select_from(flag.outerjoin(flag_end, flag_end.c.flag_id == flag.c.id))
    .where(flag.c.client_id == any_(bindparam("clients", type_=ARRAY(Uuid()))))
    .order_by(flag.c.since.desc(), flag.c.id.desc())
)
_newer = observation.alias("newer")
LAST_QTC: Final = (
    select(
        observation.c.client_id,
        observation.c.total,
        observation.c.instrument_version,
        observation.c.observed_at,
    )
    .where(
        observation.c.client_id == any_(bindparam("clients", type_=ARRAY(Uuid()))),
        observation.c.instrument == InstrumentName.QTC,
        observation.c.total.is_not(None),
        ~exists().where(
            _newer.c.client_id == observation.c.client_id,
            _newer.c.id == observation.c.id,
            _newer.c.version > observation.c.version,
        ),
    )
    .ext(distinct_on(observation.c.client_id))
    .order_by(observation.c.client_id, observation.c.observed_at.desc(), observation.c.id.desc())
)
"""Of each client the newest that was not taken back."""
_ADD, _END = insert(flag), insert(flag_end)


class KeptFlags:
    """Satisfies `domain.flag.Flags`. Whoever asks has been let through to the clients before."""

    def __init__(self, connection: AsyncConnection, journal: Journal) -> None:
        self._connection = connection
        self._journal = journal

    async def of(self, client: ClientId) -> Sequence[Flag]:
        """Every flag of a client, the last begun first."""
        rows = (await self._connection.execute(OF_CLIENTS, {"clients": [client]})).all()
        self._journal.saw(client, "flag")
        return [_flag(row) for row in rows]

    async def one(self, wanted: FlagId, *, of: ClientId) -> Flag:
        """One flag; or `FlagUnknown`."""
        found = next((each for each in await self.of(of) if each.id == wanted), None)
        if found is None:
            raise FlagUnknown("Look at the client's flags for its identifier.")
        return found

    async def shown(self, clients: Sequence[ClientId], day: date) -> Mapping[ClientId, SeeFirst]:
        """What should be seen first of each of these clients on a day, in two statements for all of them."""
        flags: dict[ClientId, list[Flag]] = defaultdict(list)
        for row in (await self._connection.execute(OF_CLIENTS, {"clients": list(clients)})).all():
            each = _flag(row)
            if each.is_shown_on(day):
                flags[each.client].append(each)
        hearts = {
            ClientId(row.client_id): LastQtc(
                milliseconds=row.total, instrument_version=row.instrument_version, observed_at=row.observed_at
            )
            for row in (await self._connection.execute(LAST_QTC, {"clients": list(clients)})).all()
        }
        found = {
            client: SeeFirst(flags=flags[client], qtc=hearts.get(client)) for client in flags.keys() | hearts.keys()
        }
        for client in found:
            self._journal.saw(client, "flag")
        return found

    async def add(self, new: Flag, /) -> None:
        """See `domain.flag.Flags.add`."""
        await self._connection.execute(
            _ADD,
            {
                "id": new.id,
                "client_id": new.client,
                "programme_id": new.programme,
                "kind": new.said.kind,
                "what": new.said.what,
                "since": new.said.since,
                "recorded_by": new.recorded_by,
                "recorded_at": new.recorded_at,
            },
        )

    async def add_end(self, ended: Flag, end: End, /) -> None:
        """See `domain.flag.Flags.add_end`."""
        try:
            await self._connection.execute(
                _END,
                {
                    "flag_id": ended.id,
                    "since": ended.said.since,
                    "ended_on": end.ended_on,
                    "reason": end.reason,
                    "recorded_by": end.ended_by,
                    "recorded_at": end.recorded_at,
                },
            )
        except IntegrityError as raced:
            raise FlagAlreadyEnded("Read the client's flags again.") from raced


def _flag(row: Row[*tuple[Any, ...]]) -> Flag:
    return Flag(
        id=FlagId(row.id),
        client=ClientId(row.client_id),
        programme=ProgrammeId(row.programme_id),
        said=Raised(kind=FlagKind(row.kind), what=row.what, since=row.since),
        recorded_by=StaffId(row.recorded_by),
        recorded_at=row.recorded_at,
        end=None
        if row.ended_on is None
        else End(
            ended_on=row.ended_on,
            reason=row.reason,
            ended_by=StaffId(row.ended_by),
            recorded_at=row.end_recorded_at,
        ),
    )
