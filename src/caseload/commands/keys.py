"""Make the keys that a clinic in production brings, and say of which to keep a copy."""

from typing import TYPE_CHECKING

import rich_click as click

from caseload import settings as settings_of

if TYPE_CHECKING:
    from pathlib import Path

    from caseload.settings import Settings


@click.group(epilog="Example: CASELOAD_DATA_DIR=/srv/clinic caseload keys make")
def command() -> None:
    """Make the keys that a clinic in production brings, and say of which to keep a copy."""


@command.command(epilog="Example: CASELOAD_DATA_DIR=/srv/clinic caseload keys make")
def make() -> None:
    """Make every key and password that is missing in CASELOAD_DATA_DIR, once, before the first start in production.

    What is there already stays as it is, so running it again is safe. Refuses a folder in which a start outside
    production has made them up: whatever lies under those is no record of real people. The log names each key, by a
    fingerprint, when it is first used.
    """
    from caseload.audit.keystore import key_store
    from caseload.db.embedded.folder import DataFolder

    found = settings_of.read()
    DataFolder(found.data_dir).prepare()
    missing = _missing(found)
    made = key_store(found, may_make=False).bring()
    for path in missing:
        settings_of.kept_secret(path, brought=True)
    for path in (*made, *missing):
        click.echo(f"Made {path}, which only you can read.")
    if not made and not missing:
        click.echo("Every key is there already: nothing was made.")
    click.echo(
        f"Keep a copy of {found.data_dir / 'keys'} apart from the database and its backups: without it nobody can tell "
        "again whom the audit log is about."
    )


def _missing(found: "Settings") -> "list[Path]":
    """What is missing of the root key and the passwords of the local PostgreSQL; raises when one was made up."""
    names = [settings_of.ROOT_KEY] if found.root_key is None else []
    if found.database_url is None:
        names += settings_of.LOCAL_PASSWORDS
    paths = [found.data_dir / "secrets" / name for name in names]
    for path in paths:
        if path.exists():
            settings_of.brought_secret(path)
    return [path for path in paths if not path.exists()]
