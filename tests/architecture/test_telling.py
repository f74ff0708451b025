"""Whoever is told something outside is told by one operation: nothing else decides it, and nothing else writes it down."""

import ast

from tests.architecture.source import Module, calls, modules

DECIDES = {
    "domain/consent/asking.py": "the question as staff ask it, and the one every disclosure asks again",
    "domain/outreach/around.py": "whom the ladder would ask, before anybody is rung",
}
"""Where `may_tell` is asked, and why there."""

MAKES = {
    "domain/disclosure/disclosing.py": "the one operation",
    "domain/disclosure/emergency.py": "what never waits (42 CFR 2.51)",
    "domain/dosing/handing_on.py": "the last dose, by the same decision",
    "db/disclosure/kept.py": "reads back what was made",
}
"""Where a disclosure comes into being, and why there."""

DOCUMENTS = {
    "api/accessreport/routes.py": "the client's own report, after the privacy officer has looked through it",
    "api/disclosure/accountings.py": "the client's own accounting",
    "api/recordcopy/routes.py": "the client's own copy, after the privacy officer has looked through it",
    "commands/downtime_sheet.py": "a sheet for the window, inside the programme",
}
"""What is typeset to leave, and why it is no disclosure to somebody outside."""


def _where(name: str) -> set[str]:
    return {module.path for module in modules() for called, _ in calls(module) if called == name}


def test_the_decision_is_asked_only_where_it_is_known_to_be() -> None:
    found = _where("may_tell")
    assert found == set(DECIDES), "Ask through `answers_to` or `covering`, or say here why not; take out what is gone."


def test_a_disclosure_is_made_only_by_what_decides_first() -> None:
    made = {module.path for module in modules() if _makes(module)}
    assert made == set(MAKES), (
        "Release through `domain.disclosure.disclose`, or say here why not; take out what is gone."
    )
    for path in set(MAKES) - {"domain/disclosure/emergency.py", "db/disclosure/kept.py"}:
        assert path in _where("covering"), f"{path} makes a disclosure and asks for no consent"
    for path in set(MAKES) - {"db/disclosure/kept.py"}:
        assert path in _where("carried"), f"{path} makes a disclosure and forgets what the client disputes of it"


def _makes(module: Module) -> bool:
    imported = _imports(module, "caseload.domain.disclosure", "Disclosure")
    return imported and any(called == "Disclosure" for called, _ in calls(module))


def _imports(module: Module, package: str, name: str) -> bool:
    return any(
        isinstance(node, ast.ImportFrom)
        and (node.module or "").startswith(package)
        and any(alias.name == name for alias in node.names)
        for node in ast.walk(module.tree)
    )


def test_what_is_typeset_to_leave_is_known_for_what_it_is() -> None:
    found = {module.path for module in modules() if _imports(module, "caseload.typesetting", "typeset")}
    assert found == set(DOCUMENTS), "Is it told to somebody outside? Then it is a disclosure."
