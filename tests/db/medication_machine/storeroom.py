"""The bottles: what comes, what stands at the window, what is wasted and what two people count."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from hypothesis import strategies as st
from hypothesis.stateful import rule

from caseload.domain.ids import ContainerId
from tests.db.medication_machine.clinic import Clinic


@dataclass
class Books:
    """What came, and what went without being a dose or a unit, by arithmetic alone."""

    received: Decimal = Decimal(0)
    wasted: Decimal = Decimal(0)
    found: Decimal = Decimal(0)
    """What counts by two people found more than the books."""


class InTheStoreroom(Clinic):
    """Whoever keeps the bottles."""

    def __init__(self) -> None:
        super().__init__()
        self.books = Books()
        self.bottles: list[ContainerId] = []
        self.in_use: ContainerId | None = None

    def uses_a_bottle(self) -> None:
        """What the first morning begins with."""
        self.bottles.append(self.run(self.store.bottle("1000", now=self.now)))
        self.books.received += 1000
        self.run(self.store.use(self.bottles[0], self.station, now=self.now))
        self.in_use = self.bottles[0]

    @rule(data=st.data())
    def keeps_the_books(self, data: st.DataObject) -> None:
        data.draw(st.sampled_from([self.receives, self.puts_to_use, self.wastes, self.counts]))(data)

    def receives(self, data: st.DataObject) -> None:
        amount = data.draw(st.sampled_from(["0.5", "100", "1000"]))
        self.bottles.append(self.run(self.store.bottle(amount, now=self.now)))
        self.books.received += Decimal(amount)

    def puts_to_use(self, data: st.DataObject) -> None:
        wanted = data.draw(st.sampled_from([None, *self.bottles]))
        self.now += timedelta(seconds=20)
        if self.in_use is not None:
            self.run(self.store.put_away(self.in_use, now=self.now))
            self.in_use = None
        if wanted is not None:
            self.run(self.store.use(wanted, self.station, now=self.now))
            self.in_use = wanted

    def wastes(self, data: st.DataObject) -> None:
        settled, amount = data.draw(st.sampled_from(["witnessed", "withdrawn", ""])), Decimal("2.5")
        waste = self.run(self.store.waste(data.draw(st.sampled_from(self.bottles)), str(amount), now=self.now))
        if settled == "withdrawn":
            self.run(self.store.withdraw(waste.id, now=self.now))
            return
        self.books.wasted += amount
        if settled == "witnessed":
            self.run(self.store.witness(waste.id, now=self.now))

    def counts(self, data: st.DataObject) -> None:
        more, confirmed = data.draw(st.sampled_from(["-1", "0", "0.125"])), data.draw(st.booleans())
        bottle = data.draw(st.sampled_from(self.bottles))
        counted = max(self.run(self.store.balance(bottle)) + Decimal(more), Decimal(0))
        count = self.run(self.store.count(bottle, str(counted), now=self.now))
        if confirmed:
            self.run(self.store.confirm(count.id, now=self.now))
            self.books.found += count.variance_mg

    def must_be_left(self) -> Decimal:
        """Receipts less everything that went out."""
        delivered = {each.used_by for each in self.known.delivered.values()}
        here = (dose for dose in self.known.taken() if dose.dose.programme == self.here.programme)
        ours = (dose for dose in here if dose.day >= self.began and dose.id not in delivered)
        dosed = sum((dose.dose.amount_mg for dose in ours), Decimal(0))
        # A unit that came back full is destroyed: it is as gone as one that was taken.
        home = sum((each.unit.amount_mg for each in self.known.units.values()), Decimal(0))
        return self.books.received + self.books.found - self.books.wasted - dosed - home

    async def is_left(self) -> Decimal:
        """By the books: what is in the bottles, less what was taken from none that anybody has named."""
        standing = await self.store.standing()
        bottles = sum((each.balance_mg for each in standing.containers), Decimal(0))
        return bottles - sum((each.amount_mg for each in standing.unassigned), Decimal(0))
