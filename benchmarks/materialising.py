"""Making the check-ins of 60 days for 20,000 plans, and those of each of seven more days, on five of which plans fall. No HTTP in it.

python -m benchmarks.materialising [--plans 20000]
"""

import argparse
import sys
import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from datetime import time as wall_clock
from pathlib import Path

import asyncpg
import uvloop

from benchmarks.checkins import COLUMNS
from benchmarks.clinic import fill
from benchmarks.stage import Stage, stage
from caseload.db.job.queue import Queue
from caseload.domain.ids import new_id
from caseload.jobs.check_ins import SCHEDULE_CHECK_INS
from caseload.jobs.worker import Worker
from caseload.request.service import open_service
from caseload.request.work import Service
from caseload.settings import Secret, Settings

AT_ONCE = 5000
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")
CLOSED = 6
"""The weekday on which the programme is closed: Sunday, as nearly everywhere."""


async def plan(owner: str, plans: int) -> None:
    """A weekly plan for each client, of which nothing has been made yet; every Sunday is closed."""
    connection = await asyncpg.connect(owner)
    clients = await connection.fetch("select id, programme_id from clinic.client order by id limit $1", plans)
    by = await connection.fetchval("select min(id::text)::uuid from clinic.staff")
    today = datetime.now(UTC).date()
    made = datetime.now(UTC)
    for start in range(0, len(clients), AT_ONCE):
        rows: dict[str, list[tuple[object, ...]]] = {name: [] for name in list(COLUMNS)[:3]}
        for number, client in enumerate(clients[start : start + AT_ONCE]):
            one = new_id()
            rows["check_in_plan"].append((one, client["id"], client["programme_id"]))
            rows["check_in_plan_version"].append((
                one, 1, 1, "weeks", WEEKDAYS[number % 5], wall_clock(9), today, 1, 1, "telephone", "Europe/London", made,
                by, made,
            ))  # fmt: skip
            rows["check_in_plan_current"].append((one, 1, today - timedelta(days=1)))
        for name, records in rows.items():
            await connection.copy_records_to_table(
                name, schema_name="clinic", columns=COLUMNS[name].split(), records=records
            )
    days = [day for day in (today + timedelta(days=each) for each in range(366)) if day.weekday() == CLOSED]
    programmes = {client["programme_id"] for client in clients}
    await connection.copy_records_to_table(
        "closure_day",
        schema_name="clinic",
        columns=["programme_id", "day", "version", "is_closed", "reason", "recorded_by", "recorded_at"],
        records=[(each, day, 1, True, "Sunday", by, made) for each in programmes for day in days],
    )
    await connection.execute("vacuum analyze")
    await connection.execute("checkpoint")
    await connection.close()


async def timed(service: Service, what: str) -> None:
    began, used = time.perf_counter(), time.process_time()
    async with service.engine.begin() as connection:
        job = await Queue(connection, now=service.clock()).add(SCHEDULE_CHECK_INS.name, key=what)
    if job is None or await Worker(service).attempt(SCHEDULE_CHECK_INS, job) is not None:
        raise SystemExit(f"{what}: it did not come to its end")
    print(
        f"{what}: {time.perf_counter() - began:.1f} s, {time.process_time() - used:.1f} s of this process",
        flush=True,
    )


async def measure(where: Stage, plans: int) -> None:
    await fill(where.owner, where.service, Path(where.scratch), clients=plans)
    await plan(where.owner, plans)
    settings = Settings(database_url=Secret(where.service), data_dir=Path(where.scratch))
    async with open_service(settings) as service:
        await timed(service, "60 days")
        await timed(service, "nothing to do")
        for days in range(1, 8):
            then = datetime.now(UTC) + timedelta(days=days)
            await timed(replace(service, clock=lambda then=then: then), f"{days} days later")


def main(arguments: Iterable[str]) -> None:
    """Measure it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.materialising")
    parser.add_argument("--plans", type=int, default=20_000)
    given = parser.parse_args(list(arguments))
    with stage() as ready:
        uvloop.run(measure(ready, given.plans))


if __name__ == "__main__":
    main(sys.argv[1:])
