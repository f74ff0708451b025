"""What a profile asks before an order is signed: soft stops, each answered by the prescriber with a reason of its own.

Nothing here forbids. The regulation itself allows a documented exception (42 CFR 8.12(h)(3)(ii)), so each stop names its
rule, its source and its facts, and a second request that says why goes through and keeps the answer under the signature.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta

from caseload.domain.errors import Faults
from caseload.domain.medication.beside import Acting, in_conflict, stopped_naltrexone
from caseload.domain.medication.order import Order
from caseload.domain.medication.ordered import Confirmed
from caseload.domain.medication.record import check_reason
from caseload.domain.medication.rising import first_day, rises
from caseload.domain.medication.soft_stop import Before, OrderNeedsConfirmation, SoftStop, text
from caseload.domain.medicines import ACTION, Action
from caseload.domain.profiles import Profile
from caseload.domain.profiles.ladder import Tolerance
from caseload.domain.profiles.ordering import AntagonistBeside

_ONE = timedelta(days=1)


def ask(order: Order, before: Before, rules: Profile) -> Sequence[SoftStop]:
    """Everything that the profile asks about an order."""
    ordering = rules.ordering
    stops: list[SoftStop] = []
    if order.product is None:
        facts: dict[str, object] = {"medicine": order.medicine.value, "form": order.form.value}
        stops.append(SoftStop(said=ordering.unlisted_product, facts=facts | {"strength_mg": text(order.strength_mg)}))
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
        stop
        for rule in ordering.starting
        if order.medicine in rule.medicines
        for stop in first_day(rule, order, before)
    ]
    anew = next((rule.after_days for rule in ordering.starting if order.medicine in rule.medicines), None)
    stops += [
        stop
        for rule in ordering.rising
        if order.medicine in rule.medicines
        for stop in rises(rule, order, before, anew)
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
