"""The witness' own key: one file that only its owner can read, and that is in no backup of the clinic's."""

import os
import secrets
import stat
from pathlib import Path
from typing import Final

from caseload.audit.tlog.note import Kind, LocalSigner, is_key_name
from caseload.settings import OperatorError

SEED_BYTES: Final = 32
FILE: Final = "witness.key"


class WitnessKeyUnusable(OperatorError):
    """The witness' key is missing, there already, or cannot be used."""


def make(folder: Path, name: str) -> LocalSigner:
    """Make the key of a new witness. Raises `WitnessKeyUnusable` when there is one, or for a name that cannot be one."""
    if not is_key_name(name):
        raise WitnessKeyUnusable(f"{name!r} cannot be the name of a witness: no spaces, no plus (witness.example/w1).")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / FILE
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise WitnessKeyUnusable(f"{path} is there already: a witness keeps its key.") from None
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(f"{name}\n{secrets.token_hex(SEED_BYTES)}\n")
        file.flush()
        os.fsync(file.fileno())
    return read(folder)


def read(folder: Path) -> LocalSigner:
    """The key of the witness in this folder. Raises `WitnessKeyUnusable`."""
    path = folder / FILE
    try:
        mode = path.stat().st_mode
        name, secret, *_ = [*path.read_text(encoding="utf-8").split("\n"), "", ""]
        seed = bytes.fromhex(secret)
    except (OSError, ValueError) as problem:
        raise WitnessKeyUnusable(f"{path} cannot be read: make one with `caseload witness keygen`.") from problem
    if stat.S_IMODE(mode) & 0o077:
        raise WitnessKeyUnusable(f"Others may read {path}. Run: chmod 600 {path}")
    if len(seed) != SEED_BYTES or not is_key_name(name):
        raise WitnessKeyUnusable(f"{path} does not hold a name and {SEED_BYTES} bytes as hexadecimal digits.")
    return LocalSigner(seed, name=name, kind=Kind.COSIGNATURE)
