"""The tree as text: what the architecture tests look at."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "caseload"


@dataclass(frozen=True, slots=True)
class Module:
    """One file of the package."""

    path: str
    """Below the package, with slashes: `db/dosing.py`."""
    tree: ast.Module

    @property
    def name(self) -> str:
        """As it is imported."""
        return "caseload." + self.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


@cache
def modules() -> tuple[Module, ...]:
    """Every module of the package."""
    return tuple(
        Module(path.relative_to(PACKAGE).as_posix(), ast.parse(path.read_text()))
        for path in sorted(PACKAGE.rglob("*.py"))
    )


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the tree something stands."""

    path: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"src/caseload/{self.path}:{self.line} {self.what}"


def calls(module: Module) -> Iterator[tuple[str, ast.Call]]:
    """Every call, with the last word of what is called: `commit` of `connection.commit()`."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call):
            match node.func:
                case ast.Attribute(attr=name) | ast.Name(id=name):
                    yield name, node
                case _:
                    continue


def unexpected(found: dict[str, list[Place]], allowed: dict[str, str], *, advice: str) -> str:
    """What to say about places that are not allowed, and about allowances that nothing needs any more."""
    said = [f"{place}: {advice}" for path, places in found.items() if path not in allowed for place in places]
    said += [
        f"{path} no longer needs its exception ({reason}): take it out."
        for path, reason in allowed.items()
        if path not in found
    ]
    return "\n".join(said)
