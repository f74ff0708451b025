"""The nurse at the window, and the client who comes or does not: doses given, written down late, and put right."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from caseload.domain.dosing import Dose, DoseRefused, Kind
from caseload.domain.ids import DoseId
from caseload.domain.medication import Order
from caseload.domain.medicines import DosePart
from tests.db.medication_machine.clinic import Clinic
from tests.db.medication_machine.handbook import VERBAL_HOURS
from tests.db.medication_machine.prescriber import AMOUNTS
from tests.db.medication_machine.remembered import Given, Look
from tests.db.test_dosing import change, correct

THOUSANDTH: Final = Decimal("0.001")
WELL: Final = st.sampled_from([True, True, False])
"""Whether everything is in order before something is tried that may not be given all the same."""


class AtTheWindow(Clinic):
    """Whoever gives doses."""

    @rule(days=st.integers(1, 8), well=WELL)
    def comes(self, *, days: int, well: bool = False) -> None:
        """To the window at the same hour of each of some days, for what the newest order says."""
        if well:
            self.puts_in_order()
        for _ in range(days if self.known.orders else 0):
            self.tries_all(self.known.orders[-1])
            self.now += timedelta(days=1)

    @rule(days=st.integers(2, 7))
    def stays_away_and_comes(self, days: int) -> None:
        self.now += timedelta(days=days)
        self.comes(days=1)

    @rule(hours=st.sampled_from([(21, 2), (23, 0), (23, 5), (13,), (22, 6, 7)]), well=WELL)
    def comes_at(self, *, hours: tuple[int, ...], well: bool) -> None:
        """At the next such hours by the clock on the wall, late in one evening or early the next morning."""
        if well:
            self.waits(hours=20)
            self.puts_in_order()
        for wanted in hours:
            day = self.now.astimezone(self.zone).replace(minute=0, second=0, microsecond=0)
            ahead = (day + timedelta(hours=number) for number in range(1, 25))
            self.now = max(self.now, next(each for each in ahead if each.hour == wanted).astimezone(UTC))
            self.asks_for_everything()

    @rule()
    def asks_for_everything(self) -> None:
        """Under every order there lately was, whatever became of it."""
        for order in self.known.orders[-4:]:
            self.tries_all(order)

    @precondition(lambda self: self.known.units)
    @rule(data=st.data(), well=WELL)
    def comes_although_it_is_at_home(self, *, data: st.DataObject, well: bool) -> None:
        """On the day for which a unit was handed out, if that lies ahead."""
        day = data.draw(st.sampled_from(sorted({each.unit.for_on for each in self.known.units.values()})))
        self.now = max(self.now, datetime(day.year, day.month, day.day, 10, tzinfo=self.zone).astimezone(UTC))
        if well:
            self.puts_in_order()
        self.asks_for_everything()

    @precondition(lambda self: self.handbook.unsigned())
    @rule(minutes=st.sampled_from([-1, 1]))
    def comes_when_an_order_is_overdue(self, minutes: int) -> None:
        """About the time until which a spoken order counts without its prescriber's signature."""
        order = self.handbook.unsigned()[-1]
        deadline = order.written_at + timedelta(hours=VERBAL_HOURS[self.profile], minutes=minutes)
        self.now = max(self.now, deadline)
        self.puts_in_order()
        self.asks_for_everything()

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
    def puts_right(self, data: st.DataObject) -> None:
        data.draw(st.sampled_from([self.corrects, self.amends_the_amount, self.amends_the_hour]))(data)

    def corrects(self, data: st.DataObject) -> None:
        given = self.drawn(data)
        if not isinstance(self.attempt(correct(self.here, given.dose, at=self.now)), Exception):
            given.taken = False

    def amends_the_amount(self, data: st.DataObject) -> None:
        given, amount = self.drawn(data), data.draw(st.sampled_from(AMOUNTS))
        self.amended(given, self.attempt(change(self.here, given.dose, at=self.now, amount_mg=Decimal(amount))))

    def amends_the_hour(self, data: st.DataObject) -> None:
        """To another of its day: it may lie near to the doses of the days around it."""
        given, hour = self.drawn(data), data.draw(st.sampled_from([0, 6, 12, 23]))
        at = datetime(given.day.year, given.day.month, given.day.day, hour, 30, tzinfo=self.zone).astimezone(UTC)
        self.amended(given, self.attempt(change(self.here, given.dose, at=self.now, given_at=at)))

    def amended(self, given: Given, amended: Dose | Exception) -> None:
        if isinstance(amended, Dose):
            given.dose, given.look = amended, Look.WAITS
            self.learns_of_holds()
