"""A broken glass to the microsecond, what the constraints hold, and that nothing walks a table that grows."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.glass import FIND, KeptGlasses
from caseload.db.tables.glass import glass_review
from caseload.domain.access import BrokenGlass, Role
from caseload.domain.accesslog import LogScope
from caseload.domain.glass import Broken, GlassReview, GlassStillBroken, Outcome, ReasonCode
from caseload.domain.ids import ClientId, GlassId, ProgrammeId, StaffId, new_id
from tests.factories import clients, people
from tests.factories.checkin import Remembered
from tests.factories.explain import generic_plan_of
from tests.factories.people import NOW, identified

pytestmark = pytest.mark.anyio

INSTANT, HOUR = timedelta(microseconds=1), timedelta(hours=1)


def kept(connection: AsyncConnection, *, now: datetime = NOW) -> KeptGlasses:
    return KeptGlasses(connection, Remembered(), now=now)


def a_glass(by: StaffId, client: ClientId, programme: ProgrammeId, *, starts_at: datetime = NOW) -> Broken:
    return Broken(
        id=GlassId(new_id()),
        staff=by,
        client=client,
        programme=programme,
        code=ReasonCode.OVERDOSE,
        reason="Found unconscious in the yard.",
        rule="break_glass/1",
        starts_at=starts_at,
        until_at=starts_at + HOUR,
        review_due_at=starts_at + timedelta(days=1),
    )


@pytest.fixture
async def broken(connection: AsyncConnection) -> Broken:
    programme = await people.programme(connection)
    robin = (await people.staff(connection, holds=[(Role.COUNSELLOR, programme)])).id
    nurse = (await people.staff(connection, holds=[(Role.NURSE, await people.programme(connection))])).id
    client = await clients.in_care(connection, programme=programme, counsellor=robin)
    made = a_glass(nurse, client.id, programme)
    await kept(connection).add(made)
    return made


async def seen(connection: AsyncConnection, who: StaffId, *, at: datetime) -> BrokenGlass | None:
    token = await people.signed_in(connection, who, at=at)
    return (await identified(connection, token, at)).apart.glass


async def test_it_lasts_from_its_first_instant_and_not_at_its_last(connection: AsyncConnection, broken: Broken) -> None:
    whole = BrokenGlass(id=broken.id, client=broken.client, until=broken.until_at)
    assert await seen(connection, broken.staff, at=NOW - INSTANT) is None
    assert await seen(connection, broken.staff, at=NOW) == whole
    assert await seen(connection, broken.staff, at=broken.until_at - INSTANT) == whole
    assert await seen(connection, broken.staff, at=broken.until_at) is None
    assert await seen(connection, await people.bystander(connection), at=NOW) is None
    await kept(connection).end(replace(broken, ended_at=NOW + INSTANT, ended_by=broken.staff))
    assert await seen(connection, broken.staff, at=NOW + INSTANT) is None


async def test_one_at_a_time_and_the_next_from_the_moment_it_is_over(
    connection: AsyncConnection, broken: Broken
) -> None:
    too_soon = a_glass(broken.staff, broken.client, broken.programme, starts_at=broken.until_at - INSTANT)
    async with connection.begin_nested() as nested:
        with pytest.raises(GlassStillBroken):
            await kept(connection).add(too_soon)
        await nested.rollback()
    await kept(connection).add(a_glass(broken.staff, broken.client, broken.programme, starts_at=broken.until_at))


async def test_the_tables_hold_that_somebody_else_reviews_it(connection: AsyncConnection, broken: Broken) -> None:
    async with connection.begin_nested() as nested:
        with pytest.raises(IntegrityError, match="glass_review_by_another_check"):
            await connection.execute(
                insert(glass_review).values(
                    glass_id=broken.id,
                    staff_id=broken.staff,
                    outcome=Outcome.JUSTIFIED,
                    note="Mine.",
                    reviewed_by=broken.staff,
                    reviewed_at=NOW,
                )
            )
        await nested.rollback()


async def test_what_nobody_reviewed_is_overdue_from_the_moment_it_was_due(
    connection: AsyncConnection, broken: Broken
) -> None:
    here = LogScope(programmes=frozenset({broken.programme}))
    due = broken.review_due_at
    assert await kept(connection, now=due - INSTANT).waiting(scope=here) == (1, 0)
    assert await kept(connection, now=due).waiting(scope=here) == (1, 1)
    elsewhere = LogScope(programmes=frozenset({ProgrammeId(new_id())}))
    assert await kept(connection, now=due).waiting(scope=elsewhere) == (0, 0)
    looked = GlassReview(
        glass=broken.id,
        outcome=Outcome.NOT_JUSTIFIED,
        note="Curious.",
        by=await people.bystander(connection),
        at=due,
    )
    await kept(connection).add_review(broken, looked)
    assert await kept(connection, now=due).waiting(scope=here) == (0, 0)
    [line] = await kept(connection).page(scope=here, unreviewed_only=False, after=UUID(int=2**128 - 1), limit=9)
    assert line.review == looked
    assert await kept(connection).page(scope=here, unreviewed_only=True, after=UUID(int=2**128 - 1), limit=9) == []


async def test_the_door_looks_for_a_birth_date_and_walks_no_client(connection: AsyncConnection) -> None:
    asked = {"birth_date": NOW.date(), "given_name": "Ada", "family_name": "L"}
    await connection.execute(text("set local enable_seqscan = off"))
    plan = await generic_plan_of(connection, FIND, asked)
    assert any("client_identity_birth_date_idx" in line for line in plan), plan
    assert not any("Seq Scan on client" in line for line in plan), plan
