"""The rules as the handbook has them, written anew and not taken from the code: what may never be given all the same.

It says only what certainly stands in the way. A profile may ask more; what it may not do is let any of this through.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import combinations
from typing import Final
from zoneinfo import ZoneInfo

from caseload.domain.medication import Order, Supply
from caseload.domain.medicines import DosePart, Form, Medicine
from tests.db.medication_machine.products import (
    INJECTION,
    OTHER_OPIOID_FREE_DAYS,
    SOLUTION,
    TOLERANCE_DAYS,
    Product,
    Swallowed,
    blocks,
    kind,
    product_of,
)
from tests.db.medication_machine.remembered import Delivered, Remembered
from tests.db.medication_machine.rising import at_most

STOPS_FROM: Final = {"AU": 3, "UK": 3, "US": 3, "US-CA-BRIDGE": 4}
"""From how many missed doses of methadone a prescriber is asked, as published (domain reference 1.4)."""

OTHERS_STOP_FROM: Final = 3
"""From how many of buprenorphine or naltrexone, in every profile (product convention)."""

SUSPENDS_FROM: Final = 3
"""From how many missed doses nothing is taken home before a prescriber has decided anew, in every profile."""

APART: Final = timedelta(hours=8)
"""How far apart doses of two days lie in every profile."""

LADDER: Final = {"US": ((1, 7), (15, 14), (31, 28)), "US-CA-BRIDGE": ((1, 7), (15, 14), (31, 28))}
"""How many days of methadone may be taken home from which day of treatment (42 CFR 8.12(i)(3)); none elsewhere."""

CLOSED_NEEDS_DECISION: Final = {"AU", "UK"}
"""Where what is handed out for a closed day rests on a decision all the same (42 CFR 8.12(i)(1) asks for none)."""

DELIVERED_WITHIN_DAYS: Final = 45
"""Within which an injection that was delivered by name is given, in the US."""

VERBAL_HOURS: Final = {"AU": 24, "US": 72, "US-CA-BRIDGE": 72}
"""How long a verbal order counts unsigned; there is none in the UK."""


@dataclass
class Handbook:
    """Read over what happened to one client."""

    known: Remembered
    profile: str
    zone: ZoneInfo

    def day_of(self, at: datetime) -> date:
        return at.astimezone(self.zone).date()

    def in_the_way(
        self, order: Order, amount: Decimal, part: DosePart, at: datetime, *, at_home: bool = True
    ) -> list[str]:
        """Why nobody may give this at our window, or at that of the programme where the client is a guest."""
        day = self.day_of(at)
        why = self.of_order(order, part, day, at)
        if self.is_away(day) is at_home:
            why.append("a guest elsewhere" if at_home else "no guest here")
        if amount > at_most(order, part, day, self.known):
            why.append("more than ordered")
        if any(dose.day == day and dose.dose.part.meets(part) for dose in self.known.taken()):
            why.append("given already")
        if any(each.day == day for each in self.known.said):
            why.append("somebody else has given it")
        if any(other != day and abs(hour - at) < APART for other, hour in self.hours(order.medicine, order.form)):
            why.append("too soon")
        if self.known.at_home(day, part):
            why.append("at home")
        if self.known.visits:
            why += self.of_visit(order, day)
        return why + self.of_days(order, day) + self.of_others(order, day)

    def of_visit(self, order: Order, day: date) -> list[str]:
        """What the agreement with the home programme of a guest from outside says against a dose."""
        visit = next((each for each in self.known.visits.values() if each.covers(day)), None)
        if visit is None:
            return ["no day of a guest"]
        why = ["handed out at home"] if day in visit.holds_on else []
        return why if order.id in visit.orders else [*why, "not signed for this visit"]

    def is_away(self, day: date) -> bool:
        """Whether the client is a guest of another programme on a day."""
        return any(each.first_on <= day <= each.last_on for each in self.known.away.values())

    def of_order(self, order: Order, part: DosePart, day: date, at: datetime) -> list[str]:
        """What the order, and the holds aimed at it or at its day, say against a dose."""
        why: list[str] = []
        if order.id in self.known.stopped or not self.in_force(order, day):
            why.append("no order in force")
        if self.is_overdue(order, at):
            why.append("not countersigned in time")
        if order.supply is Supply.PHARMACY:
            why.append("a pharmacy supplies it")
        if order.form is not INJECTION and (day - order.starts_on).days % order.every_days:
            why.append("not scheduled")
        for aim in self.known.holds.values():
            aimed_here = aim.on_day in {None, day} and (aim.part is None or aim.part.meets(part))
            if aimed_here and aim.order in {None, order.id}:
                why.append("held")
        return why

    def of_days(self, order: Order, day: date, *, for_later: bool = False) -> list[str]:
        """What days without medicine say against a dose that no prescriber decided about.

        Of a dose for later what was taken on this day counts, too: whatever rule it broke was held, and decided about.
        """
        last = self.last_day(day + timedelta(days=for_later), order.medicine, order.form)
        is_allowed = (day, last) in self.known.allowed
        if order.form is INJECTION:
            return self.of_injection(order, day, is_allowed=is_allowed)
        stops = STOPS_FROM[self.profile] if order.medicine is Medicine.METHADONE else OTHERS_STOP_FROM
        return ["missed doses"] if len(self.missed(last, day)) >= stops and not is_allowed else []

    def of_injection(self, order: Order, day: date, *, is_allowed: bool) -> list[str]:
        """What the product's window says, counted from the last injection of the same medicine."""
        injections = (each for each in self.swallowed() if each.is_like(order.medicine, INJECTION))
        last = max((each.day for each in injections if each.day < day), default=None)
        if last is None:
            return []
        product, days = self.product(order), (day - last).days
        if days < min(product.earliest_days, order.every_days):
            return ["the last injection is too recent"]
        is_early = product.asks_early and days < order.every_days
        if (is_early or days > order.every_days + product.late_days) and not is_allowed:
            return ["outside of the window of the injection"]
        return []

    def of_delivery(self, order: Order, delivered: Delivered, day: date) -> list[str]:
        """What is said against what a pharmacy delivered for this client by name (21 CFR 1306.07(f)(5))."""
        why = ["another strength was delivered"] if delivered.strength_mg != order.strength_mg else []
        if self.profile.startswith("US") and (day - delivered.received_on).days > DELIVERED_WITHIN_DAYS:
            why.append("delivered too long ago")
        return why

    def of_others(self, order: Order, day: date) -> list[str]:
        """What still acts, or acted lately, that does not go together with this; answers stand under the order."""
        answered = {each.rule.partition(".")[2] for each in order.confirmed}
        rule = "antagonist_beside" if blocks(order.medicine) else "another_agonist_beside"
        why: list[str] = []
        for each in self.swallowed():
            if self.both_ordered(each.medicine, order.medicine, each.day):
                continue
            said = "antagonist_beside" if blocks(each.medicine) else rule
            if each.stands_against(order.medicine, day) and said not in answered:
                why.append(f"{each.medicine} acts")
        opioid = order.last_opioid_on
        if opioid is not None and day < opioid + timedelta(days=OTHER_OPIOID_FREE_DAYS) and rule not in answered:
            why.append("another opioid was used")
        if self.lost_tolerance(order, day) and "tolerance_lost" not in answered:
            why.append("naltrexone was stopped")
        return why

    def lost_tolerance(self, order: Order, day: date) -> bool:
        """Whether it would be the first agonist after naltrexone that acts no longer, and nobody has decided about it."""
        blocking = [each for each in self.swallowed() if blocks(each.medicine) and each.day < day]
        if blocks(order.medicine) or not blocking:
            return False
        stopped = max(blocking, key=lambda each: each.day)
        last = self.last_day(day + timedelta(days=1), order.medicine, order.form)
        is_over = stopped.day + timedelta(days=stopped.acts_days) <= day <= stopped.day + timedelta(TOLERANCE_DAYS)
        return is_over and (last is None or last <= stopped.day) and (day, last) not in self.known.allowed

    def product(self, order: Order) -> Product:
        return product_of(order.medicine, order.form, self.profile, order.strength_mg)

    def swallowed(self) -> Iterable[Swallowed]:
        """Everything that was taken, here, at home and elsewhere."""
        orders = {order.id: order for order in self.known.orders}
        for given in self.known.taken():
            order = orders.get(given.dose.order) if given.dose.order is not None else None
            days = self.product(order).acts_days if order is not None else SOLUTION.acts_days
            yield Swallowed(given.dose.medicine, given.dose.form, given.day, days)
        for each in self.known.units.values():
            if each.counts:
                days = self.product(orders[each.unit.order]).acts_days
                yield Swallowed(each.unit.medicine, each.unit.form, each.unit.for_on, days)
        for said in self.known.said:
            yield Swallowed(SOLUTION.medicine, SOLUTION.form, said.day, SOLUTION.acts_days)

    def last_day(self, before: date, medicine: Medicine, form: Form) -> date | None:
        """The last day on which something was taken that tells of the tolerance to this."""
        like = (
            each.day
            for each in self.swallowed()
            if each.is_like(medicine, form) and not self.both_ordered(each.medicine, medicine, each.day)
        )
        return max((day for day in like if day < before), default=None)

    def both_ordered(self, one: Medicine, other: Medicine, day: date) -> bool:
        """Whether two medicines were ordered beside each other on a day: then each counts by itself, in spite of the other."""
        if kind(one) is kind(other):
            return False
        return any(
            {kind(first.medicine), kind(second.medicine)} == {kind(one), kind(other)}
            for first, second in combinations(self.known.orders, 2)
            if first.id == second.beside or second.id == first.beside
            if self.was_in_force(first, day) and self.was_in_force(second, day)
        )

    def was_in_force(self, order: Order, day: date) -> bool:
        """By its days, and on the day on which it was stopped as well."""
        stopped = self.known.stopped.get(order.id)
        return self.in_force(order, day) and (stopped is None or day <= self.day_of(stopped))

    def hours(self, medicine: Medicine, form: Form) -> list[tuple[date, datetime]]:
        """The days and hours at which something like this was taken, as far as anybody knows the hour."""
        ours = [
            (given.day, given.at)
            for given in self.known.taken()
            if Swallowed(given.dose.medicine, given.dose.form, given.day, 1).is_like(medicine, form)
            and not self.both_ordered(given.dose.medicine, medicine, given.day)
        ]
        elsewhere = [(each.day, each.at) for each in self.known.said if each.at is not None]
        is_like_theirs = Swallowed(SOLUTION.medicine, SOLUTION.form, date.min, 1).is_like(medicine, form)
        return ours + (elsewhere if is_like_theirs else [])

    def unsigned(self) -> list[Order]:
        """What was spoken and not signed, by the oldest."""
        signed = self.known.countersigned
        return [each for each in self.known.orders if each.verbal_by is not None and each.id not in signed]

    def is_overdue(self, order: Order, at: datetime) -> bool:
        """A verbal order counts so many hours, and later again once its prescriber has signed."""
        if order.verbal_by is None or order.id in self.known.countersigned:
            return False
        return at > order.written_at + timedelta(hours=VERBAL_HOURS[self.profile])

    def in_force(self, order: Order, day: date) -> bool:
        """By its own days, and those of an order that took its place."""
        later = [each for each in self.known.orders if each.replaces == order.id]
        ends = [order.ends_on or date.max, *(each.starts_on - timedelta(days=1) for each in later)]
        return order.starts_on <= day <= min(ends)

    def order_on(self, day: date) -> Order | None:
        """The order that counts on a day."""
        orders = [each for each in self.known.orders if each.id not in self.known.stopped]
        return next((each for each in orders if self.in_force(each, day)), None)

    def missed(self, last: date | None, day: date) -> list[date]:
        """The days between without a dose, but for those that an alternate-day order leaves out."""
        if last is None:
            return []
        between = [last + timedelta(days=number) for number in range(1, (day - last).days)]
        return [each for each in between if not self.left_out(each)]

    def suspends(self, day: date) -> bool:
        """Whether so many doses were missed before a day that what may be taken home is decided anew."""
        last = self.last_day(day + timedelta(days=1), SOLUTION.medicine, SOLUTION.form)
        missed = self.missed(last, day)
        decided_on = self.known.decision.decided_on if self.known.decision is not None else date.max
        return len(missed) >= SUSPENDS_FROM and decided_on <= missed[SUSPENDS_FROM - 1]

    def left_out(self, day: date) -> bool:
        end = datetime.combine(day + timedelta(days=1), datetime.min.time(), self.zone).astimezone(UTC)
        return any(
            order.form is not INJECTION
            and self.in_force(order, day)
            and self.began_to_count(order) < end
            and self.known.stopped.get(order.id, end) >= end
            and (day - order.starts_on).days % order.every_days
            for order in self.known.orders
        )

    def began_to_count(self, order: Order) -> datetime:
        if order.verbal_by is not None:
            return order.written_at
        assert order.signed_at is not None
        return order.signed_at

    def is_plain(self, order: Order, day: date) -> bool:
        """Whether nothing else that a profile may ask has a ground: whole doses of one daily order, none missed."""
        week = [day - timedelta(days=number) for number in range(1, 8)]
        ordinary = [dose for dose in self.known.taken() if dose.ordinary and not dose.came_back]
        in_full = {dose.day for dose in ordinary if dose.dose.amount_mg == order.amounts_mg.get(DosePart.WHOLE)}
        return (
            order.every_days == 1
            and not order.steps
            and set(order.amounts_mg) == {DosePart.WHOLE}
            and len(self.known.orders) == 1
            and not (self.known.stopped or self.known.units or self.known.said or self.known.unverified)
            and not self.known.away
            and all(each in in_full or each < order.starts_on for each in week)
        )

    def against_taking_home(self, order: Order | None, part: DosePart, day: date, now: datetime) -> list[str]:
        """Why nobody may hand out a unit for a part of a day."""
        today = self.day_of(now)
        if order is None:
            return ["no order in force"]
        why = self.of_order(order, part, day, now) + self.of_others(order, today)
        why += ["never taken home"] if order.form is INJECTION else self.of_days(order, today, for_later=True)
        if day < today:
            why.append("the day has passed")
        if self.is_away(day):
            why.append("a guest elsewhere")
        units = [each for each in self.known.units.values() if each.unit.for_on == day]
        if any(each.unit.part.meets(part) and not each.full for each in units):
            why.append("handed out already")
        if any(dose.day == day == today and dose.dose.part.meets(part) for dose in self.known.taken()):
            why.append("given already")
        return why

    def above_the_ladder(self, days: int, today: date) -> bool:
        """Whether so many days are more than federal law lets go on this day of treatment."""
        steps = LADDER.get(self.profile)
        ours = [*(dose.day for dose in self.known.taken() if dose.day <= today)]
        day_of_treatment = (today - min(ours)).days + 1 if ours else 1
        return steps is not None and days > max(most for since, most in steps if since <= day_of_treatment)

    def held_days(self, today: date) -> set[date]:
        """The days from today on, but for closed ones, for which the client holds a unit of methadone."""
        units = (each.unit for each in self.known.units.values() if not each.full)
        return {
            unit.for_on
            for unit in units
            if unit.for_on >= today and not unit.is_closure and unit.medicine is Medicine.METHADONE
        }

    def against_so_many(self, days: set[date], today: date) -> list[str]:
        """What the decision about methadone and the ladder say of days that would then be in the client's hands."""
        asked, decision = days - self.known.closed, self.known.decision
        if not asked and self.profile not in CLOSED_NEEDS_DECISION:
            return []
        if decision is None or self.known.suspended:
            return ["not decided"]
        why: list[str] = []
        if self.suspends(today):
            why.append("suspended by the rule")
        elif decision.review_on < today:
            why.append("to be looked at again")
        together = len(asked | self.held_days(today)) if asked else 0
        if together > decision.days:
            why.append("more than decided")
        if self.above_the_ladder(together, today):
            why.append("above the ladder")
        return why
