"""Days on which clients were away from treatment: read only where a dose is missing."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final
from uuid import UUID

from sqlalchemy import Date, Integer, Text, Uuid, any_, bindparam, cast, func, literal_column, or_, select, union_all
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.direct import Direct
from caseload.db.programme import zone_at
from caseload.db.tables.caseload import discharge, episode
from caseload.db.tables.programme import programme
from caseload.db.tables.window import excusal, excusal_end
from caseload.domain.dosing import Away, AwayIn
from caseload.domain.ids import ClientId

YEAR_DAYS: Final = 366
"""How far back days away are looked for: whoever was away longer begins anew."""
_CLIENTS = any_(bindparam("clients", type_=ARRAY(Uuid())))
_SINCE = bindparam("since", type_=Date())
_DISCHARGE: Final = literal_column(f"'{AwayIn.DISCHARGE}'", Text())
_LOSES_TOLERANCE: Final = [literal_column(f"'{each}'", Text()) for each in AwayIn if each is not AwayIn.DISCHARGE]
_last_on = func.coalesce(excusal_end.c.last_on, excusal.c.last_on)
_next = episode.alias("next_episode")
_came_back = (
    select(func.min(_next.c.admitted_on))
    .where(_next.c.client_id == episode.c.client_id, func.lower(_next.c.period) >= discharge.c.effective_at)
    .correlate(episode, discharge)
    .scalar_subquery()
)
_ended_on = cast(func.timezone(zone_at(discharge.c.effective_at), discharge.c.effective_at), Date())

AWAY: Final = union_all(
    select(
        excusal.c.client_id,
        excusal.c.reason.label("away_in"),
        excusal.c.first_on,
        _last_on.label("last_on"),
        excusal.c.id.label("record_id"),
    )
    .select_from(excusal.outerjoin(excusal_end, excusal_end.c.excusal_id == excusal.c.id))
    .where(
        excusal.c.client_id == _CLIENTS,
        excusal.c.reason.in_(_LOSES_TOLERANCE),
        or_(_last_on.is_(None), _last_on >= _SINCE),
    ),
    select(
        episode.c.client_id,
        _DISCHARGE,
        _ended_on,
        _came_back - literal_column("1", Integer()),
        episode.c.id,
    )
    .select_from(
        discharge.join(episode, episode.c.id == discharge.c.episode_id).join(
            programme, programme.c.id == episode.c.programme_id
        )
    )
    .where(episode.c.client_id == _CLIENTS, or_(_came_back.is_(None), _came_back > _SINCE)),
)
_READ: Final = Direct(AWAY, anywhere=True)


async def away_since(
    connection: AsyncConnection, clients: Sequence[UUID], since: date
) -> Mapping[ClientId, Sequence[Away]]:
    """The days away from treatment of clients, as far as they reach beyond a day."""
    found: dict[ClientId, list[Away]] = defaultdict(list)
    if clients:
        for row in await _READ.all(connection, {"clients": list(clients), "since": since}):
            away = Away(
                where=AwayIn(row["away_in"]),
                first_on=row["first_on"],
                last_on=row["last_on"],
                record=row["record_id"],
            )
            found[ClientId(row["client_id"])].append(away)
    return found
