"""Twelve nurses at two processes of the service, and somebody who holds or stops meanwhile: one dose, or none."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import asyncpg
import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from caseload.db.embedded import reach
from caseload.db.engine import make_engine
from caseload.domain.access import Role
from caseload.domain.ids import ClientId
from caseload.domain.medication import Order, stop_order
from caseload.settings import Secret, Settings
from tests import scratch
from tests.factories import people
from tests.factories.window import Window, clinician, proof, window, wish
from tests.running_service import WHOLE, service

pytestmark = pytest.mark.anyio

NURSES = 12
IN_ADVANCE = 20
"""So many clients get their orders in one transaction."""


@dataclass
class Ward:
    """A programme with twelve nurses, each with a connection of their own to the service."""

    engine: AsyncEngine
    here: Window
    nurses: list[httpx.AsyncClient]

    async def orders(self, number: int) -> list[Order]:
        async with self.engine.begin() as connection:
            self.here.connection = connection
            now = datetime.now(UTC)
            return [
                await self.here.order(wish(starts_on=now.date()), now=now, client=await self.here.another_client())
                for _ in range(number)
            ]

    async def hold(self, order: Order) -> None:
        async with self.engine.begin() as connection:
            self.here.connection, self.here.client = connection, order.client
            await self.here.hold(at=datetime.now(UTC))

    async def stop(self, order: Order) -> None:
        async with self.engine.begin() as connection:
            self.here.connection = connection
            now = datetime.now(UTC)
            await stop_order(
                order.id,
                "Side effects.",
                by=self.here.prescriber,
                proof=proof(self.here.prescriber, now),
                now=now,
                orders=self.here.doses(now),
                journal=self.here.journal,
            )


@asynccontextmanager
async def ward(url: str, data: Path) -> AsyncGenerator[Ward]:
    with reach(Settings(data_dir=data)) as databases:
        engine = make_engine(Settings(database_url=Secret(databases.owner), data_dir=data))
        async with engine.begin() as connection:
            here = await window(connection)
            nurses = [await clinician(connection, here.programme, Role.NURSE) for _ in range(NURSES)]
            tokens = [await people.signed_in(connection, nurse.id, at=datetime.now(UTC)) for nurse in nurses]
        at_the_window = [
            httpx.AsyncClient(base_url=f"{url}/api/v1", timeout=60, headers={"Authorization": f"Bearer {token}"})
            for token in tokens
        ]
        yield Ward(engine, here, at_the_window)
        for each in at_the_window:
            await each.aclose()
        await engine.dispose()


async def give(nurse: httpx.AsyncClient, order: Order) -> int:
    said = {"order_id": str(order.id), "medicine": order.medicine, "form": order.form, "amount_mg": "60"}
    answer = await nurse.post(f"/clients/{order.client}/doses", json=said, headers={"Idempotency-Key": uuid4().hex})
    return answer.status_code


async def race(
    here: Ward, order: Order, meanwhile: Callable[[Order], Coroutine[None, None, None]] | None
) -> Counter[int]:
    """What each nurse was answered."""
    async with asyncio.TaskGroup() as together:
        attempts = [together.create_task(give(nurse, order)) for nurse in here.nurses]
        if meanwhile is not None:
            together.create_task(meanwhile(order))
    return Counter(attempt.result() for attempt in attempts)


async def given(data: Path) -> tuple[Counter[ClientId], int]:
    """Doses by client, and how many processes have recorded one."""
    with reach(Settings(data_dir=data)) as databases:
        connection = await asyncpg.connect(databases.owner)
        try:
            rows = await connection.fetch("select client_id, count(*) as doses from clinic.dose group by client_id")
            processes_at_work = await connection.fetchval(
                "select count(distinct convert_from(leaf, 'UTF8')::jsonb ->> 'boot') from audit.log"
                " where event = 'dose.recorded'"
            )
        finally:
            await connection.close()
    return Counter({ClientId(row["client_id"]): row["doses"] for row in rows}), processes_at_work


async def test_twelve_nurses_at_two_processes_give_one_dose_and_none_after_a_hold_or_a_stop(
    counts: Callable[..., int],
) -> None:
    rounds = counts(30, full=1000)
    with scratch.folder() as folder, service(folder / "data", WHOLE) as running:
        async with ward(f"http://127.0.0.1:{running.port}", running.data) as here:
            raced: list[Order] = []
            while len(raced) < rounds:
                for number, order in enumerate(await here.orders(IN_ADVANCE)):
                    meanwhile = [here.hold, here.stop, None][number % 3]
                    found = await race(here, order, meanwhile)
                    assert found[201] + found[409] == NURSES, found
                    assert found[201] == 1 if meanwhile is None else found[201] <= 1, found
                    assert await give(here.nurses[number % NURSES], order) == 409, "a dose after a dose, or after a no"
                    raced.append(order)
        doses, at_work = await given(running.data)
        assert set(doses.values()) == {1}
        assert len(doses) >= rounds // 3
        assert at_work == 2
