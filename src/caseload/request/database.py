"""What is done to the database as a whole: migrated, backed up, brought back. Each leaves an entry in the log."""

import asyncio
import hashlib
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.audit import owner
from caseload.db import backup as backups
from caseload.db import migrate
from caseload.db.backup import Watch, keys_of
from caseload.db.migrate import Applied
from caseload.db.revisions import Standing
from caseload.domain.people import the_command_line
from caseload.settings import Settings

BACKED_UP = "database.backup"
BROUGHT_BACK = "database.restore"


def migrate_to_head(owner_url: str, *, organisation: str) -> Standing:
    """Apply the migrations that are missing, each with its entry. Raises `CannotMigrate`."""
    trail = owner.trail_of_owner(organisation)

    async def tell(connection: AsyncConnection, applied: Applied, revision: str, digest: str) -> None:
        said = f"caseload db upgrade {revision} sha256:{digest}"
        await owner.tell(connection, trail, event=applied.value, said=said, by=the_command_line())

    return migrate.upgrade(owner_url, tell=tell)


def backup(settings: Settings, owner_url: str, file: Path, *, watch: Watch) -> int:
    """Write the whole database to a file and the clients' keys to one beside it, and say so in the log before.

    Whoever has the first has the whole record. The digests stand in further entries, which are not in the file. Returns
    the size of both. Raises `BackupFailed`.
    """
    backups.require_new(file)
    _leave(settings, owner_url, BACKED_UP, "caseload db backup begun")
    size = backups.backup(owner_url, file, pg_bin=settings.pg_bin, watch=watch)
    _leave(settings, owner_url, BACKED_UP, f"caseload db backup sha256:{_digest(file)}")
    _leave(settings, owner_url, BACKED_UP, f"caseload db backup keys sha256:{_digest(keys_of(file))}")
    return size


def restore(settings: Settings, owner_url: str, file: Path, *, watch: Watch, without_keys: bool = False) -> None:
    """Bring a backup into an empty database, and say so in the log that came with it. Raises `BackupFailed`."""
    backups.restore(owner_url, file, pg_bin=settings.pg_bin, watch=watch, without_keys=without_keys)
    _leave(settings, owner_url, BROUGHT_BACK, f"caseload db restore sha256:{_digest(file)}")
    said = "none" if without_keys else f"sha256:{_digest(keys_of(file))}"
    _leave(settings, owner_url, BROUGHT_BACK, f"caseload db restore keys {said}")


def _leave(settings: Settings, owner_url: str, event: str, said: str) -> None:
    asyncio.run(owner.leave(owner_url, settings.organisation, event=event, said=said, by=the_command_line()))


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
