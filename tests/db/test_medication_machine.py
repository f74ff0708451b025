"""A nurse, a prescriber, a client and a clock, played at random over every profile.

Whatever they do, the record keeps its promises. They are looked up in the database with statements of their own, and
each dose that was accepted is held against an oracle that knows the rules from the handbook, not from the code.
"""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

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

from caseload.db.dosing import Pasts
from caseload.db.engine import make_engine
from caseload.db.signed import SignedRecords
from caseload.domain.access import Act
from caseload.domain.dosing import Dose, DoseRefused, Kind
from caseload.domain.dosing.past import Contents, as_known
from caseload.domain.errors import Conflict, Invalid
from caseload.domain.ids import DecisionId, DoseId, HoldId, OrderId, new_id
from caseload.domain.medication import Order, clear_hold, stop_order
from caseload.domain.signature.verifying import verify
from caseload.settings import Secret, Settings
from tests.conftest import Counts
from tests.db.test_dosing import change, correct
from tests.factories.seals import SEALS
from tests.factories.window import Window, proof, window, wish

T = TypeVar("T")

BEGINNINGS: Final = {
    "AU": ("Australia/Sydney", datetime(2026, 10, 1, 22, tzinfo=UTC)),
    "UK": ("Europe/London", datetime(2026, 10, 22, 7, tzinfo=UTC)),
    "US": ("America/New_York", datetime(2026, 10, 29, 12, tzinfo=UTC)),
    "US-CA-BRIDGE": ("America/Los_Angeles", datetime(2026, 3, 5, 16, tzinfo=UTC)),
}
"""Each profile where it is at home, a few days before its clocks change."""

STOPS_FROM: Final = {"AU": 3, "UK": 3, "US": 3, "US-CA-BRIDGE": 4}
"""From how many missed doses of methadone a prescriber is asked, as published (domain reference 1.4)."""

APART: Final = timedelta(hours=8)
"""How far apart doses of two days lie in every profile."""

TICKS: Final = [0.01, 0.5, 3, 7.5, 8.5, 14, 20, 23.5, 24, 24.5, 26, 48, 72, 96, 120, 144]
AMOUNTS: Final = ["0.5", "20", "30", "60"]


@dataclass
class Given:
    """A dose as the oracle remembers it."""

    id: DoseId
    day: date
    at: datetime
    ordinary: bool
    decided: bool
    taken: bool = True


@dataclass
class Remembered:
    """What happened, by those who did it."""

    orders: list[Order] = field(default_factory=list[Order])
    stopped: dict[OrderId, datetime] = field(default_factory=dict[OrderId, datetime])
    doses: list[Given] = field(default_factory=list[Given])
    latest: dict[DoseId, Dose] = field(default_factory=dict[DoseId, Dose])
    holds: set[HoldId] = field(default_factory=set[HoldId])
    allowed: list[tuple[date, date | None]] = field(default_factory=list[tuple[date, date | None]])
    """Days for which a prescriber decided, with the last day with a dose when they did."""
    past: dict[datetime, Contents] = field(default_factory=dict[datetime, Contents])
    """What was known at a moment, as it was answered then."""

    def taken(self) -> list[Given]:
        return sorted((dose for dose in self.doses if dose.taken), key=lambda dose: dose.at)

    def last_day(self, before: date) -> date | None:
        return max((dose.day for dose in self.taken() if dose.day < before), default=None)


class Morning(RuleBasedStateMachine):
    """One client at a window."""

    database: str

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.engine = make_engine(Settings(database_url=Secret(self.database)), application_name="medication-machine")
        self.known = Remembered()
        self.profile = ""
        self.zone = ZoneInfo("UTC")
        self.now: datetime
        self.here: Window
        self.connection: AsyncConnection
        self.transaction: AsyncTransaction

    def run(self, act: Awaitable[T]) -> T:
        async def awaited() -> T:
            return await act

        return self.loop.run_until_complete(awaited())

    def attempt(self, act: Awaitable[T]) -> T | Exception:
        """Do something, or learn why not; what is refused leaves nothing behind."""

        async def attempted() -> T | Exception:
            try:
                async with self.connection.begin_nested():
                    return await act
            except (Conflict, Invalid) as refused:
                return refused

        return self.run(attempted())

    def teardown(self) -> None:
        try:
            if hasattr(self, "here"):
                verified = self.run(verify(SignedRecords(self.connection), SEALS.is_good, progress=lambda _: None))
                assert verified.is_whole, verified.failed
        finally:
            self.leaves()

    def leaves(self) -> None:
        self.run(self.transaction.rollback())
        self.run(self.connection.close())
        self.run(self.engine.dispose())
        self.loop.close()

    @property
    def today(self) -> date:
        return self.now.astimezone(self.zone).date()

    @initialize(profile=st.sampled_from(sorted(BEGINNINGS)))
    def opens(self, profile: str) -> None:
        zone, self.now = BEGINNINGS[profile]
        self.profile, self.zone = profile, ZoneInfo(zone)

        async def opened() -> None:
            self.connection = await self.engine.connect()
            self.transaction = await self.connection.begin()
            # What hypothesis does between two steps takes as long as it takes.
            await self.connection.execute(text("set local idle_in_transaction_session_timeout = 0"))
            self.here = await window(self.connection, profile=profile, time_zone=zone)

        self.run(opened())
        self.orders(amount="60", begins=0, lasts=None, every=1, instead=False)
        self.comes(days=1)

    @rule(hours=st.sampled_from(TICKS))
    def waits(self, hours: float) -> None:
        self.now += timedelta(hours=hours)

    @rule(days=st.integers(1, 8))
    def comes(self, days: int) -> None:
        """To the window at the same hour of each of some days, for what the newest order says."""
        for _ in range(days if self.known.orders else 0):
            self.tries(self.known.orders[-1], "1", self.now)
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
        wanted = next(each for each in hours if each.hour == hour).astimezone(UTC)
        self.now = max(self.now, wanted)
        if self.known.orders:
            self.tries(self.known.orders[-1], "1", self.now)

    @rule(
        amount=st.sampled_from(AMOUNTS),
        begins=st.integers(0, 2),
        lasts=st.sampled_from([None, 0, 3]),
        every=st.sampled_from([1, 1, 1, 2]),
        instead=st.booleans(),
    )
    def orders(
        self,
        amount: str,
        begins: int,
        lasts: int | None,
        every: int,
        instead: bool,  # noqa: FBT001  drawn by its name
    ) -> None:
        starts_on = self.today + timedelta(days=begins)
        replaced = self.known.orders[-1].id if instead and self.known.orders else None
        wanted = wish(
            amount_mg=amount,
            every_days=every,
            starts_on=starts_on,
            ends_on=None if lasts is None else starts_on + timedelta(days=lasts),
            replaces=replaced,
        )
        signed = self.attempt(self.here.order(wanted, now=self.now))
        if isinstance(signed, Order):
            self.known.orders.append(signed)

    @precondition(lambda self: self.known.orders)
    @rule(data=st.data())
    def stops(self, data: st.DataObject) -> None:
        order = data.draw(st.sampled_from(self.known.orders))
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

    @precondition(lambda self: self.known.orders)
    @rule(data=st.data(), share=st.sampled_from(["1", "1", "1", "0.5", "1.001"]), ago=st.sampled_from([0, 0, 5]))
    def gives(self, data: st.DataObject, share: str, ago: int) -> None:
        self.tries(data.draw(st.sampled_from(self.known.orders)), share, self.now - timedelta(minutes=ago))

    def tries(self, order: Order, share: str, at: datetime) -> None:
        """Give a share of what an order says, and hold what comes of it against the oracle."""
        ordered = sum(order.amounts_mg.values())
        amount = (ordered * Decimal(share)).quantize(Decimal("0.001"))
        day = at.astimezone(self.zone).date()
        in_the_way = self.in_the_way(order, amount, at, day)
        given = self.attempt(
            self.here.give(order, at=self.now, given_at=at, amount_mg=str(amount), less_reason="As was agreed.")
        )
        if isinstance(given, Dose):
            assert not in_the_way, f"accepted in spite of {in_the_way}"
            self.remember(given, at)
        elif not in_the_way and self.is_plain(order, day, share):
            assert not isinstance(given, DoseRefused), f"refused for {[each.rule for each in given.refusals]}"

    def in_the_way(self, order: Order, amount: Decimal, at: datetime, day: date) -> list[str]:
        """Why nobody may give this, by the handbook."""
        why: list[str] = []
        stopped = self.known.stopped.get(order.id)
        if stopped is not None or not self.in_force(order, day):
            why.append("no order in force")
        if (day - order.starts_on).days % order.every_days:
            why.append("not scheduled")
        if amount > sum(order.amounts_mg.values()):
            why.append("more than ordered")
        taken = self.known.taken()
        if any(dose.day == day for dose in taken):
            why.append("given already")
        if any(dose.day != day and abs(dose.at - at) < APART for dose in taken):
            why.append("too soon")
        if self.known.holds:
            why.append("held")
        last = self.known.last_day(day)
        if self.missed(last, day) >= STOPS_FROM[self.profile] and (day, last) not in self.known.allowed:
            why.append("missed doses")
        return why

    def in_force(self, order: Order, day: date) -> bool:
        """By its own days, and those of an order that took its place."""
        later = [each for each in self.known.orders if each.replaces == order.id]
        ends = [order.ends_on or date.max, *(each.starts_on - timedelta(days=1) for each in later)]
        return order.starts_on <= day <= min(ends)

    def missed(self, last: date | None, day: date) -> int:
        """The days between without a dose, but for those that an alternate-day order leaves out."""
        if last is None:
            return 0
        between = [last + timedelta(days=number) for number in range(1, (day - last).days)]
        return sum(not self.left_out(each) for each in between)

    def left_out(self, day: date) -> bool:
        midnight = datetime.combine(day + timedelta(days=1), datetime.min.time(), self.zone)
        return any(
            self.in_force(order, day)
            and (order.signed_at or self.now) < midnight
            and self.known.stopped.get(order.id, self.now) >= midnight.astimezone(UTC)
            and (day - order.starts_on).days % order.every_days
            for order in self.known.orders
        )

    def is_plain(self, order: Order, day: date, share: str) -> bool:
        """Whether nothing else that a profile may ask has a ground: whole doses of one daily order, none missed."""
        week = [day - timedelta(days=number) for number in range(1, 8)]
        days = {dose.day for dose in self.known.taken() if dose.ordinary}
        return (
            share == "1"
            and order.every_days == 1
            and len(self.known.orders) == 1
            and not self.known.stopped
            and all(each in days or each < order.starts_on for each in week)
        )

    def remember(self, dose: Dose, at: datetime) -> None:
        self.known.latest[dose.id] = dose
        ordinary = dose.kind is Kind.ORDINARY
        self.known.doses.append(Given(dose.id, dose.dosing_day, at, ordinary, dose.decision is not None))

    @rule(data=st.data(), hours=st.sampled_from([0.1, 1, 7, 20, 30]), amount=st.sampled_from(AMOUNTS))
    def records_late(self, data: st.DataObject, hours: float, amount: str) -> None:
        order = data.draw(st.sampled_from([None, *self.known.orders]))
        at = self.now - timedelta(hours=hours)
        recorded = self.attempt(self.here.late(order, given_at=at, now=self.now, amount_mg=amount))
        assert isinstance(recorded, Dose), f"what was swallowed is not in the record: {recorded}"
        self.remember(recorded, at)
        if recorded.kind is Kind.EXCEPTION:
            self.known.holds |= self.run(self.open_holds()) - self.known.holds

    async def open_holds(self) -> set[HoldId]:
        """By the tables."""
        found = await self.connection.execute(
            text(
                "select id from clinic.hold where client_id = :client"
                " and not exists (select from clinic.medication_decision where hold_id = hold.id)"
            ),
            {"client": self.here.client},
        )
        return {HoldId(row.id) for row in found}

    @rule()
    def holds(self) -> None:
        held = self.run(self.here.hold(at=self.now))
        self.known.holds.add(held.id)

    @precondition(lambda self: self.known.holds)
    @rule()
    def clears_a_hold(self) -> None:
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
        self.known.holds.remove(hold)

    @rule(at_most=st.sampled_from([None, "20"]))
    def allows_today(self, at_most: str | None) -> None:
        allowed = self.attempt(self.here.allow(self.today, at=self.now, at_most_mg=at_most))
        if not isinstance(allowed, Exception):
            self.known.allowed.append((self.today, self.known.last_day(self.today + timedelta(days=1))))

    @precondition(lambda self: self.known.latest)
    @rule(data=st.data())
    def corrects(self, data: st.DataObject) -> None:
        dose = self.known.latest[data.draw(st.sampled_from(sorted(self.known.latest)))]
        corrected = self.attempt(correct(self.here, dose, at=self.now))
        if not isinstance(corrected, Exception):
            del self.known.latest[dose.id]
            next(each for each in self.known.doses if each.id == dose.id).taken = False

    @precondition(lambda self: self.known.latest)
    @rule(data=st.data(), amount=st.sampled_from(AMOUNTS))
    def amends(self, data: st.DataObject, amount: str) -> None:
        dose = self.known.latest[data.draw(st.sampled_from(sorted(self.known.latest)))]
        amended = self.attempt(change(self.here, dose, at=self.now, amount_mg=Decimal(amount)))
        if isinstance(amended, Dose):
            self.known.latest[dose.id] = amended
            self.known.holds |= self.run(self.open_holds()) - self.known.holds

    @rule()
    def looks_back(self) -> None:
        """Remember what is known now, for whoever asks later."""
        at = self.now - timedelta(microseconds=1)
        self.known.past[at] = self.run(self.as_known(at))

    async def as_known(self, at: datetime) -> Contents:
        past = Pasts(self.connection, self.here.journal, now=self.now)
        contents, _ = await past.contents(self.here.client, at, by=self.here.prescriber, act=Act.SEE_MEDICATION)
        return as_known(contents, at)

    @invariant()
    def the_record_keeps_its_promises(self) -> None:
        if hasattr(self, "here"):
            self.run(self.promises())

    async def promises(self) -> None:
        async def rows(statement: str) -> list[Any]:
            return list(await self.connection.execute(text(statement), {"client": self.here.client}))

        taken = [dose for dose in self.known.taken() if dose.ordinary]
        for before, after in pairwise(taken):
            assert before.day != after.day, "two ordinary doses on one day"
            assert after.at - before.at >= APART, "two ordinary doses too close together"
        assert {row.id for row in await rows(STANDING)} == {dose.id for dose in self.known.doses if dose.taken}
        assert not await rows(WITHOUT_ORDER), "an ordinary dose that no signed order covers"
        assert not await rows(UNHELD), "an exception that holds nothing"
        assert await self.open_holds() == self.known.holds
        for at, known in self.known.past.items():
            assert await self.as_known(at) == known, f"what was known at {at} has changed"


STANDING: Final = """
    select dose.id from clinic.dose where client_id = :client and version = 1
    and not exists (select from clinic.dose_correction where dose_id = dose.id)
"""
WITHOUT_ORDER: Final = """
    select dose.id from clinic.dose
    left join clinic.medication_order as ordered on ordered.id = dose.order_id and ordered.client_id = dose.client_id
    left join clinic.medication_order_signature as signed on signed.order_id = ordered.id
    where dose.client_id = :client and dose.kind = 'ordinary' and dose.version = 1 and (
        signed.order_id is null or signed.signed_at > dose.recorded_at
        or dose.dosing_day < ordered.starts_on or dose.dosing_day > coalesce(ordered.ends_on, 'infinity')
    )
"""
UNHELD: Final = """
    select dose.id from clinic.dose where client_id = :client and kind = 'exception'
    and not exists (select from clinic.hold where hold.dose_id = dose.id)
"""


def test_whatever_is_done_at_the_window_the_record_keeps_its_promises(database: str, counts: Counts) -> None:
    class Here(Morning):
        pass

    Here.database = database
    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=counts(15, full=200),
            stateful_step_count=counts(40, full=60),
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
        ),
    )
