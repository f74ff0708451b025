"""Long-acting injections: when the next one may come, where it is given, and for whom it was delivered.

The due date is the last injection and the days of the order; the product's window says how much earlier it may come and
until when it is not overdue. Too early is refused; in a window that no readable source confirms, and when it is overdue, a
prescriber's decision lets it through. Under rapid start (a property of the order) the second injection may come from the
product's earlier day. A first injection is due on the first day of its order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

from caseload.domain.catalogue import Region, Window, product
from caseload.domain.dosing.refusal import Refusal, Rule, policy
from caseload.domain.errors import Fault, Faults, Invalid
from caseload.domain.ids import DeliveryId
from caseload.domain.medication import LOOKS_BACK_DAYS, Order, is_another
from caseload.domain.medication.record import check_reason
from caseload.domain.medicines import LONG_ACTING, Form, Medicine
from caseload.domain.profiles import Profile

_NO_DAYS: Final = timedelta()


class Site(StrEnum):
    """Where an injection was given."""

    ABDOMEN_LEFT = "abdomen_left"
    ABDOMEN_RIGHT = "abdomen_right"
    THIGH_LEFT = "thigh_left"
    THIGH_RIGHT = "thigh_right"
    BUTTOCK_LEFT = "buttock_left"
    BUTTOCK_RIGHT = "buttock_right"
    UPPER_ARM_LEFT = "upper_arm_left"
    UPPER_ARM_RIGHT = "upper_arm_right"

    @property
    def region(self) -> Region:
        """Without the side."""
        return Region(self.value.rpartition("_")[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Injecting:
    """What is said of an injection beside the dose itself."""

    site: Site | None = None
    same_site_reason: str | None = None
    """Why it is the site of the last one."""
    delivery: DeliveryId | None = None
    """What a pharmacy delivered for this client by name, where that is what is given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Injected:
    """An injection that was given."""

    day: date
    medicine: Medicine
    site: Site | None
    """None where nobody said it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """An injection that a pharmacy delivered for one client by name."""

    id: DeliveryId
    medicine: Medicine
    form: Form
    strength_mg: Decimal
    received_on: date
    is_used: bool


class InjectionStanding(StrEnum):
    """How the next injection stands on a day."""

    NOT_YET = "not_yet"
    OPEN = "open"
    """It may be given: the product's window has opened."""
    DUE = "due"
    OVERDUE = "overdue"


@dataclass(frozen=True, slots=True, kw_only=True)
class NextInjection:
    """When the next injection of an order may come."""

    last: Injected | None
    earliest_on: date
    due_on: date
    latest_on: date
    """After it the injection is overdue."""
    window: Window | None
    """None for a strength that the catalogue does not list: then only the order's days count."""

    def standing(self, day: date) -> InjectionStanding:
        """How it stands on a day."""
        if day < self.earliest_on:
            return InjectionStanding.NOT_YET
        if day < self.due_on:
            return InjectionStanding.OPEN
        return InjectionStanding.DUE if day <= self.latest_on else InjectionStanding.OVERDUE


def next_injection(order: Order, injected: Sequence[Injected]) -> NextInjection:
    """When the next injection of an order may come, by those of its medicine among what was `injected`, the newest first."""
    injected = [each for each in injected if not is_another(each.medicine, order.medicine)]
    window = product(order.product).window if order.product is not None else None
    late = timedelta(days=window.late_days) if window is not None else _NO_DAYS
    last = next(iter(injected), None)
    if last is None:
        first = order.starts_on
        return NextInjection(last=None, earliest_on=first, due_on=first, latest_on=first + late, window=window)
    due = last.day + timedelta(days=order.every_days)
    earliest = due
    if window is not None:
        earliest = min(due, last.day + timedelta(days=_apart(order, injected, window)))
    return NextInjection(last=last, earliest_on=earliest, due_on=due, latest_on=due + late, window=window)


def _apart(order: Order, injected: Sequence[Injected], window: Window) -> int:
    """Days that must lie between the last injection and the next: fewer before the second one under rapid start."""
    lately = [each for each in injected[1:] if (injected[0].day - each.day).days <= LOOKS_BACK_DAYS]
    if order.rapid_start and window.rapid_second_day is not None and not lately:
        return window.rapid_second_day
    return window.earliest_days


def not_yet(order: Order, coming: NextInjection, day: date) -> list[Refusal]:
    """What is given too early, whatever anybody decides: the order or the product must say otherwise."""
    if coming.standing(day) is not InjectionStanding.NOT_YET:
        return []
    return [
        Refusal(
            rule=Rule.NOT_SCHEDULED,
            says=f"The next injection may come from {coming.earliest_on} on, and not before.",
            facts={"order": str(order.id), "day": str(day), **_days(coming)},
        )
    ]


def against_window(coming: NextInjection, day: date, rules: Profile) -> list[Refusal]:
    """What a prescriber must decide about: early in a window that nothing confirms, or overdue after another one."""
    if coming.last is None or coming.window is None:
        return []
    match coming.standing(day):
        case InjectionStanding.OPEN if not coming.window.confirmed:
            said, rule = rules.injections.early, Rule.INJECTION_EARLY
        case InjectionStanding.OVERDUE:
            said, rule = rules.injections.overdue, Rule.INJECTION_OVERDUE
        case _:
            return []
    return [Refusal(rule=rule, says=said.says, policy=policy(said.rule, rules), facts=_days(coming))]


def _days(coming: NextInjection) -> dict[str, object]:
    return {
        "last_on": str(coming.last.day) if coming.last is not None else None,
        "earliest_on": str(coming.earliest_on),
        "due_on": str(coming.due_on),
        "latest_on": str(coming.latest_on),
    }


def against_delivery(delivery: Delivery | None, order: Order | None, day: date, rules: Profile) -> list[Refusal]:
    """Whether what was delivered for this client by name is not what is ordered, or may no longer be given to them."""
    if delivery is None:
        return []
    broken: list[Refusal] = []
    if order is not None and delivery.strength_mg != order.strength_mg:
        strengths = {"delivered_mg": f"{delivery.strength_mg:f}", "ordered_mg": f"{order.strength_mg:f}"}
        says = "What was delivered is of another strength than the order says."
        facts: dict[str, object] = {"delivery": str(delivery.id), "order": str(order.id), **strengths}
        broken.append(Refusal(rule=Rule.ANOTHER_MEDICINE, says=says, facts=facts))
    named = rules.injections.named_patient
    if named.within_days is not None and (day - delivery.received_on).days > named.within_days:
        facts = {
            "delivery": str(delivery.id),
            "received_on": str(delivery.received_on),
            "within_days": named.within_days,
            "day": str(day),
        }
        by = policy(named.rule, rules)
        broken.append(Refusal(rule=Rule.DELIVERED_TOO_LONG_AGO, says=named.says, policy=by, facts=facts))
    return broken


def check_injecting(
    injecting: Injecting | None, form: Form, medicine: Medicine, delivery: Delivery | None, day: date
) -> None:
    """Raise `Invalid` where what is said of an injection cannot be, whenever it was given."""
    if injecting is None:
        return
    faults = Faults()
    if form not in LONG_ACTING:
        faults.add("injection", "only an injection has a site")
    if injecting.same_site_reason is not None:
        check_reason(injecting.same_site_reason, faults, "injection.same_site_reason")
    if injecting.delivery is not None:
        faults.check(
            when=delivery is None
            or (delivery.medicine, delivery.form) != (medicine, form)
            or day < delivery.received_on,
            where="injection.delivery_id",
            problem="is nothing of this medicine that had been delivered for this client",
        )
        faults.check(
            when=delivery is not None and delivery.is_used,
            where="injection.delivery_id",
            problem="has been given already",
        )
    faults.raise_if_any()


def check_site(injecting: Injecting | None, coming: NextInjection, rules: Profile) -> None:
    """Raise `Invalid` unless the site of what is about to be given is named, fits the product, and is not the last."""
    if injecting is None or injecting.site is None:
        raise Invalid(Fault("injection.site", "say where it is given"))
    if coming.window is not None and injecting.site.region not in coming.window.sites:
        listed = ", ".join(coming.window.sites)
        raise Invalid(Fault("injection.site", f"this product is given into {listed}"), source=coming.window.source)
    same = coming.last is not None and coming.last.site is injecting.site
    if same and injecting.same_site_reason is None:
        said = rules.injections.site
        raise Invalid(Fault("injection.same_site_reason", said.says), rule=said.rule, profile=rules.label)
