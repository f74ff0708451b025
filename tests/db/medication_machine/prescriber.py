"""The prescriber: writes, signs, speaks and stops orders, holds, clears holds, and lets a dose through."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Final

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from caseload.db.dosing import Charts
from caseload.domain.ids import DecisionId, HoldId, OrderId, new_id
from caseload.domain.medication import (
    Aim,
    Hold,
    HoldReason,
    Order,
    Spoken,
    Step,
    Supply,
    Wish,
    Words,
    clear_hold,
    raise_hold,
    stop_order,
    take_order,
)
from caseload.domain.medicines import DosePart
from tests.db.medication_machine.clinic import Clinic
from tests.db.medication_machine.handbook import VERBAL_HOURS
from tests.db.medication_machine.products import PRODUCTS, SOLUTION, Product, blocks
from tests.factories.window import proof, wish

AMOUNTS: Final = [*SOLUTION.amounts_mg]


class Prescriber(Clinic):
    """Whoever answers for what is given."""

    def wished(self, amount: str, begins: int, lasts: int | None, every: int, *, split: bool) -> Wish:
        starts_on, whole = self.today + timedelta(days=begins), Decimal(amount)
        wanted = wish(
            amounts_mg=parts_of(whole, split=split),
            every_days=every,
            starts_on=starts_on,
            ends_on=None if lasts is None else starts_on + timedelta(days=lasts),
        )
        return replace(wanted, strength_mg=Decimal(5 if self.profile == "AU" else 1))

    def is_ordered(self, wanted: Wish, *, instead: bool) -> Order | None:
        """Written and signed, with a reason for whatever the profile asks; None where it is refused."""
        replaced = self.known.orders[-1].id if instead and self.known.orders else None
        signed = self.attempt(self.here.order(replace(wanted, replaces=replaced), now=self.now))
        if not isinstance(signed, Order):
            return None
        self.known.orders.append(signed)
        return signed

    @rule(
        amount=st.sampled_from(AMOUNTS),
        begins=st.integers(0, 2),
        lasts=st.sampled_from([None, 0, 3]),
        every=st.sampled_from([1, 1, 1, 2]),
        instead=st.booleans(),
        split=st.sampled_from([False, False, True]),
        supply=st.sampled_from([Supply.WINDOW, Supply.WINDOW, Supply.PHARMACY]),
    )
    def orders(
        self,
        *,
        amount: str,
        begins: int,
        lasts: int | None,
        every: int,
        instead: bool,
        split: bool,
        supply: Supply,
    ) -> None:
        wanted = replace(self.wished(amount, begins, lasts, every, split=split), supply=supply)
        if self.is_ordered(wanted, instead=instead) is not None:
            assert supply is Supply.WINDOW or not self.profile.startswith("US"), "a pharmacy may not supply methadone"

    @rule(
        amounts=st.sampled_from([("30", "40", "50"), ("20", "30", "40"), ("0.5", "60"), ("60", "30", "20")]),
        apart=st.sampled_from([(1, 1), (1, 3), (3, 1)]),
        split=st.sampled_from([False, False, True]),
        instead=st.booleans(),
    )
    def orders_in_steps(self, *, amounts: tuple[str, ...], apart: tuple[int, int], split: bool, instead: bool) -> None:
        """Up or down: what rises waits until it was taken and the client was seen."""
        wanted = self.wished(amounts[0], 0, None, 1, split=split)
        days = [self.today + timedelta(days=sum(apart[: number + 1])) for number in range(len(amounts) - 1)]
        later = zip(days, amounts[1:], strict=True)
        steps = tuple(Step(from_on=day, amounts_mg=parts_of(Decimal(amount), split=split)) for day, amount in later)
        self.is_ordered(replace(wanted, steps=steps), instead=instead)

    @rule(data=st.data(), begins=st.sampled_from([0, 0, 1, 2, 3, 8, 15]), instead=st.booleans())
    def orders_another_medicine(self, data: st.DataObject, begins: int, *, instead: bool) -> None:
        """Buprenorphine, an injection or naltrexone, at once or after days in which what was given before wears off."""
        self.orders_another(data, begins=begins, instead=instead)

    def orders_another(self, data: st.DataObject, *, begins: int, instead: bool) -> Order | None:
        product = data.draw(st.sampled_from([each for each in PRODUCTS[1:] if self.profile in each.profiles]))
        wanted = self.wishes_for(product, Decimal(data.draw(st.sampled_from(product.amounts_mg))), begins=begins)
        wanted = replace(wanted, every_days=data.draw(st.sampled_from(product.every_days)))
        opioid = data.draw(st.sampled_from([None, 0, 5, 6])) if blocks(product.medicine) else None
        if opioid is not None:
            wanted = replace(wanted, last_opioid_on=self.today - timedelta(days=opioid), no_opioid_known=None)
        return self.is_ordered(wanted, instead=instead)

    def wishes_for(self, product: Product, amount: Decimal, *, begins: int) -> Wish:
        wanted = wish(
            medicine=product.medicine,
            form=product.form,
            amounts_mg=parts_of(amount, split=False),
            every_days=product.every_days[0],
            starts_on=self.today + timedelta(days=begins),
        )
        return replace(wanted, strength_mg=Decimal(product.strength_mg))

    @rule(amount=st.sampled_from(AMOUNTS), begins=st.integers(0, 1), stops=st.booleans())
    def speaks_an_order(self, *, amount: str, begins: int, stops: bool) -> None:
        """The nurse takes it down and reads it back; what it takes the place of was stopped before."""
        for order in self.known.orders if stops else ():
            self.stop(order)
        taken = self.attempt(
            take_order(
                Spoken(
                    wish=self.wished(amount, begins, None, 1, split=False),
                    prescriber=self.here.prescriber.id,
                    read_back=True,
                ),
                self.here.client,
                as_id=OrderId(new_id()),
                by=self.here.nurse,
                now=self.now,
                orders=Charts(self.connection, self.here.journal, now=self.now),
                journal=self.here.journal,
            )
        )
        if isinstance(taken, Order):
            assert self.profile in VERBAL_HOURS, "there is no verbal order here"
            self.known.orders.append(taken)

    @rule(data=st.data())
    def decides(self, data: st.DataObject) -> None:
        acts = [self.holds, self.allows_today, *([self.clears_a_hold] * 2 * bool(self.known.holds))]
        data.draw(st.sampled_from([*acts, *([self.countersigns] * bool(self.handbook.unsigned()))]))(data)

    def countersigns(self, _: st.DataObject) -> None:
        order = self.handbook.unsigned()[-1]
        if isinstance(self.attempt(self.here.sign(order, now=self.now)), Order):
            self.known.countersigned[order.id] = self.now

    @precondition(lambda self: self.known.orders)
    @rule(data=st.data())
    def stops(self, data: st.DataObject) -> None:
        self.stop(data.draw(st.sampled_from(self.known.orders)))

    def stop(self, order: Order) -> None:
        stopped = self.attempt(
            stop_order(
                order.id,
                "Side effects.",
                by=self.here.prescriber,
                proof=proof(self.here.prescriber, self.now),
                now=self.now,
                orders=self.here.doses(self.now),
                journal=self.here.journal,
            )
        )
        if isinstance(stopped, Order):
            self.known.stopped[order.id] = self.now

    def holds(self, data: st.DataObject) -> None:
        day = data.draw(st.sampled_from([None, None, 0, 1]))
        order = data.draw(st.sampled_from([None, *(each.id for each in self.known.orders)])) if day is None else None
        aim = Aim(order=order, on_day=None if day is None else self.today + timedelta(days=day))
        held = self.run(
            raise_hold(
                self.here.client,
                HoldReason.SEDATION,
                Words(note="Drowsy."),
                as_id=HoldId(new_id()),
                by=self.here.nurse,
                now=self.now,
                holds=self.here.doses(self.now),
                journal=self.here.journal,
                aim=aim,
            )
        )
        assert isinstance(held, Hold)
        self.known.holds[held.id] = aim

    def clears_a_hold(self, _: st.DataObject | None = None) -> None:
        hold = min(self.known.holds)
        self.run(
            clear_hold(
                hold,
                "Seen.",
                as_id=DecisionId(new_id()),
                by=self.here.prescriber,
                proof=proof(self.here.prescriber, self.now),
                now=self.now,
                holds=self.here.doses(self.now),
                journal=self.here.journal,
            )
        )
        del self.known.holds[hold]

    def puts_in_order(self) -> None:
        """The holds are cleared, something is ordered for today, and what was missed is decided."""
        self.puts_holds_away()
        if not any(self.is_given_here(order) for order in self.known.orders):
            self.orders(amount="60", begins=0, lasts=None, every=1, instead=False, split=False, supply=Supply.WINDOW)
        self.allows()

    def puts_holds_away(self) -> None:
        while self.known.holds:
            self.clears_a_hold()

    def is_given_here(self, order: Order) -> bool:
        in_force = order.id not in self.known.stopped and self.handbook.in_force(order, self.today)
        return in_force and order.supply is Supply.WINDOW

    def allows_today(self, data: st.DataObject) -> None:
        self.allows(data.draw(st.sampled_from([None, "20"])))

    def allows(self, at_most: str | None = None, *, of: Order | None = None) -> None:
        """Let today's dose through: of the order that counts, or of one of two."""
        medicine = None if of is None else of.medicine
        allowed = self.attempt(self.here.allow(self.today, at=self.now, at_most_mg=at_most, medicine=medicine))
        order = of or self.handbook.order_on(self.today)
        if not isinstance(allowed, Exception) and order is not None:
            last = self.handbook.last_day(self.today + timedelta(days=1), order.medicine, order.form)
            self.known.allowed.append((self.today, last))


def parts_of(whole: Decimal, *, split: bool) -> Mapping[DosePart, Decimal]:
    """The parts of a day, or the whole of it."""
    return {DosePart.MORNING: whole / 2, DosePart.EVENING: whole / 2} if split else {DosePart.WHOLE: whole}
