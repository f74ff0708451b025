"""Who is turned away without being known: counted, and told to the log once a minute for each source.

Somebody without a session is shown nothing, and could fill the log with entries of their own if each attempt left one.
What a process has counted and not told yet goes with it when it is killed, a minute at most.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Final

from caseload.domain.journal import Event

MOST_SOURCES: Final = 64
"""Told apart in one minute; whoever comes on top of them is among the others."""
OTHERS: Final = "others"


@dataclass(frozen=True, slots=True, kw_only=True)
class StrangersTurnedAway(Event):
    """So many requests of nobody known were refused in one minute from one source."""

    name: ClassVar[str] = "request.turned_away"


@dataclass(slots=True)
class Strangers:
    """What one process has counted and not told yet."""

    _counted: dict[datetime, Counter[str]] = field(default_factory=dict[datetime, Counter[str]])

    def turn_away(self, source: str, *, at: datetime) -> None:
        """Count one. `source` is a digest of an address."""
        minute = self._counted.setdefault(at.replace(second=0, microsecond=0), Counter())
        minute[source if source in minute or len(minute) < MOST_SOURCES else OTHERS] += 1

    def take(self, *, before: datetime) -> list[StrangersTurnedAway]:
        """What was counted in minutes that were over by then. It is not counted any more."""
        over = [minute for minute in self._counted if minute < before.replace(second=0, microsecond=0)]
        return [
            StrangersTurnedAway(facts={"minute": minute.isoformat(), "source": source, "requests": count})
            for minute in sorted(over)
            for source, count in self._counted.pop(minute).items()
        ]

    def put_back(self, event: StrangersTurnedAway) -> None:
        """Count again what could not be told."""
        minute = self._counted.setdefault(datetime.fromisoformat(str(event.facts["minute"])), Counter())
        minute[str(event.facts["source"])] += int(event.facts["requests"])
