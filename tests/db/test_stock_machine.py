"""The stock, played at random: whatever is done, a balance is what came less everything that went.

The model keeps nothing but numbers. After every step each container of the database is compared with it, the checks of
a commit are made, and the whole comes to receipts minus doses minus waste plus what counts found.
"""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncTransaction

from caseload.db.engine import make_engine
from caseload.domain.access import Role
from caseload.domain.dosing import Dose
from caseload.domain.ids import ContainerId, StationId
from caseload.domain.medication import Order
from caseload.domain.stock.count import Count
from caseload.domain.stock.waste import Waste
from caseload.settings import Secret, Settings
from tests.conftest import Counts
from tests.db.test_dosing import change, correct
from tests.factories.stock import Storeroom
from tests.factories.window import MORNING, clinician, window, wish

T = TypeVar("T")
AMOUNTS = st.decimals(min_value=Decimal("0.001"), max_value=Decimal(150), places=3)
NOWHERE = None


@dataclass
class Model:
    """What must be in each container, by arithmetic alone."""

    received: Decimal = Decimal(0)
    dosed: dict[Any, dict[ContainerId | None, Decimal]] = field(
        default_factory=dict[Any, dict[ContainerId | None, Decimal]]
    )
    """What each dose has taken from where, by now."""
    wasted: dict[Any, tuple[ContainerId, Decimal]] = field(default_factory=dict[Any, tuple[ContainerId, Decimal]])
    found: Decimal = Decimal(0)
    """What counts by two people found more than the books."""
    came: dict[ContainerId, Decimal] = field(default_factory=dict[ContainerId, Decimal])
    """Received, poured in or out, and found, by container."""

    def balance(self, container: ContainerId) -> Decimal:
        taken = sum((took.get(container, Decimal(0)) for took in self.dosed.values()), Decimal(0))
        gone = sum((amount for place, amount in self.wasted.values() if place == container), Decimal(0))
        return self.came[container] - taken - gone


class Clinic(RuleBasedStateMachine):
    """Nurses, a pharmacist and their bottles."""

    database: str

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.engine = make_engine(Settings(database_url=Secret(self.database)), application_name="stock-machine")
        self.model = Model()
        self.now = MORNING
        self.stations: list[StationId] = []
        self.used: dict[StationId, ContainerId] = {}
        self.pumps: set[ContainerId] = set()
        self.doses: list[Dose] = []
        self.wastes: list[Waste] = []
        self.counts: list[Count] = []
        self.connection: AsyncConnection
        self.transaction: AsyncTransaction
        self.store: Storeroom

    def run(self, act: Awaitable[T]) -> T:
        async def awaited() -> T:
            return await act

        return self.loop.run_until_complete(awaited())

    def teardown(self) -> None:
        self.run(self.transaction.rollback())
        self.run(self.connection.close())
        self.run(self.engine.dispose())
        self.loop.close()

    def later(self) -> datetime:
        self.now += timedelta(seconds=20)
        return self.now

    def containers(self) -> list[ContainerId]:
        return list(self.model.came)

    @initialize()
    def opens(self) -> None:
        async def opened() -> None:
            self.connection = await self.engine.connect()
            self.transaction = await self.connection.begin()
            # What hypothesis does between two steps takes as long as it takes.
            await self.connection.execute(text("set local idle_in_transaction_session_timeout = 0"))
            here = await window(self.connection)
            self.store = Storeroom(here, await clinician(self.connection, here.programme, Role.PHARMACIST))
            await self.store.begin()
            self.stations = [await self.store.station(f"Window {number}") for number in (1, 2)]

        self.run(opened())
        self.receives(Decimal(500))

    @rule(amount=AMOUNTS)
    def receives(self, amount: Decimal) -> None:
        bottle = self.run(self.store.bottle(str(amount), now=self.later()))
        self.model.came[bottle] = amount
        self.model.received += amount

    @rule()
    def adds_a_pump(self) -> None:
        pump = self.run(self.store.dispenser(now=self.later()))
        self.pumps.add(pump)
        self.model.came[pump] = Decimal(0)

    @rule(data=st.data())
    def changes_what_a_station_uses(self, data: st.DataObject) -> None:
        station = data.draw(st.sampled_from(self.stations))
        now = self.later()
        if station in self.used:
            self.run(self.store.put_away(self.used.pop(station), now=now))
        free = [each for each in self.containers() if each not in self.used.values()]
        wanted = data.draw(st.sampled_from([None, *free]))
        if wanted is not None:
            self.run(self.store.use(wanted, station, now=self.later()))
            self.used[station] = wanted

    @precondition(lambda self: self.pumps)
    @rule(data=st.data(), share=st.integers(1, 100))
    def pours(self, data: st.DataObject, share: int) -> None:
        pump = data.draw(st.sampled_from(sorted(self.pumps)))
        full = [each for each in self.containers() if each != pump and self.model.balance(each) > 0]
        if full:
            source = data.draw(st.sampled_from(full))
            amount = (self.model.balance(source) * share / 100).quantize(Decimal("0.001"))
            if amount > 0:
                self.run(self.store.pour(source, pump, str(amount), now=self.later()))
                self.model.came[source] -= amount
                self.model.came[pump] += amount

    @rule(data=st.data(), amount=AMOUNTS, late=st.booleans())
    def gives(self, data: st.DataObject, amount: Decimal, late: bool) -> None:  # noqa: FBT001  drawn by its name
        station = data.draw(st.sampled_from([None, *self.stations]))
        here, now = self.store.here, self.later()

        async def given() -> Dose:
            client = await here.another_client()
            order: Order = await here.order(wish(amount_mg=str(amount)), now=now, client=client)
            if late:
                return await here.late(order, given_at=now, now=now, amount_mg=str(amount), station=station)
            return await here.give(order, at=now, station=station)

        dose = self.run(given())
        self.doses.append(dose)
        fits = [self.used.get(station)] if station is not None else list(self.used.values())
        self.model.dosed[dose.id] = {fits[0] if len(fits) == 1 else NOWHERE: amount}

    @precondition(lambda self: self.doses)
    @rule(data=st.data(), amount=AMOUNTS)
    def amends(self, data: st.DataObject, amount: Decimal) -> None:
        at = data.draw(st.integers(0, len(self.doses) - 1))
        self.doses[at] = dose = self.run(change(self.store.here, self.doses[at], at=self.later(), amount_mg=amount))
        last = list(self.model.dosed[dose.id])[-1]
        self.model.dosed[dose.id] = {last: amount}

    @precondition(lambda self: self.doses)
    @rule(data=st.data())
    def corrects(self, data: st.DataObject) -> None:
        dose = self.doses.pop(data.draw(st.integers(0, len(self.doses) - 1)))
        self.run(correct(self.store.here, dose, at=self.later()))
        self.model.dosed[dose.id] = {}

    @precondition(lambda self: self.doses)
    @rule(data=st.data())
    def says_whence(self, data: st.DataObject) -> None:
        dose = data.draw(st.sampled_from(self.doses))
        places = data.draw(st.lists(st.sampled_from(self.containers()), min_size=1, max_size=2, unique=True))
        parts = [dose.amount_mg]
        if len(places) == 2 and dose.amount_mg > Decimal("0.001"):
            parts = [Decimal("0.001"), dose.amount_mg - Decimal("0.001")]
        sources = list(zip(places, parts, strict=False))
        said = [(place, str(amount)) for place, amount in sources]
        self.run(self.store.whence(dose, *said, now=self.later()))
        self.model.dosed[dose.id] = dict(sources)

    @rule(data=st.data(), amount=AMOUNTS)
    def wastes_some(self, data: st.DataObject, amount: Decimal) -> None:
        place = data.draw(st.sampled_from(self.containers()))
        waste = self.run(self.store.waste(place, str(amount), now=self.later()))
        self.wastes.append(waste)
        self.model.wasted[waste.id] = (place, amount)

    @precondition(lambda self: self.wastes)
    @rule(withdrawn=st.booleans())
    def settles_a_waste(self, withdrawn: bool) -> None:  # noqa: FBT001  drawn by its name
        waste = self.wastes.pop()
        if withdrawn:
            self.run(self.store.withdraw(waste.id, now=self.later()))
            del self.model.wasted[waste.id]
        else:
            self.run(self.store.witness(waste.id, now=self.later()))

    @rule(data=st.data(), found=st.decimals(min_value=-5, max_value=5, places=3), confirmed=st.booleans())
    def counts_one(self, data: st.DataObject, found: Decimal, confirmed: bool) -> None:  # noqa: FBT001  by its name
        place = data.draw(st.sampled_from(self.containers()))
        counted = max(self.model.balance(place) + found, Decimal(0))
        count = self.run(self.store.count(place, str(counted), now=self.later()))
        if confirmed:
            self.run(self.store.confirm(count.id, now=self.later()))
            self.model.came[place] += count.variance_mg
            self.model.found += count.variance_mg

    @invariant()
    def the_books_are_what_happened(self) -> None:
        async def compared() -> None:
            await self.connection.execute(text("set constraints all immediate"))
            await self.connection.execute(text("set constraints all deferred"))
            standing = await self.store.standing()
            balances = {each.id: each.balance_mg for each in standing.containers}
            assert balances == {each: self.model.balance(each) for each in self.containers()}
            nowhere = {each.dose: each.amount_mg for each in standing.unassigned}
            assert nowhere == {dose: took[NOWHERE] for dose, took in self.model.dosed.items() if took.get(NOWHERE)}
            dosed = sum((sum(took.values()) for took in self.model.dosed.values()), Decimal(0))
            wasted = sum((amount for _, amount in self.model.wasted.values()), Decimal(0))
            whole = sum(balances.values()) - sum(nowhere.values())
            assert whole == self.model.received - dosed - wasted + self.model.found
            assert await self._by_the_doses() == dosed

        if hasattr(self, "store"):
            self.run(compared())

    async def _by_the_doses(self) -> Decimal:
        """What was swallowed, by the doses themselves."""
        found = await self.connection.execute(
            text(
                "select coalesce(sum(amount_mg), 0) from clinic.dose where programme_id = :programme"
                " and not exists (select from clinic.dose_correction where dose_id = dose.id)"
                " and not exists (select from clinic.dose newer where newer.id = dose.id and newer.version > dose.version)"
            ),
            {"programme": self.store.here.programme},
        )
        return found.scalar_one()


def test_a_balance_is_what_came_less_everything_that_went(database: str, counts: Counts) -> None:
    class Here(Clinic):
        pass

    Here.database = database
    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=counts(6, full=200),
            stateful_step_count=counts(25, full=60),
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
        ),
    )
