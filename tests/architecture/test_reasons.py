"""A check that is told to look away is told why, on the same line."""

import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.source import ROOT

LOOKS_AWAY = re.compile(
    r"#\s*(?:ruff:\s*)?(?:noqa(?::\s*[A-Z]+\d+(?:,\s*[A-Z]+\d+)*)?|(?:type|pyright):\s*ignore(?:\[[\w\s,-]*\])?|"
    r"pragma: no (?:cover|branch))(?P<why>.*)"
)
A_WORD = re.compile(r"[a-z]{2}")
FOLDERS = ("src", "tests", "benchmarks", "migrations", "typings")


def unexplained(source: str) -> Iterator[tuple[int, str]]:
    """Comments that silence something and do not say why, with their lines."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        found = LOOKS_AWAY.search(token.string) if token.type == tokenize.COMMENT else None
        if found is not None and not A_WORD.search(found["why"]):
            yield token.start[0], token.string


@pytest.mark.parametrize("folder", FOLDERS)
def test_whatever_is_silenced_says_why(folder: str) -> None:
    said = [
        f"{path.relative_to(ROOT)}:{line} {comment}: say why behind it, or mend what it hides."
        for path in _files(ROOT / folder)
        for line, comment in unexplained(path.read_text())
    ]
    assert not said, "\n".join(said)


@pytest.mark.parametrize(
    ("comment", "found"),
    [
        ("# noqa", True),
        ("# noqa: S608", True),
        ("# noqa: S608, PLW1509 -", True),
        ("# noqa: S608  names of our own", False),
        ("# type: ignore[arg-type]", True),
        ("# pyright: ignore[reportArgumentType] their type is narrower", False),
        ("# pragma: no cover", True),
        ("# what is said here is no reason to look away", False),
    ],
)
def test_a_reason_is_words(comment: str, found: bool) -> None:  # noqa: FBT001  a parameter of the test, given by name
    assert bool(list(unexplained(f"x = 1  {comment}\n"))) is found


def _files(folder: Path) -> Iterator[Path]:
    return (path for pattern in ("*.py", "*.pyi") for path in sorted(folder.rglob(pattern)))
