"""What consecutive missed doses mean: a ladder per medicine, and where tolerance is lost whatever their number."""

from collections.abc import Iterable
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum
from itertools import pairwise

from caseload.domain.medicines import Medicine
from caseload.domain.profiles.said import Data, SaidBy

LONGEST_LOOK_BACK_DAYS = 31
"""The most days in which repeated gaps are counted."""

_WHOLE = Decimal(100)
_THOUSANDTHS = Decimal("0.001")


class Outcome(StrEnum):
    """What a number of missed doses means for the next one."""

    GIVE = "give"
    GIVE_UNLESS_INTOXICATED = "give_unless_intoxicated"
    """Give after looking for intoxication; whoever finds it raises a hold."""
    ASK_PRESCRIBER = "ask_prescriber"
    """Nothing is given until a prescriber has decided."""
    NEW_START = "new_start"
    """The order cannot be given as it stands: a prescriber starts anew, by a new order or with a named lower amount."""


GIVES = frozenset({Outcome.GIVE, Outcome.GIVE_UNLESS_INTOXICATED})


class Proposal(Data, frozen=True):
    """What the published ladder proposes to a prescriber for the restart; it never decides by itself."""

    percent: int
    at_most_mg: Decimal | None = None
    at_least_mg: Decimal | None = None

    def amount_mg(self, last_taken_mg: Decimal) -> Decimal:
        """The proposed amount: never more than the last dose taken. Only a prescriber rounds it (domain: precision)."""
        proposed = last_taken_mg * self.percent / _WHOLE
        if self.at_most_mg is not None:
            proposed = min(proposed, self.at_most_mg)
        if self.at_least_mg is not None:
            proposed = max(proposed, self.at_least_mg)
        return min(proposed, last_taken_mg).quantize(_THOUSANDTHS, rounding=ROUND_DOWN)


class Rung(SaidBy, frozen=True):
    """From so many consecutive missed doses on, until the next rung."""

    from_missed: int
    outcome: Outcome
    proposal: Proposal | None = None


class Titration(SaidBy, frozen=True):
    """While a dose is still being built up, missed ones are told to the prescriber also where the next may be given."""

    days: int
    """Days of treatment that count as titration, and longer while a step up is still to come."""
    from_missed: int


class Repeated(SaidBy, frozen=True):
    """Missed and partial doses that are not one run: so many of the last days ask the prescriber."""

    from_days: int
    of_days: int


class Ladder(Data, frozen=True):
    """What consecutive missed doses of some medicines mean. Each ladder names its medicines."""

    medicines: tuple[Medicine, ...]
    rungs: tuple[Rung, ...]
    titration: Titration | None = None
    repeated: Repeated | None = None

    def rung(self, missed: int) -> Rung | None:
        """The rung that so many missed doses reach; None when none was missed."""
        reached = [rung for rung in self.rungs if rung.from_missed <= missed]
        return reached[-1] if reached else None


class Tolerance(SaidBy, frozen=True):
    """Where tolerance is lost whatever the number of missed doses: away from treatment, or after naltrexone."""

    away_days: int
    """From so many missed days in prison, in hospital, in detox or after a discharge on."""
    naltrexone_days: int
    """Days after the last naltrexone in which the first agonist asks."""


def wrong_ladder(ladder: Ladder) -> Iterable[str]:
    steps = [rung.from_missed for rung in ladder.rungs]
    if not steps or steps[0] != 1 or any(later <= earlier for earlier, later in pairwise(steps)):
        yield "the rungs of a ladder must begin at 1 missed dose and rise"
    for rung in ladder.rungs:
        if rung.proposal is not None and not 0 < rung.proposal.percent <= _WHOLE:
            yield f"{rung.rule}: percent must lie between 1 and 100"
    titration, repeated = ladder.titration, ladder.repeated
    if titration is not None and (titration.days < 1 or titration.from_missed < 1):
        yield f"{titration.rule}: days and from_missed must be more than zero"
    if repeated is not None and not 1 <= repeated.from_days <= repeated.of_days <= LONGEST_LOOK_BACK_DAYS:
        yield f"{repeated.rule}: 1 <= from_days <= of_days <= {LONGEST_LOOK_BACK_DAYS}"
