"""What a profile asks before an order is signed: soft stops, each answered by the prescriber with a reason of its own.

Nothing here forbids. The regulation itself allows a documented exception (42 CFR 8.12(h)(3)(ii)), so each stop names its
rule, its source and its facts, and a second request that says why goes through and keeps the answer under the signature.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from caseload.domain.errors import Conflict, Faults
from caseload.domain.medication.beside import Acting, in_conflict, stopped_naltrexone
from caseload.domain.medication.order import Order
from caseload.domain.medication.ordered import Confirmed
from caseload.domain.medication.record import MedicationRecord, check_reason
from caseload.domain.medicines import ACTION, Action
from caseload.domain.profiles import Profile
from caseload.domain.profiles.ladder import Tolerance
from caseload.domain.profiles.ordering import AntagonistBeside, Rising, Starting
from caseload.domain.profiles.said import SaidBy

_ONE = timedelta(days=1)
_WEEK = timedelta(days=6)


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftStop:
    """One rule that asks, with the facts it asks about."""

    said: SaidBy
    facts: dict[str, object] = field(default_factory=dict[str, object])


class OrderNeedsConfirmation(Conflict):
    """The profile asks for a reason before this order counts."""

    def __init__(self, stops: Sequence[SoftStop], rules: Profile) -> None:
        super().__init__(
            " ".join(stop.said.says for stop in stops) + " Sign again with a reason for each rule.",
            rule=stops[0].said.rule,
            rules=[
                {
                    "rule": stop.said.rule,
                    "says": stop.said.says,
                    "policy": f"{stop.said.rule} of {rules.label}",
                    "facts": stop.facts,
                }
                for stop in stops
            ],
            profile=rules.label,
        )
        self.rules = tuple(stop.said.rule for stop in stops)


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """What the record says before an order is signed."""

    record: MedicationRecord
    orders: Sequence[Order]
    """The client's other orders that were signed."""
    given: Sequence[Acting]
    """The last day of every product that was taken lately."""
    today: date


def ask(order: Order, before: Before, rules: Profile) -> Sequence[SoftStop]:
    """Everything that the profile asks about an order."""
    ordering = rules.ordering
    stops: list[SoftStop] = []
    if order.product is None:
        facts: dict[str, object] = {"medicine": order.medicine.value, "form": order.form.value}
        stops.append(SoftStop(said=ordering.unlisted_product, facts=facts | {"strength_mg": _text(order.strength_mg)}))
    begins = max(order.starts_on, before.today)
    stops += [
        SoftStop(said=conflict.said, facts=conflict.facts)
        for conflict in in_conflict(order.medicine, begins, [*before.given, *_promised(order, before)], ordering)
    ]
    if order.beside is not None:
        stops = [*_of_two(order, stops, rules), SoftStop(said=rules.minimum_interval, facts=_apart(order, rules))]
    stops += _opioid_free(order, begins, ordering.antagonist_beside, stops)
    stops += _after_naltrexone(order, begins, before, rules.tolerance)
    uncovered = _uncovered(order, before)
    if uncovered:
        stops.append(SoftStop(said=ordering.uncovered_days, facts={"days": [str(day) for day in uncovered]}))
    stops += [
        stop for rule in ordering.starting if order.medicine in rule.medicines for stop in _start(rule, order, before)
    ]
    anew = next((rule.after_days for rule in ordering.starting if order.medicine in rule.medicines), None)
    stops += [
        stop
        for rule in ordering.rising
        if order.medicine in rule.medicines
        for stop in _rises(rule, order, before, anew)
    ]
    return stops


def _of_two(order: Order, stops: Sequence[SoftStop], rules: Profile) -> Iterable[SoftStop]:
    """The stops, with the order beside which this one is to stand named in the rule about the two medicines."""
    about = {rules.ordering.another_agonist_beside.rule, rules.ordering.antagonist_beside.rule}
    for stop in stops:
        named: dict[str, object] = {"beside": str(order.beside)} if stop.said.rule in about else {}
        yield SoftStop(said=stop.said, facts=stop.facts | named)


def _apart(order: Order, rules: Profile) -> dict[str, object]:
    """Two medicines beside each other may come closer than doses of one may: that is asked once, when it is ordered."""
    return {"beside": str(order.beside), "hours": rules.minimum_interval.hours}


def _after_naltrexone(order: Order, begins: date, before: Before, rule: Tolerance) -> Iterable[SoftStop]:
    """An agonist after naltrexone that acts no longer, with no agonist taken since: tolerance is lost."""
    stopped = stopped_naltrexone(order.medicine, before.given, begins, rule.naltrexone_days)
    if stopped is None or any(
        ACTION[each.medicine] is Action.AGONIST and each.on > stopped.on for each in before.given
    ):
        return
    facts: dict[str, object] = {"where": ["naltrexone"], "naltrexone_on": str(stopped.on)}
    yield SoftStop(said=rule, facts=facts)


def _opioid_free(order: Order, begins: date, rule: AntagonistBeside, stops: Sequence[SoftStop]) -> Iterable[SoftStop]:
    """Naltrexone too soon after an opioid that is in no record of ours, unless the same rule asks already."""
    if order.last_opioid_on is None or rule in [stop.said for stop in stops]:
        return
    if (begins - order.last_opioid_on).days < rule.other_opioid_free_days:
        facts: dict[str, object] = {"last_opioid_on": str(order.last_opioid_on), "begins_on": str(begins)}
        yield SoftStop(said=rule, facts=facts | {"opioid_free_days": rule.other_opioid_free_days})


def answer(
    stops: Sequence[SoftStop], reasons: Mapping[str, str], rules: Profile, *, now: datetime
) -> tuple[Confirmed, ...]:
    """Every stop with the prescriber's reason. Raises `OrderNeedsConfirmation` for all when one is not answered.

    Raises `Invalid` for a reason that says nothing, or to which no stop of now belongs.
    """
    asked = {stop.said.rule for stop in stops}
    faults = Faults()
    for rule, reason in reasons.items():
        faults.check(
            when=rule not in asked, where=f"confirmed.{rule}", problem="this rule asks nothing of this order now"
        )
        check_reason(reason, faults, f"confirmed.{rule}")
    faults.raise_if_any()
    if asked - set(reasons):
        raise OrderNeedsConfirmation(stops, rules)
    return tuple(
        Confirmed(
            rule=stop.said.rule,
            profile=rules.profile,
            profile_version=rules.version,
            reason=reasons[stop.said.rule],
            facts=stop.facts,
            at=now,
        )
        for stop in sorted(stops, key=lambda stop: stop.said.rule)
    )


def _promised(order: Order, before: Before) -> Iterable[Acting]:
    """The last day until this order begins on which another order in force will have been given."""
    for other in before.orders:
        last = other.last_day(before.record.time_zone)
        if other.id == order.beside:
            # Both are in force from then on, however long.
            first = max(order.starts_on, other.starts_on, before.today)
            yield Acting(medicine=other.medicine, form=other.form, product=other.product, on=first)
            continue
        until = order.starts_on - _ONE if last is None else min(last, order.starts_on - _ONE)
        if max(other.starts_on, before.today) <= until:
            yield Acting(medicine=other.medicine, form=other.form, product=other.product, on=until)


def _uncovered(order: Order, before: Before) -> Sequence[date]:
    """Days from today on that lie between this order and its neighbours, and belong to none."""
    zone = before.record.time_zone
    orders = [other for other in before.orders if other.id != order.beside]
    ends = [other.last_day(zone) for other in orders if other.starts_on < order.starts_on]
    days: list[date] = []
    last = max((end for end in ends if end is not None), default=None)
    if None not in ends and last is not None and last >= before.today - _ONE:
        days += _days(max(last + _ONE, before.today), order.starts_on)
    after = [
        other.starts_on
        for other in orders
        if order.ends_on is not None and other.starts_on > order.ends_on and _still_comes(other, zone)
    ]
    if after and order.ends_on is not None:
        days += _days(order.ends_on + _ONE, min(after))
    return days


def _still_comes(other: Order, zone: str) -> bool:
    last = other.last_day(zone)
    return last is None or last >= other.starts_on


def _days(first: date, until: date) -> Sequence[date]:
    return [first + timedelta(days=number) for number in range((until - first).days)]


def _start(rule: Starting, order: Order, before: Before) -> Iterable[SoftStop]:
    """The first day's total, of whoever has had none of this medicine for long enough to begin anew."""
    had = [acting.on for acting in before.given if acting.medicine is order.medicine]
    last = max(had, default=None)
    if last is not None and (max(order.starts_on, before.today) - last).days < rule.after_days:
        return
    total = order.total_on(order.starts_on)
    if total > rule.first_day_mg:
        yield SoftStop(
            said=rule,
            facts={
                "day": str(order.starts_on),
                "first_day_mg": _text(total),
                "at_most_mg": rule.first_day_mg,
                "last_taken_on": str(last) if last is not None else None,
            },
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """From a day on so much a day is ordered."""

    day: date
    total_mg: Decimal


def levels(order: Order, before: Before) -> Sequence[Level]:
    """What is ordered a day, wherever it changes: by the orders of this medicine before, and by this one."""
    others = [other for other in before.orders if other.medicine is order.medicine]
    zone = before.record.time_zone
    turns = {turn for each in (*others, order) for turn in each.turns(zone)}
    found: list[Level] = []
    for day in sorted(turns):
        total = _total(day, order, others, zone)
        if not found or found[-1].total_mg != total:
            found.append(Level(day=day, total_mg=total))
    return found


def _total(day: date, order: Order, others: Sequence[Order], zone: str) -> Decimal:
    if order.starts_on <= day and (order.ends_on is None or day <= order.ends_on):
        return order.total_on(day)
    return next((other.total_on(day) for other in others if other.covers(day, zone)), Decimal())


@dataclass(frozen=True, slots=True, kw_only=True)
class Rise:
    """From a day on more is ordered than before."""

    day: date
    from_mg: Decimal
    size_mg: Decimal


def course(order: Order, before: Before, anew_after_days: int | None) -> tuple[date, Sequence[Rise]]:
    """When the treatment began of which this order is a part, and every rise since, the last ordered amount counting.

    Days without an order make no rise smaller: after so many of them (None: never) a treatment begins anew.
    """
    begun, last, empty_from = order.starts_on, Decimal(), None
    rises: list[Rise] = []
    for level in levels(order, before):
        if not level.total_mg:
            empty_from = level.day
            continue
        gap = (level.day - empty_from).days if empty_from is not None else 0
        if not last or (anew_after_days is not None and gap >= anew_after_days):
            begun, rises = level.day, []
        elif level.total_mg > last:
            rises.append(Rise(day=level.day, from_mg=last, size_mg=level.total_mg - last))
        last, empty_from = level.total_mg, None
    return begun, rises


def treatment_begun(order: Order, orders: Sequence[Order], record: MedicationRecord, rules: Profile) -> date:
    """The first day of the treatment with this medicine that an order continues; of brought-in history, long ago."""
    anew = next((rule.after_days for rule in rules.ordering.starting if order.medicine in rule.medicines), None)
    others = [other for other in orders if other.id != order.id]
    begun, _ = course(order, Before(record=record, orders=others, given=(), today=order.starts_on), anew)
    if record.history_until is not None and (anew is None or (begun - record.history_until).days < anew):
        return date.min
    return begun


def _rises(rule: Rising, order: Order, before: Before, anew_after_days: int | None) -> Iterable[SoftStop]:
    """The first rise of this order that is larger, earlier or more in a week than the profile names."""
    begun, rises = course(order, before, anew_after_days)
    for number, rise in enumerate(rises):
        if rise.day < order.starts_on:
            continue
        facts = _against(rule, rise, begun, rises[: number + 1])
        if facts:
            told = {"day": str(rise.day), "from_mg": _text(rise.from_mg), "rise_mg": _text(rise.size_mg)}
            yield SoftStop(said=rule, facts=told | facts)
            return


def _against(rule: Rising, rise: Rise, begun: date, until_now: Sequence[Rise]) -> dict[str, object]:
    """What the rule says about one rise; nothing when it allows it. The first day counts as a change like a rise."""
    facts: dict[str, object] = {}
    if rule.at_most_mg is not None and rise.size_mg > rule.at_most_mg:
        facts["at_most_mg"] = rule.at_most_mg
    last = until_now[-2].day if len(until_now) > 1 else begun
    if rule.days_apart is not None and (rise.day - last).days < rule.days_apart:
        facts |= {"last_change_on": str(last), "days_apart": rule.days_apart}
    week = sum((each.size_mg for each in until_now if each.day >= rise.day - _WEEK), Decimal())
    counts = rule.week_until_day is None or (rise.day - begun).days < rule.week_until_day
    if rule.week_mg is not None and counts and week > rule.week_mg:
        facts |= {"risen_in_week_mg": _text(week), "week_mg": rule.week_mg}
    return facts


def _text(amount: Decimal) -> str:
    return f"{amount.normalize():f}"
