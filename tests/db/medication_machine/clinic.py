"""Where it is played: one client of one programme, everybody who works there, and the clock on the wall."""

import asyncio
from collections.abc import Awaitable
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncTransaction

from caseload.db.engine import make_engine
from caseload.db.takehome.premises import TheirPremises
from caseload.domain.access import Role
from caseload.domain.errors import Conflict, Invalid, NotFound, NotPermitted
from caseload.domain.ids import HoldId, StationId
from caseload.domain.medication import Aim
from caseload.domain.people import Staff
from caseload.domain.takehome import Premises
from caseload.settings import Secret, Settings
from tests.db.medication_machine.handbook import Handbook
from tests.db.medication_machine.remembered import Remembered
from tests.factories import clients
from tests.factories.stock import Storeroom
from tests.factories.window import Window, clinician, window

T = TypeVar("T")

BEGINNINGS: Final = {
    "AU": ("Australia/Sydney", datetime(2026, 10, 1, 21, tzinfo=UTC)),
    "UK": ("Europe/London", datetime(2026, 10, 22, 6, tzinfo=UTC)),
    "US": ("America/New_York", datetime(2026, 10, 29, 11, tzinfo=UTC)),
    "US-CA-BRIDGE": ("America/Los_Angeles", datetime(2026, 3, 5, 15, tzinfo=UTC)),
}
"""Each profile where it is at home, at seven in the morning, a few days before its clocks change."""

TICKS: Final = [0.01, 0.5, 3, 7.5, 8.5, 14, 20, 23.5, 24, 24.5, 26, 48, 72, 96, 120, 144]
_HOLDS: Final = """
    select id, order_id, on_day, part from clinic.hold where client_id = :client
    and not exists (select from clinic.medication_decision where hold_id = hold.id)
"""


class Clinic(RuleBasedStateMachine):
    """A programme with a client, and what everybody remembers of them."""

    database: str

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.engine = make_engine(Settings(database_url=Secret(self.database)), application_name="medication-machine")
        self.known = Remembered()
        self.profile = ""
        self.zone = ZoneInfo("UTC")
        self.now: datetime
        self.began: date
        self.here: Window
        self.store: Storeroom
        self.station: StationId
        self.supervisor: Staff
        self.connection: AsyncConnection
        self.transaction: AsyncTransaction

    @property
    def is_open(self) -> bool:
        """Whether the day has begun: nothing is promised before."""
        return hasattr(self, "station")

    @property
    def handbook(self) -> Handbook:
        return Handbook(self.known, self.profile, self.zone)

    @property
    def today(self) -> date:
        return self.handbook.day_of(self.now)

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
            except (Conflict, Invalid, NotFound, NotPermitted) as refused:
                return refused

        return self.run(attempted())

    async def rows(self, statement: str, **given: Any) -> list[Any]:
        """What the tables say about the client."""
        return list(await self.connection.execute(text(statement), {"client": self.here.client, **given}))

    def leaves(self) -> None:
        self.run(self.transaction.rollback())
        self.run(self.connection.close())
        self.run(self.engine.dispose())
        self.loop.close()

    @initialize(profile=st.sampled_from(sorted(BEGINNINGS)))
    def opens(self, profile: str) -> None:
        zone, self.now = BEGINNINGS[profile]
        self.profile, self.zone = profile, ZoneInfo(zone)
        self.began = self.today

        async def opened() -> None:
            self.connection = await self.engine.connect()
            self.transaction = await self.connection.begin()
            # What hypothesis does between two steps takes as long as it takes.
            await self.connection.execute(text("set local idle_in_transaction_session_timeout = 0"))
            self.here = await window(self.connection, profile=profile, time_zone=zone)
            await clients.name(self.connection, self.here.client, by=self.here.nurse.id)
            keeper = await clinician(self.connection, self.here.programme, Role.PHARMACIST)
            self.supervisor = await clinician(self.connection, self.here.programme, Role.SUPERVISOR)
            self.store = Storeroom(self.here, keeper)
            await self.store.begin(self.began, now=self.now)
            await TheirPremises(self.connection).add_premises(
                Premises(
                    programme=self.here.programme,
                    version=1,
                    address="1 Quay Street",
                    telephone="555 0100",
                    recorded_by=keeper.id,
                    recorded_at=self.now,
                )
            )
            self.station = await self.store.station(now=self.now)

        self.run(opened())
        self.begins()

    def begins(self) -> None:
        """What the first morning brings."""

    def puts_in_order(self) -> None:
        """Whatever keeps a dose from being given today that a prescriber can mend."""

    @rule(hours=st.sampled_from(TICKS))
    def waits(self, hours: float) -> None:
        self.now += timedelta(hours=hours)

    async def holds_in_force(self) -> dict[HoldId, Aim]:
        return {
            HoldId(row.id): Aim(order=row.order_id, on_day=row.on_day, part=row.part) for row in await self.rows(_HOLDS)
        }

    def learns_of_holds(self) -> None:
        """What a rule has held because of what was just recorded."""
        self.known.holds |= self.run(self.holds_in_force())
