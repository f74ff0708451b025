"""What a log line holds, and what it never holds."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from caseload import observability
from caseload.settings import Settings
from tests import processes


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


class RowRefusedError(Exception):
    """As a driver raises it."""

    sqlstate = "23505"


def _refuse() -> None:
    raise RowRefusedError("Key (name)=(Jane Doe) already exists.")


def _fail() -> None:
    try:
        _refuse()
    except RowRefusedError as error:
        raise ValueError("Jane Doe") from error


def _lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_ours_and_theirs_come_through_one_pipeline(capsys: pytest.CaptureFixture[str]) -> None:
    observability.configure(Settings(log_format="json"))
    structlog.contextvars.bind_contextvars(request_id="r1")
    observability.logger("caseload.x").info("given", count=2)
    logging.getLogger("granian").warning("worker %d", 1)
    ours, theirs = _lines(capsys)
    assert (ours["event"], ours["count"], ours["level"], ours["request_id"]) == ("given", 2, "info", "r1")
    assert (theirs["event"], theirs["logger"], theirs["request_id"]) == ("worker 1", "granian", "r1")


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_the_text_of_an_exception_is_never_logged(capsys: pytest.CaptureFixture[str], log_format: Any) -> None:
    observability.configure(Settings(log_format=log_format))
    try:
        _fail()
    except ValueError as error:
        observability.logger("caseload.x").exception("failed")
        observability.logger("caseload.x").error("failed", exc_info=error)
        logging.getLogger("asyncpg").exception("failed")
    said = capsys.readouterr().err
    assert "Jane" not in said
    assert said.count("ValueError") == 3
    assert said.count("23505") == 3


def test_an_exception_is_told_by_type_place_and_cause() -> None:
    with pytest.raises(ValueError, match="Jane") as failed:
        _fail()
    told = observability.describe(failed.value)
    assert told["type"] == "ValueError"
    assert str(told["at"][-1]).endswith("_fail")
    assert told["because"]["sqlstate"] == "23505"


def test_several_exceptions_at_once_are_told_each() -> None:
    told = observability.describe(ExceptionGroup("Jane", [ValueError("Doe"), KeyError("x")]))
    assert [part["type"] for part in told["parts"]] == ["ValueError", "KeyError"]
    assert "Jane" not in str(told)


def test_chatter_of_libraries_stays_out(capsys: pytest.CaptureFixture[str]) -> None:
    observability.configure(Settings(log_format="json"))
    logging.getLogger("httpx").info("GET /clients/123")
    assert _lines(capsys) == []


def test_a_subcommand_is_quieter_than_the_service(capsys: pytest.CaptureFixture[str]) -> None:
    observability.configure(Settings(log_format="json"), least="warning")
    observability.logger("caseload.x").info("given")
    assert _lines(capsys) == []


COUNTING = """
import sys
from pathlib import Path
from caseload.observability import count_together, reserve_counts
from caseload.settings import Settings
from tests import processes
count_together(Settings(data_dir=Path(sys.argv[1])))
reserve_counts()
from caseload.request import metrics
for route in range(150):
    for status in (200, 403, 404, 422):
        metrics.answered(route=f"/api/v1/a/route/of/usual/length/{route}", method="GET", status=status, seconds=0.1)
metrics.ENTRIES_WAITING.set(1)
assert metrics.exposition().count(b"caseload_http_requests_total{") == 600
"""


def test_what_is_counted_needs_no_more_room_on_the_disk_once_a_process_has_begun(tmp_path: Path) -> None:
    """A file that is mapped into memory and finds no room ends the process at the next count."""
    told = processes.run("-c", COUNTING, str(tmp_path))
    assert told.returncode == 0, told.stderr
    files = list((tmp_path / "run" / "metrics").glob("*.db"))
    assert {path.name.rpartition("_")[0] for path in files} == set(observability.KINDS)
    for path in files:
        kept = path.stat()
        assert kept.st_size == observability.RESERVED_BYTES, f"{path.name} has grown"
        assert kept.st_blocks * 512 >= kept.st_size, f"{path.name} has holes"
