"""Moving to another time zone: at once, with a reason, at an hour at which both zones have the same day.

No clock of theirs may change within a day of it, so that each local time comes twice at most. Then no day is begun twice
and none is left out. What happened keeps its local day, what was planned for the day of the move stays where it is, and from
the next day on everything planned is due at the same wall clock in the new zone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Final, Protocol
from zoneinfo import ZoneInfo

from caseload.domain.access import Act
from caseload.domain.errors import Conflict, Faults
from caseload.domain.ids import ProgrammeId, StaffId, ZoneMoveId
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff
from caseload.domain.programme.opening import Programme, is_zone
from caseload.domain.zones import can_give_way, is_same_day, possible_from

LONGEST_REASON: Final = 4000
FOLLOWED: Final = "programme.zone_followed"
"""The job by which what is planned follows a programme."""


class DaysApart(Conflict):
    """It is not the same day in both time zones now."""

    def __init__(self, from_when: datetime) -> None:
        super().__init__(
            "A day would be begun twice or left out. Move the programme when it can be moved.",
            possible_from=from_when.isoformat(),
        )


class ClocksUnsteady(Conflict):
    """The clocks of one of the two time zones change about now, or the programme has just moved."""

    def __init__(self, from_when: datetime) -> None:
        super().__init__(
            "An hour might come three times. Move the programme when it can be moved.",
            possible_from=from_when.isoformat(),
        )


class ZonesApart(Conflict):
    """The two time zones lie a day apart, on both sides of the date line."""

    def __init__(self) -> None:
        super().__init__(
            "A day would be begun twice or left out. Open another programme there and transfer its clients."
        )


class ZoneMoveRaced(Conflict):
    """Somebody else has moved this programme at the same moment."""


class ProgrammeMovedZone(Event):
    """A programme moved to another time zone."""

    name: ClassVar[str] = "programme.zone_moved"


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneMove:
    """That a programme's days are those of another time zone from a moment on."""

    id: ZoneMoveId
    programme: ProgrammeId
    number: int
    """Counts the moves of one programme from 1."""
    moved_at: datetime
    from_zone: str
    to_zone: str
    reason: str
    moved_by: StaffId


class ZoneMoves(Protocol):
    """The moves of programmes."""

    async def zone_moves(self, programme: ProgrammeId, /) -> Sequence[ZoneMove]:
        """How a programme has moved, the first move first."""
        ...

    async def add_zone_move(self, move: ZoneMove, /) -> None:
        """Keep it; raises `ZoneMoveRaced` where the programme has another zone by then, or moved later than that."""
        ...


async def move_zone(
    programme: Programme,
    to_zone: str,
    reason: str,
    *,
    as_id: ZoneMoveId,
    by: Staff,
    now: datetime,
    moves: ZoneMoves,
    journal: Journal,
) -> ZoneMove:
    """Let a programme's days be those of another zone from now on.

    Raises `NotPermitted`, `Invalid`, `DaysApart` and `ClocksUnsteady` saying from when it can be, `ZonesApart`, and
    `ZoneMoveRaced`.
    """
    by.require(Act.MANAGE_PROGRAMMES, programme.id)
    _check(programme, to_zone, reason)
    _check_clocks(programme.zone, ZoneInfo(to_zone), now=now)
    move = ZoneMove(
        id=as_id,
        programme=programme.id,
        number=1 + len(await moves.zone_moves(programme.id)),
        moved_at=now,
        from_zone=programme.time_zone,
        to_zone=to_zone,
        reason=reason.strip(),
        moved_by=by.id,
    )
    await moves.add_zone_move(move)
    facts: dict[str, str | int] = {"programme": str(programme.id), "from": move.from_zone, "to": move.to_zone}
    journal.tell(ProgrammeMovedZone(records=(move.id, programme.id), facts=facts))
    return move


def _check_clocks(here: ZoneInfo, there: ZoneInfo, *, now: datetime) -> None:
    if can_give_way(now, here, there):
        return
    from_when = possible_from(now, here, there)
    if from_when is None:
        raise ZonesApart
    raise ClocksUnsteady(from_when) if is_same_day(now, here, there) else DaysApart(from_when)


def _check(programme: Programme, to_zone: str, reason: str) -> None:
    faults = Faults()
    faults.check(
        when=not is_zone(to_zone),
        where="time_zone",
        problem="must be a time zone of the IANA database, such as America/New_York",
    )
    faults.check(when=to_zone == programme.time_zone, where="time_zone", problem="is the programme's zone already")
    faults.check(
        when=not reason.strip() or len(reason) > LONGEST_REASON,
        where="reason",
        problem=f"say why, in at most {LONGEST_REASON} characters",
    )
    faults.raise_if_any()
