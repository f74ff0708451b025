"""Secrets: shown to nobody, and kept in files of the data folder that only their owner can read."""

import hmac
import os
import secrets
from pathlib import Path

from caseload.settings.errors import SettingsError

ROOT_KEY_BYTES = 32
ROOT_KEY = "root.key"
LOCAL_PASSWORDS = ("postgres.password", "caseload.password", "caseload_sequencer.password")
"""Of the two users of the local PostgreSQL: who migrates, and the service."""

MADE_UP = "# made up by caseload at a start outside production"
HOW_TO_BRING = (
    "In production run `caseload keys make` once, with an empty CASELOAD_DATA_DIR, before the first start: it makes "
    "what is needed and says of what to keep a copy."
)


class Secret:
    """A text that shows itself as `***` wherever it is printed, logged or formatted."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Give the text itself: call it only where the text is used."""
        return self._text

    def __repr__(self) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._text.encode(), other.reveal().encode())

    def __hash__(self) -> int:
        return hash(self._text)


def kept_secret(path: Path, *, brought: bool = False) -> Secret:
    """The secret in this file, made at random the first time. Only its owner can read the file.

    Two processes that start together agree: the file appears complete or not at all, and the first one wins. Unless it
    is `brought`, by somebody who asked for it, the file says that it was made up.
    """
    try:
        return _secret_in(path)[0]
    except FileNotFoundError:
        pass
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(("" if brought else f"{MADE_UP}\n") + secrets.token_hex(ROOT_KEY_BYTES) + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return _secret_in(path)[0]


def brought_secret(path: Path) -> Secret:
    """The secret in this file. Raises `SettingsError` when there is none, or when it was made up at a start."""
    try:
        secret, made_up = _secret_in(path)
    except FileNotFoundError:
        message = f"{path} is missing. {HOW_TO_BRING}"
        raise SettingsError(message) from None
    if made_up:
        message = f"{path} was made up at a start outside production. {HOW_TO_BRING}"
        raise SettingsError(message)
    return secret


def _secret_in(path: Path) -> tuple[Secret, bool]:
    """What stands in the file, and whether it was made up at a start."""
    try:
        lines = path.read_text().split("\n")
    except PermissionError:
        message = f"{path} belongs to another user: run as the user who made {path.parent}."
        raise SettingsError(message) from None
    return Secret("".join(line.strip() for line in lines if not line.startswith("#"))), lines[0] == MADE_UP
