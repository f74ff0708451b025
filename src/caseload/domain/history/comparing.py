"""What is new in a history that is brought in again: rows compared by what they say, wherever they stand.

Nothing that is kept is changed or taken away. A folder that is brought in again adds what is new in it; what is no
longer in it stays. A visit whose outcome has become known is a new row that replaces the one of unknown outcome.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TypeVar

from caseload.domain.history.gathering import Person
from caseload.domain.history.rows import DoseRow, Outcome, ScreenRow, VisitRow
from caseload.domain.ids import HistoryId
from caseload.domain.medicines import Form, Medicine

_Row = TypeVar("_Row")
_Key = TypeVar("_Key", bound=Hashable)

DoseKey = tuple[date, Medicine, Form, Decimal]
VisitKey = tuple[date | None, str, Outcome, str]
ScreenKey = tuple[date, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitSource:
    """Where a visit that is kept came from, which is also how it is named."""

    history: HistoryId
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A visit to keep, and the one whose place it takes."""

    row: VisitRow
    replaces: VisitSource | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What is kept of somebody's brought-in history, as rows to compare with."""

    doses: Counter[DoseKey]
    visits: Mapping[VisitKey, Sequence[VisitSource]]
    screens: Counter[ScreenKey]


def content_of(person: Person) -> bytes:
    """A digest of what is brought in of a person, whatever lines it stands in: equal when there is nothing new.

    Identity and admission are not in it: once somebody is registered, those are corrected in the record itself.
    """
    said = [
        f"covered {person.last_day_covered()}",
        *sorted(f"{name} {text}" for name, text in person.client.recorded.items()),
        *sorted(
            f"dose {dose.given_on} {dose.medicine} {dose.form} {dose.amount_mg.normalize():f}" for dose in person.doses
        ),
        *sorted("visit " + "|".join(map(str, visit_key(visit))) for visit in person.visits),
        *sorted("screen " + "|".join(map(str, screen_key(screen))) for screen in person.screens),
    ]
    return hashlib.sha256("\n".join(said).encode()).digest()


def dose_key(dose: DoseRow) -> DoseKey:
    """What makes two dose rows say the same."""
    return dose.given_on, dose.medicine, dose.form, dose.amount_mg


def visit_key(visit: VisitRow) -> VisitKey:
    """What makes two visit rows say the same."""
    return visit.scheduled_on, visit.label, visit.status, visit.reason


def screen_key(screen: ScreenRow) -> ScreenKey:
    """What makes two screen rows say the same."""
    return screen.collected_on, screen.substance, screen.result


def new_rows(rows: Iterable[_Row], kept: Counter[_Key], key: Callable[[_Row], _Key]) -> Sequence[_Row]:
    """The rows that are not kept yet; as many of those that say the same as there are more than are kept."""
    left = Counter(kept)
    new: list[_Row] = []
    for row in rows:
        if left[key(row)] > 0:
            left[key(row)] -= 1
        else:
            new.append(row)
    return new


def new_visits(rows: Sequence[VisitRow], kept: Mapping[VisitKey, Sequence[VisitSource]]) -> Sequence[Visit]:
    """The visits that are not kept yet; one whose outcome was unknown is replaced by the same one with an outcome."""
    new = new_rows(rows, Counter({key: len(sources) for key, sources in kept.items()}), visit_key)
    still = Counter(map(visit_key, rows))
    settled: dict[tuple[date | None, str], list[VisitSource]] = {}
    for (day, label, status, reason), sources in kept.items():
        gone = len(sources) - still[day, label, status, reason]
        if status is Outcome.UNKNOWN and gone > 0:
            settled.setdefault((day, label), []).extend(sources[:gone])
    visits: list[Visit] = []
    for row in new:
        waiting = settled.get((row.scheduled_on, row.label))
        visits.append(Visit(row=row, replaces=waiting.pop(0) if waiting else None))
    return visits
