"""What a profile asks before an order counts. None of it forbids: each asks for a reason and a second confirmation."""

from collections.abc import Iterable

from caseload.domain.medicines import Medicine
from caseload.domain.profiles.said import Data, SaidBy

LONGEST_WEEKLY_DAYS = 366


class AntagonistBeside(SaidBy, frozen=True):
    """Naltrexone beside methadone or buprenorphine, either way round."""

    opioid_free_days: int
    """Days that must have passed since the last dose of an agonist, if it does not act longer by itself."""
    other_opioid_free_days: int
    """Days that must have passed since any other opioid was last used."""

    def contradictions(self) -> Iterable[str]:
        """What makes it unusable although its form is right."""
        if self.opioid_free_days < 1:
            yield "ordering.antagonist_beside.opioid_free_days must be more than zero"
        if self.other_opioid_free_days < 1:
            yield "ordering.antagonist_beside.other_opioid_free_days must be more than zero"


class Starting(SaidBy, frozen=True):
    """How much of a medicine its first day may hold in all parts together."""

    medicines: tuple[Medicine, ...]
    first_day_mg: int
    after_days: int
    """Whoever has had none of it for so many days begins anew."""


class Rising(SaidBy, frozen=True):
    """How the daily amount of some medicines rises. What is left out, the profile does not limit."""

    medicines: tuple[Medicine, ...]
    at_most_mg: int | None = None
    """The size of one rise."""
    days_apart: int | None = None
    """Days from one rise to the next."""
    week_mg: int | None = None
    """All rises of any seven days together."""
    week_until_day: int | None = None
    """Until which day of treatment the week counts, the day of the first dose being 1; always, when left out."""


class Pharmacy(SaidBy, frozen=True):
    """Which medicines a pharmacy may supply on an order of ours."""

    medicines: tuple[Medicine, ...]


class Verbal(SaidBy, frozen=True):
    """Until when the prescriber countersigns a verbal order; None where there is none."""

    countersign_hours: int | None


class Ordering(Data, frozen=True):
    """Everything that a profile asks of an order."""

    unlisted_product: SaidBy
    antagonist_beside: AntagonistBeside
    another_agonist_beside: SaidBy
    uncovered_days: SaidBy
    step_up: SaidBy
    pharmacy: Pharmacy
    verbal: Verbal
    starting: tuple[Starting, ...]
    rising: tuple[Rising, ...]

    def rules(self) -> tuple[SaidBy, ...]:
        """Every rule of it."""
        whole = (self.unlisted_product, self.antagonist_beside, self.another_agonist_beside, self.uncovered_days)
        return (*whole, self.step_up, self.pharmacy, self.verbal, *self.starting, *self.rising)

    def contradictions(self) -> Iterable[str]:
        """What makes it unusable although its form is right."""
        yield from self.antagonist_beside.contradictions()
        if self.verbal.countersign_hours is not None and self.verbal.countersign_hours < 1:
            yield "ordering.verbal.countersign_hours must be more than zero"
        for name, rules in (("starting", self.starting), ("rising", self.rising)):
            named = [medicine for rule in rules for medicine in rule.medicines]
            if len(set(named)) != len(named):
                yield f"ordering.{name} must name a medicine once"
        for start in self.starting:
            if start.first_day_mg < 1 or start.after_days < 1:
                yield f"{start.rule}: first_day_mg and after_days must be more than zero"
        for rise in self.rising:
            yield from _wrong_rise(rise)


def _wrong_rise(rise: Rising) -> Iterable[str]:
    limits = (rise.at_most_mg, rise.days_apart, rise.week_mg, rise.week_until_day)
    if any(limit is not None and limit < 1 for limit in limits):
        yield f"{rise.rule}: every limit must be more than zero"
    if rise.at_most_mg is None and rise.days_apart is None and rise.week_mg is None:
        yield f"{rise.rule}: must limit something"
    if rise.week_until_day is not None and (rise.week_mg is None or rise.week_until_day > LONGEST_WEEKLY_DAYS):
        yield f"{rise.rule}: week_until_day stands beside week_mg, up to {LONGEST_WEEKLY_DAYS}"
