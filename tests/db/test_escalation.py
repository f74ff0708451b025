"""Escalations as they are kept: what cannot be stored, and lists that find their lines by index."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db import escalation as lists
from caseload.db import on_call
from caseload.db.access import reach_of
from caseload.db.tables.escalation import escalation
from caseload.db.tables.escalation import on_call as on_call_table
from caseload.domain.access import Act, Role
from caseload.domain.ids import new_id
from caseload.domain.people import Staff
from tests.factories import clients, people
from tests.factories.checkin import MORNING
from tests.factories.explain import generic_plan_of, plan_of, walks

pytestmark = pytest.mark.anyio


async def one(connection: AsyncConnection, **changes: Any) -> tuple[Staff, dict[str, Any]]:
    programme = await people.programme(connection)
    nurse = await people.staff(connection, holds=[(Role.NURSE, programme)])
    client = await clients.in_care(connection, programme=programme, counsellor=nurse.id)
    values = {
        "id": new_id(),
        "client_id": client.id,
        "programme_id": programme,
        "ground": "overdose",
        "said": "Found on the stairs.",
        "recorded_by": nurse.id,
        "recorded_at": datetime(2026, 6, 1, tzinfo=UTC),
        **changes,
    }
    await connection.execute(insert(escalation).values(values))
    return nurse, values


@pytest.mark.parametrize(("column", "value"), [("ground", "boredom"), ("said", " ")])
async def test_what_is_no_escalation_is_not_kept(connection: AsyncConnection, column: str, value: str) -> None:
    with pytest.raises(IntegrityError, match="escalation_"):
        await one(connection, **{column: value})


async def test_no_list_walks_what_was_ever_escalated(connection: AsyncConnection) -> None:
    nurse, kept = await one(connection)
    await connection.execute(
        text(
            "insert into clinic.escalation (id, client_id, programme_id, ground, said, recorded_by, recorded_at)"
            " select gen_random_uuid(), :client, :programme, 'overdose', 'x', :by, now() from generate_series(1, 20000)"
        ),
        {"client": kept["client_id"], "programme": kept["programme_id"], "by": nurse.id},
    )
    reach = reach_of(nurse.reach(Act.SEE_ESCALATIONS), at=MORNING)
    page = {"after": lists.BEFORE_ALL, "limit": 50}

    plans = [
        await generic_plan_of(connection, lists.OPEN, {**page, **reach}),
        await generic_plan_of(
            connection, lists.OPEN_IN_PROGRAMME, {**page, **reach, "programme": kept["programme_id"]}
        ),
        await plan_of(connection, lists.OF_CHECK_IN, {"check_in": new_id()}),
        await plan_of(connection, lists.OF_OBSERVATION, {"observation": new_id()}),
    ]

    for plan in plans:
        assert not any("Seq Scan on escalation " in line for line in plan), "\n".join(plan)
    assert not walks([line for line in plans[2] if "escalation " in line])


async def test_two_are_never_on_call_at_once_and_nobody_walks_what_went_on(connection: AsyncConnection) -> None:
    nurse, kept = await one(connection)
    values = {
        "programme_id": kept["programme_id"],
        "staff_id": nurse.id,
        "starts_at": MORNING,
        "ends_at": MORNING + timedelta(hours=12),
        "recorded_by": nurse.id,
        "recorded_at": MORNING,
    }
    await connection.execute(insert(on_call_table).values(id=new_id(), **values))
    ended = {"starts_at": MORNING + timedelta(hours=2), "ended_at": MORNING, "ended_by": nurse.id}
    await connection.execute(insert(on_call_table).values(id=new_id(), **{**values, **ended}))
    for wrong, constraint in (
        ({"starts_at": MORNING + timedelta(hours=11), "ends_at": MORNING + timedelta(hours=13)}, "one_at_a_time"),
        ({"starts_at": MORNING + timedelta(days=1), "ends_at": MORNING}, "ends_after_start"),
        (
            {"starts_at": MORNING + timedelta(days=1), "ends_at": MORNING + timedelta(days=2), "ended_at": MORNING},
            "who_said",
        ),
    ):
        with pytest.raises(IntegrityError, match=constraint):
            async with connection.begin_nested():
                await connection.execute(insert(on_call_table).values(id=new_id(), **{**values, **wrong}))

    await connection.execute(text("set local enable_seqscan = off"))
    programme = {"programme": kept["programme_id"], "at": MORNING}
    for statement, given in (
        (on_call.RUNNING, programme),
        (on_call.BETWEEN, {**programme, "since": MORNING, "until": MORNING}),
        (on_call.PASSINGS, {"escalations": [kept["id"]]}),
        (on_call.SUPERVISORS, programme),
    ):
        plan = await plan_of(connection, statement, given)
        assert not walks(plan), "\n".join(plan)
