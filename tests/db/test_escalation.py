"""Escalations as they are kept: what cannot be stored, and lists that find their lines by index."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db import escalation as lists
from caseload.db.access import reach_of
from caseload.db.tables.escalation import escalation
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
    ]

    for plan in plans:
        assert not any("Seq Scan on escalation " in line for line in plan), "\n".join(plan)
    assert not walks([line for line in plans[2] if "escalation " in line])
