"""Look after the database: bring it up to date, back it up, restore it."""

from pathlib import Path

import rich_click as click

from caseload.commands import terminal

ONE_MEGABYTE = 1_000_000


@click.group(
    epilog="""\b
Examples:
  caseload db check
  CASELOAD_DATABASE_OWNER_URL=postgresql://owner@db/clinic caseload db upgrade
  caseload db backup /safe/place/caseload-2026-11-22.backup
"""
)
def command() -> None:
    """Look after the database: bring it up to date, back it up, restore it.

    With CASELOAD_DATABASE_URL unset these act on the local PostgreSQL in CASELOAD_DATA_DIR, whether the service is
    running or not. With it set they act on that one; upgrade, backup and restore then connect with
    CASELOAD_DATABASE_OWNER_URL.
    """


@command.command()
@click.option("--sql", "as_sql", is_flag=True, help="Print the statements instead, for whoever runs the server.")
def upgrade(*, as_sql: bool) -> None:
    """Apply the migrations that are missing. The service does this itself for the local database."""
    from caseload.db import embedded, migrate, revisions
    from caseload.request.database import migrate_to_head

    if as_sql:
        click.echo(migrate.sql(), nl=False)
        return
    settings = terminal.settings()
    with embedded.reach(settings) as addresses:
        before = revisions.check(addresses.owner)
        after = migrate_to_head(addresses.owner, organisation=settings.organisation)
    changed = "was already" if before.current == after.current else "is now"
    click.echo(f"The database {changed} at {after.current}.")


@command.command()
def check() -> None:
    """Say whether the database is as this version needs it, and whether the log is protected in it.

    Exit code 1 when its shape is another, or when what protects the log has been changed. What only an administrator
    of the server could add is named.
    """
    from caseload.db import embedded, protection, revisions

    with embedded.reach(terminal.settings()) as addresses:
        standing = revisions.check(addresses.service)
        if not standing.up_to_date:
            raise revisions.CannotMigrate(standing.advice)
        found = protection.look(addresses.service)
    click.echo(standing.advice)
    for line in found.missing:
        click.echo(f"Protection of the log: {line}")
    for line in found.may_act:
        click.echo(line)
    if found.damaged:
        raise protection.Damaged(found)


@command.command(epilog="Example: caseload db backup /safe/place/caseload-2026-11-22.backup")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def backup(file: Path) -> None:
    """Write the whole database to FILE, as it is at this moment. The service may be running.

    The keys of the clients go to FILE.keys: keep that one apart, and for weeks and not for years, because nobody is
    erased from the audit log while a copy has their key. The folder `keys` in CASELOAD_DATA_DIR is in neither: keep a
    copy of it apart from both, or nobody can tell again whom the audit log is about.
    """
    from caseload.db import embedded
    from caseload.db.backup import keys_of
    from caseload.request import database

    settings = terminal.settings()
    with embedded.reach(settings) as addresses, terminal.progress("Backing up") as bar:
        size = database.backup(settings, addresses.owner, file, watch=bar.refresh)
    click.echo(f"Backed up to {file} and {keys_of(file)} ({size / ONE_MEGABYTE:.1f} MB).")


@command.command(epilog="Example: CASELOAD_DATA_DIR=/srv/new caseload db restore caseload.backup")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--without-keys", is_flag=True, help="FILE.keys is lost: bring back the record without the clients' keys."
)
def restore(file: Path, *, without_keys: bool) -> None:
    """Bring the backup in FILE, and the clients' keys in FILE.keys, into an empty database, wholly or not at all."""
    from caseload.db import embedded, revisions
    from caseload.request import database

    settings = terminal.settings()
    with embedded.reach(settings) as addresses, terminal.progress("Restoring") as bar:
        database.restore(settings, addresses.owner, file, watch=bar.refresh, without_keys=without_keys)
        standing = revisions.check(addresses.owner)
    click.echo(f"Restored from {file}. {standing.advice}")
