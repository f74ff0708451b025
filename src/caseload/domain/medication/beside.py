"""What still acts beside what is ordered or about to be given: naltrexone, methadone and buprenorphine, each for itself.

Judged by the last dose of each product and how long it acts, and by the last day that an order promises; not by active
orders alone: a depot given last month counts.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from caseload.domain.catalogue import acts_for_days
from caseload.domain.medicines import ACTION, Action, Form, Medicine
from caseload.domain.profiles.ordering import Ordering
from caseload.domain.profiles.said import SaidBy


@dataclass(frozen=True, slots=True, kw_only=True)
class Acting:
    """The last day on which a product was given, or will be by an order."""

    medicine: Medicine
    form: Form
    product: str | None
    on: date

    @property
    def until(self) -> date:
        """The last day on which it acts by itself."""
        return self.on + timedelta(days=acts_for_days(self.product, self.medicine, self.form) - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """A rule of the profile that stands between a medicine and what still acts."""

    said: SaidBy
    acting: Acting
    until: date
    """The last day on which the rule stands in the way."""

    @property
    def facts(self) -> dict[str, object]:
        """What it rests on."""
        return {
            "medicine": self.acting.medicine.value,
            "product": self.acting.product,
            "last_on": str(self.acting.on),
            "acts_until": str(self.acting.until),
            "in_the_way_until": str(self.until),
        }


def in_conflict(medicine: Medicine, day: date, acting: Iterable[Acting], ordering: Ordering) -> Sequence[Conflict]:
    """The rules that stand in the way of a medicine on a day, each with the product that does so longest."""
    worst: dict[str, Conflict] = {}
    for other in acting:
        found = _between(medicine, other, ordering)
        if found is None or found.until < day:
            continue
        before = worst.get(found.said.rule)
        if before is None or before.until < found.until:
            worst[found.said.rule] = found
    return [worst[rule] for rule in sorted(worst)]


def stopped_naltrexone(medicine: Medicine, given: Iterable[Acting], day: date, within_days: int) -> Acting | None:
    """The last naltrexone that was taken in so many days and acts no longer, before an agonist; else None."""
    if ACTION[medicine] is Action.ANTAGONIST:
        return None
    first = day - timedelta(days=within_days)
    taken = [each for each in given if ACTION[each.medicine] is Action.ANTAGONIST and first <= each.on < day]
    last = max(taken, key=lambda each: each.on, default=None)
    return last if last is not None and last.until < day else None


def is_another(medicine: Medicine, other: Medicine) -> bool:
    """Whether the two do not go together: both buprenorphines are one, naltrexone and methadone each their own."""
    return _kind(medicine) is not _kind(other)


def _between(medicine: Medicine, other: Acting, ordering: Ordering) -> Conflict | None:
    if not is_another(medicine, other.medicine):
        return None
    if Action.ANTAGONIST not in {ACTION[medicine], ACTION[other.medicine]}:
        return Conflict(said=ordering.another_agonist_beside, acting=other, until=other.until)
    until = other.until
    if ACTION[medicine] is Action.ANTAGONIST:
        until = max(until, other.on + timedelta(days=ordering.antagonist_beside.opioid_free_days - 1))
    return Conflict(said=ordering.antagonist_beside, acting=other, until=until)


def _kind(medicine: Medicine) -> Medicine:
    return Medicine.BUPRENORPHINE if medicine is Medicine.BUPRENORPHINE_NALOXONE else medicine
