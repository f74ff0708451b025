"""How the service connects: limits in force, nothing prepared behind a pooler, on to the next host."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine

from caseload.db.engine import make_engine
from caseload.settings import Secret, Settings, SettingsError

pytestmark = pytest.mark.anyio


async def _in_force(engine: AsyncEngine, name: str) -> object:
    async with engine.connect() as connection:
        return (await connection.execute(text("select current_setting(:name)"), {"name": name})).scalar_one()


async def test_the_limits_are_set_on_the_servers_side(database: str) -> None:
    engine = make_engine(Settings(database_url=Secret(database), db_statement_timeout_seconds=2.5))
    assert await _in_force(engine, "statement_timeout") == "2500ms"
    assert await _in_force(engine, "lock_timeout") == "2s"
    assert await _in_force(engine, "idle_in_transaction_session_timeout") == "30s"
    assert await _in_force(engine, "jit") == "off"
    assert await _in_force(engine, "timezone") == "UTC"
    assert await _in_force(engine, "application_name") == "caseload"
    await engine.dispose()


async def test_a_statement_that_takes_too_long_is_ended(database: str) -> None:
    engine = make_engine(Settings(database_url=Secret(database), db_statement_timeout_seconds=0.05))
    async with engine.connect() as connection:
        with pytest.raises(DBAPIError, match="statement timeout"):
            await connection.execute(text("select pg_sleep(5)"))
    await engine.dispose()


async def test_the_pool_never_grows_and_a_request_does_not_wait_for_ever(database: str) -> None:
    engine = make_engine(Settings(database_url=Secret(database), db_pool_size=1, db_pool_timeout_seconds=0.05))
    async with engine.connect():
        with pytest.raises(PoolTimeout):
            await engine.connect()
    await engine.dispose()


async def test_behind_a_pooler_nothing_is_prepared_for_later(database: str) -> None:
    kept = text("select count(*) from pg_prepared_statements where statement not like '%pg_prepared_statements%'")
    counts: dict[str, object] = {}
    for pooler in ("none", "transaction"):
        engine = make_engine(Settings(database_url=Secret(database), db_pooler=pooler))
        async with engine.connect() as connection:
            for _ in range(3):
                await connection.execute(text("select 1"))
            counts[pooler] = (await connection.execute(kept)).scalar_one()
        await engine.dispose()
    assert counts["transaction"] == 0
    assert counts["none"] != 0


async def test_behind_a_pooler_no_session_setting_is_sent(database: str) -> None:
    engine = make_engine(Settings(database_url=Secret(database), db_pooler="transaction"))
    assert await _in_force(engine, "statement_timeout") == "0"
    assert await _in_force(engine, "application_name") == "caseload"
    await engine.dispose()


async def test_the_next_host_is_tried_when_the_first_does_not_answer(database: str) -> None:
    before, _, socket = database.partition("?host=")
    several = f"{before}?host=/nowhere,{socket}&port=5432,5432&target_session_attrs=read-write"
    engine = make_engine(Settings(database_url=Secret(several)))
    assert await _in_force(engine, "application_name") == "caseload"
    await engine.dispose()


async def test_an_error_does_not_repeat_what_the_statement_carried(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        with pytest.raises(ProgrammingError) as refused:
            await connection.execute(text("select nothing from nowhere where name = :name"), {"name": "Jane Doe"})
    assert "Jane Doe" not in str(refused.value)


@pytest.mark.parametrize("code", ["57P01", "57P02", "25006"])
async def test_a_connection_whose_server_goes_is_not_used_again(database: str, code: str) -> None:
    engine = make_engine(Settings(database_url=Secret(database)))
    async with engine.connect() as connection:
        with pytest.raises(DBAPIError):
            await connection.execute(text(f"do $$ begin raise sqlstate '{code}'; end $$"))
        assert connection.invalidated
    await engine.dispose()


async def test_an_ordinary_refusal_keeps_the_connection(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        with pytest.raises(DBAPIError):
            await connection.execute(text("select 1 / 0"))
        assert not connection.invalidated


async def test_documents_go_in_and_come_out_whole(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        found = await connection.execute(text("""select '{"amount_mg": "0.125", "days": [1, 2]}'::jsonb"""))
        assert found.scalar_one() == {"amount_mg": "0.125", "days": [1, 2]}


def test_without_an_address_the_service_says_how_to_get_one() -> None:
    with pytest.raises(SettingsError, match="start the service with `caseload serve`"):
        make_engine(Settings())
