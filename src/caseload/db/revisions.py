"""Where a database stands against this version: read from the migrations' files and from one row, without Alembic.

The migrations lie in `migrations/` of a clone and in `caseload/migrations` of an installed wheel.
"""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import asyncpg

import caseload
from caseload.settings import OperatorError

WRITTEN = re.compile(r'^(?P<what>revision|down_revision) = (?:"(?P<id>\w+)"|None)$', re.MULTILINE)


class CannotMigrate(OperatorError):
    """The database is not at the needed shape, or cannot be brought to it; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a database stands against this version."""

    current: str | None
    """The newest revision in the database, or nothing in an empty one."""
    head: str
    """The newest revision this version knows."""
    known: bool
    """Whether this version knows the database's revision. Not when a newer version has migrated it."""

    @property
    def up_to_date(self) -> bool:
        """Whether the service can work with the database as it is."""
        return self.current == self.head

    @property
    def advice(self) -> str:
        """What an operator should do about it, in one line."""
        if self.up_to_date:
            return f"The database is at {self.head}, as this version needs."
        if not self.known:
            return (
                f"The database is at {self.current}, which this version does not know (its newest is {self.head}): "
                "a newer caseload has migrated it. Install that version."
            )
        at = f"at {self.current}" if self.current else "empty"
        return f"The database is {at} and this version needs {self.head}: run `caseload db upgrade`."


def folder() -> Path:
    """Where the migrations lie: beside the modules in a wheel, at the top of a clone."""
    package = Path(caseload.__file__).parent
    for candidate in (package / "migrations", package.parents[1] / "migrations"):
        if (candidate / "env.py").is_file():
            return candidate
    message = f"The migrations are missing beside {package}: install caseload again."
    raise CannotMigrate(message)


def revisions() -> Mapping[str, str | None]:
    """Every revision this version knows, and the one it follows."""
    found: dict[str, str | None] = {}
    for path in (folder() / "versions").glob("*.py"):
        written = {match["what"]: match["id"] for match in WRITTEN.finditer(path.read_text())}
        if "revision" in written:
            found[written["revision"]] = written.get("down_revision")
    return found


def head() -> str:
    """The newest revision this version knows."""
    known = revisions()
    last = sorted(known.keys() - known.values())
    if len(last) != 1:
        message = f"The migrations in {folder()} end in {', '.join(last) or 'nothing'}: one of them must be last."
        raise CannotMigrate(message)
    return last[0]


def path(current: str | None, target: str) -> list[str]:
    """The revisions between the two, in the order in which they are applied; none when the database is past it."""
    known = revisions()
    found: list[str] = []
    at: str | None = target
    while at is not None and at != current:
        found.append(at)
        at = known[at]
    if at is None and current is not None:
        return []
    return found[::-1]


def check(url: str) -> Standing:
    """Where the database stands. The service's own user may ask. Raises `CannotMigrate` when it cannot be reached."""
    current = asyncio.run(_current(url))
    return Standing(current, head(), current is None or current in revisions())


def require(url: str) -> None:
    """Raise `CannotMigrate` unless the database is at exactly the revision this version needs."""
    standing = check(url)
    if not standing.up_to_date:
        raise CannotMigrate(standing.advice)


async def _current(url: str) -> str | None:
    try:
        # Without a cache it leaves nothing on the server, so it may ask through a pooler.
        connection = await asyncpg.connect(url, statement_cache_size=0)
    except (ValueError, OverflowError):
        message = (
            "The database's address cannot be used: it reads postgresql://user:password@host:port/database. See "
            "CASELOAD_DATABASE_URL and CASELOAD_DATABASE_OWNER_URL."
        )
        raise CannotMigrate(message) from None
    except OSError as error:
        message = (
            f"The database cannot be reached ({type(error).__name__}): is it running, and is its address right? "
            "See CASELOAD_DATABASE_URL."
        )
        raise CannotMigrate(message) from None
    try:
        return await connection.fetchval("select version_num from public.alembic_version")
    except asyncpg.UndefinedTableError:
        return None
    finally:
        await connection.close()
