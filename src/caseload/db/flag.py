"""Flags in PostgreSQL."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from sqlalchemy import Row, Uuid, any_, bindparam, insert, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.tables.flag import flag, flag_end
from caseload.domain.flag import End, Flag, FlagAlreadyEnded, FlagKind, FlagUnknown, Raised
from caseload.domain.ids import ClientId, FlagId, ProgrammeId, StaffId
from caseload.domain.journal import Journal

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

    async def shown(self, clients: Sequence[ClientId], day: date) -> Mapping[ClientId, Sequence[Flag]]:
        """The flags that count on a day, of all these clients in one statement."""
        found: dict[ClientId, list[Flag]] = defaultdict(list)
        for row in (await self._connection.execute(OF_CLIENTS, {"clients": list(clients)})).all():
            each = _flag(row)
            if each.is_shown_on(day):
                self._journal.saw(each.client, "flag")
                found[each.client].append(each)
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
