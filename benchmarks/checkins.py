"""Check-ins in bulk: a weekly plan per client with forty of them past and done, one overdue, and nine to come."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from caseload.domain.ids import new_id

DONE, OVERDUE, TO_COME = 40, 1, 9
PER_CLIENT = DONE + OVERDUE + TO_COME
AT_ONCE = 2000
WEEK = timedelta(days=7)

COLUMNS = {
    "check_in_plan": "id client_id programme_id",
    "check_in_plan_version": "plan_id version every unit weekday local_time starts_on grace_days early_days mode "
    "time_zone replaces_from decided_by decided_at",
    "check_in_plan_current": "plan_id version scheduled_through",
    "check_in": "id plan_id plan_version client_id programme_id scheduled_on due_at grace_ends_at made_at",
    "check_in_outcome": "check_in_id version ended occurred_at mode recorded_by recorded_at",
    "check_in_waiting": "check_in_id plan_id plan_version client_id programme_id due_at grace_ends_at counts_from movable_until "
    "attempts last_fact last_fact_at rule mode grace_days time_zone",
}


async def plan_check_ins(owner: str, programme: UUID, clients: Sequence[UUID]) -> None:
    """Give each of these clients their check-ins."""
    connection = await asyncpg.connect(owner)
    try:
        by = await connection.fetchval("select min(id::text)::uuid from clinic.staff")
        for start in range(0, len(clients), AT_ONCE):
            tables: dict[str, list[tuple[Any, ...]]] = {name: [] for name in COLUMNS}
            for client in clients[start : start + AT_ONCE]:
                _of_client(tables, client, programme, by)
            async with connection.transaction():
                for name, rows in tables.items():
                    await connection.copy_records_to_table(
                        name, schema_name="clinic", columns=COLUMNS[name].split(), records=rows
                    )
        await connection.execute("vacuum analyze")
        # What loading left to be written is not the list's to pay for.
        await connection.execute("checkpoint")
    finally:
        await connection.close()


def _of_client(tables: dict[str, list[tuple[Any, ...]]], client: UUID, programme: UUID, by: UUID) -> None:
    plan, nine = new_id(), datetime.combine(datetime.now(UTC).date(), time(9), UTC)
    # The overdue one was due three days ago, so that the list is the same at any hour of the day.
    first = nine - timedelta(days=3) - DONE * WEEK
    made = first - timedelta(days=1)
    tables["check_in_plan"].append((plan, client, programme))
    weekday = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")[first.weekday()]
    tables["check_in_plan_version"].append((
        plan, 1, 1, "weeks", weekday, time(9), first.date(), 1, 1, "telephone", "Etc/UTC", made, by, made,
    ))  # fmt: skip
    tables["check_in_plan_current"].append((plan, 1, date(2199, 12, 31)))
    for number in range(PER_CLIENT):
        check_in, due = new_id(), first + number * WEEK
        grace_ends = due + timedelta(days=1)
        tables["check_in"].append((check_in, plan, 1, client, programme, due.date(), due, grace_ends, made))
        if number < DONE:
            tables["check_in_outcome"].append((check_in, 1, "completed", due, "telephone", by, due))
        else:
            tables["check_in_waiting"].append((
                check_in, plan, 1, client, programme, due, grace_ends, due - timedelta(days=1), due + WEEK, 0, "scheduled", made,
                f"every week on {weekday.capitalize()} at 09:00", "telephone", 1, "Etc/UTC",
            ))  # fmt: skip
