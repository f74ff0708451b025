"""The database and its two users: the owner that migrates, and the service as a member of `caseload_app`."""

import asyncio
from dataclasses import dataclass
from typing import Self
from urllib.parse import quote

import asyncpg

from caseload.db.embedded.folder import DataFolder

OWNER = "postgres"
SERVICE = "caseload"
DATABASE = "caseload"
APP_ROLE = "caseload_app"


@dataclass(frozen=True, slots=True)
class Databases:
    """The same database, twice: as who may change its shape, and as who may use it."""

    owner: str
    """For migrations, backups and restores."""
    service: str
    """For everything else."""

    @classmethod
    def over(cls, folder: DataFolder, socket: str) -> Self:
        """The two addresses over the local server that listens in this socket folder."""

        def url(user: str) -> str:
            return f"postgresql://{user}:{folder.password(user).reveal()}@/{DATABASE}?host={quote(socket)}"

        return cls(owner=url(OWNER), service=url(SERVICE))

    def __repr__(self) -> str:
        return "Databases(***)"


def make_people(databases: Databases, folder: DataFolder) -> None:
    """Make the role, the service's user and the database, each when missing. Safe to be killed in between."""
    asyncio.run(_make_people(databases.owner, folder.password(SERVICE).reveal()))


async def _make_people(owner_url: str, password: str) -> None:
    connection = await asyncpg.connect(owner_url, database="postgres")
    try:
        known = {
            row[0]
            for row in await connection.fetch(
                "select rolname from pg_roles where rolname = any($1) "
                "union all select '/' || datname from pg_database where datname = $2",
                [APP_ROLE, SERVICE],
                DATABASE,
            )
        }
        if APP_ROLE not in known:
            await connection.execute(f"create role {APP_ROLE} nologin noinherit")
        if SERVICE not in known:
            # The password is ours: hexadecimal digits, so it cannot leave its quotes.
            await connection.execute(f"create role {SERVICE} login password '{password}' in role {APP_ROLE}")
        if "/" + DATABASE not in known:
            await connection.execute(f"create database {DATABASE}")
            await connection.execute(f"revoke temporary on database {DATABASE} from public")
    finally:
        await connection.close()
