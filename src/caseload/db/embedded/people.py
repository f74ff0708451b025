"""The database and its users: the owner that migrates, the service, and who puts the audit log in order.

The last two are members of `caseload_app` and `audit_sequencer`, and of nothing else.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import quote

import asyncpg

from caseload.db.embedded.folder import DataFolder

OWNER = "postgres"
SERVICE = "caseload"
SEQUENCER = "caseload_sequencer"
DATABASE = "caseload"
APP_ROLE = "caseload_app"
SEQUENCER_ROLE = "audit_sequencer"
ROLES = {SERVICE: (APP_ROLE, "nologin noinherit"), SEQUENCER: (SEQUENCER_ROLE, "nologin")}
"""Each user with the role they are a member of, and what that role is made with when the migrations come later."""


@dataclass(frozen=True, slots=True)
class Databases:
    """The same database, for each who connects."""

    owner: str
    """For migrations, backups and restores."""
    service: str
    """For everything else."""
    sequencer: str | None = None
    """For putting the audit log in order; nothing where somebody else does that."""

    @classmethod
    def over(cls, folder: DataFolder, socket: str) -> Self:
        """The two addresses over the local server that listens in this socket folder."""

        def url(user: str) -> str:
            return f"postgresql://{user}:{folder.password(user).reveal()}@/{DATABASE}?host={quote(socket)}"

        return cls(owner=url(OWNER), service=url(SERVICE), sequencer=url(SEQUENCER))

    def __repr__(self) -> str:
        return "Databases(***)"


def make_people(databases: Databases, folder: DataFolder) -> None:
    """Make the roles, the users and the database, each when missing. Safe to be killed in between."""
    passwords = {user: folder.password(user).reveal() for user in ROLES}
    asyncio.run(_make_people(databases.owner, passwords))


async def _make_people(owner_url: str, passwords: Mapping[str, str]) -> None:
    connection = await asyncpg.connect(owner_url, database="postgres")
    try:
        known = {
            row[0]
            for row in await connection.fetch(
                "select rolname from pg_roles where rolname = any($1) "
                "union all select '/' || datname from pg_database where datname = $2",
                [*ROLES, *(role for role, _ in ROLES.values())],
                DATABASE,
            )
        }
        for user, (role, attributes) in ROLES.items():
            if role not in known:
                await connection.execute(f"create role {role} {attributes}")
            if user not in known:
                # The password is ours: hexadecimal digits, so it cannot leave its quotes.
                await connection.execute(f"create role {user} login password '{passwords[user]}' in role {role}")
        if "/" + DATABASE not in known:
            await connection.execute(f"create database {DATABASE}")
            await connection.execute(f"revoke temporary on database {DATABASE} from public")
    finally:
        await connection.close()
