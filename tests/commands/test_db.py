"""`caseload db`: up to date, backed up, brought back."""

import asyncio
import hashlib
import shutil
import stat
from pathlib import Path

import asyncpg
import pytest

from caseload.db import backup as backups
from caseload.db import migrate, revisions
from caseload.db.embedded.binaries import bin_dir
from caseload.request import database
from caseload.settings import Settings
from tests import processes, scratch
from tests.shared_server import Addresses, execute


def fetch(url: str, query: str) -> object:
    async def fetched() -> object:
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetchval(query)
        finally:
            await connection.close()

    return asyncio.run(fetched())


def _watch() -> None: ...


_AN_EXPORT = """
    with who as (select id from clinic.staff where id = created_by limit 1),
    asked as (
        insert into clinic.bundle (id, request, asked_by, asked_at, laid_open, towards)
        select gen_random_uuid(), gen_random_uuid(), id, now(), 'clients', '{}' from who returning id
    )
    insert into clinic.bundle_piece (bundle_id, number, sealed) select id, 0, 'sealed' from asked
"""


_A_KEY = (
    "insert into keys.client_key (key_id, client_id, wrapped) values (gen_random_uuid(), gen_random_uuid(), 'wrapped')"
)
_KEYS = "select array_agg(wrapped) from keys.client_key"


def _told(url: str) -> object:
    """What the log says was done to the database as a whole, oldest first."""
    return fetch(
        url,
        "select array_agg(convert_from(leaf, 'UTF8')::json ->> 'route' order by entry_id) from audit.queue"
        " where event ^@ 'database.'",
    )


def _caseload(*arguments: str, addresses: Addresses) -> tuple[int, str, str]:
    told = processes.run(
        "-m",
        "caseload",
        *arguments,
        CASELOAD_DATABASE_URL=addresses.service,
        CASELOAD_DATABASE_OWNER_URL=addresses.owner,
    )
    return told.returncode, told.stdout, told.stderr


def test_an_outside_database_is_checked_and_upgraded_by_its_owner(server: Addresses) -> None:
    asyncio.run(execute(server.owner, "create database upgraded"))
    addresses = server.of("upgraded")
    try:
        code, _, said = _caseload("db", "check", addresses=addresses)
        assert (code, said.startswith("caseload: The database is empty and this version needs")) == (1, True)
        code, said, _ = _caseload("db", "upgrade", addresses=addresses)
        assert (code, said) == (0, f"The database is now at {revisions.head()}.\n")
        code, said, _ = _caseload("db", "upgrade", addresses=addresses)
        assert (code, said) == (0, f"The database was already at {revisions.head()}.\n")
        code, said, _ = _caseload("db", "check", addresses=addresses)
        assert code == 0
        first, *more = said.splitlines()
        assert first == f"The database is at {revisions.head()}, as this version needs."
        missing = [line for line in more if line.startswith("Protection of the log: ")]
        assert all("power cut" in line for line in missing), "the tests' own server keeps nothing over one"
        assert "As caseload_app may act: caseload." in more
    finally:
        asyncio.run(execute(server.owner, "drop database upgraded with (force)"))


def test_the_local_database_is_made_checked_and_backed_up_without_a_service(tmp_path: Path) -> None:
    with scratch.folder() as folder:
        local = {"CASELOAD_DATA_DIR": str(folder / "data")}
        assert processes.run("-m", "caseload", "db", "upgrade", **local).returncode == 0
        told = processes.run("-m", "caseload", "db", "backup", str(tmp_path / "a.backup"), **local)
        assert (told.returncode, told.stderr) == (0, "")
        assert told.stdout.startswith("Backed up to ")
        other = {"CASELOAD_DATA_DIR": str(folder / "other")}
        told = processes.run("-m", "caseload", "db", "restore", str(tmp_path / "a.backup"), **other)
        assert (told.returncode, told.stderr) == (0, "")
        assert processes.run("-m", "caseload", "db", "check", **other).returncode == 0


def test_a_backup_comes_back_whole_with_who_may_do_what(throwaway_database: Addresses, tmp_path: Path) -> None:
    file = tmp_path / "clinic.backup"
    owner, service = throwaway_database.owner, throwaway_database.service
    asyncio.run(execute(owner, "create table clinic.kept (id int)"))
    asyncio.run(execute(service, "insert into clinic.kept select generate_series(1, 1000)"))
    asyncio.run(execute(owner, _AN_EXPORT))
    asyncio.run(execute(service, _A_KEY))
    settings = Settings(data_dir=tmp_path, organisation="clinic-01")
    database.backup(settings, owner, file, watch=_watch)
    keys = backups.keys_of(file)
    assert [stat.S_IMODE(each.stat().st_mode) for each in (file, keys)] == [0o600, 0o600]
    asyncio.run(execute(owner, "create database brought_back"))
    back = throwaway_database.of("brought_back")
    try:
        database.restore(settings, back.owner, file, watch=_watch)
        assert revisions.check(back.service).up_to_date
        digest, other = (hashlib.sha256(each.read_bytes()).hexdigest() for each in (file, keys))
        begun = "caseload db backup begun"
        for where, did in ((owner, "backup"), (back.owner, "restore")):
            said = [f"caseload db {did} sha256:{digest}", f"caseload db {did} keys sha256:{other}"]
            assert _told(where) == [begun, *said]
        assert fetch(back.owner, _KEYS) == fetch(owner, _KEYS) == [b"wrapped"]
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            asyncio.run(execute(back.service, "delete from keys.client_key"))
        watched = "select count(*) from pg_event_trigger where evtname in ('audit_no_ddl', 'audit_no_drop')"
        assert fetch(back.owner, f"{watched} and evtenabled = 'A'") == 2
        assert fetch(back.service, "select sum(id) from clinic.kept") == 500_500
        assert fetch(
            back.owner, "select array[count(*), (select count(*) from clinic.bundle_piece)] from clinic.bundle"
        ) == [1, 0], "what an export lays open is in no backup"
        owner_of_log = "select nspowner::regrole::text from pg_namespace where nspname = 'audit'"
        assert fetch(back.owner, owner_of_log) == "audit_owner"
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            asyncio.run(execute(back.service, "delete from clinic.kept"))
        asyncio.run(execute(back.owner, "create table clinic.later (id int)"))
        asyncio.run(execute(back.service, "insert into clinic.later values (1)"))
        with pytest.raises(backups.BackupFailed, match="The database is not empty"):
            backups.restore(back.owner, file, pg_bin=None, watch=_watch)
    finally:
        asyncio.run(execute(owner, "drop database brought_back with (force)"))


def test_the_record_can_be_kept_without_the_keys_that_link_clients_to_the_log(
    server: Addresses, throwaway_database: Addresses, tmp_path: Path
) -> None:
    file = tmp_path / "clinic.backup"
    asyncio.run(execute(throwaway_database.service, _A_KEY))
    backups.backup(throwaway_database.owner, file, pg_bin=None, watch=_watch)
    keys = backups.keys_of(file)
    asyncio.run(execute(server.owner, "create database apart"))
    apart = server.of("apart")
    settings = Settings(data_dir=tmp_path, organisation="clinic-01")
    try:
        whole = keys.read_bytes()
        keys.write_bytes(whole[: len(whole) // 2])
        with pytest.raises(backups.BackupFailed, match="pg_restore failed: "):
            backups.restore(apart.owner, file, pg_bin=None, watch=_watch)
        keys.unlink()
        with pytest.raises(backups.BackupFailed, match=r"There is no .*clinic\.backup\.keys.* --without-keys"):
            backups.restore(apart.owner, file, pg_bin=None, watch=_watch)
        database.restore(settings, apart.owner, file, watch=_watch, without_keys=True)
        assert fetch(apart.owner, _KEYS) is None, "whoever has only the record's backup cannot link anybody"
        told = _told(apart.owner)
        assert isinstance(told, list)
        assert told[-1] == "caseload db restore keys none"
    finally:
        asyncio.run(execute(server.owner, "drop database apart with (force)"))


def test_a_restore_that_fails_leaves_nothing_and_can_be_tried_again(
    server: Addresses, throwaway_database: Addresses, tmp_path: Path
) -> None:
    file = tmp_path / "clinic.backup"
    backups.backup(throwaway_database.owner, file, pg_bin=None, watch=_watch)
    broken = tmp_path / "broken.backup"
    broken.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    shutil.copy(backups.keys_of(file), backups.keys_of(broken))
    asyncio.run(execute(server.owner, "create database half"))
    half = server.of("half")
    try:
        with pytest.raises(backups.BackupFailed, match="pg_restore failed: "):
            backups.restore(half.owner, broken, pg_bin=None, watch=_watch)
        backups.restore(half.owner, file, pg_bin=None, watch=_watch)
        assert revisions.check(half.service).up_to_date
    finally:
        asyncio.run(execute(server.owner, "drop database half with (force)"))


def test_a_restore_asks_of_a_server_nothing_that_only_newer_ones_know(
    server: Addresses, throwaway_database: Addresses, tmp_path: Path
) -> None:
    """`transaction_timeout` came with PostgreSQL 17; what a program of 18 writes must also do for 15."""
    file, played = tmp_path / "clinic.backup", tmp_path / "played"
    backups.backup(throwaway_database.owner, file, pg_bin=None, watch=_watch)
    programs = _with_server(tmp_path)
    (programs / "pg_restore").symlink_to(bin_dir() / "pg_restore")
    (programs / "psql").write_text(f"#!/bin/sh\ncat > {played}\n")
    (programs / "psql").chmod(0o755)
    asyncio.run(execute(server.owner, "create database fifteen"))
    try:
        backups.restore(server.of("fifteen").owner, file, pg_bin=programs, watch=_watch)
    finally:
        asyncio.run(execute(server.owner, "drop database fifteen with (force)"))
    script = played.read_text()
    assert "transaction_timeout" not in script
    assert script.startswith("begin;\n")
    assert script.endswith("\ncommit;\n")
    assert "CREATE SCHEMA audit;" in script


def test_a_restore_that_the_server_refuses_is_undone_and_explained(
    server: Addresses, throwaway_database: Addresses, tmp_path: Path
) -> None:
    file = tmp_path / "clinic.backup"
    backups.backup(throwaway_database.owner, file, pg_bin=None, watch=_watch)
    asyncio.run(execute(server.owner, "create database refused"))
    refused = server.of("refused")
    try:
        migrate.upgrade(refused.owner, tell=backups._no_log_yet, revision=backups.FOUNDATION)
        # Something of somebody else's hangs on what the restore would take out.
        asyncio.run(execute(refused.owner, "create view public.theirs as select * from public.alembic_version"))
        with pytest.raises(backups.BackupFailed, match=r"^psql failed: cannot drop table [^\n]*$"):
            backups.restore(refused.owner, file, pg_bin=None, watch=_watch)
        assert revisions.check(refused.owner).current == backups.FOUNDATION
    finally:
        asyncio.run(execute(server.owner, "drop database refused with (force)"))


def test_a_backup_that_may_not_be_made_names_the_address_to_set(throwaway_database: Addresses, tmp_path: Path) -> None:
    with pytest.raises(backups.BackupFailed, match=r"permission denied .*Set CASELOAD_DATABASE_OWNER_URL"):
        backups.backup(throwaway_database.service, tmp_path / "x.backup", pg_bin=None, watch=_watch)


@pytest.mark.parametrize("url", ["clinic", "postgresql://caseload@127.0.0.1:99999/clinic", "mysql://db/clinic"])
def test_an_address_that_is_none_is_one_line_without_the_address(url: str) -> None:
    told = processes.run("-m", "caseload", "db", "check", CASELOAD_DATABASE_URL=url)
    assert (told.returncode, told.stderr.count("\n")) == (1, 1), told.stderr
    assert "The database's address cannot be used" in told.stderr
    assert url not in told.stderr


def test_a_backup_never_overwrites_another(throwaway_database: Addresses, tmp_path: Path) -> None:
    file = tmp_path / "there.backup"
    file.write_text("precious")
    with pytest.raises(backups.BackupFailed, match="exists already"):
        backups.backup(throwaway_database.owner, file, pg_bin=None, watch=_watch)
    assert file.read_text() == "precious"
    file.rename(backups.keys_of(file))
    with pytest.raises(backups.BackupFailed, match=r"there\.backup\.keys exists already"):
        backups.backup(throwaway_database.owner, file, pg_bin=None, watch=_watch)
    assert [each.name for each in tmp_path.iterdir()] == ["there.backup.keys"]


def test_a_backup_that_fails_leaves_no_file(server: Addresses, tmp_path: Path) -> None:
    with pytest.raises(backups.BackupFailed, match="pg_dump failed: "):
        backups.backup(server.of("no_such_database").owner, tmp_path / "x.backup", pg_bin=None, watch=_watch)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_named(server: Addresses) -> None:
    with pytest.raises(backups.BackupFailed, match=r"/proc/x\.backup cannot be written"):
        backups.backup(server.owner, Path("/proc/x.backup"), pg_bin=None, watch=_watch)


def test_a_backup_that_is_not_there_is_named(server: Addresses, tmp_path: Path) -> None:
    with pytest.raises(backups.BackupFailed, match="There is no file"):
        backups.restore(server.owner, tmp_path / "none", pg_bin=None, watch=_watch)


def test_the_password_stays_out_of_what_others_can_see(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    program = tmp_path / "pg_dump"
    program.write_text(f'#!/bin/sh\necho "$@" > {seen}\necho "$PGPASSWORD" >> {seen}\n')
    program.chmod(0o755)
    url = "postgresql://own%20er:s%40cret@db.example:5433/clinic?sslmode=require"
    backups.backup(url, tmp_path / "x.backup", pg_bin=_with_server(tmp_path), watch=_watch)
    arguments, password = seen.read_text().splitlines()
    assert "--dbname=postgresql://own%20er@db.example:5433/clinic?sslmode=require" in arguments
    assert password == "s@cret"


def _with_server(folder: Path) -> Path:
    for name in ("postgres", "initdb"):
        (folder / name).touch()
    return folder


def test_programs_older_than_the_server_are_told_apart(tmp_path: Path) -> None:
    program = tmp_path / "pg_dump"
    program.write_text(
        "#!/bin/sh\necho 'pg_dump: error: aborting because of server version mismatch' >&2\n"
        "echo 'pg_dump: detail: server version: 18.6; pg_dump version: 15.20' >&2\nexit 1\n"
    )
    program.chmod(0o755)
    with pytest.raises(backups.BackupFailed, match=r"The server is PostgreSQL 18\.6 and pg_dump is 15\.20: point"):
        backups.backup("postgresql:///x", tmp_path / "y", pg_bin=_with_server(tmp_path), watch=_watch)


def test_client_programs_come_from_where_the_server_comes_from() -> None:
    assert (bin_dir() / "pg_dump").is_file()
    assert (bin_dir() / "pg_restore").is_file()


def test_the_statements_can_be_reviewed_before_they_are_run() -> None:
    told = processes.run("-m", "caseload", "db", "upgrade", "--sql")
    assert told.returncode == 0
    assert "create schema audit authorization audit_owner;" in told.stdout
    assert revisions.head() in told.stdout


def test_the_owners_address_is_enough_to_upgrade_and_not_enough_to_serve(server: Addresses) -> None:
    asyncio.run(execute(server.owner, "create database owned"))
    owner = {"CASELOAD_DATABASE_OWNER_URL": server.of("owned").owner}
    try:
        assert processes.run("-m", "caseload", "db", "upgrade", **owner).returncode == 0
        assert processes.run("-m", "caseload", "db", "check", **owner).returncode == 0
        told = processes.run("-m", "caseload", "serve", **owner)
        assert (told.returncode, told.stderr.count("\n")) == (1, 1)
        assert told.stderr.startswith("caseload: CASELOAD_DATABASE_OWNER_URL is set and CASELOAD_DATABASE_URL is not")
    finally:
        asyncio.run(execute(server.owner, "drop database owned with (force)"))
