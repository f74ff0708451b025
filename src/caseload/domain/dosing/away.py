"""Where tolerance is lost although the missed doses are few: prison, hospital, detox, discharge, and after naltrexone.

An excused day changes attendance only. Whoever missed a dose while in prison, in hospital, in detox or discharged, and of
whom nobody verified what was taken there, has lost tolerance, as whoever stopped naltrexone (its label warns of overdose):
a prescriber decides before the next dose of methadone or buprenorphine, whatever the ladder says of the number. The signed
decision clears it, or a reason with the order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from caseload.domain.dosing.missed import DaysWithout, Taken, ladder_says
from caseload.domain.dosing.refusal import Refusal, Rule, policy
from caseload.domain.medication import Acting, stopped_naltrexone
from caseload.domain.medicines import ACTION, Action, Medicine
from caseload.domain.profiles import Profile


class AwayIn(StrEnum):
    """Where somebody was, or why nothing was given."""

    PRISON = "prison"
    HOSPITAL = "hospital"
    DETOX = "detox"
    DISCHARGE = "discharge"


@dataclass(frozen=True, slots=True, kw_only=True)
class Away:
    """Days on which somebody was away from treatment."""

    where: AwayIn
    first_on: date
    last_on: date | None
    """None while it lasts."""
    record: UUID

    def has(self, day: date) -> bool:
        """Whether the day is one of them."""
        return self.first_on <= day and (self.last_on is None or day <= self.last_on)


def against_absence(without: DaysWithout, away: Sequence[Away], medicine: Medicine, rules: Profile) -> list[Refusal]:
    """What days away put in the way of the next dose, where some of the missed ones are among them and the ladder gives."""
    if not ladder_says(without, medicine, rules).gives:
        return []
    days = [day for day in without.missed if any(each.has(day) for each in away)]
    if ACTION[medicine] is Action.ANTAGONIST or len(days) < rules.tolerance.away_days:
        return []
    where = sorted({each.where.value for each in away if any(each.has(day) for day in days)})
    return [_lost(rules, {"where": where, "days": [str(day) for day in days], "last_taken_on": _last(without.last)})]


def after_naltrexone(
    medicine: Medicine,
    last: Taken | None,
    beside: Sequence[Acting],
    day: date,
    answered: frozenset[str],
    rules: Profile,
) -> list[Refusal]:
    """What a stopped naltrexone puts in the way of the first agonist after it, unless the order was signed in spite of it."""
    stopped = stopped_naltrexone(medicine, beside, day, rules.tolerance.naltrexone_days)
    if stopped is None or rules.tolerance.rule in answered or (last is not None and last.day > stopped.on):
        return []
    return [_lost(rules, {"where": ["naltrexone"], "naltrexone_on": str(stopped.on), "last_taken_on": _last(last)})]


def _lost(rules: Profile, facts: dict[str, object]) -> Refusal:
    said = rules.tolerance
    return Refusal(rule=Rule.TOLERANCE_LOST, says=said.says, policy=policy(said.rule, rules), facts=facts)


def _last(last: Taken | None) -> str | None:
    return str(last.day) if last is not None else None
