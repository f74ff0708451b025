"""What a history shows: runs of missed days, who takes daily medicine, the last dose of each person.

The rule for a missed day is that of domain reference 1.4: between two days with a dose, every day without one was
missed. Before the first and after the last recorded dose nothing is counted: nobody said that a dose was due.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from caseload.domain.history.gathering import History, Person
from caseload.domain.history.rows import DoseRow, Outcome
from caseload.domain.medicines import ACTION, LONG_ACTING, Action, Form, Medicine
from caseload.domain.profiles import Profile
from caseload.domain.profiles.ladder import GIVES

LONG_RUN = 8
"""Runs of this many missed days and more are counted together."""


def is_daily(medicine: Medicine, form: Form) -> bool:
    """Whether a day without this medicine can be a missed day.

    The agonists by mouth or under the tongue are taken daily. An extended-release injection lasts for weeks, and
    an antagonist leaves no tolerance that a missed day would lose.
    """
    return ACTION[medicine] is Action.AGONIST and form not in LONG_ACTING


def missed_runs(dose_days: Iterable[date]) -> Iterator[int]:
    """The length of each run of consecutive days without a dose between two days with one, in order of time.

    Two doses on one day are one day.
    """
    for before, after in pairwise(sorted(set(dose_days))):
        missed = (after - before).days - 1
        if missed:
            yield missed


def daily_doses(person: Person) -> Mapping[date, set[Medicine]]:
    """The days on which a person took a daily medicine, and which; the doses of one medicine on one day are one."""
    days: dict[date, set[Medicine]] = {}
    for dose in person.doses:
        if is_daily(dose.medicine, dose.form):
            days.setdefault(dose.given_on, set()).add(dose.medicine)
    return days


def after_missed_days(doses: Mapping[date, Iterable[Medicine]]) -> Iterator[tuple[Medicine, int]]:
    """Each dose that came after missed days, by its medicine, with how many were missed."""
    for before, after in pairwise(sorted(doses)):
        missed = (after - before).days - 1
        if missed:
            yield from ((medicine, missed) for medicine in doses[after])


def would_have_stopped(after_missed: Mapping[tuple[Medicine, int], int], rules: Profile) -> int:
    """How many of the doses that came after missed days the ladder of a profile would have stopped.

    The ladder alone: each would have waited for a prescriber, or for a new order. What else a profile asks (first days,
    steps, what still acts) cannot be read from a history.
    """
    stopped = 0
    for (medicine, missed), doses in after_missed.items():
        ladder = rules.ladder(medicine)
        rung = ladder.rung(missed) if ladder is not None else None
        if rung is not None and rung.outcome not in GIVES:
            stopped += doses
    return stopped


@dataclass(frozen=True, slots=True, kw_only=True)
class LastKnown:
    """How far the history of one person reaches."""

    external_id: str
    last_doses: tuple[DoseRow, ...]
    """The doses of the last day with one; empty when there never was one."""
    last_day_covered: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a whole history shows."""

    people: int
    people_with_daily_doses: int
    missed_runs: Counter[int]
    """How many runs there are of each length in days; `LONG_RUN` stands for itself and everything longer."""
    after_missed: Counter[tuple[Medicine, int]]
    """Doses that came after missed days, by their medicine and how many days were missed; those of a day are one."""
    doses: Counter[tuple[Medicine, Form]]
    largest_mg: dict[tuple[Medicine, Form], DoseRow]
    visits: Counter[Outcome]
    visits_without_day: int
    screens: int
    last_known: tuple[LastKnown, ...]


def show(history: History) -> Shown:
    """Count what a history shows. Replaced rows still mark their day, so decisions never change a run."""
    runs: Counter[int] = Counter()
    after: Counter[tuple[Medicine, int]] = Counter()
    doses: Counter[tuple[Medicine, Form]] = Counter()
    largest: dict[tuple[Medicine, Form], DoseRow] = {}
    visits: Counter[Outcome] = Counter()
    with_daily = 0
    for person in history.people.values():
        days = daily_doses(person)
        with_daily += bool(days)
        runs.update(min(length, LONG_RUN) for length in missed_runs(days))
        after.update(after_missed_days(days))
        visits.update(visit.status for visit in person.visits)
        for dose in person.doses:
            made = dose.medicine, dose.form
            doses[made] += 1
            if made not in largest or dose.amount_mg > largest[made].amount_mg:
                largest[made] = dose
    people = history.people.values()
    return Shown(
        people=len(people),
        people_with_daily_doses=with_daily,
        missed_runs=runs,
        after_missed=after,
        doses=doses,
        largest_mg=largest,
        visits=visits,
        visits_without_day=sum(visit.scheduled_on is None for person in people for visit in person.visits),
        screens=sum(len(person.screens) for person in people),
        last_known=tuple(
            LastKnown(
                external_id=external_id, last_doses=person.last_doses(), last_day_covered=person.last_day_covered()
            )
            for external_id, person in history.people.items()
        ),
    )
