"""Programmes in PostgreSQL, and the profiles that they go over to."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Text, bindparam, case, func, insert, literal_column, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.direct import Direct, Named
from caseload.db.tables.caseload import client
from caseload.db.tables.programme import programme, programme_profile, programme_zone_move
from caseload.domain.ids import ProgrammeId, SelectionId, StaffId, ZoneMoveId
from caseload.domain.profiles.selected import read_selected
from caseload.domain.programme import (
    CodeTaken,
    Programme,
    ProgrammeUnknown,
    Selection,
    SelectionRaced,
    ZoneMove,
    ZoneMoveRaced,
)

_WORDS: Final = func.array_agg(
    aggregate_order_by(
        func.to_char(programme_profile.c.from_on, literal_column("'YYYY-MM-DD '", Text()))
        + programme_profile.c.profile,
        programme_profile.c.number,
    )
)
LATER_PROFILES: Final = (
    select(_WORDS)
    .where(programme_profile.c.programme_id == programme.c.id)
    .correlate(programme)
    .scalar_subquery()
    .label("later_profiles")
)
"""The later words about one programme, as `read_selected` reads them; null where there is none, as nearly always."""

later_profiles: Final = (
    select(programme_profile.c.programme_id, _WORDS.label("later_profiles"))
    .group_by(programme_profile.c.programme_id)
    .subquery("later_profiles")
)
"""The same of all programmes, for statements over many clients: worked out once and joined."""

ZONES: Final = func.coalesce(programme.c.zones, programme.c.time_zone)
"""The zone of a programme with those before it, as `zone_of` reads them."""

HOME_ZONES: Final = func.coalesce(client.c.zones, ZONES)
"""The zone of a client's days: of their home, with those before it, of a former home too where that had another one."""

_ALL = select(
    programme.c.id,
    programme.c.code,
    programme.c.name,
    programme.c.time_zone,
    programme.c.zones,
    programme.c.profile,
    LATER_PROFILES,
)
_ONE: Final = Direct(_ALL.where(programme.c.id == bindparam("programme")), anywhere=True)
_IN_ORDER = _ALL.order_by(programme.c.code)
_SELECTIONS = (
    select(
        programme_profile.c.id,
        programme_profile.c.programme_id,
        programme_profile.c.number,
        programme_profile.c.from_on,
        programme_profile.c.profile,
        programme_profile.c.profile_version,
        programme_profile.c.loosens,
        programme_profile.c.reason,
        programme_profile.c.selected_by,
        programme_profile.c.selected_at,
    )
    .where(programme_profile.c.programme_id == bindparam("programme"))
    .order_by(programme_profile.c.number)
)
_ADD_SELECTION = insert(programme_profile)
_ZONE_MOVES = (
    select(
        programme_zone_move.c.id,
        programme_zone_move.c.programme_id,
        programme_zone_move.c.number,
        programme_zone_move.c.moved_at,
        programme_zone_move.c.from_zone,
        programme_zone_move.c.to_zone,
        programme_zone_move.c.reason,
        programme_zone_move.c.moved_by,
    )
    .where(programme_zone_move.c.programme_id == bindparam("programme"))
    .order_by(programme_zone_move.c.number)
)
_ADD_ZONE_MOVE = insert(programme_zone_move)


def zone_at(at: ColumnElement[datetime]) -> ColumnElement[str]:
    """The zone that the programme of a row had at a moment that may lie before a move; it costs one that never moved nothing."""
    later = programme_zone_move.alias()
    before = (
        select(later.c.from_zone)
        .where(later.c.programme_id == programme.c.id, later.c.moved_at > at)
        .order_by(later.c.moved_at)
        .limit(1)
        .scalar_subquery()
    )
    return case(
        (programme.c.zones.is_(None), programme.c.time_zone), else_=func.coalesce(before, programme.c.time_zone)
    )


class Programmes:
    """Satisfies `domain.programme.Programmes`, `domain.programme.Selections` and `domain.programme.ZoneMoves`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, wanted: ProgrammeId) -> Programme:
        """See `domain.programme.Programmes.get`."""
        row = await _ONE.first(self._connection, {"programme": wanted})
        if row is None:
            raise ProgrammeUnknown
        return _programme(row)

    async def all(self) -> Sequence[Programme]:
        """See `domain.programme.Programmes.all`."""
        return [_programme(row) for row in (await self._connection.execute(_IN_ORDER)).mappings()]

    async def add(self, new: Programme, *, opened_at: datetime) -> None:
        """See `domain.programme.Programmes.add`."""
        try:
            await self._connection.execute(
                insert(programme).values(
                    id=new.id,
                    code=new.code,
                    name=new.name,
                    time_zone=new.time_zone,
                    profile=new.profiles.first,
                    opened_at=opened_at,
                )
            )
        except IntegrityError as taken:
            raise CodeTaken("Choose another code, or use the programme that is there.") from taken

    async def selections(self, wanted: ProgrammeId) -> Sequence[Selection]:
        """See `domain.programme.Selections.selections`."""
        rows = (await self._connection.execute(_SELECTIONS, {"programme": wanted})).all()
        return [
            Selection(
                id=SelectionId(row.id),
                programme=ProgrammeId(row.programme_id),
                number=row.number,
                from_on=row.from_on,
                profile=row.profile,
                profile_version=row.profile_version,
                loosens=tuple(row.loosens),
                reason=row.reason,
                selected_by=StaffId(row.selected_by),
                selected_at=row.selected_at,
            )
            for row in rows
        ]

    async def add_selection(self, selection: Selection) -> None:
        """See `domain.programme.Selections.add_selection`."""
        try:
            await self._connection.execute(
                _ADD_SELECTION,
                {
                    "id": selection.id,
                    "programme_id": selection.programme,
                    "number": selection.number,
                    "from_on": selection.from_on,
                    "profile": selection.profile,
                    "profile_version": selection.profile_version,
                    "loosens": list(selection.loosens),
                    "reason": selection.reason,
                    "selected_by": selection.selected_by,
                    "selected_at": selection.selected_at,
                },
            )
        except IntegrityError as raced:
            raise SelectionRaced(
                "Read the programme's profiles again, and choose once more if you still want to."
            ) from raced

    async def zone_moves(self, wanted: ProgrammeId) -> Sequence[ZoneMove]:
        """See `domain.programme.ZoneMoves.zone_moves`."""
        rows = (await self._connection.execute(_ZONE_MOVES, {"programme": wanted})).all()
        return [
            ZoneMove(
                id=ZoneMoveId(row.id),
                programme=ProgrammeId(row.programme_id),
                number=row.number,
                moved_at=row.moved_at,
                from_zone=row.from_zone,
                to_zone=row.to_zone,
                reason=row.reason,
                moved_by=StaffId(row.moved_by),
            )
            for row in rows
        ]

    async def add_zone_move(self, move: ZoneMove) -> None:
        """See `domain.programme.ZoneMoves.add_zone_move`. The programme's own row follows by a trigger."""
        try:
            await self._connection.execute(
                _ADD_ZONE_MOVE,
                {
                    "id": move.id,
                    "programme_id": move.programme,
                    "number": move.number,
                    "moved_at": move.moved_at,
                    "from_zone": move.from_zone,
                    "to_zone": move.to_zone,
                    "reason": move.reason,
                    "moved_by": move.moved_by,
                },
            )
        except IntegrityError as raced:
            raise ZoneMoveRaced("Read the programme again, and move it once more if you still want to.") from raced


def _programme(row: Named) -> Programme:
    return Programme(
        id=ProgrammeId(row["id"]),
        code=row["code"],
        name=row["name"],
        time_zone=row["time_zone"],
        zones=row["zones"],
        profiles=read_selected(row["profile"], row["later_profiles"]),
    )
