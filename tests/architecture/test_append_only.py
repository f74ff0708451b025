"""The log can be appended to, read and verified: no code of the service builds a change of it."""

import ast
import importlib
import re

import pytest
from sqlalchemy import Delete, Table, Update

from tests.architecture.source import Module, Place, calls, modules

CHANGES = frozenset({"update", "delete"})

EMPTIES_THE_QUEUE = "audit/tree.py"
"""The sequencer takes from the queue what it has given a place, once; a trigger compares the two byte for byte."""

WRITTEN = re.compile(r"\b(update|delete\s+from|truncate(\s+table)?|merge\s+into)\s+audit\.", re.IGNORECASE)


def _audited(module: Module, argument: ast.expr | None) -> bool:
    """Whether the argument names a table of the log, as far as its module can tell."""
    if not isinstance(argument, ast.Name | ast.Attribute):
        return False
    found: object = importlib.import_module(module.name)
    for part in ast.unparse(argument).split("."):
        found = getattr(found, part, None)
    return isinstance(found, Table) and found.schema == "audit"


def _built(module: Module) -> list[Place]:
    found: list[Place] = []
    for name, call in calls(module):
        if name not in CHANGES:
            continue
        receiver = call.func.value if isinstance(call.func, ast.Attribute) else None
        if _audited(module, call.args[0] if call.args else None) or _audited(module, receiver):
            found.append(Place(module.path, call.lineno, ast.unparse(call)))
    return found


def _spelled(module: Module) -> list[Place]:
    return [
        Place(module.path, node.lineno, node.value.strip()[:80])
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and WRITTEN.search(node.value)
    ]


def _made(module: Module) -> list[Place]:
    """Statements that stand ready in the module, however they were built."""
    loaded = importlib.import_module(module.name)
    return [
        Place(module.path, 0, name)
        for name, value in vars(loaded).items()
        if isinstance(value, Update | Delete) and getattr(value.table, "schema", None) == "audit"
    ]


def test_nothing_builds_a_change_of_the_log() -> None:
    of_interest = [module for module in modules() if module.path.startswith(("audit/", "db/", "request/", "imports/"))]
    found = [place for module in of_interest for look in (_built, _spelled, _made) for place in look(module)]
    [emptying] = [place for place in found if place.path == EMPTIES_THE_QUEUE]
    assert "audit.queue" in str(emptying)
    found.remove(emptying)
    assert not found, "\n".join(f"{place}: a correction of the log is another entry." for place in found)


def test_the_search_finds_what_it_looks_for(monkeypatch: pytest.MonkeyPatch) -> None:
    source = (
        "from sqlalchemy import delete, update\n"
        "from caseload.audit import tables\n"
        "from caseload.audit.tables import entry\n"
        "a = update(entry)\nb = delete(tables.entry)\nc = entry.update()\nd = 'DELETE FROM audit.entry'\n"
    )
    journal = importlib.import_module("caseload.audit.journal")
    tables = importlib.import_module("caseload.audit.tables")
    monkeypatch.setattr(journal, "tables", tables, raising=False)
    monkeypatch.setattr(journal, "entry", tables.entry, raising=False)
    module = Module("audit/journal.py", ast.parse(source))
    assert [place.line for place in _built(module)] == [4, 5, 6]
    assert [place.line for place in _spelled(module)] == [7]
