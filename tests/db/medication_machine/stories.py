"""What takes weeks: a dose that is built up, an injection that comes again, another medicine after the one before.

Each begins where everything else left the client, and goes on from there by what anybody may do.
"""

from datetime import timedelta
from decimal import Decimal

from hypothesis import strategies as st
from hypothesis.stateful import rule

from caseload.domain.dosing import Dose, Sedation
from caseload.domain.medication import Order
from caseload.domain.medicines import DosePart
from tests.db.medication_machine.prescriber import Prescriber
from tests.db.medication_machine.products import PRODUCTS, Product
from tests.db.medication_machine.window import WELL, AtTheWindow

GAPS = {7: (4, 1, 2, 5, 10), 28: (25, 1, 2, 31, 27)}
"""Days from one visit to the next, by how often an injection is ordered: about each boundary of its window."""


class Stories(AtTheWindow, Prescriber):
    """Whoever stays for longer."""

    def stops_all(self) -> None:
        for order in self.known.orders:
            if order.id not in self.known.stopped:
                self.stop(order)

    @rule(
        amounts=st.sampled_from([("20", "30", "40"), ("30", "40", "50"), ("60", "30", "20")]),
        apart=st.sampled_from([(1, 1), (2, 1), (1, 3)]),
        days=st.lists(st.sampled_from(["seen", "seen", "seen", "unseen", "drowsy", "away"]), min_size=3, max_size=7),
    )
    def is_built_up(self, amounts: tuple[str, ...], apart: tuple[int, int], days: list[str]) -> None:
        """Day by day: seen and given what may be given, given without being looked at, seen drowsy, or not there."""
        self.stops_all()
        self.puts_holds_away()
        self.orders_in_steps(amounts=amounts, apart=apart, split=False, instead=False)
        for day in days:
            if day in {"seen", "drowsy"}:
                self.is_seen(sedation=Sedation.ALERT if day == "seen" else Sedation.DROWSY, comes=False)
            self.now += timedelta(minutes=1)
            if day != "away":
                self.asks_for_everything()
            self.now += timedelta(days=1)
            self.puts_holds_away()

    @rule(data=st.data(), gap=st.sampled_from([0, 1, 2, 3, 13, 14, 15]), slips=st.booleans())
    def goes_over(self, data: st.DataObject, gap: int, slips: bool) -> None:  # noqa: FBT001  as drawn
        """To another medicine some days later; some take what they had before once more in between, and it is recorded."""
        before = next((order for order in reversed(self.known.orders) if order.id not in self.known.stopped), None)
        self.stops_all()
        ordered = self.orders_another(data, begins=gap, instead=False)
        self.now += timedelta(days=gap)
        if slips and before is not None and gap:
            self.slips_back(before)
        self.puts_holds_away()
        if ordered is not None:
            self.tries_all(ordered)
            self.waits(hours=24)
            self.tries_all(ordered)

    def slips_back(self, before: Order) -> None:
        part = next(iter(before.amounts_mg))
        at = self.now - timedelta(days=1)
        recorded = self.attempt(
            self.here.late(before, given_at=at, now=self.now, amount_mg=str(before.amounts_mg[part]), part=part)
        )
        assert isinstance(recorded, Dose), f"what was swallowed is not in the record: {recorded}"
        self.remembers(recorded)
        self.learns_of_holds()

    @rule(data=st.data(), decided=WELL, visits=st.integers(2, 5))
    def is_injected(self, data: st.DataObject, *, decided: bool, visits: int) -> None:
        """Again and again, about the boundaries of its window, with a prescriber who decides or none."""
        product = data.draw(st.sampled_from([each for each in self.made_here() if each.is_injection]))
        self.stops_all()
        self.puts_holds_away()
        ordered = self.is_ordered(self.wishes_for(product, Decimal(product.strength_mg), begins=0), instead=False)
        if ordered is None:
            return
        gaps = GAPS[ordered.every_days]
        for number in range(visits):
            self.tries(ordered, DosePart.WHOLE, ordered.amounts_mg[DosePart.WHOLE], self.now)
            if decided:
                self.allows()
                self.tries(ordered, DosePart.WHOLE, ordered.amounts_mg[DosePart.WHOLE], self.now)
            self.now += timedelta(days=gaps[number])

    def made_here(self) -> list[Product]:
        return [each for each in PRODUCTS if self.profile in each.profiles]
