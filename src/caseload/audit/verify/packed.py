"""Packs the verifier into one file: `python -m caseload.audit.verify.packed OUT`, which is what `make verifier` runs.

`cryptography` has compiled parts, which Python does not import from an archive, so its wheels lie beside the file. Where
a machine does not have `cryptography`, the file says the one command that puts them into `libraries/` beside it, without
a network, and finds them there. `sha256sum -c SHA256SUMS` says whether all of it is what was built.
"""

import argparse
import hashlib
import io
import re
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import caseload

_PARTS: Final = (
    "__init__.py", "audit/__init__.py", "audit/bundle.py", "audit/canonical.py", "audit/disclosed.py", "audit/fhir.py",
    "audit/item.py", "audit/multiproof.py", "audit/record.py", "audit/tlog", "audit/verify", "audit/views.py",
)  # fmt: skip
"""Below the package: the modules that the import contract `verifier-is-plain` holds, and what they import."""

_NAME: Final = "caseload-verify.pyz"
_SUMS: Final = "SHA256SUMS"
_NEEDED: Final = ("cryptography", "cffi", "pycparser")
_MOMENT: Final = (2026, 1, 1, 0, 0, 0)
"""Of every file in the archive, so that the same sources give the same bytes."""

_MAIN: Final = """\
import sys
from pathlib import Path

sys.path.append(str(Path(sys.argv[0]).resolve().parent / "libraries"))
try:
    import cryptography
except ImportError:
    wheels = f"wheels/{sys.version_info.major}.{sys.version_info.minor}"
    sys.exit(
        "The verifier needs `cryptography`, which this Python does not have. Its wheels lie beside this file. Run there:\\n"
        f"  python3 -m pip install --no-deps --target libraries {wheels}/*.whl"
    )
from caseload.audit.verify.cli import main

sys.exit(main())
"""


def archive() -> bytes:
    """The verifier as one file that Python runs."""
    root = Path(caseload.__file__).parent
    found: list[Path] = []
    for part in _PARTS:
        path = root / part
        found += sorted(path.rglob("*.py")) if path.is_dir() else [path]
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, text in [("__main__.py", _MAIN.encode())] + [
            (f"caseload/{path.relative_to(root).as_posix()}", path.read_bytes()) for path in found
        ]:
            packed.writestr(zipfile.ZipInfo(name, _MOMENT), text, zipfile.ZIP_DEFLATED)
    return b"#!/usr/bin/env python3\n" + data.getvalue()


def requirements(lock: str) -> str:
    """Of the lock, what the verifier needs, with its hashes: for `pip download --require-hashes`."""
    blocks = re.split(r"\n(?=[a-z0-9])", lock)
    return "\n".join(block for block in blocks if re.split(r"[^a-z0-9-]", block, maxsplit=1)[0] in _NEEDED) + "\n"


def main(given: Sequence[str] | None = None) -> int:
    """Write the file, and the digests of everything that lies in the folder."""
    parser = argparse.ArgumentParser(prog="python -m caseload.audit.verify.packed", description=__doc__)
    parser.add_argument("out", type=Path, help="the folder to write to")
    parser.add_argument("--lock", type=Path, help="only write which libraries it needs, as this lock pins them")
    asked = parser.parse_args(given)
    out: Path = asked.out
    out.mkdir(parents=True, exist_ok=True)
    if asked.lock is not None:
        (out / "requirements.txt").write_text(requirements(asked.lock.read_text()))
        return 0
    path = out / _NAME
    path.write_bytes(archive())
    path.chmod(0o755)
    files = sorted(each for each in out.rglob("*") if each.is_file() and each.name != _SUMS)
    lines = [f"{hashlib.sha256(each.read_bytes()).hexdigest()}  {each.relative_to(out).as_posix()}\n" for each in files]
    (out / _SUMS).write_text("".join(lines))
    sys.stdout.write(f"{path}: python3 {_NAME} BUNDLE --policy POLICY\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
