"""Ladders and care tasks as they are kept: what cannot be stored, and lists that find their lines by index."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db import care_task as lists
from caseload.db.access import reach_of
from caseload.db.checkin import Plans
from caseload.db.outreach import KeptLadders, explained, ladders
from caseload.db.tables.care_task import care_task
from caseload.db.tables.checkin import check_in_waiting
from caseload.db.tables.outreach import client_contact, outreach_step
from caseload.domain.access import Act, Role
from caseload.domain.checkin import plan_check_ins
from caseload.domain.ids import CheckInId, ClientId, PlanId, ProgrammeId, new_id
from caseload.domain.people import Staff
from tests.factories import clients, people
from tests.factories.checkin import MORNING, Remembered, terms
from tests.factories.clients import InCare
from tests.factories.explain import generic_plan_of, plan_of

pytestmark = pytest.mark.anyio

NOW = MORNING + timedelta(days=3)


async def overdue(connection: AsyncConnection) -> tuple[ProgrammeId, Staff, InCare, CheckInId]:
    """A client with one check-in that is overdue at `NOW`."""
    programme = await people.programme(connection, time_zone="America/New_York", profile="US")
    robin = await people.staff(connection, holds=[(Role.COUNSELLOR, programme)])
    client = await clients.in_care(connection, programme=programme, counsellor=robin.id)
    journal = Remembered()
    await plan_check_ins(
        client.episode,
        terms(),
        as_id=PlanId(new_id()),
        by=robin,
        now=MORNING,
        plans=Plans(connection, journal, now=MORNING),
        journal=journal,
    )
    first = select(check_in_waiting.c.check_in_id).order_by(check_in_waiting.c.due_at).limit(1)
    return programme, robin, client, CheckInId((await connection.execute(first)).scalar_one())


@pytest.mark.parametrize(
    ("constraint", "changes"),
    [
        ("a_number_to_ring", {"allowed": ["text"]}),
        ("an_address_to_go_to", {"allowed": ["visit"]}),
        ("who_leaves_a_message_rings", {"allowed": ["voicemail"], "telephone": "555"}),
        ("allowed_check", {"allowed": ["pigeon"]}),
        ("change_has_reason", {"version": 2}),
        ("telephone_not_blank", {"telephone": " "}),
    ],
)
async def test_what_nobody_could_allow_is_not_kept(
    connection: AsyncConnection, constraint: str, changes: dict[str, Any]
) -> None:
    _, robin, client, _ = await overdue(connection)
    values: dict[str, Any] = {
        "client_id": client.id,
        "version": 1,
        "allowed": [],
        "recorded_by": robin.id,
        "recorded_at": NOW,
    }

    with pytest.raises(IntegrityError, match=constraint):
        await connection.execute(insert(client_contact).values({**values, **changes}))


@pytest.mark.parametrize(
    ("constraint", "changes"),
    [
        ("when_it_was_due", {"taken_at": NOW - timedelta(seconds=1)}),
        ("when_it_was_due", {"overdue_since": NOW + timedelta(seconds=1)}),
        ("skipped_reaches_nobody", {"skipped": "not_asked", "by_way_of": ["text"]}),
        ("step_check", {"step": "telepathy"}),
    ],
)
async def test_what_is_no_step_is_not_kept(
    connection: AsyncConnection, constraint: str, changes: dict[str, Any]
) -> None:
    _, _, client, check_in = await overdue(connection)

    with pytest.raises(IntegrityError, match=constraint):
        await connection.execute(insert(outreach_step).values({**a_step(client.id, check_in), **changes}))


def a_step(client: ClientId, check_in: CheckInId) -> dict[str, Any]:
    return {
        "check_in_id": check_in,
        "overdue_since": NOW,
        "step": "same_day",
        "client_id": client,
        "due_at": NOW,
        "taken_at": NOW,
        "rule": "us.outreach of US-1",
        "by_way_of": [],
    }


async def test_a_step_is_kept_once_and_makes_one_task(connection: AsyncConnection) -> None:
    programme, robin, client, check_in = await overdue(connection)
    step = a_step(client.id, check_in)
    task = {
        "client_id": client.id,
        "programme_id": programme,
        "kind": "outreach",
        "says": "Ring.",
        "for_staff": robin.id,
        "due_at": NOW,
        "rule": "us.outreach of US-1",
        "check_in_id": check_in,
        "overdue_since": NOW,
        "step": "same_day",
        "raised_by": robin.id,
        "raised_at": NOW,
    }
    await connection.execute(insert(outreach_step).values(step))
    await connection.execute(insert(care_task).values(id=new_id(), **task))

    for table, values, constraint in (
        (outreach_step, step, "outreach_step_pkey"),
        (care_task, {"id": new_id(), **task}, "care_task_check_in_id_overdue_since_step_key"),
        (care_task, {"id": new_id(), **task, "step": "letter"}, "care_task_step_fkey"),
        (care_task, {"id": new_id(), **task, "kind": "asked"}, "step_of_a_ladder"),
        (care_task, {"id": new_id(), **task, "step": None}, "step_of_a_ladder"),
    ):
        with pytest.raises(IntegrityError, match=constraint):
            async with connection.begin_nested():
                await connection.execute(insert(table).values(values))


async def test_a_client_whom_nobody_answers_for_stands_still(connection: AsyncConnection) -> None:
    programme, _, client, _ = await overdue(connection)
    kept = KeptLadders(connection, Remembered(), now=NOW)
    assert [each.client for each in await kept.due(programme, at_most=10)] == [client.id]

    await connection.execute(text("delete from clinic.responsibility where client_id = :client"), {"client": client.id})

    assert await kept.due(programme, at_most=10) == []


async def test_no_list_walks_what_was_ever_to_be_done_or_is_scheduled(connection: AsyncConnection) -> None:
    programme, robin, client, _ = await overdue(connection)
    await connection.execute(
        text(
            "insert into clinic.care_task (id, client_id, programme_id, kind, says, for_staff, due_at, raised_by, raised_at)"
            " select gen_random_uuid(), :client, :programme, 'asked', 'x', :by, now(), :by, now()"
            " from generate_series(1, 20000)"
        ),
        {"client": client.id, "programme": programme, "by": robin.id},
    )
    await connection.execute(
        text(
            "insert into clinic.care_task_done (task_id, said, done_by, done_at)"
            " select id, 'x', :by, now() from clinic.care_task"
        ),
        {"by": robin.id},
    )
    # Of the few check-ins of a test every one is read; asked is whether there is an index to find them by.
    await connection.execute(text("set local enable_seqscan = off"))
    reach = reach_of(robin.reach(Act.KEEP_CARE_TASKS), at=MORNING)
    page = {"limit": 50, **reach}

    plans = [await plan_of(connection, lists.FORGET, {"programme": programme, "since": NOW})]
    for statement, given in (
        (lists.OF_STAFF, {"of": robin.id, **page}),
        (lists.OF_STAFF_NEXT, {"of": robin.id, "after": new_id(), **page}),
        (lists.OF_PROGRAMME, {"programme": programme, **page}),
        (lists.OF_PROGRAMME_NEXT, {"programme": programme, "after": new_id(), **page}),
        (lists.OF_CLIENT, {"client": client.id, "after": new_id(), **page}),
        (lists.OF_STEPS, {"check_in": new_id(), "overdue_since": NOW, **reach}),
        (ladders.DUE, {"programme": programme, "at": NOW, "limit": 50}),
        (ladders.STEPS, {"check_ins": [new_id()]}),
        (ladders.ASKED, {"check_ins": [new_id()]}),
        (explained.LONGEST, {"client": client.id, "programme": programme, "at": NOW}),
    ):
        plans.append(await generic_plan_of(connection, statement, given))
    for plan in plans:
        walked = [line for line in plan if "Seq Scan on care_task " in line or "Seq Scan on care_task_done" in line]
        walked += [line for line in plan if "Seq Scan on check_in" in line or "Seq Scan on outreach_step" in line]
        assert not walked, "\n".join(plan)
