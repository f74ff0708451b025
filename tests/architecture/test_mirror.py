"""The same file name for the same subject in every layer."""

import pytest

from tests.architecture.source import PACKAGE, ROOT

NOT_SUBJECTS = {
    "access": "who may do what: a table and a function that every subject asks",
    "errors": "the four kinds of refusal",
    "ids": "the identifiers of all subjects",
    "journal": "the port of the log",
    "medicines": "the words for medicines, forms and amounts",
    "moments": "which years anybody can mean, whatever it is that happened then",
    "profiles": "the thresholds of the jurisdictions, as data files",
    "schedule": "wall-clock arithmetic that check-ins, sessions and doses share",
    "taken_back": "what is said of a record that was a mistake, whichever it was",
    "zones": "the zone of a programme that has moved: what reckons with days reckons with it",
}
"""What lies in the domain and is no subject of its own."""

LAYERS = ("db", "api", "tests")

ELSEWHERE = {
    ("db", "accesslog"): "the log is read by `audit/accesslog.py`: `db` knows nothing of it",
    ("db", "catalogue"): "it is a file, and nothing of it is kept",
    ("api", "alert"): "an alert is a task: whoever it is for reads it by `api/care_task.py`",
    ("api", "job"): "operators look after jobs with `caseload jobs`, and the numbers with `/metrics`",
    ("api", "accesslog"): "over HTTP it is called what its reader calls it: `api/audit_log.py`",
}
"""Where a subject has no mirror, and why."""


def _subjects() -> list[str]:
    found = {
        path.stem
        for path in (PACKAGE / "domain").iterdir()
        if path.stem.isidentifier() and not path.stem.startswith("_")
    }
    return sorted(name for name in found if name not in NOT_SUBJECTS and not name.endswith("_data"))


def _mirrors(layer: str, subject: str) -> bool:
    if layer == "tests":
        return any((ROOT / "tests").glob(f"*/test_{subject}*.py"))
    return any(path.stem == subject for path in (PACKAGE / layer).iterdir())


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("subject", _subjects())
def test_a_subject_has_its_mirror(subject: str, layer: str) -> None:
    there = _mirrors(layer, subject)
    reason = ELSEWHERE.get((layer, subject))
    if reason is None:
        assert there, f"{layer} has no {subject}: add it under that name, or say in ELSEWHERE why it needs none."
    else:
        assert not there, f"{layer} has {subject} now: take its exception ({reason}) out of ELSEWHERE."


def test_no_exception_is_stale() -> None:
    subjects = set(_subjects())
    for layer, subject in ELSEWHERE:
        assert subject in subjects, f"{subject} is no subject any more: take it out of ELSEWHERE."
        assert layer in LAYERS
    for name in NOT_SUBJECTS:
        assert any((PACKAGE / "domain").glob(f"{name}*")), f"{name} is gone: take it out of NOT_SUBJECTS."
