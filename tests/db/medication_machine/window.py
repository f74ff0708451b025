"""The nurse at the window, and the client who comes or does not: doses given, written down late, and put right."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from caseload.db.dosing import Charts
from caseload.db.observation import KeptObservations
from caseload.domain.dosing import (
    Dose,
    DoseRefused,
    Injecting,
    Kind,
    NamedDelivery,
    Received,
    Sedation,
    Site,
    observe_before_dose,
    receive_delivery,
)
from caseload.domain.dosing import Seen as ToSee
from caseload.domain.ids import DeliveryId, DoseId, PreDoseId, new_id
from caseload.domain.medication import Aim, Order
from caseload.domain.medicines import DosePart, Medicine
from tests.db.medication_machine.clinic import Clinic
from tests.db.medication_machine.handbook import VERBAL_HOURS
from tests.db.medication_machine.prescriber import AMOUNTS
from tests.db.medication_machine.products import INJECTION
from tests.db.medication_machine.remembered import Delivered, Given, Look, Seen
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
        """Every part, and of an order in steps the most first."""
        for part in order.amounts_mg:
            levels = {order.amounts_mg[part], *(step.amounts_mg[part] for step in order.steps)}
            for amount in sorted(levels, reverse=True):
                self.tries(order, part, amount, self.now)

    @rule(weeks=st.sampled_from([1, 2, 4]), well=WELL)
    def comes_after_weeks(self, *, weeks: int, well: bool) -> None:
        """As for an injection: some days early, on its day, and some days late."""
        for hours in (24 * (7 * weeks - 3), 24 * 3, 24 * 3):
            self.waits(hours=hours)
            if well:
                self.puts_in_order()
            self.asks_for_everything()

    @precondition(lambda self: self.known.orders)
    @rule(data=st.data(), share=st.sampled_from(["1", "1", "1", "0.5", "1.001"]), ago=st.sampled_from([0, 0, 5]))
    def gives(self, data: st.DataObject, share: str, ago: int) -> None:
        order = data.draw(st.sampled_from(self.known.orders))
        part = data.draw(st.sampled_from([*order.amounts_mg]))
        amount = (order.amounts_mg[part] * Decimal(share)).quantize(THOUSANDTH)
        self.tries(order, part, amount, self.now - timedelta(minutes=ago))

    def tries(self, order: Order, part: DosePart, amount: Decimal, at: datetime) -> None:
        """Give an amount under an order, and hold what comes of it against the oracle."""
        delivered = self.delivered_for(order)
        in_the_way = self.handbook.in_the_way(order, amount, part, at)
        if delivered is not None:
            in_the_way += self.handbook.of_delivery(order, self.known.delivered[delivered], self.handbook.day_of(at))
        given = self.attempt(
            self.here.give(
                order,
                at=self.now,
                given_at=at,
                amount_mg=str(amount),
                part=part,
                less_reason="As was agreed.",
                injecting=Injecting(site=Site.BUTTOCK_LEFT, same_site_reason="As they wish.", delivery=delivered)
                if order.form is INJECTION
                else None,
            )
        )
        if isinstance(given, Dose):
            assert not in_the_way, f"accepted in spite of {in_the_way}"
            self.remembers(given)
            if delivered is not None:
                self.known.delivered[delivered].used_by = given.id
        elif not in_the_way and amount == order.amounts_mg[part]:
            refused = [each.rule for each in given.refusals] if isinstance(given, DoseRefused) else []
            assert not (refused and self.handbook.is_plain(order, self.handbook.day_of(at))), f"refused for {refused}"

    def delivered_for(self, order: Order) -> DeliveryId | None:
        """What a pharmacy has delivered of it for this client by name, and nobody has given."""
        if (order.medicine, order.form) != (Medicine.BUPRENORPHINE, INJECTION):
            return None
        unused = [
            wanted
            for wanted, each in self.known.delivered.items()
            if each.used_by is None or not self.known.doses[each.used_by].taken
        ]
        return next(iter(unused), None)

    @rule(ago=st.sampled_from([0, 0, 45, 46]), strength_mg=st.sampled_from(["16", "300"]))
    def is_delivered(self, ago: int, strength_mg: str) -> None:
        """An injection, for this client by name: it is never in our stock."""
        delivered = self.attempt(
            receive_delivery(
                Received(
                    medicine=Medicine.BUPRENORPHINE,
                    form=INJECTION,
                    strength_mg=Decimal(strength_mg),
                    pharmacy="Quay Pharmacy",
                    lot="L-9",
                    received_on=self.today - timedelta(days=ago),
                ),
                self.here.client,
                as_id=DeliveryId(new_id()),
                by=self.here.nurse,
                now=self.now,
                deliveries=self.here.doses(self.now),
                journal=self.here.journal,
            )
        )
        assert isinstance(delivered, NamedDelivery), f"what came is not in the record: {delivered}"
        self.known.delivered[delivered.delivery.id] = Delivered(
            delivered.delivery.strength_mg, delivered.delivery.received_on
        )

    def remembers(self, recorded: Dose) -> None:
        if recorded.medicine is Medicine.METHADONE:
            self.known.suspended |= self.handbook.suspends(recorded.dosing_day)
        self.known.doses[recorded.id] = Given(recorded)

    @rule(sedation=st.sampled_from([Sedation.ALERT, Sedation.ALERT, Sedation.DROWSY]), comes=st.booleans())
    def is_seen(self, *, sedation: Sedation, comes: bool) -> None:
        """Before a dose; drowsy holds it, in every profile."""
        seen = self.run(
            observe_before_dose(
                self.here.client,
                ToSee(sedation=sedation, intoxicated=False),
                as_id=PreDoseId(new_id()),
                by=self.here.nurse,
                now=self.now,
                doses=Charts(self.here.connection, self.here.journal, now=self.now),
                observations=KeptObservations(self.here.connection, self.here.journal),
                journal=self.here.journal,
            )
        )
        is_well = sedation is Sedation.ALERT
        self.known.seen.append(Seen(seen.dosing_day, self.now, is_well=is_well))
        self.learns_of_holds()
        assert is_well or any(aim == Aim() for aim in self.known.holds.values()), "drowsy, and nobody is held"
        if comes:
            self.asks_for_everything()

    @precondition(lambda self: self.known.orders and self.known.orders[-1].steps)
    @rule(days=st.integers(2, 6), seen_from=st.integers(0, 5))
    def comes_and_is_seen(self, days: int, seen_from: int) -> None:
        """Each of some days, from one of them on seen before the dose."""
        for number in range(days):
            if number >= seen_from:
                self.is_seen(sedation=Sedation.ALERT, comes=False)
            self.now += timedelta(minutes=1)
            self.tries_all(self.known.orders[-1])
            self.now += timedelta(days=1)

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
