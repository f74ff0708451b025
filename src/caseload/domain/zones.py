"""The zone of a programme's days, also of one that has moved: each moment has the zone that was the programme's then.

A programme that moves from one IANA zone to another keeps its past: the local day of whatever happened before the move is
that of the zone before, for ever. So its zone is one whose clocks were changed at that moment, like any zone's in spring
and autumn (`caseload.domain.schedule` has the two rules for an hour that is skipped or happens twice): whatever reckons
with a zone reckons with this one, and needs to know nothing of moves.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from itertools import pairwise
from typing import Final, Self
from zoneinfo import ZoneInfo

from caseload.domain.schedule import local_day

FURTHEST_APART_HOURS: Final = 26
"""From UTC-12 to UTC+14."""
LOOKS_AHEAD: Final = timedelta(days=7)
_QUARTER: Final = timedelta(minutes=15)
_FIRST: Final = datetime(1900, 1, 1, tzinfo=UTC)
_LAST: Final = datetime(2300, 1, 1, tzinfo=UTC)


class MovedZone(ZoneInfo):
    """A zone that was another one until some moment, and perhaps another one before. Its key is that of the last."""

    zones: Sequence[ZoneInfo]
    moments: Sequence[datetime]
    """When each zone gave way to the next, in UTC and without saying so, as `fromutc` is asked."""
    walls: Sequence[tuple[datetime, datetime]]
    """What the clocks showed at that moment before and after, the earlier first."""

    @classmethod
    def of(cls, zones: Sequence[ZoneInfo], moments: Sequence[datetime]) -> Self:
        """Zones in their order, and the moments between them."""
        made = cls.no_cache(zones[-1].key)
        made.zones = tuple(zones)
        made.moments = [moment.astimezone(UTC).replace(tzinfo=None) for moment in moments]
        shown = [
            [moment.astimezone(zone).replace(tzinfo=None) for zone in pair]
            for moment, pair in zip(moments, pairwise(zones), strict=True)
        ]
        made.walls = [(min(pair), max(pair)) for pair in shown]
        return made

    def at(self, moment: datetime) -> ZoneInfo:
        """The zone that it was at a moment."""
        return self.zones[bisect_right(self.moments, moment.astimezone(UTC).replace(tzinfo=None))]

    def fromutc(self, moment: datetime, /) -> datetime:
        """The local time of a moment: of two that look the same the later has a fold of 1."""
        bare = moment.replace(tzinfo=None)
        at = bisect_right(self.moments, bare)
        local = self.zones[at].fromutc(moment.replace(tzinfo=self.zones[at]))
        again = at > 0 and local.replace(tzinfo=None, fold=0) < self.walls[at - 1][1]
        return local.replace(tzinfo=self, fold=1 if again else local.fold)

    def utcoffset(self, moment: datetime | None, /) -> timedelta | None:
        """By the zone of that local time: before the move where the time was skipped or is the first of two."""
        return None if moment is None else self._by(moment).utcoffset(moment)

    def dst(self, moment: datetime | None, /) -> timedelta | None:
        """See `utcoffset`."""
        return None if moment is None else self._by(moment).dst(moment)

    def tzname(self, moment: datetime | None, /) -> str | None:
        """See `utcoffset`."""
        return None if moment is None else self._by(moment).tzname(moment)

    def _by(self, local: datetime) -> tzinfo:
        bare = local.replace(tzinfo=None, fold=0)
        return self.zones[sum(bare >= walls[1 - local.fold] for walls in self.walls)]


def zone_then(zone: ZoneInfo, moment: datetime) -> ZoneInfo:
    """The zone that a programme's was at a moment."""
    return zone.at(moment) if isinstance(zone, MovedZone) else zone


def zone_by_zone(zone: ZoneInfo) -> Iterator[tuple[ZoneInfo, datetime, datetime]]:
    """The zones that a programme's was, each with the moment from which and the one until which it was that."""
    if not isinstance(zone, MovedZone):
        yield zone, _FIRST, _LAST
        return
    turns = [_FIRST, *(moment.replace(tzinfo=UTC) for moment in zone.moments), _LAST]
    yield from ((each, *span) for each, span in zip(zone.zones, pairwise(turns), strict=True))


@lru_cache(maxsize=256)
def zone_of(zones: str) -> ZoneInfo:
    """The zone that a programme's record names: `Europe/London`, or `Europe/London 2026-11-23T10:00:00+00:00 Europe/Paris`."""
    names, moments = zones.split(" ")[::2], zones.split(" ")[1::2]
    if not moments:
        return ZoneInfo(zones)
    return MovedZone.of([ZoneInfo(name) for name in names], [datetime.fromisoformat(moment) for moment in moments])


def is_same_day(moment: datetime, one: ZoneInfo, other: ZoneInfo) -> bool:
    """Whether the wall calendars of two zones show the same day. Those of two a day apart never do."""
    return local_day(moment, one) == local_day(moment, other)


def is_steady(moment: datetime, zone: ZoneInfo) -> bool:
    """Whether no clock of a zone is changed so shortly before or after a moment that a change at it would meet that one.

    Where two changes are further apart than any two zones, no local time comes a third time.
    """
    hours = range(-FURTHEST_APART_HOURS, FURTHEST_APART_HOURS + 1)
    now = moment.astimezone(zone).utcoffset()
    return all((moment + timedelta(hours=hour)).astimezone(zone).utcoffset() == now for hour in hours)


def possible_from(now: datetime, one: ZoneInfo, other: ZoneInfo) -> datetime | None:
    """The first quarter of an hour at which a zone can give way to another; None where that does not come within days."""
    begins = datetime.min.replace(tzinfo=UTC) + ((now - datetime.min.replace(tzinfo=UTC)) // _QUARTER + 1) * _QUARTER
    quarters = (begins + number * _QUARTER for number in range(LOOKS_AHEAD // _QUARTER))
    return next((each for each in quarters if can_give_way(each, one, other)), None)


def can_give_way(moment: datetime, one: ZoneInfo, other: ZoneInfo) -> bool:
    """Whether a zone can give way to another: no day begins twice or is left out, and no time comes three times."""
    return is_same_day(moment, one, other) and is_steady(moment, one) and is_steady(moment, other)


def same_wall_clock(moment: datetime, zone: ZoneInfo, to_zone: ZoneInfo) -> datetime:
    """When the clocks of the other zone show what those of the first show at a moment, in UTC."""
    return moment.astimezone(zone).replace(tzinfo=None, fold=0).replace(tzinfo=to_zone).astimezone(UTC)
