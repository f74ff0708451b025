"""Killed in the middle of a sheet of sixty lines, and the same sheet again: everything once, and the stock agrees."""

import asyncio
import contextlib
import os
import signal
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from caseload.db.embedded import reach
from caseload.db.engine import make_engine
from caseload.domain.access import Role
from caseload.settings import Secret, Settings
from tests import scratch
from tests.factories import people
from tests.factories.stock import Storeroom
from tests.factories.window import clinician, window, wish
from tests.running_service import WHOLE, Service, service

pytestmark = pytest.mark.anyio

LINES = 60
AMOUNT_MG = 30


@dataclass
class Morning:
    """A programme that keeps its stock, sixty clients with orders, and the sheet that one nurse wrote and another enters."""

    token: str
    programme: str
    bottle: str
    sheet: dict[str, Any]
    key: str

    async def enter(self, url: str) -> httpx.Response:
        async with httpx.AsyncClient(timeout=60) as http:
            return await http.post(
                f"{url}/api/v1/programmes/{self.programme}/downtime-entries",
                json=self.sheet,
                headers={"Authorization": f"Bearer {self.token}", "Idempotency-Key": self.key},
            )


async def a_morning(data: Path) -> Morning:
    now = datetime.now(UTC)
    signed = now - timedelta(minutes=1)
    with reach(Settings(data_dir=data)) as databases:
        engine = make_engine(Settings(database_url=Secret(databases.owner), data_dir=data))
        async with engine.begin() as connection:
            here = await window(connection)
            store = Storeroom(here, await clinician(connection, here.programme, Role.PHARMACIST))
            await store.begin(signed.date(), now=signed)
            station = await store.station(now=signed)
            bottle = await store.bottle("9000", now=signed)
            await store.use(bottle, station, now=signed)
            lines: list[dict[str, Any]] = []
            for number in range(1, LINES + 1):
                order = await here.order(
                    wish(starts_on=signed.date(), amount_mg=str(AMOUNT_MG)),
                    now=signed,
                    client=await here.another_client(),
                )
                given = {
                    "order_id": str(order.id),
                    "medicine": order.medicine,
                    "form": order.form,
                    "amount_mg": str(AMOUNT_MG),
                    "given_at": now.isoformat(),
                    "station_id": str(station),
                }
                written = {"client_id": str(order.client), "written_by": str(here.nurse.id)}
                lines.append({"line": number, **written, "given": given})
            token = await people.signed_in(connection, here.colleague.id, at=now)
        await engine.dispose()
    sheet = {"day": str(now.date()), "reason": "No power.", "lines": lines}
    return Morning(token, str(here.programme), str(bottle), sheet, uuid4().hex)


async def kept(data: Path, bottle: str) -> tuple[int, int, int, Decimal]:
    """Doses, clients with a dose, sheets, and what the bottle has given."""
    with reach(Settings(data_dir=data)) as databases:
        connection = await asyncpg.connect(databases.owner)
        try:
            doses = await connection.fetchval("select count(*) from clinic.dose")
            clients = await connection.fetchval("select count(distinct client_id) from clinic.dose")
            sheets = await connection.fetchval("select count(*) from clinic.downtime_entry")
            taken = await connection.fetchval(
                "select coalesce(-sum(amount_mg), 0) from clinic.stock_taking where container_id = $1", bottle
            )
        finally:
            await connection.close()
    return doses, clients, sheets, taken


async def until_it_waits(connection: asyncpg.Connection) -> int:
    """The server's process that waits for the client whose record the test holds: half of the sheet lies behind it."""
    for _ in range(1000):
        waiting = await connection.fetchval("select pid from pg_locks where not granted")
        if waiting is not None:
            return int(waiting)
        await asyncio.sleep(0.005)
    pytest.fail("the sheet never came to the client in its middle")


async def killed_in_the_middle(running: Service, morning: Morning, *, database: bool) -> None:
    """Hold the client in the middle of the sheet, and kill what works on it once it has come so far."""
    middle = sorted(line["client_id"] for line in morning.sheet["lines"])[LINES // 2]
    with reach(Settings(data_dir=running.data)) as databases:
        holding = await asyncpg.connect(databases.owner)
        watching = await asyncpg.connect(databases.owner)
        held = holding.transaction()
        await held.start()
        await holding.execute("select from clinic.medication_record where client_id = $1 for update", middle)
        asked = asyncio.create_task(morning.enter(f"http://127.0.0.1:{running.port}"))
        waiting = await until_it_waits(watching)
        # The server takes the death of one of its processes for its own, and comes back by its log.
        os.kill(waiting if database else running.process.pid, signal.SIGKILL)
        with contextlib.suppress(httpx.TransportError):
            answer = await asked
            assert answer.status_code >= 500, answer.text
        for connection in (holding, watching):
            connection.terminate()


async def entered_once(running: Service, morning: Morning) -> None:
    """Nothing is there of what was cut off; sent again, twice, everything is there once."""
    assert await kept(running.data, morning.bottle) == (0, 0, 0, 0), "half a sheet"
    first, second = [await morning.enter(f"http://127.0.0.1:{running.port}") for _ in range(2)]
    assert (first.status_code, second.status_code) == (201, 201), first.text
    assert first.json() == second.json()
    assert {each["outcome"] for each in first.json()["answers"]} == {"recorded"}, first.text
    assert await kept(running.data, morning.bottle) == (LINES, LINES, 1, LINES * AMOUNT_MG)


async def until_it_answers(running: Service) -> None:
    """Until the database has come back: a service that has lost it says that it is not ready."""
    async with httpx.AsyncClient(timeout=30) as http:
        for _ in range(600):
            if (await http.get(f"http://127.0.0.1:{running.port}/readyz")).status_code == 200:
                return
            await asyncio.sleep(0.1)
    pytest.fail("the database never came back")


async def test_a_service_killed_in_the_middle_of_a_sheet_enters_it_once_when_it_is_sent_again() -> None:
    with scratch.folder() as folder:
        data = folder / "data"
        with service(data, WHOLE) as running:
            morning = await a_morning(data)
            await killed_in_the_middle(running, morning, database=False)
        with service(data, WHOLE) as again:
            await entered_once(again, morning)


async def test_a_database_that_fails_in_the_middle_of_a_sheet_keeps_nothing_of_it() -> None:
    with scratch.folder() as folder, service(folder / "data", WHOLE) as running:
        morning = await a_morning(running.data)
        await killed_in_the_middle(running, morning, database=True)
        await until_it_answers(running)
        await entered_once(running, morning)
