"""Tells of which operations no success was looked at in a whole run (see `api/witness.py`), and fails the run.

Tests are spread over processes, so no test can know it: each process tells the one that leads. A run in which an API
test was left out or failed says nothing about it.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

import pytest

API_TESTS = Path(__file__).parent / "api"

_TREE = "needs a sequencer, over a database of the test's own: tests/api/test_audit_tree.py sees it succeed"

CANNOT: Mapping[str, str] = {
    "read_log_checkpoint": _TREE,
    "read_log_tile": _TREE,
    "prove_log_inclusion": _TREE,
    "prove_log_consistency": _TREE,
    "prove_audit_entry": _TREE,
    "fetch_audit_bundle": _TREE,
}
"""Operations of which a success cannot be looked at, with the reason."""


class Node(Protocol):
    """What the leading process knows of another that has ended."""

    workeroutput: dict[str, Any]


class LookedAt:
    """The part of pytest that collects it, one per process."""

    def __init__(self) -> None:
        self.there_are: set[str] = set()
        self.looked_at: set[str] = set()
        self.all_tests = False
        self.says: list[str] = []

    def add(self, *, there_are: Iterable[str], looked_at: Iterable[str]) -> None:
        """Operations of the service, and those of which a success was looked at."""
        self.there_are |= set(there_are)
        self.looked_at |= set(looked_at)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Whether every file of API tests is in this run. Only where tests are run."""
        self.all_tests = set(API_TESTS.glob("test_*.py")) <= {item.path for item in session.items}

    def pytest_deselected(self, items: Iterable[pytest.Item]) -> None:
        """A file of which only a part is run is not there."""
        if any(item.path.is_relative_to(API_TESTS) for item in items):
            self.all_tests = False

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Node) -> None:
        """Another process has ended, and tells."""
        told: dict[str, Any] | None = getattr(node, "workeroutput", {}).get("looked_at")
        if told is not None:
            self.add(there_are=told["there_are"], looked_at=told["looked_at"])
            self.all_tests = told["all_tests"]

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Tell the process that leads; or, being it, say what nobody has looked at."""
        output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
        if output is not None:
            output["looked_at"] = {
                "there_are": sorted(self.there_are),
                "looked_at": sorted(self.looked_at),
                "all_tests": self.all_tests,
            }
        elif self.all_tests and session.exitstatus == pytest.ExitCode.OK:
            self.says = list(verdict(self.there_are, self.looked_at, CANNOT))
            if self.says:
                session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say it where people look."""
        if self.says:
            terminalreporter.section("what the API tests did not look at", red=True)
            for line in self.says:
                terminalreporter.line(line)


def verdict(there_are: set[str], looked_at: set[str], cannot: Mapping[str, str]) -> Iterable[str]:
    """What to do about each operation, one sentence each."""
    for name in sorted(there_are - looked_at - set(cannot)):
        yield f"{name}: no test has seen it succeed; write one, or say in tests/looked_at.py why there is none."
    for name in sorted(looked_at & set(cannot)):
        yield f"{name}: a test sees it succeed now; take its exception out of tests/looked_at.py."
    for name in sorted(set(cannot) - there_are):
        yield f"{name}: there is no such operation any more; take its exception out of tests/looked_at.py."


LOOKED_AT = pytest.StashKey[LookedAt]()
