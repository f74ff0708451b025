"""The migrations: complete, in one line, careful with locks, and possible for an owner who is no superuser."""

import ast
import asyncio
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import CheckConstraint, Connection, MetaData
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from caseload.audit import tables as audit_tables
from caseload.db import migrate, revisions
from caseload.db.embedded import EmbeddedServer
from caseload.db.tables.base import SCHEMAS, complete
from caseload.request.database import migrate_to_head
from tests import processes, scratch
from tests.shared_server import Addresses, copied, execute

upgrade = partial(migrate_to_head, organisation="caseload")

REVISIONS = sorted((revisions.folder() / "versions").glob("*.py"))


@pytest.fixture
def empty_database(server: Addresses) -> Iterator[Addresses]:
    """A database that nothing has been done to."""
    asyncio.run(execute(server.owner, "create database nothing_yet"))
    yield server.of("nothing_yet")
    asyncio.run(execute(server.owner, "drop database nothing_yet with (force)"))


def differences(owner_url: str, *models: MetaData) -> list[object]:
    """What Alembic would change to make the database equal the models."""

    def compare(connection: Connection) -> list[object]:
        def ours(name: str | None, kind: str, _parents: object) -> bool:
            if kind == "table" and re.fullmatch(r"entry_[0-9]+", name or ""):
                return False  # a partition is what its table is
            return kind != "schema" or name in SCHEMAS

        context = MigrationContext.configure(
            connection,
            opts={"include_schemas": True, "include_name": ours, "compare_server_default": True},
        )
        # One comparison over all the models: apart, each would miss the other's tables.
        return list(compare_metadata(context, _merged(models)))

    async def compared() -> list[object]:
        engine = create_async_engine("postgresql+asyncpg://", connect_args={"dsn": owner_url}, poolclass=NullPool)
        try:
            async with engine.connect() as connection:
                return await connection.run_sync(compare)
        finally:
            await engine.dispose()

    return asyncio.run(compared())


def _merged(models: tuple[MetaData, ...]) -> MetaData:
    merged = MetaData(naming_convention=models[0].naming_convention)
    for metadata in models:
        for table in metadata.tables.values():
            table.to_metadata(merged)
    return merged


def test_the_models_equal_the_migrations(owner_dsn: str) -> None:
    found = differences(owner_dsn, complete(), audit_tables.metadata)
    assert found == [], "Write a migration for what differs, or mend the models in db/tables."


def test_the_comparison_would_notice(owner_dsn: str) -> None:
    assert differences(owner_dsn, MetaData()), "an empty model differs from every migration"


def test_the_models_name_the_same_checks_and_exclusions_as_the_migrations(owner_dsn: str) -> None:
    """Alembic compares neither, and they are where the rules are held."""
    in_models = {
        (table.fullname, str(constraint.name))
        for metadata in (complete(), audit_tables.metadata)
        for table in _merged((metadata,)).tables.values()
        for constraint in table.constraints
        if isinstance(constraint, CheckConstraint | ExcludeConstraint)
    }

    async def in_database() -> set[tuple[str, str]]:
        connection = await asyncpg.connect(owner_dsn)
        try:
            rows = await connection.fetch(
                "select conrelid::regclass::text, conname from pg_constraint c join pg_class t on t.oid = conrelid"
                " join pg_namespace n on n.oid = relnamespace"
                " where contype in ('c', 'x') and nspname = any($1) and not relispartition",
                list(SCHEMAS),
            )
            return {(row[0], row[1]) for row in rows}
        finally:
            await connection.close()

    found = asyncio.run(in_database())
    assert in_models - found == set(), "These are in the models but not in the migrations."
    assert found - in_models == set(), "These are in the migrations but not in the models."


def test_there_is_one_line_of_revisions_named_by_date() -> None:
    script = ScriptDirectory.from_config(migrate.config())
    assert len(script.get_heads()) == 1, "Two revisions follow the same one: change the down_revision of yours."
    for revision in script.walk_revisions():
        name = Path(revision.path).stem
        assert re.fullmatch(r"\d{8}_\d{3}_[a-z_]+", name), f"{name}: name it YYYYMMDD_NNN_subject.py."
        assert name.startswith(f"{revision.revision}_"), f"{name}: its revision is {revision.revision}."


@pytest.mark.parametrize("path", REVISIONS, ids=lambda path: path.stem)
def test_a_revision_gives_up_waiting_for_locks_before_the_clinic_notices(path: Path) -> None:
    upgrade = next(
        node
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef) and node.name == "upgrade"
    )
    first = [ast.unparse(statement) for statement in upgrade.body[:2]]
    assert "lock_timeout" in first[0], "Begin upgrade() with the two timeouts, as migrations/script.py.mako does."
    assert "statement_timeout" in first[1], "Begin upgrade() with the two timeouts, as migrations/script.py.mako does."


def test_upgrading_twice_changes_nothing(throwaway_database: Addresses) -> None:
    assert upgrade(throwaway_database.owner) == upgrade(throwaway_database.owner)


def test_two_services_that_start_at_once_migrate_one_after_the_other(empty_database: Addresses) -> None:
    with ThreadPoolExecutor(2) as threads:
        standings = list(threads.map(upgrade, [empty_database.owner] * 2))
    assert [standing.up_to_date for standing in standings] == [True, True]


def test_an_empty_database_is_told_to_be_upgraded(empty_database: Addresses) -> None:
    standing = revisions.check(empty_database.owner)
    assert (standing.current, standing.up_to_date) == (None, False)
    with pytest.raises(revisions.CannotMigrate, match=r"is empty and this version needs .* run `caseload db upgrade`"):
        revisions.require(empty_database.owner)


def test_a_database_of_a_newer_version_is_left_alone(throwaway_database: Addresses) -> None:
    asyncio.run(execute(throwaway_database.owner, "update public.alembic_version set version_num = '29991231_001'"))
    for attempt in (upgrade, revisions.require):
        with pytest.raises(revisions.CannotMigrate, match="a newer caseload has migrated it"):
            attempt(throwaway_database.owner)


@pytest.fixture(scope="module")
def bare_server() -> Iterator[str]:
    """A server without any role of ours, as an administrator hands it over: the address of its superuser."""
    with scratch.folder() as folder, EmbeddedServer(folder / "data", options={"fsync": "off"}) as server:
        superuser = server.databases.owner
        # The local server makes this much of itself; an outside one has nothing.
        asyncio.run(execute(superuser, "drop role caseload"))
        asyncio.run(execute(superuser, "drop role caseload_app"))
        yield superuser


def _as(user: str, superuser: str, database: str) -> str:
    socket = superuser.partition("?")[2]
    return f"postgresql://{user}:{user}@/{database}?{socket}"


def _drop_roles(superuser: str) -> None:
    for role in ("audit_reader", "audit_sequencer", "audit_owner", "caseload_app"):
        asyncio.run(execute(superuser, f"drop role if exists {role}"))


def test_an_owner_who_may_make_roles_needs_no_superuser(bare_server: str) -> None:
    for statement in ("create role maker login createrole password 'maker'", "create database made owner maker"):
        asyncio.run(execute(bare_server, statement))
    owner = _as("maker", bare_server, "made")
    assert upgrade(owner).up_to_date

    async def opened_by_reader() -> None:
        connection = await asyncpg.connect(owner)
        try:
            await connection.execute("create role clinic login password 'clinic' in role caseload_app")
        finally:
            await connection.close()
        service = await asyncpg.connect(_as("clinic", bare_server, "made"))
        try:
            assert await service.fetchval("select count(*) from clinic.programme") == 0
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await service.execute("create table clinic.mine (id int)")
        finally:
            await service.close()

    asyncio.run(opened_by_reader())
    asyncio.run(execute(bare_server, "drop database made with (force)"))
    asyncio.run(execute(bare_server, "drop role clinic"))
    _drop_roles(bare_server)


def test_an_owner_who_may_not_make_roles_is_told_the_statements(bare_server: str) -> None:
    _drop_roles(bare_server)
    for statement in ("create role plain login password 'plain'", "create database plain owner plain"):
        asyncio.run(execute(bare_server, statement))
    owner = _as("plain", bare_server, "plain")
    said = processes.run("-m", "caseload", "db", "upgrade", CASELOAD_DATABASE_URL=owner)
    assert said.returncode == 1
    assert "the role caseload_app is missing and plain may not create roles" in said.stderr
    assert "Traceback" not in said.stderr
    statements = said.stderr.partition("run once, then migrate again:")[2].strip()
    for statement in statements.replace("the_role_that_migrates", "plain").split(";"):
        if statement.strip():
            asyncio.run(execute(bare_server, statement))
    assert upgrade(owner).up_to_date
    asyncio.run(execute(bare_server, "drop database plain with (force)"))
    _drop_roles(bare_server)


def test_a_role_that_would_read_the_log_unasked_is_refused(bare_server: str) -> None:
    _drop_roles(bare_server)
    asyncio.run(execute(bare_server, "create role caseload_app nologin inherit"))
    asyncio.run(execute(bare_server, "create database inheriting"))
    owner = bare_server.replace("/caseload?", "/inheriting?")
    try:
        with pytest.raises(Exception, match="could read the log unasked"):
            upgrade(owner)
    finally:
        asyncio.run(execute(bare_server, "drop database inheriting with (force)"))
        _drop_roles(bare_server)


def test_copies_for_tests_are_what_the_migrations_make(server: Addresses) -> None:
    with copied(server, "a_copy") as copy:
        assert revisions.check(copy.service).up_to_date


def test_what_is_read_from_the_files_is_what_alembic_knows() -> None:
    script = ScriptDirectory.from_config(migrate.config())
    known = {revision.revision: revision.down_revision for revision in script.walk_revisions()}
    assert revisions.revisions() == known
    assert revisions.head() == script.get_current_head()
