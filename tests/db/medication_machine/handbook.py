"""The rules as the handbook has them, written anew and not taken from the code: what may never be given all the same.

It says only what certainly stands in the way. A profile may ask more; what it may not do is let any of this through.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from caseload.domain.medication import Order, Supply
from caseload.domain.medicines import DosePart
from tests.db.medication_machine.remembered import Remembered

STOPS_FROM: Final = {"AU": 3, "UK": 3, "US": 3, "US-CA-BRIDGE": 4}
"""From how many missed doses of methadone a prescriber is asked, as published (domain reference 1.4)."""

SUSPENDS_FROM: Final = 3
"""From how many missed doses nothing is taken home before a prescriber has decided anew, in every profile."""

APART: Final = timedelta(hours=8)
"""How far apart doses of two days lie in every profile."""

LADDER: Final = {"US": ((1, 7), (15, 14), (31, 28)), "US-CA-BRIDGE": ((1, 7), (15, 14), (31, 28))}
"""How many days of methadone may be taken home from which day of treatment (42 CFR 8.12(i)(3)); none elsewhere."""

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

    def in_the_way(self, order: Order, amount: Decimal, part: DosePart, at: datetime) -> list[str]:
        """Why nobody may give this at the window."""
        day = self.day_of(at)
        why = self.of_order(order, part, day, at)
        if amount > order.amounts_mg.get(part, Decimal()):
            why.append("more than ordered")
        if any(dose.day == day and dose.dose.part.meets(part) for dose in self.known.taken()):
            why.append("given already")
        if any(each.day == day for each in self.known.said):
            why.append("somebody else has given it")
        if any(other != day and abs(hour - at) < APART for other, hour in self.known.hours()):
            why.append("too soon")
        if self.known.at_home(day, part):
            why.append("at home")
        return why + self.of_days(day)

    def of_order(self, order: Order, part: DosePart, day: date, at: datetime) -> list[str]:
        """What the order, and the holds aimed at it or at its day, say against a dose."""
        why: list[str] = []
        if order.id in self.known.stopped or not self.in_force(order, day):
            why.append("no order in force")
        if self.is_overdue(order, at):
            why.append("not countersigned in time")
        if order.supply is Supply.PHARMACY:
            why.append("a pharmacy supplies it")
        if (day - order.starts_on).days % order.every_days:
            why.append("not scheduled")
        for aim in self.known.holds.values():
            aimed_here = aim.on_day in {None, day} and (aim.part is None or aim.part.meets(part))
            if aimed_here and aim.order in {None, order.id}:
                why.append("held")
        return why

    def of_days(self, day: date) -> list[str]:
        """What days without medicine say against a dose that no prescriber decided about."""
        last = self.known.last_day(day)
        is_allowed = (day, last) in self.known.allowed
        return ["missed doses"] if len(self.missed(last, day)) >= STOPS_FROM[self.profile] and not is_allowed else []

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

    def missed(self, last: date | None, day: date) -> list[date]:
        """The days between without a dose, but for those that an alternate-day order leaves out."""
        if last is None:
            return []
        between = [last + timedelta(days=number) for number in range(1, (day - last).days)]
        return [each for each in between if not self.left_out(each)]

    def suspends(self, day: date) -> bool:
        """Whether so many doses were missed before a day that what may be taken home is decided anew."""
        missed = self.missed(self.known.last_day(day + timedelta(days=1)), day)
        decided_on = self.known.decision.decided_on if self.known.decision is not None else date.max
        return len(missed) >= SUSPENDS_FROM and decided_on <= missed[SUSPENDS_FROM - 1]

    def left_out(self, day: date) -> bool:
        end = datetime.combine(day + timedelta(days=1), datetime.min.time(), self.zone).astimezone(UTC)
        return any(
            self.in_force(order, day)
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
            and set(order.amounts_mg) == {DosePart.WHOLE}
            and len(self.known.orders) == 1
            and not (self.known.stopped or self.known.units or self.known.said or self.known.unverified)
            and all(each in in_full or each < order.starts_on for each in week)
        )

    def against_taking_home(self, order: Order | None, part: DosePart, day: date, now: datetime) -> list[str]:
        """Why nobody may hand out a unit for a part of a day."""
        today = self.day_of(now)
        if order is None:
            return ["no order in force"]
        why = self.of_order(order, part, day, now) + self.of_days(today)
        if day < today:
            why.append("the day has passed")
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
        """The days from today on for which the client holds a unit."""
        units = (each.unit for each in self.known.units.values() if not each.full)
        return {unit.for_on for unit in units if unit.for_on >= today}
