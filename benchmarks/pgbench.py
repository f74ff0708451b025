"""What PostgreSQL alone reaches in the same run: pgbench of the same binaries, with the same rows or with `-S`.

As it comes, pgbench sends each statement as text; with `-M prepared` it says only which one it means. The service is set
beside the first, and the second is told with it.
"""

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

SCALE = 10


def prepare(pgbench: Path, owner: str) -> None:
    """Make pgbench's own tables, for `-S`."""
    _run(pgbench, owner, "-i", "-q", f"-s{SCALE}", "--foreign-keys")


def read_only(pgbench: Path, owner: str, *, protocol: str, connections: int, seconds: int) -> float:
    """Transactions per second of `pgbench -S`."""
    return _rate(_run(pgbench, owner, "-S", "-n", f"-M{protocol}", f"-c{connections}", "-j2", f"-T{seconds}"))


def script(
    pgbench: Path,
    owner: str,
    sql: str,
    *,
    protocol: str,
    connections: int,
    seconds: int,
    scratch: Path,
    variables: Mapping[str, int],
) -> float:
    """Transactions per second of a script, with these variables set."""
    path = scratch / "bench.sql"
    path.write_text(sql)
    given = [f"-D{name}={value}" for name, value in variables.items()]
    load = (f"-c{connections}", "-j2", f"-T{seconds}")
    return _rate(_run(pgbench, owner, "-n", f"-M{protocol}", f"-f{path}", *load, *given))


def _run(pgbench: Path, dsn: str, *options: str) -> str:
    parts = urlsplit(dsn)
    environment = {
        **os.environ,
        "PGHOST": parse_qs(parts.query)["host"][0],
        "PGUSER": unquote(parts.username or ""),
        "PGPASSWORD": unquote(parts.password or ""),
        "PGDATABASE": parts.path.lstrip("/"),
    }
    done = subprocess.run(
        [str(pgbench), *options], env=environment, capture_output=True, text=True, check=False, timeout=600
    )
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return done.stdout


def _rate(report: str) -> float:
    found = re.search(r"tps = ([0-9.]+)", report)
    if found is None:
        raise RuntimeError(report)
    return float(found[1])
