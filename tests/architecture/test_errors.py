"""What a caller sees of a refusal: a sentence of its own for every error of the domain."""

import importlib

import pytest

from caseload.domain.errors import CaseloadError
from tests.architecture.source import modules


def _errors() -> list[type[CaseloadError]]:
    for module in modules():
        if module.path.startswith("domain/"):
            importlib.import_module(module.name)
    found: list[type[CaseloadError]] = []
    waiting: list[type[CaseloadError]] = [CaseloadError]
    while waiting:
        kind = waiting.pop()
        found.append(kind)
        waiting += [child for child in kind.__subclasses__() if child.__module__.startswith("caseload.")]
    return sorted(found, key=lambda error: error.__qualname__)


@pytest.mark.parametrize("error", _errors(), ids=lambda error: error.__qualname__)
def test_every_error_of_the_domain_has_its_sentence(error: type[CaseloadError]) -> None:
    said = vars(error).get("__doc__") or ""
    title = said.strip().partition("\n")[0]
    assert title, f"{error.__module__}.{error.__qualname__}: its docstring is the title a caller sees; give it one."
    assert title[0].isupper(), f"{error.__qualname__}: its docstring's first line is a sentence: {title!r}"
    assert title.endswith("."), f"{error.__qualname__}: its docstring's first line is a sentence: {title!r}"
    assert "`" not in title, f"{error.__qualname__}: a caller does not read code: {title!r}"
