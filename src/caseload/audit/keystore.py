"""Where the keys above all others are kept: a folder of files for now, a key service behind the same port later.

The key store holds few keys and never goes into the database or its backups. `CLIENT_KEYS` wraps every client's own
key; `LOG` seals what an entry says of the request; `SIGNATURES` seals what people sign; `SIGNING` signs the checkpoints of
the log, and only the sequencer needs it. A key is never replaced in place: the next number becomes current and the old ones stay for reading.
"""

import os
import re
import secrets
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from caseload.audit.tlog.note import LocalSigner, Signer
from caseload.settings import HOW_TO_BRING, OperatorError, Settings

KEY_BYTES = 32
_FILE = re.compile(r"(?P<name>[a-z-]+)\.(?P<number>[1-9][0-9]{0,4})\.key")
_MADE_HERE = "# made by caseload on its first start"


class KeyName(StrEnum):
    """What a key is for."""

    CLIENT_KEYS = "client-keys"
    LOG = "log"
    SIGNATURES = "signatures"
    SIGNING = "log-signing"


class KeyStoreUnusable(OperatorError):
    """The key store cannot be used."""


@dataclass(frozen=True, slots=True)
class StoredKey:
    """One version of a key."""

    number: int
    """Counts from 1; the highest is current."""
    secret: bytes = field(repr=False)


class KeyStore(Protocol):
    """The keys above all others. A key service keeps them wrapped and opens them once, when the process starts."""

    def current(self, name: KeyName) -> StoredKey:
        """The key to use for what is written now. Raises `KeyStoreUnusable` when there is none."""
        ...

    def numbered(self, name: KeyName, number: int) -> StoredKey:
        """The key that something was written with. Raises `KeyStoreUnusable` when it is not there."""
        ...


class SigningKeys(Protocol):
    """The log's own keys, of which nothing but signatures need ever come out: those of a key service never leave it."""

    def signers(self, origin: str) -> Sequence[Signer]:
        """Every signing key there is, the oldest first, under the log's name. Raises `KeyStoreUnusable` for none."""
        ...


class FolderOfKeys:
    """One file per key and number (`client-keys.1.key`: 64 hexadecimal digits), readable by its owner only.

    With `may_make` a missing first key is made; without it, as in production, keys that were made here are refused
    too: whoever runs a clinic brings keys of which a copy lies somewhere safe.
    """

    def __init__(self, folder: Path, *, may_make: bool) -> None:
        self._folder = folder
        self._may_make = may_make
        self._read: dict[tuple[KeyName, int], StoredKey] = {}

    def current(self, name: KeyName) -> StoredKey:
        numbers = self._numbers(name)
        if numbers:
            return self.numbered(name, max(numbers))
        if not self._may_make:
            how = _HOW_TO_MAKE_ONE if name is KeyName.SIGNING else HOW_TO_BRING
            raise KeyStoreUnusable(f"{self._path(name, 1)} is missing. {how}")
        self._make(self._path(name, 1), f"{_MADE_HERE}\n")
        return self.numbered(name, 1)

    def check(self, *, signs: bool) -> None:
        """Raise `KeyStoreUnusable` unless every key can be used, so that a start fails with the first of them.

        The signing key is asked for only where the log is signed.
        """
        for name in KeyName:
            if signs or name is not KeyName.SIGNING:
                self.current(name)

    def bring(self) -> list[Path]:
        """Make every first key that is missing, for somebody who asked for it. Returns the files that were made.

        Raises `KeyStoreUnusable` when one was made at a start outside production.
        """
        missing = [name for name in KeyName if not self._numbers(name)]
        for name in KeyName:
            if name not in missing:
                self.current(name)
        for name in missing:
            self._make(self._path(name, 1), "")
        return [self._path(name, 1) for name in missing]

    def numbered(self, name: KeyName, number: int) -> StoredKey:
        known = self._read.get((name, number))
        if known is None:
            known = self._read[name, number] = StoredKey(number, self._secret_in(self._path(name, number)))
        return known

    def signers(self, origin: str) -> Sequence[Signer]:
        """See `SigningKeys.signers`. Made at the first start where keys may be made."""
        self.current(KeyName.SIGNING)
        numbers = sorted(self._numbers(KeyName.SIGNING))
        return [LocalSigner(self.numbered(KeyName.SIGNING, number).secret, name=origin) for number in numbers]

    def add(self, name: KeyName) -> Path:
        """Make the next key of this name, because somebody asked for it, and return its file."""
        number = max(self._numbers(name), default=0) + 1
        self._make(self._path(name, number), "")
        return self._path(name, number)

    def has(self, name: KeyName) -> bool:
        """Whether there is any key of this name."""
        return bool(self._numbers(name))

    def _numbers(self, name: KeyName) -> list[int]:
        found = [_FILE.fullmatch(path.name) for path in self._folder.glob("*.key")]
        return [int(match["number"]) for match in found if match and match["name"] == name]

    def _path(self, name: KeyName, number: int) -> Path:
        return self._folder / f"{name}.{number}.key"

    def _make(self, path: Path, mark: str) -> None:
        """Write a new key, whole or not at all; of two that race the first one stays."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(f"{mark}{secrets.token_hex(KEY_BYTES)}\n")
                file.flush()
                os.fsync(file.fileno())
            os.link(draft, path)
            _flush(self._folder)
        except FileExistsError:
            return
        finally:
            draft.unlink()

    def _secret_in(self, path: Path) -> bytes:
        try:
            mode = path.stat().st_mode
            lines = path.read_text(encoding="ascii").split("\n")
        except (OSError, UnicodeError) as problem:
            raise KeyStoreUnusable(f"The key {path} cannot be read: {problem}.") from problem
        if stat.S_IMODE(mode) & 0o077:
            raise KeyStoreUnusable(f"Others may read the key {path}. Run: chmod 600 {path}")
        if lines[0] == _MADE_HERE and not self._may_make:
            raise KeyStoreUnusable(f"{path} was made up at a start outside production. {HOW_TO_BRING}")
        try:
            secret = bytes.fromhex("".join(line for line in lines if not line.startswith("#")))
        except ValueError:
            secret = b""
        if len(secret) != KEY_BYTES:
            raise KeyStoreUnusable(f"{path} does not hold {KEY_BYTES} bytes as hexadecimal digits.")
        return secret


def key_store(settings: Settings, *, may_make: bool | None = None) -> FolderOfKeys:
    """The key store of an installation: it makes its first keys by itself, but not in production."""
    return FolderOfKeys(settings.data_dir / "keys", may_make=not settings.production if may_make is None else may_make)


_HOW_TO_MAKE_ONE = (
    "It signs the audit log: make it with `caseload audit keygen` where the sequencer runs, keep a copy apart from the"
    " database and its backups, and let nobody who administers the database read it."
)


def _flush(folder: Path) -> None:
    """Make the folder's new entry survive a power cut, before anything is wrapped with the key."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
