"""The nurse at the window, and the client who comes or does not: doses given, written down late, and put right."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from caseload.domain.dosing import Dose, DoseRefused, Kind
from caseload.domain.ids import DoseId
from caseload.domain.medication import Order
from caseload.domain.medicines import DosePart
from tests.db.medication_machine.clinic import Clinic
from tests.db.medication_machine.prescriber import AMOUNTS
from tests.db.medication_machine.remembered import Given, Look
from tests.db.test_dosing import change, correct

THOUSANDTH: Final = Decimal("0.001")


class AtTheWindow(Clinic):
    """Whoever gives doses."""

    @rule(days=st.integers(1, 8))
    def comes(self, days: int) -> None:
        """To the window at the same hour of each of some days, for what the newest order says."""
        for _ in range(days if self.known.orders else 0):
            self.tries_all(self.known.orders[-1])
            self.now += timedelta(days=1)

    @rule(days=st.integers(2, 7))
    def stays_away_and_comes(self, days: int) -> None:
        self.now += timedelta(days=days)
        self.comes(days=1)

    @rule(hour=st.sampled_from([0, 2, 5, 13, 21, 23]))
    def comes_at(self, hour: int) -> None:
        """At the next such hour by the clock on the wall, late in one evening or early the next morning."""
        day = self.now.astimezone(self.zone).replace(minute=0, second=0, microsecond=0)
        hours = (day + timedelta(hours=number) for number in range(1, 25))
        wanted = next(each for each in hours if each.hour == hour).astimezone(self.now.tzinfo)
        self.now = max(self.now, wanted)
        if self.known.orders:
            self.tries_all(self.known.orders[-1])

    def tries_all(self, order: Order) -> None:
        for part in order.amounts_mg:
            self.tries(order, part, "1", self.now)

    @precondition(lambda self: self.known.orders)
    @rule(data=st.data(), share=st.sampled_from(["1", "1", "1", "0.5", "1.001"]), ago=st.sampled_from([0, 0, 5]))
    def gives(self, data: st.DataObject, share: str, ago: int) -> None:
        order = data.draw(st.sampled_from(self.known.orders))
        part = data.draw(st.sampled_from([*order.amounts_mg]))
        self.tries(order, part, share, self.now - timedelta(minutes=ago))

    def tries(self, order: Order, part: DosePart, share: str, at: datetime) -> None:
        """Give a share of what an order says, and hold what comes of it against the oracle."""
        amount = (order.amounts_mg[part] * Decimal(share)).quantize(THOUSANDTH)
        in_the_way = self.handbook.in_the_way(order, amount, part, at)
        given = self.attempt(
            self.here.give(
                order, at=self.now, given_at=at, amount_mg=str(amount), part=part, less_reason="As was agreed."
            )
        )
        if isinstance(given, Dose):
            assert not in_the_way, f"accepted in spite of {in_the_way}"
            self.remembers(given)
        elif not in_the_way and share == "1" and self.handbook.is_plain(order, self.handbook.day_of(at)):
            assert not isinstance(given, DoseRefused), f"refused for {[each.rule for each in given.refusals]}"

    def remembers(self, recorded: Dose) -> None:
        self.known.suspended |= self.handbook.suspends(recorded.dosing_day)
        self.known.doses[recorded.id] = Given(recorded)

    @rule(data=st.data(), hours=st.sampled_from([0.1, 1, 7, 20, 30]), amount=st.sampled_from(AMOUNTS))
    def records_late(self, data: st.DataObject, hours: float, amount: str) -> None:
        order = data.draw(st.sampled_from([None, *self.known.orders]))
        part = DosePart.WHOLE if order is None else data.draw(st.sampled_from([*order.amounts_mg]))
        at = self.now - timedelta(hours=hours)
        recorded = self.attempt(self.here.late(order, given_at=at, now=self.now, amount_mg=amount, part=part))
        assert isinstance(recorded, Dose), f"what was swallowed is not in the record: {recorded}"
        self.remembers(recorded)
        if recorded.kind is Kind.EXCEPTION:
            self.learns_of_holds()

    def drawn(self, data: st.DataObject) -> Given:
        """A dose that nobody has said was not given."""
        standing = [dose.id for dose in self.known.taken()]
        return self.known.doses[DoseId(data.draw(st.sampled_from(standing)))]

    @precondition(lambda self: self.known.taken())
    @rule(data=st.data())
    def corrects(self, data: st.DataObject) -> None:
        given = self.drawn(data)
        if not isinstance(self.attempt(correct(self.here, given.dose, at=self.now)), Exception):
            given.taken = False

    @precondition(lambda self: self.known.taken())
    @rule(data=st.data(), amount=st.sampled_from(AMOUNTS))
    def amends_the_amount(self, data: st.DataObject, amount: str) -> None:
        given = self.drawn(data)
        self.amended(given, self.attempt(change(self.here, given.dose, at=self.now, amount_mg=Decimal(amount))))

    @precondition(lambda self: self.known.taken())
    @rule(data=st.data(), hours=st.sampled_from([-9, -4, -1, 1, 4, 9]))
    def amends_the_hour(self, data: st.DataObject, hours: int) -> None:
        given = self.drawn(data)
        at = given.at + timedelta(hours=hours)
        self.amended(given, self.attempt(change(self.here, given.dose, at=self.now, given_at=at)))

    def amended(self, given: Given, amended: Dose | Exception) -> None:
        if isinstance(amended, Dose):
            given.dose, given.look = amended, Look.WAITS
            self.learns_of_holds()
