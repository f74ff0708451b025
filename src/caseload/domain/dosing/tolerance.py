"""What missed doses put in the way of the next one, and which decision of a prescriber is enough to clear it."""

from collections.abc import Sequence
from datetime import date
from typing import Final

from caseload.domain.dosing.facts import Allowed, Lately
from caseload.domain.dosing.lapses import repeated_gaps
from caseload.domain.dosing.missed import DaysWithout, ladder_says
from caseload.domain.dosing.refusal import Refusal, Rule, policy
from caseload.domain.medication import MedicationRecord, Order, is_another
from caseload.domain.medicines import Medicine
from caseload.domain.profiles import Profile

_MOST_DAYS_LISTED: Final = 31


def against_ladder(without: DaysWithout, medicine: Medicine, rules: Profile) -> list[Refusal]:
    """What missed doses, and days that nobody knows of, put in the way of the next dose of a medicine."""
    in_the_way: list[Refusal] = []
    if without.not_known:
        in_the_way.append(
            Refusal(
                rule=Rule.DAYS_NOT_KNOWN,
                says=rules.unknown_days.says,
                policy=policy(rules.unknown_days.rule, rules),
                facts=_days("not_known", without.not_known) | _last(without),
            )
        )
    ladder = ladder_says(without, medicine, rules)
    if ladder.rung is not None and not ladder.gives:
        facts_of_it = _days("missed", without.missed) | _last(without)
        if ladder.proposed_mg is not None:
            facts_of_it["proposed_mg"] = str(ladder.proposed_mg)
        in_the_way.append(
            Refusal(
                rule=Rule.MISSED_DOSES,
                says=ladder.rung.says,
                policy=policy(ladder.rung.rule, rules),
                facts=facts_of_it,
            )
        )
    return in_the_way


def against_gaps(
    without: DaysWithout,
    lately: Sequence[Lately],
    medicine: Medicine,
    order: Order | None,
    orders: Sequence[Order],
    record: MedicationRecord,
    day: date,
) -> list[Refusal]:
    """Everything that days without medicine put in the way of the next dose: the run of them, and those before it."""
    ladder = against_ladder(without, medicine, record.rules_on(day))
    return [*ladder, *repeated_gaps(without, lately, order, orders, record, day)]


def is_enough(
    allowed: Allowed | None,
    without: DaysWithout,
    medicine: Medicine,
    order: Order | None,
    record: MedicationRecord,
    rules: Profile,
) -> bool:
    """Whether a decision clears what the ladder says: it was taken about this gap, and says what it must.

    Milligrams of one medicine never apply to another. One that nobody used before the next dose says nothing of the days that were missed after that dose; see also
    `needs_restart_amount`.
    """
    last_day = without.last.day if without.last is not None else None
    if allowed is None or allowed.last_taken_on != last_day:
        return False
    if allowed.medicine is not None and is_another(allowed.medicine, medicine):
        return False
    return allowed.at_most_mg is not None or not needs_restart_amount(without, medicine, order, record, rules)


def needs_restart_amount(
    without: DaysWithout, medicine: Medicine, order: Order | None, record: MedicationRecord, rules: Profile
) -> bool:
    """Whether a decision must name the amount to restart with.

    So many doses were missed that the order cannot be given as it stands, or nobody knows whether the last one that we
    know of was the last (CA Bridge: an unknown last dose is a new start), and it was signed before that: either a new
    order is written, or the decision says how much.
    """
    if not ladder_says(without, medicine, rules).is_new_start and not without.not_known:
        return False
    since = without.last.day if without.last is not None else without.missed[0]
    return order is None or order.signed_at is None or record.day_of(order.signed_at) <= since


def _days(name: str, days: Sequence[date]) -> dict[str, object]:
    return {name: len(days), f"{name}_days": [str(day) for day in days[-_MOST_DAYS_LISTED:]]}


def _last(without: DaysWithout) -> dict[str, object]:
    return {"last_taken_on": str(without.last.day) if without.last is not None else None}
