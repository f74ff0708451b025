"""What the first migration promises about who may do what."""

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db import revisions
from tests.shared_server import Addresses

pytestmark = pytest.mark.anyio


async def test_the_service_is_a_member_of_its_role_and_owns_nothing(connection: AsyncConnection) -> None:
    row = (
        await connection.execute(
            text(
                "select current_user::text, pg_has_role('caseload_app', 'usage'), rolsuper, rolcreaterole, rolcreatedb,"
                " (select count(*) from pg_class where relowner = pg_roles.oid)"
                " from pg_roles where rolname = current_user"
            )
        )
    ).one()
    assert tuple(row) == ("caseload", True, False, False, False, 0)


async def test_the_service_reads_the_log_only_after_saying_so(connection: AsyncConnection) -> None:
    inherits = text("select pg_has_role('audit_reader', 'usage')")
    assert (await connection.execute(inherits)).scalar_one() is False
    await connection.execute(text("set local role audit_reader"))
    assert (await connection.execute(text("select current_user::text"))).scalar_one() == "audit_reader"


@pytest.mark.parametrize(
    "statement",
    [
        "create table clinic.mine (id int)",
        "create table audit.mine (id int)",
        "create table public.mine (id int)",
        "set local role audit_owner",
        "set local role postgres",
        "delete from public.alembic_version",
    ],
)
async def test_the_service_may_not(connection: AsyncConnection, statement: str) -> None:
    with pytest.raises(ProgrammingError, match=r"permission denied|must be able to|must be owner"):
        await connection.execute(text(statement))


async def test_a_new_table_of_the_record_can_be_read_and_added_to_but_not_changed(
    throwaway_database: Addresses,
) -> None:
    owner = await asyncpg.connect(throwaway_database.owner)
    service = await asyncpg.connect(throwaway_database.service)
    try:
        await owner.execute("create table clinic.fact (id int)")
        await service.execute("insert into clinic.fact values (1)")
        assert await service.fetchval("select id from clinic.fact") == 1
        for statement in ("update clinic.fact set id = 2", "delete from clinic.fact", "truncate clinic.fact"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await service.execute(statement)
    finally:
        await owner.close()
        await service.close()


def test_the_service_may_ask_where_its_database_stands(database: str) -> None:
    assert revisions.check(database).up_to_date
