"""Flags in PostgreSQL."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import Row, Uuid, any_, bindparam, exists, insert, select
from sqlalchemy.dialects.postgresql import ARRAY, distinct_on
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.tables.flag import flag, flag_end
from caseload.db.tables.observation import observation
from caseload.db.together import Together, rows
from caseload.domain.flag import End, Flag, FlagAlreadyEnded, FlagKind, FlagUnknown, LastQtc, Raised, SeeFirst
from caseload.domain.ids import ClientId, FlagId, ProgrammeId, StaffId
from caseload.domain.journal import Journal
from caseload.domain.observation import InstrumentName

_KEPT = flag.outerjoin(flag_end, flag_end.c.flag_id == flag.c.id)
_NEWEST_FIRST = (flag.c.since.desc(), flag.c.id.desc())
_OF_THESE = flag.c.client_id == any_(bindparam("clients", type_=ARRAY(Uuid())))
SHOWN: Final = (
    select(flag.c.client_id, flag.c.kind, flag.c.what, flag.c.since, flag_end.c.ended_on)
    .select_from(_KEPT)
    .where(_OF_THESE)
    .order_by(*_NEWEST_FIRST)
)
OF_CLIENTS: Final = (
    select(
        *flag.c,
        flag_end.c.ended_on,
        flag_end.c.reason,
        flag_end.c.recorded_by.label("ended_by"),
        flag_end.c.recorded_at.label("end_recorded_at"),
    )
    .select_from(_KEPT)
    .where(_OF_THESE)
    .order_by(*_NEWEST_FIRST)
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


class FlagRow(msgspec.Struct, frozen=True):
    """A flag, as far as it is shown beside what is due."""

    client_id: UUID
    kind: FlagKind
    what: str
    since: date
    ended_on: date | None


class HeartRow(msgspec.Struct, frozen=True):
    """A row of `LAST_QTC`."""

    client_id: UUID
    total: int
    instrument_version: int
    observed_at: datetime


FLAGS: Final = rows("flags", SHOWN, FlagRow)
HEARTS: Final = rows("hearts", LAST_QTC, HeartRow)
_SHOWN: Final = Together(FLAGS, HEARTS)
_ADD, _END = insert(flag), insert(flag_end)

KIND: Final = "flag"
"""What the journal calls flags."""


class KeptFlags:
    """Satisfies `domain.flag.Flags`. Whoever asks has been let through to the clients before."""

    def __init__(self, connection: AsyncConnection, journal: Journal) -> None:
        self._connection = connection
        self._journal = journal

    async def of(self, client: ClientId) -> Sequence[Flag]:
        """Every flag of a client, the last begun first."""
        rows = (await self._connection.execute(OF_CLIENTS, {"clients": [client]})).all()
        self._journal.saw(client, KIND)
        return [_flag(row) for row in rows]

    async def one(self, wanted: FlagId, *, of: ClientId) -> Flag:
        """One flag; or `FlagUnknown`."""
        found = next((each for each in await self.of(of) if each.id == wanted), None)
        if found is None:
            raise FlagUnknown("Look at the client's flags for its identifier.")
        return found

    async def shown(self, clients: Sequence[ClientId], day: date) -> Mapping[ClientId, SeeFirst]:
        """What should be seen first of each of these clients on a day, in one statement for all of them."""
        if not clients:
            return {}
        row = await _SHOWN.read(self._connection, {"clients": clients})
        found = shown_of(FLAGS.of(row), HEARTS.of(row), day)
        for client in found:
            self._journal.saw(client, KIND)
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


def shown_of(flags: Iterable[FlagRow], hearts: Iterable[HeartRow], day: date) -> Mapping[ClientId, SeeFirst]:
    """What should be seen first on a day, of those of whom there is something."""
    raised: dict[ClientId, list[Raised]] = defaultdict(list)
    for each in flags:
        said = Raised(kind=each.kind, what=each.what, since=each.since)
        if said.is_shown_on(day, each.ended_on):
            raised[ClientId(each.client_id)].append(said)
    newest = {
        ClientId(each.client_id): LastQtc(
            milliseconds=each.total, instrument_version=each.instrument_version, observed_at=each.observed_at
        )
        for each in hearts
    }
    return {
        client: SeeFirst(flags=raised.get(client, ()), qtc=newest.get(client))
        for client in raised.keys() | newest.keys()
    }


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
