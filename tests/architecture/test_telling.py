"""Whoever is told something outside is told by one operation: nothing else decides it, and nothing else writes it down."""

import ast

from tests.architecture.source import Module, calls, modules

ASKS = {
    "domain/attendance/door.py": "who may sit in a session: when it is planned, at the door, and in the register",
    "domain/consent/asking.py": "the question as staff ask it",
    "domain/disclosure/deciding.py": "the one consent that a disclosure rests on",
}
"""Where a decision is asked for, and of what."""

DECIDES = {
    "domain/consent/asking.py": "the question as staff ask it, and the one every disclosure asks again",
    "domain/outreach/around.py": "whom the ladder would ask, before anybody is rung",
}
"""Where `may_tell` is asked, and why there."""

READS_WHO_SAT_IN = {"db/disclosure/sitting_in.py": "the register of a session, which asked at the door"}
"""Where the other kind of line in a client's account comes into being, and why there."""

SENDS_FILES = {
    "api/accessreport/routes.py": "the client's own report",
    "api/audit_log.py": "the log, for whoever audits it",
    "api/bundle.py": "the log, for whoever audits it",
    "api/confidentiality.py": "the log, for whoever audits it",
    "api/recordcopy/routes.py": "the client's own copy",
}
"""What streams out of the house, and why it is no disclosure to somebody outside."""

SPEAKS_TO_OTHERS = {
    "aiohttp", "ftplib", "http.client", "http.server", "httpx", "requests", "smtplib", "socket", "urllib.request",
}  # fmt: skip
CALLS_OUT = {
    "audit/witness/client.py": "signed checkpoints of the log, which name nobody, for the witness",
    "audit/witness/server.py": "the witness, which is asked for signatures under them",
    "commands/port.py": "whether a port of this machine is free",
    "commands/workers.py": "the health of this machine's own workers",
}
"""What reaches, or answers, another process by itself, and why it tells nobody anything."""

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
    "api/rights/accountings.py": "the client's own accounting, as it was made for their request",
    "commands/downtime_sheet.py": "a sheet for the window, inside the programme",
}
"""What is typeset to leave, and why it is no disclosure to somebody outside."""


def _where(name: str) -> set[str]:
    return {module.path for module in modules() for called, _ in calls(module) if called == name}


def test_the_decision_is_asked_only_where_it_is_known_to_be() -> None:
    found = _where("may_tell")
    assert found == set(DECIDES), "Ask through `answers_to` or `covering`, or say here why not; take out what is gone."


def test_it_is_asked_for_only_by_what_tells_or_lets_somebody_in() -> None:
    found = _where("answers_to")
    assert found == set(ASKS), (
        "Disclose through `domain.disclosure.disclose`, or say here why not; take out what is gone."
    )


def test_who_sat_in_is_read_from_registers_and_written_nowhere() -> None:
    assert _where("SatIn") == set(READS_WHO_SAT_IN)


def test_whatever_streams_out_is_known_for_what_it_is() -> None:
    found = _where("Stream")
    assert found == set(SENDS_FILES), "Is it told to somebody outside? Then it is a disclosure."


def test_nothing_reaches_another_machine_by_itself() -> None:
    """No letter, message or call to another service leaves by itself, so there is none that could tell somebody anything."""
    found = {
        module.path for module in modules() for node in ast.walk(module.tree) if _imported(node) & SPEAKS_TO_OTHERS
    }
    assert found == set(CALLS_OUT), "Is it told to somebody outside? Then it is a disclosure."


def _imported(node: ast.AST) -> set[str]:
    match node:
        case ast.Import():
            return {alias.name for alias in node.names}
        case ast.ImportFrom(module=str(module)):
            return {module, *(f"{module}.{alias.name}" for alias in node.names)}
        case _:
            return set()


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
