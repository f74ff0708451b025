"""Two orders beside each other: buprenorphine built up in one part of the day while methadone goes on in the other.

What the handbook says of it: each is given under its own order, in its own part, in spite of the other; each is counted by its
own doses alone on the days on which both were ordered, and together with the other on every other day.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import combinations
from typing import Final

from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from caseload.domain.medication import Order, Wish
from caseload.domain.medicines import DosePart
from tests.db.medication_machine.products import FILM, TABLETS, Product, kind
from tests.db.medication_machine.stories import Stories

HOURS: Final = {DosePart.MORNING: 8, DosePart.EVENING: 20}
VISITS: Final = {"both": (0, 1), "first": (0,), "second": (1,), "none": ()}
ONE_IS_MISSED: Final = [["both", *[other] * days, "both"] for other in ("first", "second") for days in (2, 3, 4)]
"""About the days from which a prescriber is asked: who came for the one only, and then asks for both."""


class Beside(Stories):
    """Whoever goes over from one to the other slowly."""

    @rule(
        parts=st.permutations([*HOURS]),
        product=st.sampled_from([TABLETS, FILM]),
        visits=st.one_of(
            st.sampled_from(ONE_IS_MISSED),
            st.lists(st.sampled_from(["both", *VISITS]), min_size=3, max_size=8),
        ),
        decided=st.booleans(),
        ends=st.sampled_from([None, None, 0, 1]),
    )
    def goes_over_slowly(
        self, *, parts: list[DosePart], product: Product, visits: list[str], decided: bool, ends: int | None
    ) -> None:
        """Both for some days, now and then one of them alone; perhaps one is stopped, and the other goes on."""
        pair = self.is_ordered_twice(parts, product)
        for number, visit in enumerate(visits):
            if ends is not None and number == len(visits) - 2 and len(pair) > 1:
                self.stop(pair[ends])
            self.now = self.next_at(7)
            for order in pair if decided else ():
                self.allows(of=order)
            for which, order in enumerate(pair):
                [(part, amount)] = order.amounts_mg.items()
                self.now = max(self.now, self.next_at(HOURS[part]) if HOURS[part] > self.hour() else self.now)
                if which in VISITS[visit]:
                    self.tries(order, part, amount, self.now)

    def is_ordered_twice(self, parts: list[DosePart], product: Product) -> list[Order]:
        """Methadone in one part of the day, and the other medicine beside it; what comes earlier in the day first."""
        self.stops_all()
        self.puts_holds_away()
        self.now = self.next_at(6)
        first = self.is_ordered(in_part(self.wished("60", 0, None, 1, split=False), parts[0]), instead=False)
        if first is None:
            return []
        second = in_part(self.wishes_for(product, Decimal(product.amounts_mg[0]), begins=0), parts[1])
        assert self.is_ordered(second, instead=False) is None, "signed beside an order that it does not name"
        beside = self.is_ordered(replace(second, beside=first.id), instead=False)
        assert beside is not None, "two medicines in two parts of the day, each named and every rule answered"
        return sorted([first, beside], key=lambda order: HOURS[next(iter(order.amounts_mg))])

    def hour(self) -> int:
        return self.now.astimezone(self.zone).hour

    def next_at(self, hour: int) -> datetime:
        """The next such hour by the clock on the wall; of 24 hours one is it, but for the night of a change."""
        day = self.now.astimezone(self.zone)
        if day.hour >= hour:
            day += timedelta(days=1)
        return day.replace(hour=hour, minute=0, second=0, microsecond=0).astimezone(UTC)

    @invariant()
    def whoever_has_two_orders_has_them_named_and_apart(self) -> None:
        """On the day on the wall: two at most, of two medicines, in two parts, and one of them names the other."""
        if not self.is_open:
            return
        now = [
            order
            for order in self.known.orders
            if order.id not in self.known.stopped and self.handbook.in_force(order, self.today)
        ]
        assert len(now) <= 2, "more than two orders are in force"
        for one, other in combinations(now, 2):
            assert other.id == one.beside or one.id == other.beside, "two orders, and neither names the other"
            assert kind(one.medicine) is not kind(other.medicine), "two orders of one medicine"
            assert not any(mine.meets(theirs) for mine in one.amounts_mg for theirs in other.amounts_mg), "one part"


def in_part(wanted: Wish, part: DosePart) -> Wish:
    """All of the day's amount in one part."""
    [amount] = wanted.amounts_mg.values()
    return replace(wanted, amounts_mg={part: amount})
