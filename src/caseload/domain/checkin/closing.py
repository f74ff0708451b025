"""Check-ins around closure days: what falls on one is due on the next open day, and no day of grace is counted on one.

A product convention (bank holidays extend). What the rule names is kept beside when it is due, so that a contact on the
day that was planned first still counts. Where the next check-in of the same plan comes no later than the next open day,
the one before it is not made: nobody is expected twice on one morning. A day that is closed later moves what waits, with a
record of who closed it; one that is opened again moves nothing back.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import ClassVar, Protocol

from caseload.domain.checkin.record import AskedBy, Move, Record, Waiting, waiting
from caseload.domain.checkin.terms import Terms
from caseload.domain.ids import ProgrammeId
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff
from caseload.domain.programme import Programme
from caseload.domain.schedule import Occurrence, local_day, local_days_later

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckInMovedByClosure(Event):
    """A check-in was moved, or its grace extended, because the programme is closed."""

    name: ClassVar[str] = "check_in.moved_by_closure"


class Closing(Protocol):
    """The check-ins of a programme, as somebody who closes days needs them."""

    async def closed_days(self, programme: ProgrammeId, /, *, since: date) -> frozenset[date]:
        """The days from then on on which a programme is closed."""
        ...

    async def touched_by(self, programme: Programme, days: Sequence[date], /) -> Sequence[Record]:
        """What waits and is due or in its grace on one of these days, the plans held."""
        ...

    async def add_moves(self, moves: Sequence[Move], waiting: Sequence[Waiting], /) -> None:
        """Keep moves, and the check-ins as they now wait."""
        ...


def open_day(day: date, closed: Collection[date]) -> date:
    """The day itself, or the first one after it that is not closed."""
    while day in closed:
        day += _DAY
    return day


def around(found: Iterator[Occurrence], terms: Terms, closed: Collection[date]) -> Iterator[Occurrence]:
    """The occurrences of a rule, each due on an open day; one that would meet the next is left out."""
    before: Occurrence | None = None
    for each in found:
        if before is not None and open_day(before.on, closed) < each.on:
            yield _moved(before, terms, closed)
        before = each
    if before is not None:
        yield _moved(before, terms, closed)


def _moved(one: Occurrence, terms: Terms, closed: Collection[date]) -> Occurrence:
    return replace(one, due_at=due_around(one.due_at, terms, closed))


def due_around(due_at: datetime, terms: Terms, closed: Collection[date]) -> datetime:
    """When something due then is due: at the same local time of the next open day."""
    day = local_day(due_at, terms.zone)
    return local_days_later(due_at, (open_day(day, closed) - day).days, terms.zone)


async def make_way(
    programme: Programme, days: Sequence[date], *, by: Staff, now: datetime, check_ins: Closing, journal: Journal
) -> int:
    """Move what waits and falls on days that have just been closed, and extend the grace of what is due before them.

    Nothing comes earlier by it, so that doing it twice changes nothing. Returns how many were moved.
    """
    closed = await check_ins.closed_days(programme.id, since=min(days))
    moves: list[Move] = []
    still: list[Waiting] = []
    for record in await check_ins.touched_by(programme, days):
        due_at = due_around(record.due_at, record.terms, closed)
        grace_ends_at = record.terms.grace_ends_at(due_at, closed)
        if grace_ends_at <= record.grace_ends_at:
            continue
        move = Move(
            check_in=record.check_in.id,
            number=len(record.moves) + 1,
            due_at=due_at,
            grace_ends_at=grace_ends_at,
            asked_by=AskedBy.CLOSURE,
            reason="The programme is closed.",
            recorded_by=by.id,
            recorded_at=now,
        )
        moves.append(move)
        waits = waiting(replace(record, moves=(*record.moves, move)))
        still += [] if waits is None else [waits]
        journal.tell(
            CheckInMovedByClosure(
                client=record.check_in.client, records=(record.check_in.id,), facts={"number": move.number}
            )
        )
    if moves:
        await check_ins.add_moves(moves, still)
    return len(moves)
