"""One file with the whole database, and the way back: PostgreSQL's own `pg_dump` and `pg_restore`.

The file does not hold the roles (they belong to the server) nor the root key (whoever has both could read who is in
treatment): the first migration makes the former, and the latter is kept apart.
"""

import asyncio
import os
import re
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import asyncpg

from caseload.db import migrate, protection
from caseload.db.embedded.binaries import bin_dir
from caseload.settings import OperatorError

POLL_SECONDS = 0.2
FOUNDATION = "20261122_001"
"""The revision that makes roles, schemas and extensions: what must be there before a restore."""

Watch = Callable[[], None]
"""Called a few times a second while a program runs."""


class BackupFailed(OperatorError):
    """The backup or the restore did not come about; the text says why and what to do."""


def backup(owner_url: str, file: Path, *, pg_bin: Path | None, watch: Watch) -> int:
    """Write the whole database to one file that only its owner may read. Returns its size in bytes.

    It is the state of one moment, and the service may go on meanwhile. The file appears when it is complete.
    """
    require_new(file)
    draft = file.with_name(file.name + ".incomplete")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError as error:
        message = f"{file} cannot be written ({os.strerror(error.errno or 0)}): choose another place."
        raise BackupFailed(message) from None
    os.close(descriptor)
    try:
        _run("pg_dump", ["--format=custom", f"--file={draft}"], owner_url, pg_bin, watch)
        draft.rename(file)
    finally:
        draft.unlink(missing_ok=True)
    return file.stat().st_size


def require_new(file: Path) -> None:
    """Raise `BackupFailed` when there is such a file already."""
    if file.exists():
        message = f"{file} exists already: choose another name. A backup never overwrites one."
        raise BackupFailed(message)


def restore(owner_url: str, file: Path, *, pg_bin: Path | None, watch: Watch) -> None:
    """Bring a backup into an empty database, wholly or not at all. Raises `BackupFailed` when it is not empty."""
    if not file.is_file():
        message = f"There is no file {file}: give the path of a backup."
        raise BackupFailed(message)
    tables = asyncio.run(_tables(owner_url))
    if tables:
        message = (
            f"The database is not empty ({tables} tables): a restore never overwrites a record. Give it an empty "
            "database, or an empty CASELOAD_DATA_DIR."
        )
        raise BackupFailed(message)
    migrate.upgrade(owner_url, tell=_no_log_yet, revision=FOUNDATION)
    with tempfile.NamedTemporaryFile("w", prefix="caseload-", suffix=".list") as chosen:
        # Only a superuser may make event triggers: they are made afterwards, where that is allowed.
        listed = _run("pg_restore", ["--list", str(file)], None, pg_bin, watch)
        chosen.writelines(line for line in listed.splitlines(keepends=True) if " EVENT TRIGGER " not in line)
        chosen.flush()
        # What the foundation made comes back with the backup, so it is taken out in the same transaction.
        whole = ["--single-transaction", "--exit-on-error", "--clean", "--if-exists", f"--use-list={chosen.name}"]
        _run("pg_restore", [*whole, str(file)], owner_url, pg_bin, watch)
    asyncio.run(protection.watch_over(owner_url))


async def _no_log_yet(*_: object) -> None:
    """The foundation has no log to tell: what is brought back has its entries."""


async def _tables(url: str) -> int:
    """How many tables of the record there are; an empty database, also one a restore has failed on, has none."""
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(
            "select count(*) from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace "
            "where c.relkind in ('r', 'p') and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast') "
            "and c.relname <> 'alembic_version'"
        )
    finally:
        await connection.close()


def _run(program: str, arguments: list[str], url: str | None, pg_bin: Path | None, watch: Watch) -> str:
    """Run one of PostgreSQL's programs, on a database when there is an address. Returns what it printed."""
    path = bin_dir(pg_bin) / program
    if not path.is_file():
        message = f"{path.parent} has no {program}: install PostgreSQL's client programs, or set CASELOAD_PG_BIN."
        raise BackupFailed(message)
    address, password = _without_password(url) if url is not None else (None, None)
    database = [] if address is None else ["--no-password", f"--dbname={address}"]
    # The password goes through the environment: arguments can be read by everybody on the machine.
    environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "PGAPPNAME": f"caseload-{program}"}
    if password is not None:
        environment["PGPASSWORD"] = password
    with subprocess.Popen(
        [str(path), *database, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    ) as running:
        printed, said = _wait(running, watch)
    if running.returncode != 0:
        raise BackupFailed(_why(program, said))
    return printed


def _wait(running: subprocess.Popen[str], watch: Watch) -> tuple[str, str]:
    try:
        while True:
            try:
                return running.communicate(timeout=POLL_SECONDS)
            except subprocess.TimeoutExpired:
                watch()
    except BaseException:
        running.terminate()
        raise


def _without_password(url: str) -> tuple[str, str | None]:
    parts = urlsplit(url)
    user, _, password = parts.netloc.rpartition("@")[0].partition(":")
    hosts = parts.netloc.rpartition("@")[2]
    netloc = f"{quote(unquote(user))}@{hosts}" if user else hosts
    return urlunsplit(parts._replace(netloc=netloc)), unquote(password) if password else None


def _why(program: str, said: str) -> str:
    """The program's first complaint; what rows it was about stays out."""
    mismatch = re.search(r"server version: (\S+); pg_dump version: (\S+)", said)
    if mismatch:
        return (
            f"The server is PostgreSQL {mismatch[1].rstrip(';,')} and {program} is {mismatch[2]}: "
            "point CASELOAD_PG_BIN at programs at least as new as the server."
        )
    lines = [line for line in said.splitlines() if "error:" in line]
    reason = lines[0].partition("error:")[2].strip() if lines else "it said nothing"
    return f"{program} failed: {reason}"
