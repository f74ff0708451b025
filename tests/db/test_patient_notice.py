"""How PostgreSQL finds who is still to be given a notice: by index, however many clients there are and notices were given."""

import re
from collections.abc import AsyncGenerator
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from caseload.db import patient_notice
from caseload.db.access import reach_of
from caseload.domain.access import Act
from tests.db.test_caseload_plans import CROWD
from tests.factories.explain import generic_plan_of, plan_of, walks_all_that_runs
from tests.factories.window import MORNING, window
from tests.shared_server import Addresses

pytestmark = pytest.mark.anyio

GIVEN = (
    "set session_replication_role = replica",  # the rows below satisfy every constraint; checking each takes minutes
    """
    insert into clinic.patient_notice (id, programme_id, title, version, in_force_from, text_sha256, recorded_by, recorded_at)
    select md5(programme::text || n)::uuid, programme, 'Notice', n::text, date '2020-01-01' + n, sha256('n'), programme, now()
    from (select distinct programme from crowd) there, generate_series(1, 3) n
    """,
    """
    insert into clinic.patient_notice_given
      (id, client_id, programme_id, notice_id, given_at, manner, acknowledgement, recorded_by, recorded_at)
    select gen_random_uuid(), client, programme, md5(programme::text || m)::uuid, now(), 'paper', 'signed', counsellor, now()
    from crowd, generate_series(1, 3) m where m < 3 or n % 10 > 0
    """,
    """
    insert into clinic.patient_notice_taken_back (given_id, reason, recorded_by, recorded_at)
    select id, 'x', recorded_by, now() from clinic.patient_notice_given
    """,
    "set session_replication_role = origin",
    "analyze",
)
"""Each of the crowd was given the first two versions, and nine of ten the third."""

GROWS = re.compile(r"Seq Scan on (client|client_identity|client_merge\w*|episode|patient_notice_\w+)\b")
STATEMENTS: dict[str, Any] = {
    "who is still to be given it": patient_notice.FIRST,
    "who further on": patient_notice.NEXT,
    "how many they are": patient_notice.COUNT,
    "what a client was given": patient_notice.OF_CLIENT,
}


@pytest.fixture
async def owner(throwaway_database: Addresses) -> AsyncGenerator[AsyncEngine]:
    """The database as its owner, who may fill it past the rules."""
    engine = create_async_engine("postgresql+asyncpg://", connect_args={"dsn": throwaway_database.owner})
    yield engine
    await engine.dispose()


async def test_nothing_walks_all_clients_or_all_notices_that_were_given(owner: AsyncEngine) -> None:
    async with owner.begin() as connection:
        here = await window(connection)
        for statement in (*CROWD, *GIVEN):
            await connection.execute(text(statement))
        whom = (await connection.execute(text("select programme, client from crowd limit 1"))).one()
    given: dict[str, Any] = {
        "programme": whom.programme,
        "notice": whom.client,
        "client": whom.client,
        "after": UUID(int=0),
        "limit": 50,
        **reach_of(here.prescriber.reach(Act.SEE_NOTICES), at=MORNING),
    }
    walked: list[str] = []
    async with owner.connect() as connection:
        # The crowd is small enough that walking a thin table can be the cheaper way: it is enough that there is another.
        await connection.execute(text("set enable_seqscan = off"))
        for name, statement in STATEMENTS.items():
            plans = (
                await plan_of(connection, statement, given),
                await generic_plan_of(connection, statement, given),
            )
            walked += [
                "\n".join([f"{name}:", *plan])
                for plan in plans
                if walks_all_that_runs(plan, "episode") or any(GROWS.search(line) for line in plan)
            ]
    assert not walked, "\n\n".join(walked)
