"""One file with the whole database, one beside it with the clients' keys, and the way back: PostgreSQL's own programs.

The clients' keys (`keys.client_key`) are all that links a client to the log: whoever erases a client destroys a row, and
is not done while a backup has it. In a file of their own they can be kept for weeks, and the record for years.

Neither file holds the roles (they belong to the server) nor the root key (whoever has both could read who is in
treatment): the first migration makes the former, and the latter is kept apart.
"""

import asyncio
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO, cast
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import asyncpg

from caseload.db import migrate, protection
from caseload.db.embedded.binaries import bin_dir
from caseload.settings import OperatorError

LEFT_OUT = "clinic.bundle_piece"
"""Archives of exports, which are kept for a day and may be asked for again."""
APART = ("keys.client_key", "keys.erasure")
"""Keys of clients, and the erasures that wait: each names a client beside what will not be known afterwards."""
POLL_SECONDS = 0.2
HEAD_BYTES = 65_536
NEWER_SETTING = b"\nSET transaction_timeout = 0;\n"
"""What `pg_restore` sets since PostgreSQL 17 whichever server it is for; it stands at the top of its script."""
FOUNDATION = "20261122_001"
"""The revision that makes roles, schemas and extensions: what must be there before a restore."""

Watch = Callable[[], None]
"""Called a few times a second while a program runs."""


class BackupFailed(OperatorError):
    """The backup or the restore did not come about; the text says why and what to do."""


def keys_of(file: Path) -> Path:
    """Where the clients' keys of a backup lie, as long as nobody has taken them away."""
    return file.with_name(file.name + ".keys")


def backup(owner_url: str, file: Path, *, pg_bin: Path | None, watch: Watch) -> int:
    """Write the whole database to one file and the clients' keys to another, which only their owner may read.

    Each is the state of one moment, that of the keys a little later: a client who was erased in between has no key in
    it. The service may go on meanwhile. The files appear when they are complete. Returns the size of both in bytes.
    """
    require_new(file)
    _dump(owner_url, file, [f"--exclude-table-data={each}" for each in (LEFT_OUT, *APART)], pg_bin, watch)
    try:
        _dump(owner_url, keys_of(file), ["--data-only", *(f"--table={each}" for each in APART)], pg_bin, watch)
    except BaseException:
        file.unlink()
        raise
    return file.stat().st_size + keys_of(file).stat().st_size


def _dump(owner_url: str, file: Path, what: Sequence[str], pg_bin: Path | None, watch: Watch) -> None:
    draft = file.with_name(file.name + ".incomplete")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError as error:
        message = f"{file} cannot be written ({os.strerror(error.errno or 0)}): choose another place."
        raise BackupFailed(message) from None
    os.close(descriptor)
    try:
        _run("pg_dump", ["--format=custom", *what, f"--file={draft}"], owner_url, pg_bin, watch)
        draft.rename(file)
    finally:
        draft.unlink(missing_ok=True)


def require_new(file: Path) -> None:
    """Raise `BackupFailed` when there is such a file already, or one of keys beside it."""
    for each in (file, keys_of(file)):
        if each.exists():
            message = f"{each} exists already: choose another name. A backup never overwrites one."
            raise BackupFailed(message)


def restore(owner_url: str, file: Path, *, pg_bin: Path | None, watch: Watch, without_keys: bool = False) -> None:
    """Bring a backup into an empty database, wholly or not at all. Raises `BackupFailed` when it is not empty.

    The clients' keys come from the file beside it. Without them nobody can tell again whom the entries of the log are
    about, so that has to be asked for.
    """
    if not file.is_file():
        message = f"There is no file {file}: give the path of a backup."
        raise BackupFailed(message)
    if not without_keys and not keys_of(file).is_file():
        message = (
            f"There is no {keys_of(file)}, which holds the keys of the clients: put it there. If it is lost for good, "
            "--without-keys brings back the record, and nobody can tell any more whom the older entries of the log are "
            "about."
        )
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
        scripts = [["--clean", "--if-exists", f"--use-list={chosen.name}", str(file)]]
        if not without_keys:
            scripts.append(["--data-only", str(keys_of(file))])
        _bring_back(scripts, owner_url, pg_bin, watch)
    asyncio.run(protection.watch_over(owner_url))


async def _no_log_yet(*_: object) -> None:
    """The foundation has no log to tell: what is brought back has its entries."""


def _bring_back(scripts: Sequence[list[str]], url: str, pg_bin: Path | None, watch: Watch) -> None:
    program = _program("pg_restore", pg_bin)
    with tempfile.TemporaryFile() as complaints, ExitStack() as open_:
        reading = [
            open_.enter_context(
                subprocess.Popen(
                    [program, "--file=-", *arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=complaints,
                    env=_environment("pg_restore"),
                )
            )
            for arguments in scripts
        ]
        _play(reading, url, pg_bin, watch, complaints)


def _play(
    scripts: Sequence[subprocess.Popen[bytes]], url: str, pg_bin: Path | None, watch: Watch, complaints: IO[bytes]
) -> None:
    """Let `psql` run the scripts that `pg_restore` writes, in one transaction, committed when all are content.

    `pg_restore` by itself also sets what only PostgreSQL 17 and newer know, and fails on a server that does not.
    """
    address, password = _without_password(url)
    quiet = ["--no-psqlrc", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1", f"--dbname={address}"]
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(
            [_program("psql", pg_bin), *quiet],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=said,
            env=_environment("psql", password),
        ) as running,
    ):
        try:
            handed_over = _write(running, b"begin;\n") and all(
                _hand_over(reading, running, watch) for reading in scripts
            )
        except BaseException:
            # Without its COMMIT nothing has happened.
            running.kill()
            raise
        finally:
            for reading in scripts:
                reading.kill()
        if handed_over and any(reading.wait() != 0 for reading in scripts):
            running.kill()
            _close(running)
            raise BackupFailed(_why("pg_restore", _text(complaints)))
        if handed_over:
            _write(running, b"commit;\n")
        _close(running)
        if running.wait() != 0:
            raise BackupFailed(_why("psql", _text(said)))


def _hand_over(reading: subprocess.Popen[bytes], running: subprocess.Popen[bytes], watch: Watch) -> bool:
    """Hand the script over, but for the setting that older servers do not know. Not all of it when `psql` has ended."""
    source = cast("IO[bytes]", reading.stdout)
    watched = time.monotonic()
    part = source.read(HEAD_BYTES).replace(NEWER_SETTING, b"\n", 1)
    while part:
        if not _write(running, part):
            return False
        if time.monotonic() - watched > POLL_SECONDS:
            watched = time.monotonic()
            watch()
        part = source.read(HEAD_BYTES)
    reading.wait()
    return True


def _write(running: subprocess.Popen[bytes], part: bytes) -> bool:
    """Give it to a program, and say whether the program took it."""
    target = cast("IO[bytes]", running.stdin)
    try:
        target.write(part)
        target.flush()
    except BrokenPipeError:
        return False
    return True


def _close(running: subprocess.Popen[bytes]) -> None:
    with suppress(BrokenPipeError):
        cast("IO[bytes]", running.stdin).close()


def _text(said: IO[bytes]) -> str:
    said.seek(0)
    return said.read().decode(errors="replace")


async def _tables(url: str) -> int:
    """How many tables of the record there are; an empty database, also one a restore has failed on, has none."""
    connection = await asyncpg.connect(url, statement_cache_size=0)
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
    address, password = _without_password(url) if url is not None else (None, None)
    database = [] if address is None else ["--no-password", f"--dbname={address}"]
    with subprocess.Popen(
        [_program(program, pg_bin), *database, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=_environment(program, password),
    ) as running:
        printed, said = _wait(running, watch)
    if running.returncode != 0:
        raise BackupFailed(_why(program, said))
    return printed


def _program(name: str, pg_bin: Path | None) -> str:
    path = bin_dir(pg_bin) / name
    if not path.is_file():
        message = f"{path.parent} has no {name}: install PostgreSQL's client programs, or set CASELOAD_PG_BIN."
        raise BackupFailed(message)
    return str(path)


def _environment(program: str, password: str | None = None) -> dict[str, str]:
    """The password goes through the environment: arguments can be read by everybody on the machine."""
    made = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "PGAPPNAME": f"caseload-{program}"}
    return made if password is None else made | {"PGPASSWORD": password}


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
    reason = next(iter(re.findall(r"(?:error|ERROR|FATAL): +(.+)", said)), "it said nothing").strip()
    if "permission denied" in reason:
        return f"{program} failed: {reason}. Set CASELOAD_DATABASE_OWNER_URL to the address of the role that migrates."
    return f"{program} failed: {reason}"
